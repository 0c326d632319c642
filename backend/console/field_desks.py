"""Registering somebody at their own door: the person's word, the visitor's hand. Nothing of it is kept on the phone."""

from __future__ import annotations

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from backend.console.pages import Form, acting, made_reference, world
from backend.console.taken_reports import ON_FORM, SENT_BEFORE, blank, take
from backend.console.units import may_see_right
from backend.console.visits import visit_of
from backend.console.window import ABOUT, act_form, pdf_answer, prefilled, take_refusal
from backend.console.window_acts import NOTICE, answers_of, carry_out
from backend.console.window_fields import VISIT
from backend.domain.case_reports import REPORTS, TAKEN, WORDS_MOST
from backend.domain.notices import NOTICES
from backend.domain.refusals import Refused
from backend.domain.window import ACTS
from backend.services.disclosures import AT_THE_DOOR, open_unit
from backend.services.door_files import look_at_door_file, send_receipt_link
from backend.services.taken_reports import check_may_take
from backend.services.window_files import print_receipt_at_window
from backend.services.window_visits import Visit, end_visit, get_visit, open_visit
from backend.web import language

pages = Blueprint("field_desks", __name__, url_prefix="/g")
DOOR_ACTS = ("answer_consent", "take_lease", "declare", "declare_without_lease", "add_co_resident", "link_phone")


@pages.get("/visits/<uuid:planned_id>/people")
def people(planned_id: str) -> str:
    """Who is registered in the unit visited; each of them can read that it was looked at."""
    line = visit_of(str(planned_id))
    page = open_unit(world(), session_id=acting().session_id, unit_id=line.unit_id, fields=AT_THE_DOOR)
    return render_template("field/people.html", line=line, page=page, may_see_right=may_see_right())


@pages.route("/visits/<uuid:planned_id>/register", methods=["GET", "POST"])
def register(planned_id: str) -> tuple[str, int] | AnyResponse:
    """Begin with the person's document, seen by whoever visits."""
    line = visit_of(str(planned_id))
    form = Form.sent() if request.method == "POST" else Form({"id_type": "111"})
    if request.method == "POST":
        try:
            return redirect(url_for("field_desks.file", desk_id=_open(line.id, form).id))
        except Refused as refused:
            take_refusal(form, refused)
    return render_template("field/register.html", line=line, form=form, fields=VISIT), form.status


@pages.route("/visits/<uuid:planned_id>/report", methods=["GET", "POST"])
def report(planned_id: str) -> tuple[str, int] | AnyResponse:
    """What is wrong with the dwelling visited: seen, or told at the door."""
    line = visit_of(str(planned_id))
    if request.method == "GET":
        check_may_take(world(), session_id=acting().session_id)
    kind, form = request.values.get("kind", ""), Form.sent() if request.method == "POST" else blank()
    if request.method == "POST":
        with form.filling(*ON_FORM, codes=(SENT_BEFORE,)):
            made = take(form, kind, {"unit": line.unit_id}, "on_visit")
            return redirect(url_for("field_desks.report", planned_id=line.id, made=made))
    page = render_template(
        "field/report.html", line=line, form=form, kind=kind if kind in TAKEN else None,
        chosen=request.form.getlist("facts"), kinds={code: REPORTS[code] for code in TAKEN}, most=WORDS_MOST,
        reference=made_reference(),
    )  # fmt: skip
    return page, form.status


@pages.get("/desks/<uuid:desk_id>")
def file(desk_id: str) -> str:
    """The person at the door: notice, lease, declaration, receipt; the look is written down."""
    visit = _desk(desk_id)
    shown = look_at_door_file(world(), session_id=acting().session_id, visit=visit, area=acting().area)
    done = ACTS.get(request.args.get("done", ""))
    return render_template("field/file.html", visit=visit, file=shown, done=done, sent="sent" in request.args)


@pages.route("/desks/<uuid:desk_id>/acts/<door_act>", methods=["GET", "POST"])
def act(desk_id: str, door_act: str) -> tuple[str, int] | AnyResponse:
    """One step: its form, then the step, then back to the file."""
    visit = _desk(desk_id)
    if door_act not in DOOR_ACTS:
        abort(404)
    form = Form.sent() if request.method == "POST" else Form(prefilled(door_act, visit))
    if request.method == "POST":
        try:
            carry_out(door_act, visit, form)
            return redirect(url_for("field_desks.file", desk_id=visit.id, done=door_act))
        except Refused as refused:
            take_refusal(form, refused)
    shown = act_form(door_act, visit, form)
    if door_act == "answer_consent":
        shown |= {"notice": NOTICES[NOTICE].named(world().house.handler)}
    return render_template("field/act.html", visit=visit, act=door_act, form=form, **shown), form.status


@pages.get("/desks/<uuid:desk_id>/receipt")
def receipt(desk_id: str) -> Response:
    """The receipt as a PDF, to print where there is a printer."""
    about = {name: request.args.get(name, "") for name in ABOUT if name == "registration_id"}
    return pdf_answer(
        print_receipt_at_window(
            world(), session_id=acting().session_id, visit=_desk(desk_id), kind="declaration", language=language(),
            **about,
        ),
        "receipt",
    )  # fmt: skip


@pages.post("/desks/<uuid:desk_id>/link")
def send_link(desk_id: str) -> AnyResponse:
    """Text the link to the receipt to the person's own phone."""
    send_receipt_link(
        world(), session_id=acting().session_id, visit=_desk(desk_id),
        registration_id=request.form.get("registration_id", ""),
    )  # fmt: skip
    return redirect(url_for("field_desks.file", desk_id=desk_id, sent=1))


@pages.post("/desks/<uuid:desk_id>/end")
def end(desk_id: str) -> AnyResponse:
    """The person has been served: back to the visit."""
    visit = _desk(desk_id)
    end_visit(world(), session_id=acting().session_id, visit_id=visit.id)
    return redirect(url_for("field.visit", planned_id=visit.door_visit_id))


def _open(door_visit_id: str, form: Form) -> Visit:
    return open_visit(
        world(),
        session_id=acting().session_id,
        channel="window",
        document_seen=bool(form.value("document_seen")),
        door_visit_id=door_visit_id,
        **answers_of(VISIT, form),
    )


def _desk(desk_id: str) -> Visit:
    """An open desk at a door. Raises Refused as `get_visit`; a visit to the window is not here."""
    visit = get_visit(world(), session_id=acting().session_id, visit_id=str(desk_id))
    if visit.door_visit_id is None:
        abort(404)
    return visit
