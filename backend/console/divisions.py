"""The counties of a province, for the second select of a place of household registration. Names alone, no person."""

from __future__ import annotations

from flask import Blueprint, abort, render_template

from backend.domain.divisions import provinces

pages = Blueprint("divisions", __name__)


@pages.get("/divisions/<province_code>")
def counties(province_code: str) -> str:
    """The counties of a province as options; 404 for a code that is none."""
    province = provinces().get(province_code)
    if province is None:
        abort(404)
    return render_template("parts/counties.html", province=province, chosen="")
