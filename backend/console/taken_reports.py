"""Taking down what somebody reports: which dwelling, which kind, what is so; and calling back when it was checked."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from backend.console.cases import page_of
from backend.console.pages import Form, acting, made_reference, world
from backend.domain.case_reports import REPORTS, SOURCES, TAKEN, WORDS_MOST
from backend.domain.cases import kinds_for
from backend.domain.ids import is_id, new_id
from backend.domain.officers import covers
from backend.domain.refusals import Refused
from backend.queries.doors import find_door
from backend.queries.dwellings import DwellingDetail, find_dwellings, get_dwelling
from backend.queries.ledger import find_division
from backend.queries.unit_facts import find_unit
from backend.services.disclosures import refuse_outside
from backend.services.taken_reports import (
    check_may_take,
    look_at_callers_case,
    reopen_for_caller,
    take_report,
    tell_caller,
)

pages = Blueprint("taken_reports", __name__)
ON_FORM = ("facts", "words", "contact", "source", "kind", "place")
SENT_BEFORE = "report.sent_before"
MOST_FOUND = 8


@pages.route("/cases/new", methods=["GET", "POST"])
def new() -> tuple[str, int] | Response:
    """First the place, then the kind, then what is so; each step is an address of its own."""
    if request.method == "GET":
        check_may_take(world(), session_id=acting().session_id)
    place = _place()
    kind = request.values.get("kind", "")
    form = Form.sent() if request.method == "POST" else blank(request.args.get("source", ""))
    if request.method == "POST":
        with form.filling(*ON_FORM, codes=(SENT_BEFORE,)):
            made = take(form, kind, place, form.value("source"))
            return redirect(url_for("taken_reports.new", made=made, kind=kind))
    wish = request.args.get("q", "").strip()[:60]
    page = render_template(
        "case_new.html",
        spot=place,
        made=made_reference(),
        may_open=kind in kinds_for(acting().role),
        kind=kind if kind in TAKEN else None,
        wish=wish,
        found=_find(wish) if wish and not place else (),
        form=form,
        chosen=request.form.getlist("facts"),
        kinds={code: REPORTS[code] for code in TAKEN},
        sources={code: row for code, row in SOURCES.items() if code != "on_visit"},
        most=WORDS_MOST,
    )
    return page, form.status


@pages.get("/cases/caller")
def caller() -> tuple[str, int]:
    """Somebody comes back to what they reported, and names its reference."""
    form = Form({"reference": request.args.get("reference", "").strip()[:40]})
    return _caller_page(form)


@pages.post("/cases/<reference>/told")
def told(reference: str) -> tuple[str, int] | Response:
    """Whoever called has been told."""
    form = Form.sent()
    with form.filling(codes=("report.no_caller", "transition")):
        reached = form.value("reached") != "no"
        tell_caller(world(), session_id=acting().session_id, reference=reference, reached=reached)
        return redirect(_back(form, reference))
    return _page_again(form, reference)


@pages.post("/cases/<reference>/reopening")
def reopen(reference: str) -> tuple[str, int] | Response:
    """Whoever called says that it is not solved."""
    form = Form.sent()
    with form.filling("words", codes=("report.reopened", "report.reopen_late", "report.no_caller", "transition")):
        reopen_for_caller(
            world(), session_id=acting().session_id, reference=reference, words=form.value("words") or None
        )
        return redirect(_back(form, reference))
    return _page_again(form, reference)


def _back(form: Form, reference: str) -> str:
    """The page the button was on: the case's own, or the one by reference, which every role has."""
    on_caller = "caller" in form.values
    return url_for("taken_reports.caller" if on_caller else "cases.show", reference=reference)


def _page_again(form: Form, reference: str) -> tuple[str, int]:
    if "caller" not in form.values:
        return page_of(reference, form), form.status
    form.values["reference"] = reference
    return _caller_page(form)


def _caller_page(form: Form) -> tuple[str, int]:
    case = None
    if form.value("reference"):
        with form.filling("reference"):
            case = look_at_callers_case(world(), session_id=acting().session_id, reference=form.value("reference"))
    return render_template("case_caller.html", form=form, case=case, most=WORDS_MOST), form.status


def blank(source: str = "") -> Form:
    """An empty form, known from every other by its `once`."""
    return Form({"source": source, "once": new_id()})


def take(form: Form, kind: str, place: dict[str, str], source: str) -> str:
    """Take down what the form says about a place; answers the reference. Raises Refused as `take_report`.

    A form that was sent before and says something else now is a new one from here on.
    """
    try:
        return take_report(
            world(),
            session_id=acting().session_id,
            kind=kind,
            facts=request.form.getlist("facts"),
            source=source,
            unit_id=place.get("unit"),
            dwelling_id=place.get("dwelling"),
            words=form.value("words") or None,
            contact=form.value("contact") or None,
            once=form.value("once") or None,
        )
    except Refused as refused:
        if refused.refusal.code == SENT_BEFORE:
            form.values["once"] = new_id()
        raise


def _place() -> dict[str, str]:
    """The chosen unit or dwelling with its address, empty while none is chosen.

    Raises Refused area.foreign (written down) or not_found.
    """
    for part in ("unit", "dwelling"):
        chosen = request.values.get(part, "")
        if not chosen:
            continue
        division = find_division(part, chosen) if is_id(chosen) else None
        refuse_outside(
            world(), session_id=acting().session_id, object_kind=part, object_id=chosen[:40], division=division
        )
        unit = find_unit(chosen) if part == "unit" else None
        words = f"{unit.address} {unit.label}" if unit is not None else get_dwelling(chosen).address
        return {part: chosen, "words": words}
    return {}


def _find(wish: str) -> tuple[DwellingDetail, ...]:
    """Dwellings of the area by the number at a door, else by the words of their address."""
    door = find_door(wish)
    unit = find_unit(door.unit_id) if door is not None else None
    if unit is None:
        return find_dwellings(wish, MOST_FOUND, area=acting().area)
    home = get_dwelling(unit.dwelling_id)
    return (home,) if covers(acting().area, home.division) else ()
