"""Where each duty is done, and where a message is answered."""

from __future__ import annotations

from flask import url_for

from backend.services.inbox import NoticeView
from backend.services.own_duties import DutyView

# (duty, side) -> endpoint: a tenant's page takes the registration, a landlord's the lease.
PAGES = {
    ("declare", "tenant"): "tenant.declare",
    ("draft", "tenant"): "tenant.declare",
    ("change", "tenant"): "tenant.amend",
    ("exemption", "tenant"): "tenant.tenancy",
    ("foreign", "tenant"): "tenant.tenancy",
    ("permit", "tenant"): "tenant.tenancy",
    ("endorsement", "tenant"): "tenant.tenancy",
    ("lease_end", "tenant"): "tenant.tenancy",
    ("answer_left", "tenant"): "tenant.still_here",
    ("report", "landlord"): "landlord.lease",
    ("report_end", "landlord"): "landlord.lease",
    ("lease_end", "landlord"): "landlord.lease",
}


def duty_page(duty: DutyView) -> str | None:
    """The address of the page where a duty is done; None when it is nobody's page."""
    endpoint = PAGES.get((duty.code, duty.side))
    if endpoint is None:
        return None
    if duty.side == "landlord":
        return url_for(endpoint, lease_id=duty.lease_id)
    return url_for(endpoint, registration_id=duty.home_id)


# A message that asks for an answer -> the page where it is given.
ANSWERS = {"visitor_consent_asked": "tenant.any_visitors", "visitor_emergency": "tenant.any_visitors"}


def notice_page(notice: NoticeView) -> str | None:
    """The address of the page where a message is answered; None when it only tells."""
    if notice.kind in ANSWERS:
        return url_for(ANSWERS[notice.kind])
    if notice.kind == "report_answered":
        side = "landlord" if notice.params.get("side") == "landlord" else "tenant"
        return url_for(f"{side}.show_report", report_id=notice.params["case_id"])
    if notice.kind == "landlord_reminds":
        return url_for("tenant.declare", registration_id=notice.params["registration_id"])
    return None
