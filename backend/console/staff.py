"""Accounts of the area's staff, kept by its supervisors; accounts of supervisors and auditors take two of them."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from werkzeug.exceptions import NotFound

from backend.console.pages import Form, acting, world
from backend.domain.officers import ROLES
from backend.queries import staff as accounts
from backend.services.disclosures import refuse_outside
from backend.services.officer_accounts import (
    Settled,
    Wish,
    ask_for_account,
    ask_new_account,
    decide_request,
    end_session,
    lift_lock,
)
from backend.services.officer_sessions import step_up

pages = Blueprint("staff", __name__)
FIELDS = ("login", "display_name", "office", "role", "area", "password")
CODES = (
    *("officer.pending", "officer.login_taken", "officer.wait", "officer.suspended", "officer.active"),
    *("officer.four_eyes", "officer.decided", "officer.unchanged", "step_up"),
)
Page = str | tuple[str, int]


@pages.get("/staff")
def index() -> str:
    """The area's accounts, and what waits for a supervisor."""
    return _index(Form())


@pages.route("/staff/new", methods=["GET", "POST"])
def new() -> Page:
    """Ask for an account: it is there at once, or waits for a second supervisor."""
    form = Form.sent("password") if request.method == "POST" else Form({"area": acting().area})
    if request.method == "POST":
        with form.filling(*FIELDS, codes=CODES):
            _step_up()
            return _settled(ask_new_account(world(), session_id=acting().session_id, wish=_wish(form)))
    return render_template("staff_new.html", form=form, roles=ROLES), form.status


@pages.get("/staff/<uuid:officer_id>")
def show(officer_id: str) -> Page:
    """One account with its sign-ins."""
    return _show(str(officer_id), Form())


@pages.post("/staff/<uuid:officer_id>")
def change(officer_id: str) -> Page:
    """Another role, area, office or name."""
    form = Form.sent("password")
    with form.filling(*FIELDS, codes=CODES):
        _reach(str(officer_id))
        _step_up()
        return _settled(_ask(str(officer_id), "change", _wish(form)))
    return _show(str(officer_id), form)


@pages.post("/staff/<uuid:officer_id>/<any(reset, suspend, resume):kind>")
def act(officer_id: str, kind: str) -> Page:
    """New ways to sign in after a loss, a suspension, or its end."""
    form = Form.sent("password")
    with form.filling("password", codes=CODES):
        _reach(str(officer_id))
        if kind != "suspend":
            _step_up()
        return _settled(_ask(str(officer_id), kind))
    return _show(str(officer_id), form, kind)


@pages.post("/staff/<uuid:officer_id>/lift")
def lift(officer_id: str) -> Page:
    """Lift the lock after wrong tries."""
    lift_lock(world(), session_id=acting().session_id, officer_id=str(officer_id))
    return _show(str(officer_id), Form())


@pages.post("/staff/<uuid:officer_id>/sessions/<uuid:ended_id>/end")
def sign_out(officer_id: str, ended_id: str) -> Page:
    """End a sign-in of an officer of the area, who is told."""
    end_session(
        world(), session_id=acting().session_id, officer_id=str(officer_id), ended_id=str(ended_id)
    )
    return _show(str(officer_id), Form())


@pages.post("/staff/requests/<uuid:request_id>")
def decide(request_id: str) -> Page:
    """Approve, decline or withdraw what was asked for."""
    form = Form.sent("password")
    with form.filling("password", codes=CODES):
        found = accounts.find_request(str(request_id))
        _inside("account_request", str(request_id), found.area if found else None)
        decision = form.value("decision")
        if decision == "approved":
            _step_up()
        who = acting()
        return _settled(
            decide_request(world(), session_id=who.session_id, request_id=str(request_id), decision=decision)
        )
    form.values["request"] = str(request_id)
    return _index(form), form.status


def _ask(officer_id: str, kind: str, wish: Wish | None = None) -> Settled:
    return ask_for_account(world(), session_id=acting().session_id, officer_id=officer_id, kind=kind, wish=wish)


def _wish(form: Form) -> Wish:
    return Wish(*(form.value(name).strip() for name in ("login", "display_name", "office", "role", "area")))


def _reach(officer_id: str) -> accounts.StaffLine:
    """The account, when it is one of the area; outside this is written down."""
    found = accounts.find_staff(officer_id, world().clock.now())
    _inside("officer", officer_id, found.area if found else None)
    if found is None:
        raise NotFound
    return found


def _inside(kind: str, object_id: str, area: str | None) -> None:
    session_id = acting().session_id
    refuse_outside(world(), session_id=session_id, object_kind=kind, object_id=object_id, division=area)


def _step_up() -> None:
    who = acting()
    if not who.stepped_up:
        step_up(world(), session_id=who.session_id, password=request.form.get("password", ""))


def _index(form: Form) -> str:
    who, now = acting(), world().clock.now()
    lines, waiting = accounts.list_staff(who.area, now), accounts.list_requests(who.area)
    return render_template("staff.html", form=form, lines=lines, requests=waiting)


def _show(officer_id: str, form: Form, kind: str = "change") -> Page:
    """The account's page after one of its forms, `kind`, was sent."""
    line = _reach(officer_id)
    sessions = accounts.list_sessions(officer_id, world().clock.now())
    if kind != "change" or not form.values:
        form.values = {name: getattr(line, name) for name in ("display_name", "office", "role", "area")}
    page = render_template("staff_member.html", form=form, line=line, sessions=sessions, roles=ROLES, kind=kind)
    return page, form.status


def _settled(settled: Settled) -> str:
    """What became of it; a first code is on this page and nowhere else."""
    line = accounts.find_staff(settled.officer_id, world().clock.now()) if settled.officer_id else None
    asked = accounts.find_request(settled.request_id)
    return render_template("staff_settled.html", settled=settled, line=line, asked=asked)
