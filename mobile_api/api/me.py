"""One's own account, identity and data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from backend.domain.refusals import Refused
from backend.services import access_records, erasures, own_duties, own_papers, persons, sign_ins
from backend.web import caller, language
from mobile_api.api.callers import me, world
from mobile_api.api.contract import Blueprint
from mobile_api.api.schemas.me import (
    AccountShown,
    DutyShown,
    ErasureShown,
    IdentityEntered,
    IdentityShown,
    MyData,
    Preferences,
)

blueprint = Blueprint("me", "我的资料", "My data")


@blueprint.get("/me")
@blueprint.etag
@blueprint.response(200, AccountShown)
def get_account() -> Any:
    """Show one's own account.

    查看账号。
    """
    return caller().details


@blueprint.route("/me", methods=["PATCH"], endpoint="change_preferences")
@blueprint.arguments(Preferences)
@blueprint.response(200, AccountShown)
def change_preferences(body: dict[str, Any]) -> Any:
    """Change language or large text.

    更改语言或大字模式。
    """
    sign_ins.set_preferences(world(), account_id=me(), **body)
    return replace(caller().details, **body)


@blueprint.get("/me/identity")
@blueprint.etag
@blueprint.response(200, IdentityShown)
@blueprint.refuses("not_found")
def get_identity() -> Any:
    """Show one's own identity, the number masked.

    查看本人身份，号码遮盖显示。
    """
    found = persons.my_identity(world(), account_id=me())
    if found is None:
        raise Refused("not_found")
    return found


@blueprint.route("/me/identity", methods=["PUT"], endpoint="enter_identity")
@blueprint.arguments(IdentityEntered)
@blueprint.response(200, IdentityShown)
@blueprint.refuses(
    "person.name",
    "document.type",
    "document.form",
    "document.check_digit",
    "document.birth",
    "document.taken",
    "person.already",
    "person.unmatched",
    "registration.division",
    "input.future_date",
)
def enter_identity(body: dict[str, Any]) -> Any:
    """Enter name and document; the same again changes nothing.

    填写姓名和证件；重复提交同样内容不产生变化。
    """
    return persons.enter_identity(world(), account_id=me(), **body)


@blueprint.get("/me/data")
@blueprint.response(200, MyData)
def export_my_data() -> Any:
    """Take away everything Anju keeps about oneself (PIPL 45).

    导出我的全部资料。
    """
    return {"data": access_records.export_my_data(world(), account_id=me())}


@blueprint.get("/me/data.pdf")
@blueprint.paper
@blueprint.refuses("print.no_font")
def print_my_data() -> Any:
    """Take away everything Anju keeps about oneself as a PDF, in the language of Accept-Language (PIPL 45).

    导出我的全部资料（PDF）。
    """
    return own_papers.print_my_data_pdf(world(), account_id=me(), language=language())


@blueprint.get("/me/erasure")
@blueprint.etag
@blueprint.response(200, ErasureShown)
def get_erasure() -> Any:
    """Read what deleting one's data means now: what has to end first, what the law keeps and until when (PIPL 47).

    查看删除我的数据会怎样：哪些要先办结，哪些依法保留到何时。
    """
    return erasures.get_erasure(world(), account_id=me())


@blueprint.route("/me/erasure", methods=["PUT"], endpoint="ask_erasure")
@blueprint.response(200, ErasureShown)
def ask_erasure() -> Any:
    """Ask to have everything deleted; it can be taken back until it takes effect. Asked again, nothing changes.

    申请删除我的数据；生效前可以撤回，重复申请不变。
    """
    return erasures.ask_erasure(world(), account_id=me())


@blueprint.delete("/me/erasure")
@blueprint.response(200, ErasureShown)
def withdraw_erasure() -> Any:
    """Take the request back: everything stays as it is.

    撤回删除申请。
    """
    return erasures.withdraw_erasure(world(), account_id=me())


@blueprint.get("/me/duties")
@blueprint.etag
@blueprint.response(200, DutyShown(many=True))
def list_duties() -> Any:
    """List what one owes with due date and rule: overdue first, information last.

    查看我的期限：依据、最迟日期，逾期的在前。
    """
    return own_duties.list_duties(world(), account_id=me())
