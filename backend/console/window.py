"""The window: a visit, the person's file, one plain form for each act, papers, and the letters to print."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from backend.console.pages import Form, acting, made_reference, world
from backend.console.window_acts import NOTICE, USE_CASES, answers_of, carry_out
from backend.console.window_fields import BUTTONS, CHANNELS, FIELDS, HUKOU, PAPER, SEEN, VISIT, Field
from backend.domain.ids import is_id, new_id
from backend.domain.notices import NOTICES
from backend.domain.refusals import Refused
from backend.domain.window import ACTS
from backend.queries import unit_facts
from backend.queries.dwellings import find_dwellings
from backend.services import window_files
from backend.services.hands import check_place
from backend.services.key_codes import KeyCodes
from backend.services.letters import list_letters, print_letter_pdf
from backend.services.persons import my_identity
from backend.services.window_visits import Visit, end_visit, get_visit, open_visit
from backend.web import language

pages = Blueprint("window", __name__)
OWN_WORD = ("declare", "declare_without_lease", "declare_exempt")
AWAY = ("area.foreign", "purpose.missing", "purpose.unfit", "unauthenticated", "visit.over", "reads.cap")
MOST_FOUND = 10
ABOUT = ("registration_id", "lease_id", "unit_id", "dwelling_id", "child_id", "correction_id", "change_id",
         "report_id")  # fmt: skip
PLACES = {"registration_id": "registration_id", "lease_id": "lease_id", "unit_id": "unit_id",
          "dwelling_id": "dwelling_id", "report_id": "case_id"}  # fmt: skip


@pages.route("/window", methods=["GET", "POST"])
def index() -> tuple[str, int] | AnyResponse:
    """Begin to serve a person: their document, seen in person or written on a form."""
    form = Form.sent() if request.method == "POST" else Form({"id_type": "111", "channel": "window"})
    if request.method == "POST":
        try:
            return redirect(url_for("window.visit", visit_id=_open(form).id))
        except Refused as refused:
            take_refusal(form, refused)
    waiting = len(list_letters(acting().area))
    return render_template("window.html", form=form, fields=VISIT, channels=CHANNELS, waiting=waiting), form.status


@pages.get("/window/visits/<uuid:visit_id>")
def visit(visit_id: str) -> str:
    """The person's file with what can be done; the look is written down."""
    found = _visit(visit_id)
    file = window_files.look_at_file(world(), session_id=acting().session_id, visit=found, area=acting().area)
    wish, aim = request.args.get("q", "").strip()[:60], request.args.get("for")
    return render_template(
        "window_file.html",
        visit=found,
        file=file,
        done=ACTS.get(request.args.get("done", "")),
        made=made_reference(),
        notice=NOTICE,
        version=NOTICES[NOTICE].version,
        wish=wish,
        aim=aim if aim in ("stay", "let") else "let",
        dwellings=find_dwellings(wish, MOST_FOUND, area=acting().area) if wish else (),
    )


@pages.get("/window/visits/<uuid:visit_id>/report")
def report(visit_id: str) -> tuple[str, int]:
    """One thing the person has reported, when they ask about it by its reference; the look is written down."""
    found = _visit(visit_id)
    form, named, shown = Form({"reference": request.args.get("reference", "").strip()[:40]}), None, None
    if form.value("reference"):
        with form.filling("reference"):
            named, shown = window_files.look_at_report(
                world(), session_id=acting().session_id, visit=found, reference=form.value("reference")
            )
    return render_template("window_report.html", visit=found, form=form, report_id=named, report=shown), form.status


@pages.post("/window/visits/<uuid:visit_id>/end")
def end(visit_id: str) -> AnyResponse:
    """The person has gone."""
    end_visit(world(), session_id=acting().session_id, visit_id=str(visit_id))
    return redirect(url_for("window.index"))


@pages.route("/window/visits/<uuid:visit_id>/acts/<act>", methods=["GET", "POST"])
def act(visit_id: str, act: str) -> tuple[str, int] | AnyResponse:
    """One act: its form, then the act, then back to the file."""
    found = _visit(visit_id)
    if act not in USE_CASES:
        abort(404)
    form = Form.sent("password") if request.method == "POST" else Form(prefilled(act, found))
    if request.method == "POST":
        try:
            made = carry_out(act, found, form)
        except Refused as refused:
            take_refusal(form, refused)
        else:
            return (
                _codes(made, found, form)
                if isinstance(made, KeyCodes)
                else redirect(url_for("window.visit", visit_id=found.id, done=act, made=_reference_of(act, made)))
            )
    shown = act_form(act, found, form)
    return render_template("window_act.html", visit=found, act=act, form=form, **shown), form.status


@pages.get("/window/visits/<uuid:visit_id>/papers/<paper>")
def paper(visit_id: str, paper: str) -> Response:
    """One paper for the person as a PDF; each is written down before it is made."""
    found = _visit(visit_id)
    if paper not in PAPERS:
        abort(404)
    about = {name: request.args[name] for name in ABOUT if name in request.args}
    wanted, needs = PAPERS[paper]
    if set(about) != needs or not all(is_id(value) for value in about.values()):
        abort(404)
    return pdf_answer(wanted(world(), session_id=acting().session_id, visit=found, language=language(), **about), paper)


