"""`./anju face check` and `./anju face eval`: an operator looks at the comparison itself, with picture files.

These commands load the face library in their own process; no web process does. They keep and write nothing.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.config import Settings, SettingsError
from backend.domain.faces import FACE_REASONS, FacePolicy, FaceQuality

if TYPE_CHECKING:
    from backend.gateways.face_evaluation import Evaluation, Pair, Rate, Row, Unread
    from backend.gateways.face_pipeline import Comparison

EXIT_STATUS = {"match": 0, "review": 0, "no_match": 3, "retake": 4}  # as the journey's
BIGGEST_FILE = 20_000_000  # bytes read at most; what is larger than the limit of uploads is refused by its size
UNREAD_SHOWN = 20
_SAME = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


def add_face_commands(nouns: Any) -> None:
    """Register the noun `face` with its verbs."""
    verbs = nouns.add_parser("face", help="the face comparison").add_subparsers(metavar="VERB", required=True)
    text = "compare two pictures, A as document, B as a live frame; no movement is checked"
    checking = verbs.add_parser("check", help=text, description=text)
    checking.add_argument("document", type=Path, metavar="A")
    checking.add_argument("live", type=Path, metavar="B")
    checking.add_argument("--json", action="store_true", help="for machines")
    checking.set_defaults(run=check_faces)
    evaluating = verbs.add_parser("eval", help="error rates on a list of pairs (columns file_a, file_b, same)")
    evaluating.add_argument("pairs", type=Path, metavar="PAIRS.csv")
    evaluating.add_argument("--json", action="store_true", help="for machines")
    evaluating.set_defaults(run=evaluate_faces)


def check_faces(chosen: argparse.Namespace) -> int:
    """Print decision, reasons, distance and the quality of each picture; 0 match or review, 3 no match, 4 retake."""
    try:
        from backend.gateways.face_pipeline import compare_pictures
    except ImportError as missing:
        return _refused(f"the face package is not installed ({missing.name}); see requirements.txt")
    from backend.gateways.face_engine import EngineMissing

    try:
        found = compare_pictures(_content(chosen.document), _content(chosen.live), _policy())
    except OSError as error:
        return _refused(f"{error.filename}: {error.strerror}")
    except EngineMissing as missing_engine:
        return _refused(str(missing_engine))
    print(json.dumps(asdict(found), ensure_ascii=False) if chosen.json else _as_text(found))
    return EXIT_STATUS[found.decision]


def evaluate_faces(chosen: argparse.Namespace) -> int:
    """Print false match, false non-match and failure to detect, with 95 % intervals.

    Exit status 1 when a row had to be left out (each is told on standard error, the rest is measured), or all of them.
    """
    try:
        from backend.gateways.face_evaluation import evaluate_pairs
    except ImportError as missing:
        return _refused(f"the face package is not installed ({missing.name}); see requirements.txt")
    from backend.gateways.face_engine import EngineMissing

    try:
        pairs, faulty = _read_pairs(chosen.pairs)
        found = evaluate_pairs(pairs, _tell)
    except OSError as error:
        return _refused(f"{error.filename}: {error.strerror}")
    except (ValueError, csv.Error, EngineMissing) as error:
        return _refused(str(error))
    unread, left_out = [*faulty, *found.unread], len(faulty) + found.rows_left_out
    print(json.dumps(_as_record(found, unread, left_out)) if chosen.json else _as_table(found))
    for one in unread[:UNREAD_SHOWN]:
        print(f"anju: {one.place}: {one.why}", file=sys.stderr)
    if left_out:
        more = f", {len(unread) - UNREAD_SHOWN} more causes not shown" if len(unread) > UNREAD_SHOWN else ""
        return _refused(f"{left_out} of {len(pairs) + len(faulty)} rows were left out{more}")
    return 0


def _policy() -> FacePolicy:
    """The thresholds of this installation; the usual ones where nothing is set up, as on a developer's machine."""
    try:
        settings = Settings.from_environment()
    except SettingsError:
        settings = Settings()
    return FacePolicy(match_at_most=settings.face_match_at_most, review_at_most=settings.face_review_at_most)


def _read_pairs(path: Path) -> tuple[list[Pair], list[Unread]]:
    """The pairs of the list, files beside it, and the rows that are none. Raises ValueError when there is no pair."""
    from backend.gateways.face_evaluation import Pair, Unread

    pairs, faulty = list[Pair](), list[Unread]()
    with path.open(newline="", encoding="utf-8-sig") as lines:
        table = csv.DictReader(lines, skipinitialspace=True)
        table.fieldnames = [name.strip().lower() for name in table.fieldnames or ()]
        missing = {"file_a", "file_b", "same"} - set(table.fieldnames)
        if missing:
            raise ValueError(f"{path}: column {', '.join(sorted(missing))} is missing")
        for row in table:
            first, second, same = ((row[name] or "").strip() for name in ("file_a", "file_b", "same"))
            if not first or not second or same.lower() not in _SAME:
                why = f"same is {same!r}; it must be 0 or 1" if first and second else "a file's name is missing"
                faulty.append(Unread(f"{path}, line {table.line_num}", why))
                continue
            pairs.append(Pair(path.parent / first, path.parent / second, _SAME[same.lower()]))
    if not pairs:
        told = f" ({faulty[0].place}: {faulty[0].why})" if faulty else ""
        raise ValueError(f"{path}: no pair in it{told}")
    return pairs, faulty


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(BIGGEST_FILE)


