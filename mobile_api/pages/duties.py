"""Where each duty is done, and what a message opens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from flask import session, url_for

from backend.domain.notice_kinds import PLACES
from backend.services.inbox import MANY, NoticeView
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
        if duty.lease_id is None:  # who lives there without a lease: it is recorded from the unit
            return url_for("landlord.unit", unit_id=duty.unit_id)
        return url_for(endpoint, lease_id=duty.lease_id)
    return url_for(endpoint, registration_id=duty.home_id)


# Place of a message -> (endpoint of the one thing, endpoint of the list it stands in).
OPENS = {
    "home": ("tenant.tenancy", "tenant.home"),
    "declare": ("tenant.declare", "tenant.home"),
    "amend": ("tenant.amend", "tenant.home"),
    "still_here": ("tenant.still_here", "tenant.home"),
    "receipt": ("tenant.receipt", "tenant.home"),
    "key": ("tenant.key", "tenant.any_key"),
    "ways": ("tenant.other_ways", "tenant.home"),
    "household": ("tenant.member", "tenant.home"),
    "lease": ("landlord.lease", "landlord.home"),
    "unit": ("landlord.unit", "landlord.home"),
    "lock": ("landlord.lock", "landlord.home"),
    "rooms": ("landlord.home", "landlord.home"),
    "identity": ("account.home", "account.home"),
    "reported": ("account.list_reported", "account.list_reported"),
    "access": ("account.access", "account.access"),
    "report": ("tenant.show_report", "tenant.list_reports"),
}

def notice_page(notice: NoticeView) -> str:
    """The address of the page a message is about: the one thing where the message names it, else the list of them."""
    place, params = notice.opens, notice.params
    is_landlord = params.get("side", session.get("hat")) == "landlord"
    if place == "home_or_lease":
        place = "lease" if params.get("lease_id") and is_landlord else "home" if not is_landlord else "rooms"
    if place == "visitors":
        if is_landlord and params.get("unit_id"):
            return url_for("landlord.visitors", unit_id=params["unit_id"])
        return url_for("landlord.home" if is_landlord else "tenant.any_visitors")
    one, many = OPENS[place]
    if place == "report" and is_landlord:
        one, many = "landlord.show_report", "landlord.list_reports"
    named = {name: params[name] for name in PLACES[place] if params.get(name)}
    return url_for(one, **named) if len(named) == len(PLACES[place]) else url_for(many)


@dataclass(frozen=True)
class DutyLine:
    """One line of the list of what is due: one duty, or `count` alike of a landlord told by the most pressing."""

    duty: DutyView
    count: int
    page: str | None


def duty_lines(duties: Sequence[DutyView]) -> list[DutyLine]:
    """The lines in the order of the duties; more than MANY alike of a landlord are one, which leads to the to-dos."""
    alike = Counter((duty.code, duty.side, duty.state) for duty in duties)
    lines, seen = [], set()
    for duty in duties:
        sort = (duty.code, duty.side, duty.state)
        if duty.side != "landlord" or alike[sort] <= MANY:
            lines.append(DutyLine(duty, 1, duty_page(duty)))
        elif sort not in seen:
            seen.add(sort)
            lines.append(DutyLine(duty, alike[sort], url_for("landlord.todos")))
    return lines
