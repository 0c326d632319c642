"""Purpose first: choose what the look is for, end the task."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from backend.console.kept_forms import to_kept_form
from backend.console.pages import Form, acting, here, safe_next, world
from backend.domain.refusals import Refusal
from backend.services.officer_sessions import begin_task, end_task

pages = Blueprint("tasks", __name__)


def blank(case_number: str = "") -> Form:
    """A form in which nothing is chosen beforehand."""
    return Form({"case_number": case_number})


def ask(kept: str | None, refusal: Refusal) -> str:
    """Ask for a purpose before what was wanted; `kept` is a form that came too late or under an unfit purpose."""
    return render_template(
        "task.html",
        form=blank(),
        next=here(),
        asked=True,
        kept=kept,
        fitting=refusal.allowed if refusal.code == "purpose.unfit" else (),
    )


@pages.get("/task")
def choose() -> str:
    """The purposes, each with what it allows."""
    return render_template(
        "task.html",
        form=blank(request.args.get("case", "")),
        next=request.args.get("next"),
        asked=False,
    )


@pages.post("/task")
def begin() -> tuple[str, int] | Response:
    """Begin a task under a purpose and go on to the page that was wanted."""
    form = Form.sent()
    with form.filling("purpose", "case_number"):
        begin_task(
            world(),
            session_id=acting().session_id,
            purpose=form.value("purpose"),
            case_number=form.value("case_number"),
        )
        return to_kept_form() if form.value("kept") else redirect(safe_next(form.value("next")))
    page = render_template("task.html", form=form, next=form.value("next"), asked=False, kept=form.value("kept"))
    return page, form.status


@pages.post("/task/end")
def end() -> Response:
    """End the task: from here on nothing about a person is shown."""
    end_task(world(), session_id=acting().session_id)
    return redirect(url_for("front.start"))
