"""The demo's own page: the present one-time codes of the demo staff, since nobody has their authenticators."""

from __future__ import annotations

from flask import Blueprint, render_template

from backend.console.pages import world
from backend.services.officers import DEMO_PASSWORD, demo_codes

pages = Blueprint("demo", __name__)


@pages.get("/demo/codes")
def codes() -> str:
    """Names and codes; answers 404 outside the demo."""
    return render_template("demo_codes.html", codes=demo_codes(world()), password=DEMO_PASSWORD)
