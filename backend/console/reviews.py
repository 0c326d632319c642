"""Identity reviews: the queue, the day's appointments, a video's link, kept or missed."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from backend.console.cases import page_of
from backend.console.pages import Form, acting, world
from backend.domain.appointments import WAYS
from backend.domain.calendars import day_of, read_day
from backend.services.appointment_days import list_day, mark_appointment, set_video_link
from backend.services.review_queue import read_queue

pages = Blueprint("reviews", __name__)
WHENS = ("late", "today", "escalated", "mine")


@pages.get("/reviews")
def index() -> str:
    """The open reviews, oldest due first; nameless, and each reading is written down."""
    way, when = request.args.get("way") or None, request.args.get("when") or None
    if way not in (None, *WAYS) or when not in (None, *WHENS):
        abort(404)
    queue = read_queue(world(), session_id=acting().session_id, way=way, when=when)
    return render_template("reviews.html", queue=queue, way=way, when=when, now=world().clock.now())


@pages.get("/appointments")
def day() -> str:
    """The appointments of a day in this area; needs a purpose, and each person listed can read that."""
    chosen = read_day(request.args.get("on", "")) or world().clock.today()
    return render_template(
        "appointments.html",
        lines=list_day(world(), session_id=acting().session_id, day=chosen),
        day=chosen,
        before=chosen - timedelta(days=1),
        after=chosen + timedelta(days=1),
        today=day_of(world().clock.now()),
        now=world().clock.now(),
    )


@pages.post("/cases/<reference>/link")
def link(reference: str) -> Response | tuple[str, int]:
    """Set the link of a live video, whoever's tool it is."""
    form = Form.sent()
    with form.filling("link"):
        set_video_link(world(), session_id=acting().session_id, reference=reference, link=form.value("link"))
        return redirect(url_for("cases.show", reference=reference))
    return page_of(reference, form), form.status


@pages.post("/cases/<reference>/appointment")
def mark(reference: str) -> Response:
    """Say that the person came, or did not."""
    mark_appointment(
        world(), session_id=acting().session_id, reference=reference, action=request.form.get("action", "")
    )
    return redirect(url_for("cases.show", reference=reference))
