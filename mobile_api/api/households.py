"""The household: who lives along, children, relatives one represents, and the objection of whoever was spoken for."""

from __future__ import annotations

from typing import Any

from backend.services import declared_for, household_children, households, representations
from mobile_api.api.callers import me, world
from mobile_api.api.contract import Blueprint
from mobile_api.api.schemas.households import (
    ChildDeclared,
    ChildsLeaseShown,
    CoResidentEntered,
    HouseholdShown,
    MemberAmended,
    MemberCheckedOut,
    MemberShown,
    RelativeDeclared,
)
from mobile_api.api.schemas.registrations import RegistrationShown

blueprint = Blueprint("households", "同住人和代为申报", "Household and representation")
ENTRY = (
    "person.name",
    "person.unmatched",
    "document.type",
    "document.form",
    "document.check_digit",
    "document.birth",
    "registration.move_in",
    "registration.reason",
    "registration.division",
    "registration.already",
    "household.child",
    "household.told",
    "household.kin",
    "household.unidentified",
    "input.date_order",
    "input.future_date",
)


@blueprint.get("/registrations/<id:registration_id>/household")
@blueprint.etag
@blueprint.response(200, HouseholdShown)
@blueprint.refuses("not_found")
def get_household(registration_id: str) -> Any:
    """Show who lives along, and whether more live there than may: a hint.

    查看同住人；超过可住人数只提示。
    """
    return households.list_household(world(), account_id=me(), registration_id=registration_id)


@blueprint.post("/registrations/<id:registration_id>/household")
@blueprint.arguments(CoResidentEntered)
@blueprint.response(201, MemberShown)
@blueprint.refuses("not_found", "household.head", *ENTRY)
@blueprint.creates
def add_co_resident(body: dict[str, Any], registration_id: str, idempotency_key: str | None) -> Any:
    """Enter a grown person who lives along; a relative is declared with it, anybody else declares by themselves.

    添加 16 周岁以上的同住人；亲属随即申报，非亲属由本人申报。
    """
    return households.add_co_resident(
        world(), account_id=me(), registration_id=registration_id, **body, idempotency_key=idempotency_key
    )


@blueprint.post("/registrations/<id:registration_id>/children")
@blueprint.arguments(ChildDeclared)
@blueprint.response(201, MemberShown)
@blueprint.refuses(
    "not_found",
    "guardian.unidentified",
    "guardian.grown",
    "household.head",
    "household.consent",
    "registration.move_in",
    "registration.reason",
    "registration.division",
    "registration.already",
    "input.date_order",
)
@blueprint.creates
def declare_child(body: dict[str, Any], registration_id: str, idempotency_key: str | None) -> Any:
    """Declare a child under 16 one is the guardian of (ZJ-7).

    监护人为未满 16 周岁的孩子申报。
    """
    return household_children.declare_child(
        world(), account_id=me(), registration_id=registration_id, **body, idempotency_key=idempotency_key
    )


@blueprint.get("/me/declared-for")
@blueprint.etag
@blueprint.response(200, MemberShown(many=True))
def list_declared_for() -> Any:
    """List everybody one has declared or entered.

    查看由我代为申报的人。
    """
    return declared_for.list_declared_for(world(), account_id=me())


@blueprint.post("/me/declared-for")
@blueprint.arguments(RelativeDeclared)
@blueprint.response(201, MemberShown)
@blueprint.refuses("person.missing", "person.minor", "household.unit", "household.represented", *ENTRY)
@blueprint.creates
def declare_for_relative(body: dict[str, Any], idempotency_key: str | None) -> Any:
    """Declare for a relative with a lease of their own who is old, disabled or ill; no key comes with it (ZJ-7).

    为年老、残疾或生病、自己承租的亲属代为申报；不会得到对方的钥匙。
    """
    return representations.declare_for_relative(world(), account_id=me(), **body, idempotency_key=idempotency_key)


@blueprint.get("/me/declared-for/<id:registration_id>")
@blueprint.etag
@blueprint.response(200, MemberShown)
def get_declared_for(registration_id: str) -> Any:
    """Show one registration made for somebody else.

    查看一份代为申报的登记。
    """
    return declared_for.get_declared_for(world(), account_id=me(), registration_id=registration_id)


@blueprint.get("/me/children/leases")
@blueprint.etag
@blueprint.response(200, ChildsLeaseShown(many=True))
def list_childrens_leases() -> Any:
    """List the leases of children one answers for that wait for one's declaration (ZJ-7).

    查看孩子自己承租、等待监护人申报的住处。
    """
    return household_children.list_childrens_leases(world(), account_id=me())


@blueprint.put("/me/declared-for/<id:registration_id>")
@blueprint.arguments(MemberAmended)
@blueprint.response(200, MemberShown)
@blueprint.refuses("not_found", "household.theirs", "transition", "registration.move_in", "input.date_order")
def amend_for(body: dict[str, Any], registration_id: str) -> Any:
    """Correct what one has declared for somebody, or send it again once it came back.

    更正代为申报的内容，或重新提交被退回的申报。
    """
    return declared_for.amend_for(world(), account_id=me(), registration_id=registration_id, **body)


@blueprint.delete("/me/declared-for/<id:registration_id>")
@blueprint.response(204)
@blueprint.refuses("not_found", "household.theirs", "household.lease", "transition")
def withdraw_for(registration_id: str) -> Any:
    """Take back an entry made in error; whoever has lived there is checked out instead.

    撤回录入错误的登记；实际住过的应办理离开。
    """
    declared_for.withdraw_for(world(), account_id=me(), registration_id=registration_id)


@blueprint.post("/me/declared-for/<id:registration_id>/check-out")
@blueprint.arguments(MemberCheckedOut)
@blueprint.response(201, MemberShown)
@blueprint.refuses("not_found", "household.theirs", "household.lease", "checkout.date", "checkout.reason", "transition")
@blueprint.creates
def check_out_for(body: dict[str, Any], registration_id: str, idempotency_key: str | None) -> Any:
    """Report that somebody one answers for has moved out, alone; no key changes.

    为代为申报的人单独办理离开；不影响任何钥匙。
    """
    return declared_for.check_out_for(
        world(), account_id=me(), registration_id=registration_id, **body, idempotency_key=idempotency_key
    )


@blueprint.post("/registrations/<id:registration_id>/objection")
@blueprint.response(200, RegistrationShown)
@blueprint.refuses("not_found", "household.objected")
def object_to_declaration(registration_id: str) -> Any:
    """Object to what another has declared of oneself: a person decides (ZJ-7).

    对他人为自己作的申报提出异议，由工作人员核实。
    """
    return declared_for.object_to_declaration(world(), account_id=me(), registration_id=registration_id)
