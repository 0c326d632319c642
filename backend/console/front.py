"""Start page and health."""

from __future__ import annotations

from flask import Blueprint, jsonify, redirect, url_for
from werkzeug.wrappers import Response

from backend.console.pages import navigation

pages = Blueprint("front", __name__)


@pages.get("/")
def start() -> Response:
    """The first page this role may open."""
    return redirect(url_for(navigation()[0][0]))


@pages.get("/healthz")
def health() -> Response:
    """Alive; the database is asked by the pages themselves."""
    return jsonify(status="ok")
