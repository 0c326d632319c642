"""Search by a whole number, name or address; what was typed travels in the body, never in an address."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from backend.console.pages import Form, acting, may, world
from backend.domain.ids import is_id
from backend.services.person_search import WAYS, SearchResult, find_person

pages = Blueprint("search", __name__)


@pages.route("/search", methods=["GET", "POST"])
def person() -> tuple[str, int]:
    """The search form and, after it was sent, a page of at most twenty masked results."""
    form = Form.sent("text", "after")
    text, after = request.form.get("text", ""), request.form.get("after") or None
    result: SearchResult | None = None
    if request.method == "POST":
        with form.filling("text", "by"):
            result = find_person(
                world(),
                session_id=acting().session_id,
                text=text,
                by=form.value("by") or "number",
                after=after if after and is_id(after) else None,
            )
    # Only whoever asks for the next page gets back what they typed, to send it again.
    again = text if result is not None and result.more else None
    typed = text if form.faults else ""  # what was refused is there to be mended
    page = render_template(
        "search.html", form=form, result=result, again=again, typed=typed, after=after, ways=WAYS,
        may_open=may("units.show"),
    )  # fmt: skip
    return page, form.status
