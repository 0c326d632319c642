"""How well the comparison tells people apart on a list of picture pairs: an operator's measurement.

Keeps the numbers of each picture in memory while it runs, prints rates only, and writes nothing. Not reachable from
any door.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import numpy as np

from backend.domain.faces import FacePolicy
from backend.gateways.face_engine import Embedding, Engine, load_engine
from backend.gateways.face_pipeline import Retake, look_at_document

THRESHOLDS = (0.35, 0.40, 0.45, 0.50, 0.55, 0.60)  # the last is the library's default, for comparison only
_Z = 1.96  # 95 %


@dataclass(frozen=True)
class Pair:
    """Two picture files and whether they show the same person."""

    first: Path
    second: Path
    same: bool


@dataclass(frozen=True)
class Rate:
    """`hits` of `tries`, with the 95 % interval of Wilson (1927)."""

    hits: int
    tries: int

    def share(self) -> float:
        """Hits ÷ tries; 0 without tries."""
        return self.hits / self.tries if self.tries else 0.0

    def interval(self) -> tuple[float, float]:
        """Lower and upper end of the share, 0 to 1."""
        if not self.tries:
            return 0.0, 1.0
        n, p = self.tries, self.share()
        middle, spread = p + _Z**2 / (2 * n), _Z * sqrt(p * (1 - p) / n + _Z**2 / (4 * n * n))
        scale = 1 + _Z**2 / n
        return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


@dataclass(frozen=True)
class Row:
    """Rates at one threshold: different people taken for the same, the same person not recognised."""

    threshold: float
    false_match: Rate
    false_non_match: Rate


@dataclass(frozen=True)
class Evaluation:
    """All rates of a list. `undetected`: pictures without one main face; their pairs are left out of the rates."""

    single: tuple[Row, ...]
    mean_of_three: tuple[Row, ...]
    undetected: Rate
    pipeline_version: str


def evaluate_pairs(pairs: Sequence[Pair], tell: Callable[[int, int], None]) -> Evaluation:
    """Compare all pairs; `tell(done, all)` is called after each picture.

    The first picture of a pair plays the document. 'Mean of three' averages the second with two other pictures of the
    same person, where the list has them (pairs without are left out): pictures of different days differ more than
    three frames of one burst, so this is the upper end of what averaging gains. Raises EngineMissing; a file that
    cannot be read raises OSError.
    """
    engine = load_engine()
    files = sorted({path for pair in pairs for path in (pair.first, pair.second)})
    taken: dict[Path, Embedding] = {}
    for number, path in enumerate(files, start=1):
        found = _encoded(engine, path.read_bytes())
        if found is not None:
            taken[path] = found
        tell(number, len(files))
    persons = _persons(pairs)
    single, three = [], []
    for pair in pairs:
        if pair.first not in taken or pair.second not in taken:
            continue
        single.append((_apart(taken[pair.first], [taken[pair.second]]), pair.same))
        others = [path for path in sorted(persons[pair.second] - {pair.first, pair.second}) if path in taken][:2]
        if len(others) == 2:
            live = [taken[path] for path in (pair.second, *others)]
            three.append((_apart(taken[pair.first], live), pair.same))
    undetected = Rate(len(files) - len(taken), len(files))
    return Evaluation(_rows(single), _rows(three), undetected, engine.version)


def _rows(distances: Sequence[tuple[float, bool]]) -> tuple[Row, ...]:
    same = [distance for distance, is_same in distances if is_same]
    different = [distance for distance, is_same in distances if not is_same]
    return tuple(
        Row(
            threshold,
            Rate(sum(distance <= threshold for distance in different), len(different)),
            Rate(sum(distance > threshold for distance in same), len(same)),
        )
        for threshold in THRESHOLDS
    )


def _persons(pairs: Sequence[Pair]) -> dict[Path, set[Path]]:
    """For each picture all pictures of its person, as far as the pairs marked `same` tell."""
    persons = {path: {path} for pair in pairs for path in (pair.first, pair.second)}
    for pair in pairs:
        if pair.same:
            together = persons[pair.first] | persons[pair.second]
            for path in together:
                persons[path] = together
    return persons


def _apart(document: Embedding, live: Sequence[Embedding]) -> float:
    return float(np.linalg.norm(document - np.mean(live, axis=0)))


def _encoded(engine: Engine, content: bytes) -> Embedding | None:
    try:
        return look_at_document(engine, content, FacePolicy()).encoded(engine)
    except Retake:
        return None
