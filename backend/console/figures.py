"""Numbers without persons: the statistics of an area, and how the identity step goes."""

from __future__ import annotations

import csv
import io

from flask import Blueprint, Response, abort, render_template, request
from flask_babel import gettext

from backend.console.charts import WIDE, Chart, draw_columns, draw_rows, draw_share
from backend.console.figure_words import sheet_label
from backend.console.pages import acting, may, world
from backend.domain.officers import covers
from backend.domain.suppression import LEAST, Shown
from backend.queries import statistics
from backend.queries.identity_figures import get_identity_figures
from backend.queries.statistics import Sheet
from backend.services.disclosures import refuse_outside

pages = Blueprint("figures", __name__)
WITHHELD = "*"


@pages.get("/statistics")
def index() -> str:
    """The sheets of the officer's area, or of the village `division` in it, each as a chart and a table."""
    area = _area()
    sheets = statistics.list_sheets(area, world().clock.today())
    return render_template(
        "statistics.html",
        sheets=sheets,
        charts={key: _draw(key, sheets) for key in sheets},
        places=statistics.list_places(acting().area),
        division=request.args.get("division") or None,
        withheld=WITHHELD,
        least=LEAST,
        may_see_identity=may("figures.identity"),
        now=world().clock.now(),
    )


@pages.get("/statistics/<sheet>.csv")
def sheet_file(sheet: str) -> Response:
    """The numbers of one sheet as they stand on the page, withheld ones as *; UTF-8 with a mark for spreadsheets."""
    found = statistics.find_sheet(sheet, _area(), world().clock.today())
    if found is None:
        abort(404)
    answer = Response("\ufeff" + _written(found), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="anju-{sheet}-{world().clock.today()}.csv"'
    return answer


@pages.get("/figures")
def identity() -> str:
    """Unaided completion of the whole installation, and the wait for a review in this area."""
    figures = get_identity_figures(world().clock.now(), acting().area)
    return render_template("figures.html", figures=figures, shown=figures.shown, withheld=WITHHELD, least=LEAST)


def _area() -> str:
    """The officer's area, or the village of it that is asked for; one outside it is refused and written down."""
    who, division = acting(), request.args.get("division") or None
    if division is None:
        return who.area
    if not covers(who.area, division):
        refuse_outside(
            world(), session_id=who.session_id, object_kind="division", object_id=division[:12], division=division
        )
    if division not in dict(statistics.list_places(who.area)):
        abort(404)
    return division


def _draw(key: str, sheets: dict[str, Sheet]) -> Chart | None:
    """The chart of a sheet; people who moved in and out share the first one."""
    sheet = sheets[key]
    names = [sheet_label(label) for label in sheet.rows]
    if key == "moved_in":
        months = [sheet_label(label) for label in sheet.columns]
        moved_out = sheets["moved_out"].column_totals or ()
        return draw_columns(months, sheet.column_totals or (), moved_out, wide=WIDE)
    if key == "moved_out":
        return None
    if key == "timeliness":
        return draw_share(names, sheet.column("in_time"), sheet.column("late"))
    if key == "reviews":
        blank = [place for place in range(len(names)) if sheet.is_blank(place, 1)]
        return draw_columns(names, sheet.column("median_hours"), blank=blank)
    return draw_rows(names, sheet.column(sheet.columns[0]))


def _written(sheet: Sheet) -> str:
    out = io.StringIO()
    rows = csv.writer(out)
    total = gettext("合计")
    sums = sheet.row_totals is not None
    rows.writerow([gettext("项目"), *map(sheet_label, sheet.columns), *([total] if sums else [])])
    for place, (label, cells) in enumerate(zip(sheet.rows, sheet.cells, strict=True)):
        ends = [_cell(sheet.row_totals[place])] if sheet.row_totals is not None else []
        shown = ["" if sheet.is_blank(place, n) else _cell(count) for n, count in enumerate(cells)]
        rows.writerow([sheet_label(label), *shown, *ends])
    if sheet.column_totals is not None:
        rows.writerow([total, *map(_cell, sheet.column_totals), *([_cell(sheet.total)] if sums else [])])
    return out.getvalue()


def _cell(count: Shown) -> str:
    return WITHHELD if count is None else str(count)
