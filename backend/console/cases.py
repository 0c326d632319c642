"""Cases: the queue, one case, its decision."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from backend.console.pages import Form, acting, may, safe_next, standard_today, world
from backend.console.visits import PLAN, offered_visitors, plan_of
from backend.domain.case_reports import ANSWER_MOST
from backend.domain.cases import KINDS, kinds_for
from backend.queries import case_lists
from backend.queries.visit_grounds import is_worth_a_visit
from backend.queries.visit_lists import list_of_case
from backend.services.case_checks import assign_case, check_case, list_handlers, send_back_case
from backend.services.case_files import CaseFile, look_at_case
from backend.services.cases import claim_case, decide_case, release_case
from backend.services.visits import plan_visit_of_case

pages = Blueprint("cases", __name__)
REVIEW = "identity_review"
SCOPES = ("open", "mine", "check", "tell", "done")


@pages.get("/cases")
def index() -> str:
    """The cases this role decides in this area; no person is named here."""
    who = acting()
    scope, kind = request.args.get("scope", "open"), request.args.get("kind") or None
    if scope not in SCOPES or (kind is not None and kind not in KINDS):
        abort(404)
    kinds = kinds_for(who.role)
    return render_template(
        "cases.html",
        lines=case_lists.list_cases(who.area, kinds, scope=scope, officer_id=who.id, kind=kind),
        counts=case_lists.count_cases(who.area, kinds, who.id, world().clock.now()),
        kinds=kinds,
        scope=scope,
        kind=kind,
        now=world().clock.now(),
        may_take=may("taken_reports.new", "POST"),
    )


@pages.get("/cases/<reference>")
def show(reference: str) -> str:
    """One case with the persons it concerns; needs a purpose."""
    return page_of(reference, Form())


@pages.post("/cases/<reference>/claim")
def claim(reference: str) -> Response:
    """Take the case."""
    claim_case(world(), session_id=acting().session_id, reference=reference)
    return redirect(url_for("cases.show", reference=reference))


@pages.post("/cases/<reference>/release")
def release(reference: str) -> Response:
    """Give the case back to the queue."""
    release_case(world(), session_id=acting().session_id, reference=reference)
    return redirect(safe_next(request.form.get("next") or url_for("cases.index")))


@pages.post("/cases/<reference>/decision")
def decide(reference: str) -> tuple[str, int] | Response:
    """Decide the case; those it concerns are told, with the reason."""
    form = Form.sent()
    if "outcome" in form.values:  # one choice for both where an answer is written below it
        form.values["decision"], _, form.values["reason"] = form.value("outcome").partition(":")
    with form.filling("decision", "reason", "method", "moved_out_on", "answer_text"):
        decide_case(
            world(),
            session_id=acting().session_id,
            reference=reference,
            decision=form.value("decision"),
            reason=form.value("reason"),
            method=form.value("method") or None,
            moved_out_on=form.day("moved_out_on"),
            answer_text=form.value("answer_text"),
        )
        if acting().case_ref == reference:  # the task has ended with its case
            return redirect(url_for("cases.index"))
        return redirect(url_for("cases.show", reference=reference))
    return page_of(reference, form), form.status


@pages.post("/cases/<reference>/assignment")
def assign(reference: str) -> tuple[str, int] | Response:
    """Hand the case to somebody entitled."""
    form = Form.sent()
    with form.filling("officer_id"):
        assign_case(world(), session_id=acting().session_id, reference=reference, officer_id=form.value("officer_id"))
        return redirect(url_for("cases.show", reference=reference))
    return page_of(reference, form), form.status


@pages.post("/cases/<reference>/check")
def check(reference: str) -> tuple[str, int] | Response:
    """Approve what a colleague did; whoever reported it is answered."""
    form = Form.sent()
    with form.filling(codes=("case.own_work",)):
        check_case(world(), session_id=acting().session_id, reference=reference)
        return redirect(url_for("cases.show", reference=reference))
    return page_of(reference, form), form.status


@pages.post("/cases/<reference>/return")
def send_back(reference: str) -> tuple[str, int] | Response:
    """Send it back to whoever handled it, with the reason."""
    form = Form.sent()
    with form.filling("reason", codes=("case.own_work",)):
        send_back_case(world(), session_id=acting().session_id, reference=reference, reason=form.value("reason"))
        return redirect(url_for("cases.show", reference=reference))
    return page_of(reference, form), form.status


@pages.post("/cases/<reference>/visit")
def plan_visit(reference: str) -> tuple[str, int] | Response:
    """Plan the next visit of the case."""
    form = Form.sent()
    with form.filling(*PLAN, codes=("field.planned", "field.no_ground")):
        plan_visit_of_case(world(), session_id=acting().session_id, reference=reference, **plan_of(form))
        return redirect(url_for("visits.index"))
    return page_of(reference, form), form.status


def _is_worth_a_visit(file: CaseFile) -> bool:
    unit = file.unit
    now = world().clock.now()
    return unit is not None and is_worth_a_visit(file.kind, file.evidence, unit.id, now, standard_today())


def page_of(reference: str, form: Form) -> str:
    """The page of one case, with a form as it was sent."""
    who = acting()
    file = look_at_case(world(), session_id=who.session_id, reference=reference)
    reviewing = file.kind == REVIEW and may("reviews.index")
    kinds = (REVIEW,) if reviewing else kinds_for(who.role)  # a reviewer goes through the reviews alone
    queue = [line.reference for line in case_lists.list_cases(who.area, kinds, officer_id=who.id)]
    before, after = case_lists.find_neighbours(queue, reference)
    return render_template(
        "case.html",
        file=file,
        form=form,
        reviewing=reviewing,
        before=before,
        after=after,
        now=world().clock.now(),
        today=world().clock.today(),
        may_open_unit=may("units.show"),
        handlers=list_handlers(file.kind, file.area) if may("cases.assign", "POST") else (),
        most=ANSWER_MOST,
        visits=list_of_case(reference),
        visitors=offered_visitors(file.area) if may("cases.plan_visit", "POST") and _is_worth_a_visit(file) else (),
    )
