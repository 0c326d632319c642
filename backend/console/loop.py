"""How the loop of cases goes: by office and by area, as table, chart and file. No case and no person in it."""

from __future__ import annotations

import csv
from io import StringIO

from flask import Blueprint, Response, render_template

from backend.console.pages import acting, world
from backend.console.words import pick
from backend.queries.case_figures import STEPS, LoopRow, get_loop_figures

pages = Blueprint("loop", __name__)
COLUMNS = ("part", "code", "name", "opened", *STEPS, "late", "closed", "median_hours", "on_time_percent", "rated",
           "mean_stars")  # fmt: skip


@pages.get("/loop")
def figures() -> str:
    """The figures of the own area."""
    return render_template("loop.html", figures=get_loop_figures(world().clock.now(), acting().area), steps=STEPS)


@pages.get("/loop.csv")
def table() -> Response:
    """The same numbers as a file."""
    found = get_loop_figures(world().clock.now(), acting().area)
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for part, rows in (("all", (found.whole,)), ("office", found.offices), ("area", found.areas)):
        writer.writerows(_cells(part, row) for row in rows)
    answer = Response("\ufeff" + out.getvalue(), mimetype="text/csv")  # the mark lets spreadsheets read Chinese
    answer.headers["Content-Disposition"] = "attachment; filename=anju-loop.csv"
    return answer


def _cells(part: str, row: LoopRow) -> list[object]:
    rests = ["" if value is None else value for value in (row.median_hours, row.on_time)]
    stars = "" if row.mean_stars is None else row.mean_stars
    return [part, row.code, pick(row.name) if row.name else "", row.opened, *(row.open[step] for step in STEPS),
            row.late, row.closed, *rests, row.rated, stars]  # fmt: skip
