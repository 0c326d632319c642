"""How the identity step goes, in numbers, for supervisors; no person stands behind any of them."""

from __future__ import annotations

from flask import Blueprint, render_template

from backend.console.pages import acting, world
from backend.queries.identity_figures import get_identity_figures

pages = Blueprint("figures", __name__)
LEAST = 5  # fewer people than this are not shown as a number


@pages.get("/figures")
def identity() -> str:
    """Unaided completion of the whole installation, and the wait for a review in this area."""
    figures = get_identity_figures(world().clock.now(), acting().area)
    return render_template("figures.html", figures=figures, least=LEAST)
