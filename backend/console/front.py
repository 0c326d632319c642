"""Start page and health."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from backend.bootstrap import database_trouble
from backend.console.pages import acting, first_place, may
from backend.queries.staff import list_requests
from backend.services.staff_notices import list_unread

pages = Blueprint("front", __name__)


@pages.get("/")
def start() -> str | AnyResponse:
    """What there is to tell; with nothing to tell, on to the first page this role may open."""
    who, work = acting(), url_for(first_place())
    notices = list_unread(who.id)
    requests = [row for row in list_requests(who.area) if row.asked_by != who.id] if may("staff.index") else []
    if not notices and not requests:
        return redirect(work)
    return render_template("start.html", notices=notices, requests=requests, work=work)


@pages.get("/healthz")
def health() -> tuple[Response, int]:
    """Whether this process can serve: its database answers."""
    trouble = database_trouble(current_app)
    if trouble is not None:
        return jsonify(status="down", reason=trouble), 503
    return jsonify(status="ok"), 200
