"""Start page and health."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from backend.bootstrap import database_trouble
from backend.console.pages import navigation

pages = Blueprint("front", __name__)


@pages.get("/")
def start() -> AnyResponse:
    """The first page this role may open."""
    return redirect(url_for(navigation()[0][0]))


@pages.get("/healthz")
def health() -> tuple[Response, int]:
    """Whether this process can serve: its database answers."""
    trouble = database_trouble(current_app)
    if trouble is not None:
        return jsonify(status="down", reason=trouble), 503
    return jsonify(status="ok"), 200
