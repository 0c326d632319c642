"""Local standards (HR-7): what is in force, what comes, and everything that was ever set."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from backend.console.pages import Form, acting, may, standard_today, world
from backend.domain.local_standards import STANDARDS
from backend.domain.refusals import Refused
from backend.queries.local_standards import list_history
from backend.services.local_standards import set_standard

pages = Blueprint("standards", __name__)
FIELDS = ("name", "value", "starts_on", "reason")


@pages.get("/standards")
def index() -> tuple[str, int]:
    """The standards with their history."""
    return _page(Form())


@pages.post("/standards")
def change() -> tuple[str, int] | Response:
    """Let another value count from a day on."""
    form = Form.sent()
    with form.filling(*FIELDS):
        set_standard(
            world(),
            session_id=acting().session_id,
            name=form.value("name"),
            value=_number(form),
            starts_on=form.day("starts_on"),
            reason=form.value("reason"),
        )
        return redirect(url_for("standards.index"))
    return _page(form)


def _number(form: Form) -> float | None:
    text = form.value("value").strip()
    try:
        return float(text) if text else None
    except ValueError:
        raise Refused("input.wrong_type", "value", expected="5.5") from None


def _page(form: Form) -> tuple[str, int]:
    today = world().clock.today()
    page = render_template(
        "standards.html",
        form=form,
        standards=STANDARDS,
        in_force=standard_today(),
        own=world().house.space_standard,
        history=list_history(),
        may_change=may("standards.change", "POST"),
        today=today,
    )
    return page, form.status
