"""Reads the PDFs of the printing room back: the words in their order, out of the file alone as a screen reader does."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One text object: page from 0, place of its baseline in points from the lower left, size, words."""

    page: int
    x: float
    y: float
    size: float
    text: str


class PdfReader:
    """Objects, streams and text lines of a PDF as fpdf2 writes it (no object streams, one font)."""

    def __init__(self, pdf: bytes) -> None:
        self.pdf = pdf
        self.objects = {
            int(found[1]): found[2] for found in re.finditer(rb"(?s)\n(\d+) 0 obj\n(.*?)\nendobj", b"\n" + pdf)
        }

    def stream(self, number: int) -> bytes:
        """An object's stream, inflated."""
        head, body = self.objects[number].split(b"stream\n", 1)
        raw = body.rpartition(b"\nendstream")[0]
        return zlib.decompress(raw) if b"FlateDecode" in head else raw

    def pages(self) -> list[bytes]:
        """What is drawn on each page."""
        found = [body for body in self.objects.values() if re.search(rb"/Type /Page\b", body)]
        return [self.stream(int(re.search(rb"/Contents (\d+)", body)[1])) for body in found]  # type: ignore[index]

    def letters(self) -> dict[int, str]:
        """Glyph number to letter, as the font's ToUnicode table says."""
        table: dict[int, str] = {}
        for body in self.objects.values():
            found = re.search(rb"/ToUnicode (\d+)", body)
            if found is not None:
                pairs = re.findall(rb"<([0-9A-F]{4})> <([0-9A-F]+)>\n", self.stream(int(found[1])))
                table |= {int(code, 16): bytes.fromhex(text.decode()).decode("utf-16-be") for code, text in pairs}
        return table

    def lines(self) -> list[Line]:
        """Every line of text in the order in which it stands in the file."""
        table, found = self.letters(), []
        shown = re.compile(
            rb"(?s)/F\d+ ([\d.]+) Tf"
            rb"|BT ([\d.]+) ([\d.]+) Td (?:[\d.]+ (?:Tr|w) | )*\(((?:[^()\\]|\\.)*)\) Tj"
        )
        for number, page in enumerate(self.pages()):
            size = 0.0
            for match in shown.finditer(page):
                if match[1]:
                    size = float(match[1])
                    continue
                raw = re.sub(rb"(?s)\\(.)", lambda each: {b"n": b"\n", b"r": b"\r"}.get(each[1], each[1]), match[4])
                text = "".join(table[int.from_bytes(raw[at : at + 2])] for at in range(0, len(raw), 2))
                found.append(Line(number, float(match[2]), float(match[3]), size, text))
        return found

    def text(self) -> str:
        """All words, one line each."""
        return "\n".join(line.text for line in self.lines())
