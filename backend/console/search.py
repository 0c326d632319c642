"""Search for one person by a whole number; the number travels in the body, never in an address."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from backend.console.pages import Form, acting, may, world
from backend.services.person_search import SearchResult, find_person

pages = Blueprint("search", __name__)


@pages.route("/search", methods=["GET", "POST"])
def person() -> tuple[str, int]:
    """The search form and, after it was sent, at most twenty masked results."""
    form = Form.sent("text")
    result: SearchResult | None = None
    if request.method == "POST":
        with form.filling("text"):
            result = find_person(world(), session_id=acting().session_id, text=request.form.get("text", ""))
    return render_template("search.html", form=form, result=result, may_open=may("units.show")), form.status
