"""Sheets with a door's public number and QR code, eight to a page, to cut out and put up. Nothing personal on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backend.printing.paper import LINE, SOFT, Imprint, Paper, Words

ACROSS, DOWN = 2, 4
_TITLE: Words = ("房屋编号牌", "Door sheets")


@dataclass(frozen=True)
class DoorSign:
    """One door: its public number, the address its QR code opens, the line that says which door it is."""

    public_number: str
    url: str
    address: str


def print_door_sheets(signs: Sequence[DoorSign], imprint: Imprint) -> bytes:
    """Eight signs per A4 page with lines to cut along. Raises ValueError without any sign."""
    if not signs:
        raise ValueError("no door to print")
    paper = Paper(imprint, _TITLE, footed=False)
    each = ACROSS * DOWN
    for number, sign in enumerate(signs):
        place = number % each
        if place == 0:
            if number:
                paper.add_page()
            _cutting_lines(paper)
        _draw(paper, sign, (place % ACROSS) * paper.w / ACROSS, (place // ACROSS) * paper.h / DOWN)
    return paper.finish()


def _cutting_lines(paper: Paper) -> None:
    paper.set_draw_color(*LINE)
    paper.set_line_width(0.2)
    paper.set_dash_pattern(dash=2, gap=2)
    for column in range(1, ACROSS):
        paper.line(column * paper.w / ACROSS, 0, column * paper.w / ACROSS, paper.h)
    for row in range(1, DOWN):
        paper.line(0, row * paper.h / DOWN, paper.w, row * paper.h / DOWN)
    paper.set_dash_pattern()


def _draw(paper: Paper, sign: DoorSign, x: float, y: float) -> None:
    side, edge = 54.0, 7.0
    broad = paper.w / ACROSS - side - edge - 5
    paper.draw_qr(sign.url, x + edge - 4, y + (paper.h / DOWN - side) / 2, side)
    left = x + edge + side
    y = paper.write_at(left, y + 17, paper.pick(("房屋编号", "Dwelling number")), 9, colour=SOFT, width=broad)
    y = paper.write_at(left, y, sign.public_number, 16, bold=True, width=broad)
    y = paper.write_at(left, y + 1, sign.address, 9.5, width=broad)
    said = ("扫码办理居住登记、报修或求助", "Scan to register, report a fault or ask for help")
    y = paper.write_at(left, y + 1.5, paper.pick(said), 8.5, colour=SOFT, width=broad)
    paper.write_at(left, y + 0.5, paper.pick(("牌上没有个人信息。", "Nothing personal is on it.")), 8, colour=SOFT,
                   width=broad)  # fmt: skip
