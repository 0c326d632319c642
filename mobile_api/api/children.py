"""Guardianship: a guardian enters a child under 16."""

from __future__ import annotations

from typing import Any

from backend.services import guardians
from mobile_api.api.callers import me, world
from mobile_api.api.contract import Blueprint
from mobile_api.api.schemas.children import ChildEntered, ChildShown, ConsentForChild

blueprint = Blueprint("children", "我的孩子", "My children")


@blueprint.get("/me/children")
@blueprint.etag
@blueprint.response(200, ChildShown(many=True))
def list_children() -> Any:
    """List the children one answers for.

    查看由我监护的孩子。
    """
    return guardians.list_children(world(), account_id=me())


@blueprint.post("/me/children")
@blueprint.arguments(ChildEntered)
@blueprint.response(201, ChildShown)
@blueprint.refuses(
    "person.name",
    "document.type",
    "document.form",
    "document.check_digit",
    "document.birth",
    "document.taken",
    "person.missing",
    "person.minor",
    "person.unmatched",
    "guardian.unidentified",
    "guardian.grown",
    "guardian.self",
    "guardian.another",
    "consent.text",
    "registration.division",
    "input.future_date",
)
def enter_child(body: dict[str, Any]) -> Any:
    """Enter a child under 16 with one's consent as guardian; the same again changes nothing.

    监护人添加未满 16 周岁的孩子并表示同意；重复提交不产生变化。
    """
    return guardians.enter_child(world(), account_id=me(), **body)


@blueprint.put("/me/children/<id:child_id>/consent")
@blueprint.arguments(ConsentForChild)
@blueprint.response(200, ChildShown)
@blueprint.refuses("not_found", "guardian.unidentified", "person.missing", "person.minor", "consent.text")
def consent_for_child(body: dict[str, Any], child_id: str) -> Any:
    """Give one's consent for a child again after taking it back; the same again changes nothing.

    撤回后重新同意为孩子办理；重复提交不产生变化。
    """
    return guardians.consent_for_child(world(), account_id=me(), child_id=child_id, **body)


@blueprint.delete("/me/children/<id:child_id>/consent")
@blueprint.response(200, ChildShown)
@blueprint.refuses("not_found")
def withdraw_for_child(child_id: str) -> Any:
    """Take one's consent for a child back; what was finished under it stays.

    撤回对孩子的同意；已经完成的不受影响。
    """
    return guardians.withdraw_for_child(world(), account_id=me(), child_id=child_id)
