"""What the office does with its power, in the open: a page for anybody, without signing in, cached until tomorrow."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Response, current_app, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from backend.domain.calendars import end_of
from backend.domain.suppression import LEAST
from backend.queries.openness import OpenFigures, get_open_figures
from backend.web import language
from mobile_api.pages.doors import front, world

_KEPT = "anju_open_figures"


@front.get("/public/")
def any_public() -> AnyResponse:
    """To the page in the caller's language."""
    return redirect(url_for("front.public", spoken=language()), 302)


@front.get("/public/<any(zh, en):spoken>")
def public(spoken: str) -> Response:
    """Registered people by village, closing times, looks by purpose and month. No form is on it, so it can be kept."""
    today = world().clock.today()
    answer = make_response(
        render_template(
            "front/public.html",
            figures=_figures_of(today),
            least=LEAST,
            other="en" if spoken == "zh" else "zh",
        )
    )
    left = int((end_of(today) - world().clock.now()).total_seconds())
    answer.headers["Cache-Control"] = f"public, max-age={max(left, 0)}"
    answer.vary.add("Cookie")  # large text is a choice of this device
    answer.add_etag()
    answer.make_conditional(request)
    return answer


def _figures_of(today: date) -> OpenFigures:
    """The day's figures, asked of the database once a day by each process."""
    kept: dict[date, Any] = current_app.extensions.setdefault(_KEPT, {})
    if today not in kept:
        found = get_open_figures(today)
        kept.clear()
        kept[today] = found
    figures: OpenFigures = kept[today]
    return figures
