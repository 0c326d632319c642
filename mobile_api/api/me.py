"""One's own account, identity and data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from backend.domain.refusals import Refused
from backend.services import access_records, own_duties, persons, sign_ins
from backend.web import caller
from mobile_api.api.callers import me, world
from mobile_api.api.contract import Blueprint
from mobile_api.api.schemas.me import AccountShown, DutyShown, IdentityEntered, IdentityShown, MyData, Preferences

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


@blueprint.get("/me/duties")
@blueprint.etag
@blueprint.response(200, DutyShown(many=True))
def list_duties() -> Any:
    """List what one owes with due date and rule: overdue first, information last.

    查看我的期限：依据、最迟日期，逾期的在前。
    """
    return own_duties.list_duties(world(), account_id=me())
