"""The tenant's tenancies: declare, receipt, check out."""

from __future__ import annotations

from typing import Any

from backend.services import amendments, receipts, registrations, registry_corrections, tenancies
from backend.web import language
from mobile_api.api.callers import me, world
from mobile_api.api.contract import Blueprint
from mobile_api.api.schemas.registrations import (
    Amendment,
    CorrectionAnswer,
    CorrectionShown,
    Declaration,
    ReceiptShown,
    RegistrationShown,
    TenancyShown,
    TenantsCheckOut,
)

blueprint = Blueprint("registrations", "居住登记", "Residence registration")


@blueprint.get("/registrations")
@blueprint.etag
@blueprint.response(200, TenancyShown(many=True))
def list_tenancies() -> Any:
    """List one's tenancies with registration, key and what is to be done.

    查看我的住处：登记、钥匙和要做的事。
    """
    return tenancies.my_tenancies(world(), account_id=me())


@blueprint.get("/registrations/<id:registration_id>")
@blueprint.etag
@blueprint.response(200, TenancyShown)
def get_tenancy(registration_id: str) -> Any:
    """Show one tenancy; poll it with If-None-Match.

    查看一处住处；可用 If-None-Match 轮询。
    """
    return tenancies.get_tenancy(world(), account_id=me(), registration_id=registration_id)


@blueprint.post("/registrations/<id:registration_id>/declaration")
@blueprint.arguments(Declaration)
@blueprint.response(201, RegistrationShown)
@blueprint.refuses(
    "notice.missing",
    "person.missing",
    "person.minor",
    "transition",
    "registration.move_in",
    "registration.reason",
    "registration.division",
    "input.date_order",
)
@blueprint.creates
def declare(body: dict[str, Any], registration_id: str, idempotency_key: str | None) -> Any:
    """Declare one's residence: fixes the date from which the residence permit counts, and lets the key work.

    申报居住：确定居住证起算日期，钥匙随之生效。
    """
    return registrations.declare(
        world(), account_id=me(), registration_id=registration_id, **body, idempotency_key=idempotency_key
    )


@blueprint.put("/registrations/<id:registration_id>/declaration")
@blueprint.arguments(Amendment)
@blueprint.response(200, RegistrationShown)
@blueprint.refuses(
    "transition",
    "stale",
    "registration.move_in",
    "registration.reason",
    "registration.division",
    "registration.changed_on",
    "registration.other_unit",
    "registration.ended_there",
    "input.date_order",
    "input.future_date",
)
def amend(body: dict[str, Any], registration_id: str) -> Any:
    """Report a change with its day, correct one's declaration, or send a returned one again; `declared_at` stays.

    报告变动（填写日期）、更正申报，或重新提交被退回的申报；申报时间不变。
    """
    return amendments.amend(world(), account_id=me(), registration_id=registration_id, **body)


@blueprint.post("/registrations/<id:registration_id>/check-out")
@blueprint.arguments(TenantsCheckOut)
@blueprint.response(201, RegistrationShown)
@blueprint.refuses("checkout.date", "checkout.reason", "transition", "household.undeclared")
@blueprint.creates
def check_out(body: dict[str, Any], registration_id: str, idempotency_key: str | None) -> Any:
    """Report one's own move-out, and of those named who leave too: the key ends, registry and landlord are told.

    申报离开：钥匙停用，并告知登记机关和房东。
    """
    return registrations.check_out(
        world(), account_id=me(), registration_id=registration_id, **body, idempotency_key=idempotency_key
    )


@blueprint.post("/registrations/<id:registration_id>/still-here")
@blueprint.response(200, RegistrationShown)
@blueprint.refuses("transition")
def still_here(registration_id: str) -> Any:
    """Contradict the landlord's "left": the key stays alive, a person decides.

    回答“我还住着”：钥匙不受影响，由工作人员核实。
    """
    return registrations.answer_still_here(world(), account_id=me(), registration_id=registration_id)


@blueprint.get("/registrations/<id:registration_id>/corrections")
@blueprint.etag
@blueprint.response(200, CorrectionShown(many=True))
def list_corrections(registration_id: str) -> Any:
    """List what the registry has corrected in one's registration, newest first.

    查看登记机关对我的登记所作的更正。
    """
    return registry_corrections.list_corrections(world(), account_id=me(), registration_id=registration_id)


@blueprint.put("/registrations/<id:registration_id>/corrections/<id:correction_id>/answer")
@blueprint.arguments(CorrectionAnswer)
@blueprint.response(200, CorrectionShown)
@blueprint.refuses("transition")
def answer_correction(body: dict[str, Any], registration_id: str, correction_id: str) -> Any:
    """Accept a correction, which then counts, or object: then a person decides.

    同意更正（随即生效），或提出异议（由工作人员处理）。
    """
    return registry_corrections.answer_correction(
        world(), account_id=me(), registration_id=registration_id, correction_id=correction_id, **body
    )


@blueprint.get("/registrations/<id:registration_id>/receipt")
@blueprint.etag
@blueprint.response(200, ReceiptShown)
def get_receipt(registration_id: str) -> Any:
    """Get the registry's signed receipt (登记凭证), once there is one.

    获取登记凭证（登记机关签名）。
    """
    return receipts.get_receipt(world(), account_id=me(), registration_id=registration_id)


@blueprint.get("/registrations/<id:registration_id>/receipt.pdf")
@blueprint.paper
@blueprint.refuses("print.no_font")
def print_receipt(registration_id: str) -> Any:
    """Get the receipt as a PDF in the language of Accept-Language.

    获取登记凭证 PDF（按 Accept-Language 选择语言）。
    """
    return receipts.print_receipt_pdf(world(), account_id=me(), registration_id=registration_id, language=language())


@blueprint.get("/registrations/<id:registration_id>/check-out-receipt.pdf")
@blueprint.paper
@blueprint.refuses("print.no_font")
def print_check_out_receipt(registration_id: str) -> Any:
    """Get the receipt of the check-out as a PDF, once there is one.

    获取离开登记凭证 PDF。
    """
    return receipts.print_receipt_pdf(
        world(), account_id=me(), registration_id=registration_id, language=language(), kind="check_out"
    )