@pages.get("/window/letters")
def letters() -> str:
    """The letters of the area, nameless: what each says and about which unit."""
    area = acting().area
    return render_template(
        "letters.html", waiting=list_letters(area), printed=list_letters(area, printed=True, limit=20)
    )


@pages.post("/window/letters/<uuid:letter_id>/print")
def print_letter(letter_id: str) -> Response:
    """One letter as a PDF; from then on it counts as printed."""
    pdf = print_letter_pdf(
        world(), session_id=acting().session_id, letter_id=str(letter_id), language=request.form.get("to", language())
    )
    return pdf_answer(pdf, "letter")


def _receipt(kind: str) -> Any:
    def make(world: Any, **named: Any) -> bytes:
        return window_files.print_receipt_at_window(world, kind=kind, **named)

    return make


PAPERS: dict[str, tuple[Any, set[str]]] = {
    "receipt": (_receipt("declaration"), {"registration_id"}),
    "check-out": (_receipt("check_out"), {"registration_id"}),
    "foreign-form": (window_files.print_foreign_form_at_window, {"registration_id"}),
    "landlord-receipt": (window_files.print_landlord_receipt_at_window, {"lease_id"}),
    "access": (window_files.print_access_at_window, set()),
    "data": (window_files.print_export_at_window, set()),
}


def _reference_of(act: str, made: Any) -> str | None:
    """What the person quotes from now on, of something just reported."""
    return made.reference if act == "file_report" else None


def _open(form: Form) -> Visit:
    return open_visit(
        world(),
        session_id=acting().session_id,
        channel=form.value("channel"),
        document_seen=bool(form.value("document_seen")),
        **answers_of(VISIT, form),
    )


def _visit(visit_id: str) -> Visit:
    return get_visit(world(), session_id=acting().session_id, visit_id=str(visit_id))


def take_refusal(form: Form, refused: Refused) -> None:
    """A refusal stays on the form, whatever it is about; one that ends the task goes to the error page."""
    if refused.refusal.code in AWAY:
        raise refused
    form.take(refused)


def prefilled(act: str, visit: Visit) -> dict[str, str]:
    """What the address names, and what is known already: an amendment begins from what stands."""
    known = {name: request.args[name] for name in ABOUT if name in request.args}
    if act in ("amend", "declare") and "registration_id" in known:
        home = window_files.find_answers(
            world(), session_id=acting().session_id, visit=visit, act=act, registration_id=known["registration_id"]
        )
        known |= {name: str(value) for name, value in home.items() if value is not None}
    return {**known, "once": new_id(), "id_type": "111", "tenant_id_type": "111"}


def act_form(act: str, visit: Visit, form: Form) -> dict[str, Any]:
    """What the form of an act shows. Raises Refused as `check_place` where the act could not be done either."""
    about = {name: form.value(name) for name in USE_CASES[act][1]}
    placed = {PLACES[name]: value for name, value in about.items() if name in PLACES and is_id(value)}
    check_place(world(), visit.account_id, visit.desk(acting().session_id), act, **placed)
    fields = [*_asked(act, visit), *(PAPER if visit.channel == "paper" else ())]
    about = {name: form.value(name) for name in USE_CASES[act][1]}
    shown = [
        (field, field.choices or (field.options(world(), visit, about) if field.options else {})) for field in fields
    ]
    unit = unit_facts.find_unit(about["unit_id"]) if is_id(about.get("unit_id", "")) else None
    return {
        "fields": shown,
        "about": about,
        "unit": unit,
        "button": BUTTONS.get(act, (ACTS[act].zh, ACTS[act].en)),
        "chosen": {field.name: request.form.getlist(field.name) for field in fields},
        "notice": NOTICES[NOTICE].named(world().house.handler) if act in ("answer_consent", "enter_child") else None,
    }


def _asked(act: str, visit: Visit) -> tuple[Field, ...]:
    """What an act asks for; of whoever speaks for themselves the household registration once, and of a card alone.

    Where nobody stands at the window, no original was seen.
    """
    fields = tuple(f for f in FIELDS.get(act, ()) if f is not SEEN or visit.channel == "window")
    if act not in OWN_WORD:
        return fields
    known = my_identity(world(), account_id=visit.account_id)
    asks = known is not None and known.id_type == "111" and known.hukou_division is None
    return tuple(replace(f, optional=False) if f is HUKOU else f for f in fields if f is not HUKOU or asks)


def _codes(codes: KeyCodes, visit: Visit, form: Form) -> tuple[str, int]:
    residence = unit_facts.find_residence(form.value("registration_id"))
    unit = unit_facts.find_unit(residence.unit_id) if residence else None
    return render_template("codes_sheet.html", codes=codes, unit=unit, today=world().clock.today()), 200


def pdf_answer(pdf: bytes, name: str) -> Response:
    return Response(
        pdf, mimetype="application/pdf", headers={"Content-Disposition": f'inline; filename="anju-{name}.pdf"'}
    )
