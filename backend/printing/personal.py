"""What a person asks to read about themselves, on paper: sections of plain lines, as many pages as it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backend.printing.paper import Imprint, Paper, Words


@dataclass(frozen=True)
class Section:
    """A heading and its lines, each a label in both languages and what stands there; without lines it says so."""

    title: Words
    lines: Sequence[tuple[Words, str]]


def print_personal_paper(
    title: Words, holder: str, sections: Sequence[Section], imprint: Imprint, *, signed: bool = True
) -> bytes:
    """A4 pages with the holder's name and every section in turn; `signed`: with places to sign for the handing over."""
    paper = Paper(imprint, title)
    paper.head(title, holder)
    for section in sections:
        paper.need(24)
        paper.y += 2
        paper.say(paper.pick(section.title), 13, bold=True, after=1.5)
        if not section.lines:
            paper.say(paper.pick(("没有记录", "Nothing")), after=2)
        for line in section.lines:
            paper.need(12)
            paper.answers([line])
    paper.need(40)
    paper.quote("PIPL-45", "PIPL-46", "PIPL-47")
    if signed:
        paper.signatures([("本人签收", "Received by"), ("经办人", "Handed over by")])
    return paper.finish()
