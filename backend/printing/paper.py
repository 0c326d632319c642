"""One sheet after another: what all papers share. Measures are millimetres on A4, sizes of letters are points.

Every line of text is one text object in reading order, so that a screen reader or a search finds it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import segno
from fpdf import FPDF, ViewerPreferences
from fpdf.enums import TextMode
from fpdf.fonts import CoreFont, TTFFont

from backend.domain.calendars import CHINA
from backend.domain.rules import RULES

Words = tuple[str, str]  # Chinese, English

MARGIN = 18.0
INK, SOFT, LINE, SHADE = (23, 33, 47), (89, 89, 89), (140, 140, 140), (243, 242, 238)
POINT = 25.4 / 72
MISSING = "〓"  # the printers' mark for a letter that the font does not have
_PIECES = re.compile(r"\n|[ \t]+|[!-~\u00a0-\u024f]+|.", re.DOTALL)
_NEVER_FIRST = "，。；：、）》」』！？·…"


@dataclass(frozen=True)
class Imprint:
    """What every paper needs beside its content: font file, 'zh' or 'en', the moment of printing, the office if any."""

    font: Path
    language: str
    printed_at: datetime
    office: str = ""


def _letters_of(font: CoreFont | TTFFont) -> frozenset[int]:
    if not isinstance(font, TTFFont):
        raise TypeError("not a TrueType or OpenType font")
    return frozenset(font.cmap)


class Paper(FPDF):
    """An A4 paper with a title, a footer, and a pen that moves down from block to block."""

    def __init__(self, imprint: Imprint, title: Words, *, keywords: str = "", footed: bool = True) -> None:
        super().__init__(format="A4")
        self._imprint, self._footed, self._lacks = imprint, footed, False
        self.add_font("anju", fname=imprint.font)
        self._letters = _letters_of(self.fonts["anju"])
        self.set_margin(MARGIN)
        self.set_auto_page_break(False)
        self.set_title(self.pick(title))
        self.set_lang("zh-CN" if imprint.language == "zh" else "en")
        self.set_producer("Anju")
        self.set_creator("Anju")
        # In plain letters of the file, so that what is signed can be checked from the file alone.
        self.set_keywords(keywords)
        self.set_creation_date(imprint.printed_at.astimezone(UTC))
        self.viewer_preferences = ViewerPreferences(display_doc_title=True)
        self.add_page()

    @property
    def breadth(self) -> float:
        """Width between the margins."""
        return self.w - 2 * MARGIN

    def pick(self, words: Words) -> str:
        """The words in the paper's language."""
        return words[0] if self._imprint.language == "zh" else words[1]

    def both(self, words: Words) -> str:
        """The words in both languages, for a form that its reader and its office read in different ones."""
        return f"{words[0]} {words[1]}"

    def day(self, value: date | None) -> str:
        """A day in words; none is left blank."""
        if value is None:
            return ""
        zh = f"{value.year}年{value.month}月{value.day}日"
        return self.pick((zh, f"{value.day} {value:%b %Y}"))

    def moment(self, value: datetime | None) -> str:
        """A moment in China's time, to the minute; none is left blank."""
        if value is None:
            return ""
        local = value.astimezone(CHINA)
        return f"{self.day(local.date())}{self.pick((' ', ', '))}{local:%H:%M}"

    def write_at(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 10.5,
        *,
        bold: bool = False,
        colour: tuple[int, int, int] = INK,
        width: float | None = None,
        align: str = "L",
        lead: float = 1.5,
    ) -> float:
        """Write text with its upper edge at `y`, broken into lines of `width`; answers the y below it."""
        self.set_font("anju", size=size)
        breadth = self.w - MARGIN - x if width is None else width
        for line in self.lines_of(text, breadth, size):
            gap = breadth - self.get_string_width(line)
            left = x + (gap / 2 if align == "C" else gap if align == "R" else 0)
            self.set_text_color(*colour)
            mode = TextMode.FILL_STROKE if bold else TextMode.FILL  # the fonts with both scripts come in one weight
            with self.local_context(text_mode=mode, line_width=size * POINT * 0.03, draw_color=colour):
                if line:
                    self.text(left, y + size * POINT * (lead - 1) / 2 + size * POINT * 0.86, line)
            y += size * POINT * lead
        return y

    def lines_of(self, text: str, width: float, size: float) -> list[str]:
        """Break text into lines: between Chinese letters anywhere but before a closing mark, else at spaces."""
        self.set_font("anju", size=size)
        lines = [""]
        for piece in _PIECES.findall(self._known(text)):
            if piece == "\n":
                lines.append("")
                continue
            whole = lines[-1] + piece
            if self.get_string_width(whole.rstrip()) <= width or piece in _NEVER_FIRST:
                lines[-1] = whole
            elif self.get_string_width(piece) <= width:
                lines.append(piece.lstrip())
            else:  # one word longer than the line
                for letter in piece:
                    if self.get_string_width(lines[-1] + letter) > width:
                        lines.append("")
                    lines[-1] += letter
        return [line.rstrip() for line in lines]

    def say(self, text: str, size: float = 10.5, *, after: float = 2, **style: object) -> None:
        """Write a paragraph where the pen stands and move the pen below it."""
        self.need(len(self.lines_of(text, self.breadth, size)) * size * POINT * 1.5)
        self.y = self.write_at(MARGIN, self.y, text, size, width=self.breadth, **style) + after  # type: ignore[arg-type]

    def need(self, tall: float) -> None:
        """Turn the page when less than `tall` is left above the footer."""
        if self.y + tall > self.h - MARGIN:
            self.add_page()
            self.y = MARGIN

    def head(self, title: Words, below: str = "") -> None:
        """The paper's title in the middle of the first lines, and a line below it."""
        self.y = 12
        if self._imprint.office:
            self.say(self._imprint.office, 10, colour=SOFT, align="C", after=1)
        self.say(self.pick(title), 20, bold=True, align="C", after=1)
        if below:
            self.say(below, 9.5, colour=SOFT, align="C", after=1)
        self.rule_off()

    def rule_off(self, gap: float = 3) -> None:
        """A thin line over the whole breadth."""
        self.set_draw_color(*LINE)
        self.set_line_width(0.3)
        self.line(MARGIN, self.y + 1, MARGIN + self.breadth, self.y + 1)
        self.y += 1 + gap

    def answers(self, rows: Iterable[tuple[Words, str]], width: float | None = None, label: float = 34) -> None:
        """Label and value side by side, one row each; rows without a value are left out."""
        breadth = self.breadth if width is None else width
        for words, value in rows:
            if not value:
                continue
            top = self.y
            left = self.write_at(MARGIN, top, self.pick(words), 10, colour=SOFT, width=label - 2)
            right = self.write_at(MARGIN + label, top - 0.4, value, 11.5, width=breadth - label)
            self.y = max(left, right) + 1.6

    def quote(self, *rule_ids: str) -> None:
        """The legal rules this paper rests on, each with its id."""
        for rule_id in rule_ids:
            rule = RULES[rule_id]
            said = self.pick((f"{rule.zh}（{rule.id}，{rule.source}）", f"{rule.en} ({rule.id}, {rule.source})"))
            self.say(said, 9, colour=SOFT, after=0.6)

    def signatures(self, who: Sequence[Words], *, bilingual: bool = False) -> None:
        """Places to sign, side by side, each with a place for the day; never alone at the top of a cut paper."""
        self.need(23)
        top = self.y + 3
        broad = (self.breadth - 8 * (len(who) - 1)) / len(who)
        say = self.both if bilingual else self.pick
        for number, words in enumerate(who):
            x = MARGIN + number * (broad + 8)
            self.write_at(x, top, say(words), 10, width=broad)
            self.set_draw_color(*INK)
            self.set_line_width(0.25)
            self.line(x, top + 16, x + broad * 0.6, top + 16)
            self.line(x + broad * 0.64, top + 16, x + broad, top + 16)
            self.write_at(x, top + 16.6, say(("签名", "Signature")), 8.5, colour=SOFT, width=broad * 0.6)
            self.write_at(x + broad * 0.64, top + 16.6, say(("日期", "Date")), 8.5, colour=SOFT, width=broad * 0.36)
        self.y = top + 23

    def draw_qr(self, text: str, x: float, y: float, side: float) -> None:
        """A QR code (level M, quiet zone of four modules) as filled runs; what it says stands beside it in words.

        No alternative text: it would make the only tagged piece of an untagged document, and some screen readers then
        read nothing but that piece.
        """
        modules = [list(row) for row in segno.make(text, error="m", micro=False).matrix]
        step = side / (len(modules) + 8)
        self.set_fill_color(0, 0, 0)
        for down, row in enumerate(modules):
            across = 0
            while across < len(row):
                run = across
                while run < len(row) and row[run]:
                    run += 1
                if run > across:
                    self.rect(x + (across + 4) * step, y + (down + 4) * step, (run - across) * step, step, style="F")
                across = run + 1

    def footer(self) -> None:
        """When it was printed, which page it is, and what the mark for a missing letter means."""
        if not self._footed:
            return
        with self.local_context():
            foot = self.h - 13
            said = self.pick(("安居 打印于 ", "Anju, printed ")) + self.moment(self._imprint.printed_at)
            if self._lacks:
                lack = (f"  {MISSING} 字库没有的字，请手写", f"  {MISSING} a letter the font lacks: write it by hand")
                said += self.pick(lack)
            self.write_at(MARGIN, foot, said, 8, colour=SOFT)
            self.write_at(MARGIN, foot, f"{self.page_no()}", 8, colour=SOFT, width=self.breadth, align="R")

    def finish(self) -> bytes:
        """The PDF; the same content gives the same bytes."""
        return bytes(self.output())

    def _known(self, text: str) -> str:
        # The library would write a letter it lacks into the log, and it may stand in somebody's name.
        known = "".join(each if ord(each) in self._letters or each in "\n\t" else MISSING for each in text)
        self._lacks = self._lacks or known != text
        return known
