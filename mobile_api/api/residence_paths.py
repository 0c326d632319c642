"""Beside the ordinary registration: exempt, foreigners, withdrawn or void; and where each field came from."""

from __future__ import annotations

from typing import Any

from backend.services import exemptions, field_origins, foreign_paths, voids
from mobile_api.api.callers import me, world
from mobile_api.api.contract import Blueprint
from mobile_api.api.schemas.registrations import (
    Exemption,
    ForeignFormShown,
    FormDone,
    FormDoneShown,
    OriginShown,
    RegistrationShown,
    VoidAsked,
)

blueprint = Blueprint("residence_paths", "登记的其他情形", "Other paths of a registration")


@blueprint.post("/registrations/<id:registration_id>/exemption")
@blueprint.arguments(Exemption)
@blueprint.response(201, RegistrationShown)
@blueprint.refuses(
    "notice.missing",
    "person.missing",
    "person.minor",
    "transition",
    "registration.move_in",
    "registration.division",
    "exempt.declared",
    "exempt.not_needed",
    "exempt.over",
    "exempt.days",
)
@blueprint.creates
def declare_exempt(body: dict[str, Any], registration_id: str, idempotency_key: str | None) -> Any:
    """State why no declaration is owed (ZJ-12): nothing is sent, the key works all the same.

    说明依法可不申报的情形：不报送，钥匙照常生效。
    """
    return exemptions.declare_exempt(
        world(), account_id=me(), registration_id=registration_id, **body, idempotency_key=idempotency_key
    )


@blueprint.post("/registrations/<id:registration_id>/withdrawal")
@blueprint.response(200, RegistrationShown)
@blueprint.refuses("transition", "withdraw.used")
def withdraw(registration_id: str) -> Any:
    """Withdraw what was never declared: void at once; the key that never worked ends with it.

    撤回尚未申报的登记：立即作废，从未用过的钥匙一并停用。
    """
    return voids.withdraw_draft(world(), account_id=me(), registration_id=registration_id)


@blueprint.post("/registrations/<id:registration_id>/void-request")
@blueprint.arguments(VoidAsked)
@blueprint.response(200, RegistrationShown)
@blueprint.refuses("transition", "input.not_one_of")
def request_void(body: dict[str, Any], registration_id: str) -> Any:
    """Ask to have a declared registration voided; a person decides, the key stays as it is.

    申请作废已申报的登记：由工作人员决定，钥匙不变。
    """
    return voids.request_void(world(), account_id=me(), registration_id=registration_id, reason=body["reason"])


@blueprint.post("/registrations/<id:registration_id>/foreign-form")
@blueprint.response(200, RegistrationShown)
@blueprint.refuses("transition")
def hand_out_form(registration_id: str) -> Any:
    """Take the foreigners' form (EEL-39): it gets its number, and the key no longer waits for it.

    领取外国人住宿登记表：生成编号，钥匙不再等待。
    """
    return foreign_paths.hand_out_foreign_form(world(), account_id=me(), registration_id=registration_id)


@blueprint.get("/registrations/<id:registration_id>/foreign-form")
@blueprint.response(200, ForeignFormShown)
def get_form(registration_id: str) -> Any:
    """Get what is printed on the form; for its person alone.

    获取登记表内容，仅本人可见。
    """
    return foreign_paths.get_foreign_form(world(), account_id=me(), registration_id=registration_id)


@blueprint.put("/registrations/<id:registration_id>/foreign-form/done")
@blueprint.arguments(FormDone)
@blueprint.response(200, RegistrationShown)
@blueprint.refuses("transition", "input.future_date", "foreign.done_on")
def mark_done(body: dict[str, Any], registration_id: str) -> Any:
    """Note the day on which the police took the form.

    记下公安机关受理登记表的日期。
    """
    return foreign_paths.mark_foreign_done(world(), account_id=me(), registration_id=registration_id, **body)


@blueprint.put("/leases/<id:lease_id>/foreign-form/done")
@blueprint.arguments(FormDone)
@blueprint.response(200, FormDoneShown)
@blueprint.refuses("transition", "input.future_date", "foreign.done_on")
def mark_done_as_host(body: dict[str, Any], lease_id: str) -> Any:
    """Note the same as the host (EEL-39 asks either); the tenant is told.

    房东记下公安机关受理的日期，并告知租客。
    """
    done_on = foreign_paths.mark_foreign_done_by_host(world(), account_id=me(), lease_id=lease_id, **body)
    return {"done_on": done_on}


@blueprint.get("/registrations/<id:registration_id>/sources")
@blueprint.response(200, OriginShown(many=True))
def list_sources(registration_id: str) -> Any:
    """Show where each field of one's registration and identity came from.

    查看登记和身份中每一项的来源。
    """
    return field_origins.list_origins(world(), account_id=me(), registration_id=registration_id)
