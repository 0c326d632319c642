"""Reports of tenants and landlords: what can be brought up, where it is, the answer, its rating."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from backend.domain.case_reports import (
    RATING_REASONS,
    REPORTS,
    SIDES,
    STARS,
    WORDS_MOST,
    kinds_of_side,
)
from backend.queries import doors as door_queries
from backend.services import reports
from mobile_api.pages.doors import account_id, landlord, tenant, world
from mobile_api.pages.forms import Sheet
from mobile_api.pages.words import pick

Page = str | Response | tuple[str, int]


@tenant.get("/reports")
@landlord.get("/reports")
def list_reports() -> str:
    """What this account has reported, newest first, and where each is."""
    before = request.args.get("before")
    found = reports.list_reports(world(), account_id=account_id(), before=before, limit=21)
    following = found[19].id if len(found) > 20 else None
    return render_template("reports/list.html", lines=found[:20], following=following, before=before)


@tenant.route("/reports/new", methods=["GET", "POST"])
@landlord.route("/reports/new", methods=["GET", "POST"])
def new_report() -> Page:
    """First the kind, then the dwelling, the facts and a few words."""
    kind = request.values.get("kind", "")
    number = request.args.get("unit", "")
    door = door_queries.find_door(number) if number else None
    places = reports.list_places(world(), account_id=account_id(), side=side(), kind=kind or None)
    is_own = door is None or any(place.unit_no == door.public_number for place in places)
    kinds = kinds_of_side(side() if is_own else "resident")
    if request.method == "GET" and kind not in kinds:
        return render_template("reports/kinds.html", kinds=kinds, unit_no=door.public_number if door else None)
    only = door.public_number if door else places[0].unit_no if len(places) == 1 else None
    sheet = Sheet.of_request({"unit_no": _("哪一间"), "facts": _("是什么情况"), "words": _("补充说明"),
                              "kind": _("种类")}, unit_no=only, kind=kind)  # fmt: skip
    chosen = request.form.getlist("facts")
    if request.method == "POST":
        with sheet.filling():
            unit_no, words = sheet.text("unit_no"), sheet.optional("words")
            sheet.check()
            made = reports.file_report(world(), account_id=account_id(), unit_no=unit_no, kind=kind, facts=chosen,
                                       words=words, call_back=sheet.is_ticked("call_back"),
                                       idempotency_key=sheet.once)  # fmt: skip
            return redirect(url_for(".show_report", report_id=made.id, said="filed"), 303)
    return render_template("reports/new.html", sheet=sheet, kind=kind, row=REPORTS.get(kind), chosen=chosen,
                           places=places, door=door, most=WORDS_MOST), sheet.status  # fmt: skip


@tenant.get("/reports/<report_id>")
@landlord.get("/reports/<report_id>")
def show_report(report_id: str) -> str:
    """One report: its steps, office and day, the answer."""
    return page_of(report_id, rating_sheet(), reopening_sheet())


@tenant.post("/reports/<report_id>/rating")
@landlord.post("/reports/<report_id>/rating")
def rate_report(report_id: str) -> Page:
    """One to five, and why if one likes."""
    sheet = rating_sheet()
    with sheet.filling():
        stars, reason = sheet.whole_number("stars"), sheet.optional("reason")
        sheet.check()
        reports.rate_report(world(), account_id=account_id(), report_id=report_id, stars=stars, reason=reason)
        return redirect(url_for(".show_report", report_id=report_id, said="rated"), 303)
    return page_of(report_id, sheet, Sheet(reopening_labels())), sheet.status


@tenant.post("/reports/<report_id>/reopening")
@landlord.post("/reports/<report_id>/reopening")
def reopen_report(report_id: str) -> Page:
    """Not solved: once more."""
    sheet = reopening_sheet()
    with sheet.filling():
        words = sheet.optional("words")
        reports.reopen_report(world(), account_id=account_id(), report_id=report_id, words=words)
        return redirect(url_for(".show_report", report_id=report_id, said="reopened"), 303)
    return page_of(report_id, Sheet(rating_labels()), sheet), sheet.status


def page_of(report_id: str, rating: Sheet, reopening: Sheet) -> str:
    """The page of one report with its two forms."""
    one = reports.get_report(world(), account_id=account_id(), report_id=report_id)
    stars = [(str(n), pick(*names), None) for n, names in STARS.items()]
    return render_template("reports/one.html", one=one, rating=rating, reopening=reopening, stars=stars,
                           rating_reasons=RATING_REASONS, most=WORDS_MOST, said=request.args.get("said"))  # fmt: skip


def rating_labels() -> dict[str, str]:
    """Words of the rating's fields."""
    return {"stars": _("您满意吗"), "reason": _("原因")}


def reopening_labels() -> dict[str, str]:
    """Words of the reopening's field."""
    return {"words": _("还有什么没解决")}


def rating_sheet() -> Sheet:
    """The rating as sent."""
    return Sheet.of_request(rating_labels())


def reopening_sheet() -> Sheet:
    """The reopening as sent."""
    return Sheet.of_request(reopening_labels())


def side() -> str:
    """Whose pages these are: 'tenant' or 'landlord'."""
    part = request.blueprint or ""
    return part if part in SIDES else SIDES[0]
