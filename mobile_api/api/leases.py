"""Leases: record, invite, extend, end, attest."""

from __future__ import annotations

from typing import Any

from backend.services import identity_reviews, invitations, landlord_views, lease_corrections, leases, receipts
from backend.web import language
from mobile_api.api.callers import me, world
from mobile_api.api.contract import Blueprint
from mobile_api.api.schemas.leases import (
    Attestation,
    AttestationMade,
    CoTenant,
    Ending,
    EndMade,
    Extension,
    InvitationAsked,
    InvitationShown,
    LeaseMade,
    LeaseRecorded,
    LeaseShown,
    NamedTenant,
    StartMoved,
)

blueprint = Blueprint("leases", "租约", "Leases")

# A lock is heard from all the time; that alone must not make a change of the lease fail.
STEADY = LeaseShown(exclude=("key.doors.last_seen_at",))


@blueprint.post("/units/<id:unit_id>/leases")
@blueprint.arguments(LeaseRecorded)
@blueprint.response(201, LeaseMade)
@blueprint.refuses(
    "unit.not_yours",
    "landlord.unidentified",
    "lease.overlap",
    "lease.past",
    "lease.start",
    "lease.own",
    "input.date_order",
    "person.name",
    "phone.invalid",
    "document.form",
    "document.check_digit",
    "document.birth",
)
@blueprint.creates
def record_lease(body: dict[str, Any], unit_id: str, idempotency_key: str | None) -> Any:
    """Record a real-name lease with its key and registration; the tenant's name and document are never shown again.

    录入实名租约，同时生成钥匙和登记；租客姓名、证件填写后不再显示。
    """
    return leases.record_lease(world(), account_id=me(), unit_id=unit_id, **body, idempotency_key=idempotency_key)


@blueprint.post("/leases/<id:lease_id>/co-tenants")
@blueprint.arguments(CoTenant)
@blueprint.response(201, LeaseMade)
@blueprint.refuses(
    "lease.not_joint",
    "lease.same_tenant",
    "lease.own",
    "unit.full",
    "landlord.unidentified",
    "right.mandate_over",
    "person.name",
    "phone.invalid",
    "document.form",
    "document.check_digit",
    "document.birth",
)
@blueprint.creates
def add_co_tenant(body: dict[str, Any], lease_id: str, idempotency_key: str | None) -> Any:
    """Let another tenant join a lease: kind and dates are the lease's, registration, invitation and key are their own.

    增加合租人：租期随原租约；登记、邀请和钥匙各自独立。
    """
    joined = landlord_views.get_lease(world(), account_id=me(), lease_id=lease_id)
    return leases.record_lease(
        world(),
        account_id=me(),
        unit_id=joined.unit_id,
        kind=joined.kind,
        starts_on=joined.starts_on,
        ends_on=joined.ends_on,
        joint_with=lease_id,
        **body,
        idempotency_key=idempotency_key,
    )


@blueprint.get("/leases/<id:lease_id>")
@blueprint.etag
@blueprint.response(200, LeaseShown)
@blueprint.refuses("right.mandate_over")
def get_lease(lease_id: str) -> Any:
    """Show a lease and how far the tenant is, none of the tenant's answers.

    查看租约和进展；不含租客填写的内容。
    """
    return _lease(lease_id)


@blueprint.route("/leases/<id:lease_id>", methods=["PATCH"], endpoint="extend_lease")
@blueprint.etag
@blueprint.arguments(Extension)
@blueprint.response(200, LeaseShown)
@blueprint.refuses("lease.shorten", "lease.overlap", "lease.start", "transition")
def extend_lease(body: dict[str, Any], lease_id: str) -> Any:
    """Extend a lease; its key is extended in place. Send the ETag of the lease as If-Match.

    续租：钥匙同时延长。须在 If-Match 中带上租约的 ETag。
    """
    blueprint.check_etag(landlord_views.get_lease(world(), account_id=me(), lease_id=lease_id), STEADY)
    leases.extend_lease(world(), account_id=me(), lease_id=lease_id, ends_on=body["ends_on"])
    return _lease(lease_id)


