"""Forms as tables: cells with a label and a value, or room to write; boxes to tick; one box per letter of a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backend.printing.paper import INK, LINE, MARGIN, POINT, SHADE, SOFT, Paper, Words

ROW = 9.0  # room for handwriting
NUMBER_BOXES = 18  # places of an identity number


@dataclass(frozen=True)
class Cell:
    """One cell of a form: `share` of the row's breadth, label, what stands in it. `boxes` > 0: one box per letter."""

    label: Words
    value: str = ""
    share: float = 1.0
    boxes: int = 0
    label_width: float = 27.0


class FormPaper(Paper):
    """A paper with the blocks of a form; `bilingual` labels stand in both languages."""

    bilingual = False

    def section(self, words: Words) -> None:
        """A heading over a part of the form."""
        self.need(2 * ROW + 8)
        self.y += 1
        self.say(self.word(words), 11, bold=True, after=0.6)

    def word(self, words: Words) -> str:
        """A label in the paper's language, or in both."""
        return self.both(words) if self.bilingual else self.pick(words)

    def row(self, *cells: Cell, height: float = ROW) -> None:
        """One row of cells over the whole breadth, as high as its fullest cell needs."""
        whole = sum(cell.share for cell in cells)
        broad = [self.breadth * cell.share / whole for cell in cells]
        needs = [len(self.lines_of(cell.value, width - cell.label_width - 4, 11)) * 5.9 + 3
                 for cell, width in zip(cells, broad, strict=True) if not cell.boxes]  # fmt: skip
        labels = [len(self.lines_of(self.word(cell.label), cell.label_width - 3, 9)) * 4.8 + 1.4 for cell in cells]
        tall = max([height, *needs, *labels])
        self.need(tall)
        x = MARGIN
        for cell, width in zip(cells, broad, strict=True):
            self._cell(cell, x, width, tall)
            x += width
        self.y += tall

    def ticks(self, label: Words, choices: Mapping[str, Words], chosen: str | None, label_width: float = 27.0) -> None:
        """A row of boxes to tick; the chosen one, if any, is filled."""
        inside = MARGIN + label_width + 2
        places, x, line = [], inside, 0
        for code, words in choices.items():
            self.set_font("anju", size=10)
            width = 5.2 + self.get_string_width(self.word(words)) + 3.6
            if x + width > MARGIN + self.breadth and x > inside:
                x, line = inside, line + 1
            places.append((code, words, x, line))
            x += width
        tall = max(ROW, (line + 1) * 6.0 + 2.6)
        self.need(tall)
        self._cell(Cell(label, label_width=label_width), MARGIN, self.breadth, tall)
        top = self.y + (tall - (line + 1) * 6.0) / 2
        for code, words, left, down in places:
            self._tick(left, top + down * 6.0 + 1.1, code == chosen)
            self.write_at(left + 5.2, top + down * 6.0 + 0.3, self.word(words), 10)
        self.y += tall

    def listing(self, columns: Sequence[tuple[Words, float]], rows: Sequence[Sequence[str]], least: int) -> None:
        """A table with a head and at least `least` rows; what is not filled is room to write."""
        self._strip([self.word(words) for words, _share in columns], columns, 8, shaded=True)
        for number in range(max(least, len(rows))):
            self._strip(rows[number] if number < len(rows) else [""] * len(columns), columns, ROW)

    def _cell(self, cell: Cell, x: float, width: float, tall: float) -> None:
        self._frame(x, self.y, cell.label_width, tall, shaded=True)
        self._frame(x + cell.label_width, self.y, width - cell.label_width, tall)
        self._middle(x + 1.5, cell.label_width - 3, tall, self.word(cell.label), 9, SOFT)
        inside = x + cell.label_width
        if cell.boxes:
            self._boxes(inside, width - cell.label_width, tall, cell)
        else:
            self._middle(inside + 2, width - cell.label_width - 4, tall, cell.value, 11, INK)

    def _middle(
        self, x: float, width: float, tall: float, text: str, size: float, colour: tuple[int, int, int]
    ) -> None:
        high = len(self.lines_of(text, width, size)) * size * POINT * 1.5
        self.write_at(x, self.y + (tall - high) / 2, text, size, colour=colour, width=width)

    def _boxes(self, x: float, width: float, tall: float, cell: Cell) -> None:
        count = max(cell.boxes, len(cell.value))
        side = min(7.0, (width - 3) / count)
        left, top = x + (width - side * count) / 2, self.y + (tall - 7.6) / 2
        for number in range(count):
            self._frame(left + number * side, top, side, 7.6)
        for number, letter in enumerate(cell.value):
            self.write_at(left + number * side, top + 1, letter, 11, width=side, align="C")

    def _strip(
        self, values: Sequence[str], columns: Sequence[tuple[Words, float]], tall: float, shaded: bool = False
    ) -> None:
        self.need(tall)
        whole, x = sum(share for _words, share in columns), MARGIN
        for value, (_words, share) in zip(values, columns, strict=True):
            width = self.breadth * share / whole
            self._frame(x, self.y, width, tall, shaded=shaded)
            self._middle(x + 1.5, width - 3, tall, value, 9 if shaded else 10.5, SOFT if shaded else INK)
            x += width
        self.y += tall

    def _tick(self, x: float, y: float, chosen: bool) -> None:
        self._frame(x, y, 3.6, 3.6)
        if chosen:
            self.set_draw_color(*INK)
            self.set_line_width(0.6)
            self.polyline([(x + 0.6, y + 1.9), (x + 1.5, y + 2.9), (x + 3.1, y + 0.7)])

    def _frame(self, x: float, y: float, width: float, tall: float, shaded: bool = False) -> None:
        self.set_draw_color(*LINE)
        self.set_line_width(0.25)
        self.set_fill_color(*SHADE)
        self.rect(x, y, width, tall, style="DF" if shaded else "D")
