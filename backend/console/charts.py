"""Charts as numbers for SVG: where each bar stands. Templates draw them; there is no script and no colour here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from backend.domain.suppression import Shown

WIDE, HALF, HEIGHT = 1080, 520, 200  # of the drawings, about the pixels they take on a screen of 1366
_LEFT, _BOTTOM, _TOP = 44, 26, 18
_LABEL = 48  # what a month takes: 2026-11
_ROW, _NAMES, _VALUES = 26, 150, 60


@dataclass(frozen=True)
class Bar:
    """One bar; `value` None is a withheld count, which has no length. `series` counts from 0."""

    x: float
    y: float
    width: float
    height: float
    label: str
    value: Shown
    series: int = 0


@dataclass(frozen=True)
class Chart:
    """A drawing of `width` × `height` with bars, labels of the groups (x, text) and lines of the scale (y, value)."""

    width: int
    height: int
    bars: tuple[Bar, ...]
    labels: tuple[tuple[float, str], ...] = ()
    lines: tuple[tuple[float, int], ...] = ()


def draw_columns(
    labels: Sequence[str],
    *series: Sequence[Shown],
    most: int | None = None,
    blank: Collection[int] = (),
    wide: int = HALF,
) -> Chart:
    """Upright bars in groups, one group per label, one bar per series; `most` fixes the top of the scale.

    Nothing stands over the labels at the places `blank`: there is nothing to say of them. Where labels have too little
    room every second one is left out, never the last.
    """
    top = most or _round_up(max((value or 0 for row in series for value in row), default=0))
    step = (wide - _LEFT) / max(len(labels), 1)
    width = step * 0.7 / max(len(series), 1)
    room = HEIGHT - _BOTTOM - _TOP
    bars = [
        Bar(
            x=_LEFT + step * (group + 0.15) + width * place,
            y=HEIGHT - _BOTTOM - room * (value or 0) / top,
            width=width,
            height=room * (value or 0) / top,
            label=label,
            value=value,
            series=place,
        )
        for place, row in enumerate(series)
        for group, (label, value) in enumerate(zip(labels, row, strict=True))
        if group not in blank
    ]
    every, last = (2 if step < _LABEL else 1), len(labels) - 1
    names = tuple(
        (min(_LEFT + step * (group + 0.5), wide - _LABEL / 2), label)
        for group, label in enumerate(labels)
        if (last - group) % every == 0
    )
    lines = tuple((HEIGHT - _BOTTOM - room * part / 2, top * part // 2) for part in (0, 1, 2))
    return Chart(wide, HEIGHT, tuple(bars), names, lines)


def draw_rows(labels: Sequence[str], values: Sequence[Shown]) -> Chart:
    """Lying bars below each other, names on the left, values behind the bars."""
    top, room = max((value or 0 for value in values), default=0) or 1, HALF - _NAMES - _VALUES
    bars = tuple(
        Bar(_NAMES, _ROW * place + 4, room * (value or 0) / top, _ROW - 8, label, value)
        for place, (label, value) in enumerate(zip(labels, values, strict=True))
    )
    return Chart(HALF, max(_ROW * len(labels), _ROW), bars)


def draw_share(labels: Sequence[str], parts: Sequence[Shown], others: Sequence[Shown]) -> Chart:
    """Upright bars of the percentage that `parts` are of parts and others; withheld where one of the two is."""
    pairs = list(zip(parts, others, strict=True))
    blank = [place for place, pair in enumerate(pairs) if pair == (0, 0)]
    return draw_columns(labels, [percent(*pair) for pair in pairs], most=100, blank=blank)


def percent(part: Shown, other: Shown) -> int | None:
    """The whole percentage of a part, None where it is withheld or there is nothing to divide by."""
    return round(100 * part / (part + other)) if part is not None and other is not None and part + other else None


def _round_up(value: int) -> int:
    """An even number that a scale can end with."""
    return next(size for size in _SIZES if size >= value)


_SIZES = tuple(digit * 10**zeros for zeros in range(9) for digit in (2, 4, 6, 10))
