"""How well the comparison tells people apart on a list of picture pairs: an operator's measurement.

Keeps the numbers of each picture in memory while it runs, prints rates only, and writes nothing. Not reachable from
any door.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path

import numpy as np

from backend.domain.faces import FACE_REASONS, FacePolicy
from backend.gateways.face_engine import Embedding, Engine, load_engine
from backend.gateways.face_pictures import pixels_of
from backend.gateways.face_pipeline import Retake, look_at_document

THRESHOLDS = (0.35, 0.40, 0.45, 0.50, 0.55, 0.60)  # the last is the library's default, for comparison only
UNREADABLE = ("document_unknown_kind", "document_damaged", "document_missing")  # the file's fault, not the detector's
BYTES_READ = 20_000_000  # what is larger than the limit of uploads is refused by its size
_TAKE_SHIFT = 0.04  # of the box: about what a detector's boxes differ from frame to frame
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
    """Rates at one threshold: different people taken for the same, the same person not recognised.

    `not_recognised` counts in what `false_non_match` leaves out: pairs of one person in which no single face was found
    in a picture. It is what a person at the camera meets.
    """

    threshold: float
    false_match: Rate
    false_non_match: Rate
    not_recognised: Rate


@dataclass(frozen=True)
class Unread:
    """A row or a file of the list that could not be used, and why."""

    place: str
    why: str


@dataclass(frozen=True)
class Evaluation:
    """All rates of a list.

    `single`: one picture against one. `mean_of_three`: against the mean of three pictures of a person, where the list
    has them. `mean_of_takes`: against the mean of three takes of the one picture, each cut a little differently.
    `undetected`: readable pictures without a single main face, or beyond the limits of uploads; `undetected_by` says
    which reason how often. `unread` were left out of everything; `rows_left_out` counts the rows that fell for it.
    """

    single: tuple[Row, ...]
    mean_of_three: tuple[Row, ...]
    mean_of_takes: tuple[Row, ...]
    undetected: Rate
    undetected_by: Mapping[str, int]
    unread: tuple[Unread, ...]
    rows_left_out: int
    pipeline_version: str


@dataclass(frozen=True)
class _Taken:
    """What is kept of one picture while the evaluation runs: its numbers, and those of three takes of it."""

    plain: Embedding
    takes: tuple[Embedding, ...]


def evaluate_pairs(pairs: Sequence[Pair], tell: Callable[[int, int], None]) -> Evaluation:
    """Compare all pairs; `tell(done, all)` is called after each picture.

    The first picture of a pair plays the document. Distances are rounded as the product rounds them. 'Mean of three'
    averages the second picture with two others of the same person (pairs without are left out): pictures of different
    days differ more than three frames of one burst, so this is the upper end of what averaging gains; three takes of
    one picture differ less, so they are the lower end. Raises EngineMissing; nothing else about a file ends the run.
    """
    engine = load_engine()
    files = sorted({path for pair in pairs for path in (pair.first, pair.second)})
    taken: dict[Path, _Taken] = {}
    undetected: dict[Path, str] = {}
    unread: list[Unread] = []
    for number, path in enumerate(files, start=1):
        found = _take(engine, path)
        if isinstance(found, _Taken):
            taken[path] = found
        elif isinstance(found, Unread):
            unread.append(found)
        else:
            undetected[path] = found
        tell(number, len(files))
    known = taken.keys() | undetected.keys()
    readable = [pair for pair in pairs if known >= {pair.first, pair.second}]
    return Evaluation(
        single=_rows([_single(pair, taken) for pair in readable]),
        mean_of_three=_rows(_three_pictures(readable, pairs, taken)),
        mean_of_takes=_rows([_three_takes(pair, taken) for pair in readable]),
        undetected=Rate(len(undetected), len(taken) + len(undetected)),
        undetected_by=dict(Counter(undetected.values()).most_common()),
        unread=tuple(unread),
        rows_left_out=len(pairs) - len(readable),
        pipeline_version=engine.version,
    )


_Compared = tuple[float | None, bool]  # distance (None: a face was not found), whether the pair is of one person


def _single(pair: Pair, taken: Mapping[Path, _Taken]) -> _Compared:
    if pair.first not in taken or pair.second not in taken:
        return None, pair.same
    return _apart(taken[pair.first].plain, [taken[pair.second].plain]), pair.same


def _three_takes(pair: Pair, taken: Mapping[Path, _Taken]) -> _Compared:
    if pair.first not in taken or pair.second not in taken:
        return None, pair.same
    return _apart(taken[pair.first].plain, taken[pair.second].takes), pair.same


def _three_pictures(readable: Sequence[Pair], pairs: Sequence[Pair], taken: Mapping[Path, _Taken]) -> list[_Compared]:
    persons, compared = _persons(pairs), list[_Compared]()
    for pair in readable:
        found = [path for path in sorted(persons[pair.second] - {pair.first}) if path in taken]
        if len(found) < 3:  # whether the second picture is among them or not: else failures would count too often
            continue
        if pair.first in taken and pair.second in taken:
            others = [path for path in found if path != pair.second][:2]
            live = [taken[path].plain for path in (pair.second, *others)]
            compared.append((_apart(taken[pair.first].plain, live), pair.same))
        else:
            compared.append((None, pair.same))
    return compared


def _rows(compared: Sequence[_Compared]) -> tuple[Row, ...]:
    same = [distance for distance, is_same in compared if is_same]
    found = [distance for distance in same if distance is not None]
    different = [distance for distance, is_same in compared if not is_same and distance is not None]

    def row(threshold: float) -> Row:
        missed = sum(distance > threshold for distance in found)
        return Row(
            threshold,
            Rate(sum(distance <= threshold for distance in different), len(different)),
            Rate(missed, len(found)),
            Rate(missed + len(same) - len(found), len(same)),
        )

    return tuple(row(threshold) for threshold in THRESHOLDS)


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
    return round(float(np.linalg.norm(document - np.mean(live, axis=0))), 2)


def _take(engine: Engine, path: Path) -> _Taken | Unread | str:
    """The numbers of a picture, or why it cannot be read, or the reason code for which it would be taken again."""
    try:
        with path.open("rb") as file:
            content = file.read(BYTES_READ)
        face = look_at_document(engine, content, FacePolicy())
        pixels = pixels_of(face.picture)
        shift = _TAKE_SHIFT * face.box.size
        plain = face.encoded(engine)
        beside = [engine.encode(pixels, replace(face.box, left=face.box.left + side)) for side in (-shift, shift)]
        return _Taken(plain, (plain, *beside))
    except Retake as retake:
        (code,) = retake.reasons
        return Unread(str(path), FACE_REASONS[code].en) if code in UNREADABLE else code
    except OSError as error:
        return Unread(str(path), error.strerror or type(error).__name__)
    except Exception as error:  # one strange file must not end a run of thousands; what it was is told
        return Unread(str(path), f"{type(error).__name__}: {error}"[:200])