@blueprint.route("/leases/<id:lease_id>/tenant", methods=["PUT"], endpoint="correct_named")
@blueprint.arguments(NamedTenant)
@blueprint.response(200, LeaseShown)
@blueprint.refuses(
    "lease.reported",
    "lease.corrected_often",
    "lease.own",
    "lease.same_tenant",
    "right.mandate_over",
    "transition",
    "person.name",
    "document.form",
    "document.check_digit",
    "document.birth",
)
def correct_named(body: dict[str, Any], lease_id: str) -> Any:
    """Correct whom the lease names until the report is sent, or when it came back for that; the tenant is told.

    更正租约中租客的姓名和证件（报告送登记机关之前，或因此被退回后）；填写后不再显示，租客会收到通知，退回的报告随之重新报送。
    """
    lease_corrections.correct_named(world(), account_id=me(), lease_id=lease_id, **body)
    return _lease(lease_id)


@blueprint.route("/leases/<id:lease_id>/start", methods=["PUT"], endpoint="move_start")
@blueprint.arguments(StartMoved)
@blueprint.response(200, LeaseShown)
@blueprint.refuses(
    "lease.start_later",
    "lease.start",
    "lease.past",
    "lease.overlap",
    "input.date_order",
    "right.mandate_over",
    "transition",
)
def move_start(body: dict[str, Any], lease_id: str) -> Any:
    """Let a lease and its key start on another day; once the tenant has accepted, only earlier.

    更改租约开始日期，钥匙随之；租客接受后只能改早。
    """
    lease_corrections.move_start(world(), account_id=me(), lease_id=lease_id, starts_on=body["starts_on"])
    return _lease(lease_id)


@blueprint.post("/leases/<id:lease_id>/report")
@blueprint.response(200, LeaseMade)
def report_tenant(lease_id: str) -> Any:
    """Report the tenant to the registry (ZJ-9-1), again where the report came back; else nothing changes.

    报告租客（ZJ-9-1）；被登记机关退回的，再次报告即重新报送；其他重复报告不产生变化。
    """
    return leases.report_tenant(world(), account_id=me(), lease_id=lease_id)


@blueprint.get("/leases/<id:lease_id>/receipt.pdf")
@blueprint.paper
@blueprint.refuses("print.no_font")
def print_receipt(lease_id: str) -> Any:
    """Get the receipt of one's own report as a PDF; it says nothing of the tenant.

    获取房东报告回执 PDF（不含租客信息）。
    """
    return receipts.print_landlord_receipt_pdf(world(), account_id=me(), lease_id=lease_id, language=language())


@blueprint.post("/leases/<id:lease_id>/end")
@blueprint.arguments(Ending)
@blueprint.response(200, EndMade)
@blueprint.refuses("input.future_date", "checkout.date", "transition")
def end_lease(body: dict[str, Any], lease_id: str) -> Any:
    """Report that the tenant has left (ZJ-9-2); the tenant is asked and the key stays alive until the answer.

    报告租客已离开（ZJ-9-2）；会询问租客，答复前钥匙不受影响。
    """
    return leases.end_lease(world(), account_id=me(), lease_id=lease_id, ended_on=body["ended_on"])


@blueprint.post("/leases/<id:lease_id>/invitation")
@blueprint.arguments(InvitationAsked)
@blueprint.response(201, InvitationShown)
@blueprint.refuses("invitation.not_open", "phone.invalid")
def invite_tenant(body: dict[str, Any], lease_id: str) -> Any:
    """Issue the key and invite the tenant; asked again, a new link is sent and the old one dies.

    发出钥匙并邀请租客；再次邀请会发新链接，旧链接失效。
    """
    return invitations.invite_tenant(world(), account_id=me(), lease_id=lease_id, phone=body["phone"])


@blueprint.delete("/leases/<id:lease_id>/invitation")
@blueprint.response(200, InvitationShown)
@blueprint.refuses("invitation.not_open")
def cancel_invitation(lease_id: str) -> Any:
    """Take the open invitation back.

    撤回邀请。
    """
    return invitations.cancel_invitation(world(), account_id=me(), lease_id=lease_id)


@blueprint.post("/leases/<id:lease_id>/attestation")
@blueprint.arguments(Attestation)
@blueprint.response(200, AttestationMade)
@blueprint.refuses("attestation.words", "attestation.ending", "attestation.not_open", "attestation.differs")
def attest(body: dict[str, Any], lease_id: str) -> Any:
    """Attest the tenant face to face (PSAL-68): the key can work, a person reviews within 72 hours.

    当面见证租客身份（PSAL-68）：钥匙可用，工作人员在 72 小时内复核。
    """
    return identity_reviews.attest(world(), account_id=me(), lease_id=lease_id, **body)


def _lease(lease_id: str) -> Any:
    view = landlord_views.get_lease(world(), account_id=me(), lease_id=lease_id)
    blueprint.set_etag(view, STEADY)
    return view
