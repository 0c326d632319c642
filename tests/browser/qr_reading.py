"""Reads a QR code off a picture of a page, as a camera held straight before it would: byte mode, nothing repaired.

Written from ISO/IEC 18004 for the tests, apart from what draws the codes. Which modules are no data is asked of the
geometry alone; the error correction words are left aside, so that one wrong module of the data shows.
"""

from __future__ import annotations

import io
from typing import Any

import segno.consts
from PIL import Image

QUIET = 4
NEAR = 4  # pixels of a module: a phone's screen has three times as many points as the test's
COME_NEAR = """(svg, width) => Object.assign(svg.style, {
  position: width ? 'fixed' : '', inset: width ? '0 auto auto 0' : '', zIndex: width ? 9 : '',
  width: width ? `${width}px` : '', height: width ? `${width}px` : '', maxWidth: width ? 'none' : '',
  background: width ? '#fff' : '' })"""
LEVELS = {1: "L", 0: "M", 3: "Q", 2: "H"}
MASKS = (
    lambda i, j: (i + j) % 2 == 0,
    lambda i, j: i % 2 == 0,
    lambda i, j: j % 3 == 0,
    lambda i, j: (i + j) % 3 == 0,
    lambda i, j: (i // 2 + j // 3) % 2 == 0,
    lambda i, j: i * j % 2 + i * j % 3 == 0,
    lambda i, j: (i * j % 2 + i * j % 3) % 2 == 0,
    lambda i, j: ((i + j) % 2 + i * j % 3) % 2 == 0,
)

Grid = list[list[bool]]


def read_qr(place: Any, scale: int = 1) -> str:
    """The text of the QR code drawn in a locator's only <svg>, whose modules are `scale` units wide."""
    svg = place.locator("svg")
    width = int(svg.get_attribute("viewBox").split()[2]) // scale
    svg.evaluate(COME_NEAR, NEAR * width)
    picture = Image.open(io.BytesIO(svg.screenshot())).convert("L")
    svg.evaluate(COME_NEAR, None)
    size, half = width - 2 * QUIET, NEAR // 2
    return decode([[picture.getpixel((NEAR * (x + QUIET) + half, NEAR * (y + QUIET) + half)) < 128 for x in range(size)]
                   for y in range(size)])  # fmt: skip


def decode(grid: Grid) -> str:
    """The text of a code's modules."""
    size = len(grid)
    version = (size - 17) // 4
    form = sum(grid[8][j] << (14 - n) for n, j in enumerate((0, 1, 2, 3, 4, 5, 7, 8)))
    form |= sum(grid[i][8] << (6 - n) for n, i in enumerate((7, 5, 4, 3, 2, 1, 0)))
    form ^= 0x5412
    words = _words(grid, version, MASKS[form >> 10 & 7])
    data = _unwoven(words, version, LEVELS[form >> 13])
    bits = "".join(f"{word:08b}" for word in data)
    assert bits[:4] == "0100", "byte mode"
    count = 8 if version < 10 else 16
    length = int(bits[4 : 4 + count], 2)
    return bytes(int(bits[at : at + 8], 2) for at in range(4 + count, 4 + count + 8 * length, 8)).decode()


def _words(grid: Grid, version: int, mask: Any) -> list[int]:
    size, bits, up = len(grid), [], True
    columns = [*range(size - 1, 6, -2), 5, 3, 1]
    for right in columns:
        for step in range(size):
            i = size - 1 - step if up else step
            bits += [grid[i][j] != mask(i, j) for j in (right, right - 1) if not _is_fixed(version, size, i, j)]
        up = not up
    return [sum(bit << (7 - n) for n, bit in enumerate(bits[at : at + 8])) for at in range(0, len(bits) - 7, 8)]


def _is_fixed(version: int, size: int, i: int, j: int) -> bool:
    if i == 6 or j == 6 or (i < 9 and (j < 9 or j >= size - 8)) or (i >= size - 8 and j < 9):
        return True
    if version >= 7 and ((i < 6 and j >= size - 11) or (j < 6 and i >= size - 11)):
        return True
    marks = segno.consts.ALIGNMENT_POS[version - 2] if version > 1 else ()
    corners = {(6, 6), (6, marks[-1]), (marks[-1], 6)} if marks else set()
    return any(abs(i - y) <= 2 and abs(j - x) <= 2 for y in marks for x in marks if (y, x) not in corners)


def _unwoven(words: list[int], version: int, level: str) -> list[int]:
    shares = segno.consts.ECC[version][getattr(segno.consts, f"ERROR_LEVEL_{level}")]
    lengths = [share.num_data for share in shares for _ in range(share.num_blocks)]
    blocks: list[list[int]] = [[] for _ in lengths]
    rest = iter(words)
    for at in range(max(lengths)):
        for block, length in zip(blocks, lengths, strict=True):
            if at < length:
                block.append(next(rest))
    return [word for block in blocks for word in block]