def _as_text(found: Comparison) -> str:
    lines = [f"decision   {found.decision}"]
    for code in found.reasons:
        reason = FACE_REASONS[code]
        lines.append(f"reason     {code}: {reason.zh} {reason.en}")
        lines.append(f"           {reason.tip_zh} {reason.tip_en}")
    lines.append(f"distance   {'-' if found.distance is None else f'{found.distance:.2f}'}")
    lines.append(f"quality A  {_quality(found.document_quality)}")
    lines.append(f"quality B  {_quality(found.live_quality)}")
    lines.append(f"pipeline   {found.pipeline_version}")
    return "\n".join(lines)


def _quality(quality: FaceQuality | None) -> str:
    if quality is None:
        return "no single face"
    return (
        f"eyes {quality.eyes_apart:.0f} px · sharpness {quality.sharpness:.3f} · luminance {quality.luminance:.0f} · "
        f"burnt {quality.burnt_share:.0%} · yaw {quality.yaw:+.2f} · roll {quality.roll:+.0f}°"
        + ("" if quality.is_inside else " · cut off")
    )


def _as_table(found: Evaluation) -> str:
    lines = []
    for title, rows, needs in (
        ("single frame", found.single, "both pictures readable"),
        ("mean of three pictures of the person", found.mean_of_three, "three pictures of one person beside another"),
        ("mean of three takes of the one picture", found.mean_of_takes, "both pictures readable"),
    ):
        if not rows[0].false_match.tries and not rows[0].not_recognised.tries:
            lines += [title, f"  no pair in the list has {needs}"]
            continue
        heads = ("threshold", "false match", "false non-match", "not recognised, failures to detect included")
        lines += [title, "  {:<11}{:<33}{:<33}{}".format(*heads)]
        for row in rows:
            cells = [_rate(rate) for rate in (row.false_match, row.false_non_match, row.not_recognised)]
            lines.append("  {:<11.2f}{:<33}{:<33}{}".format(row.threshold, *cells))
    lines.append(f"failure to detect: {_rate(found.undetected)} of the pictures")
    lines += [f"  {count} × {FACE_REASONS[code].en} ({code})" for code, count in found.undetected_by.items()]
    lines.append(f"pipeline: {found.pipeline_version}; brackets: 95 % intervals (Wilson)")
    return "\n".join(lines)


def _rate(rate: Rate) -> str:
    if not rate.tries:
        return "no pair"
    low, high = rate.interval()
    return f"{rate.share():.3f} [{low:.3f}, {high:.3f}] {rate.hits}/{rate.tries}"


def _as_record(found: Evaluation, unread: Sequence[Unread], left_out: int) -> dict[str, object]:
    def rate(one: Rate) -> dict[str, object]:
        share = one.share() if one.tries else None
        return {"hits": one.hits, "tries": one.tries, "share": share, "interval_95": one.interval()}

    def rows(some: Sequence[Row]) -> list[dict[str, object]]:
        return [
            {
                "threshold": row.threshold,
                "false_match": rate(row.false_match),
                "false_non_match": rate(row.false_non_match),
                "not_recognised": rate(row.not_recognised),
            }
            for row in some
        ]

    return {
        "single": rows(found.single),
        "mean_of_three": rows(found.mean_of_three),
        "mean_of_takes": rows(found.mean_of_takes),
        "undetected": {**rate(found.undetected), "by": dict(found.undetected_by)},
        "unread": [asdict(one) for one in unread],
        "rows_left_out": left_out,
        "pipeline_version": found.pipeline_version,
    }


def _tell(done: int, whole: int) -> None:
    """A bar that renews itself on a terminal; elsewhere a line at each tenth."""
    filled = 30 * done // whole
    bar = f"[{'#' * filled}{'.' * (30 - filled)}] {done}/{whole} pictures"
    if sys.stderr.isatty():
        print(f"\r{bar}", end="\n" if done == whole else "", file=sys.stderr, flush=True)
    elif 10 * done // whole > 10 * (done - 1) // whole:
        print(bar, file=sys.stderr, flush=True)


def _refused(sentence: str) -> int:
    print(f"anju: {sentence}", file=sys.stderr)
    return 1
