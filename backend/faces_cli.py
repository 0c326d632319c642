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
    from backend.gateways.face_evaluation import Evaluation, Pair, Rate, Row
    from backend.gateways.face_pipeline import Comparison

EXIT_STATUS = {"match": 0, "review": 0, "no_match": 3, "retake": 4}  # as the journey's
BIGGEST_FILE = 20_000_000  # bytes read at most; what is larger than the limit of uploads is refused by its size


def add_face_commands(nouns: Any) -> None:
    """Register the noun `face` with its verbs."""
    verbs = nouns.add_parser("face", help="the face comparison").add_subparsers(metavar="VERB", required=True)
    checking = verbs.add_parser("check", help="compare two pictures: A as document, B as live frame")
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
    """Print false match, false non-match and failure to detect, with 95 % intervals."""
    try:
        from backend.gateways.face_evaluation import evaluate_pairs
    except ImportError as missing:
        return _refused(f"the face package is not installed ({missing.name}); see requirements.txt")
    from backend.gateways.face_engine import EngineMissing

    try:
        pairs = _read_pairs(chosen.pairs)
        found = evaluate_pairs(pairs, _tell)
    except OSError as error:
        return _refused(f"{error.filename}: {error.strerror}")
    except (ValueError, EngineMissing) as error:
        return _refused(str(error))
    print(json.dumps(_as_record(found)) if chosen.json else _as_table(found))
    return 0


def _policy() -> FacePolicy:
    """The thresholds of this installation; the usual ones where nothing is set up, as on a developer's machine."""
    try:
        settings = Settings.from_environment()
    except SettingsError:
        settings = Settings()
    return FacePolicy(match_at_most=settings.face_match_at_most, review_at_most=settings.face_review_at_most)


def _read_pairs(path: Path) -> list[Pair]:
    from backend.gateways.face_evaluation import Pair

    pairs = []
    with path.open(newline="", encoding="utf-8-sig") as lines:
        table = csv.DictReader(lines)
        missing = {"file_a", "file_b", "same"} - set(table.fieldnames or ())
        if missing:
            raise ValueError(f"{path}: column {', '.join(sorted(missing))} is missing")
        for row in table:
            if row["same"] not in ("0", "1"):
                raise ValueError(f"{path}, line {table.line_num}: same is {row['same']!r}; it must be 0 or 1")
            pairs.append(Pair(path.parent / row["file_a"], path.parent / row["file_b"], row["same"] == "1"))
    if not pairs:
        raise ValueError(f"{path}: no pair in it")
    return pairs


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
    for title, rows in (("single frame", found.single), ("mean of three", found.mean_of_three)):
        lines += [title, f"  {'threshold':<11}{'false match':<36}false non-match"]
        lines += [f"  {row.threshold:<11.2f}{_rate(row.false_match):<36}{_rate(row.false_non_match)}" for row in rows]
    lines.append(f"failure to detect: {_rate(found.undetected)} of the pictures")
    lines.append(f"pipeline: {found.pipeline_version}")
    return "\n".join(lines)


def _rate(rate: Rate) -> str:
    low, high = rate.interval()
    return f"{rate.share():.3f} [{low:.3f}, {high:.3f}] {rate.hits}/{rate.tries}"


def _as_record(found: Evaluation) -> dict[str, object]:
    def rate(one: Rate) -> dict[str, object]:
        return {"hits": one.hits, "tries": one.tries, "share": one.share(), "interval_95": one.interval()}

    def rows(some: Sequence[Row]) -> list[dict[str, object]]:
        return [
            {
                "threshold": row.threshold,
                "false_match": rate(row.false_match),
                "false_non_match": rate(row.false_non_match),
            }
            for row in some
        ]

    return {
        "single": rows(found.single),
        "mean_of_three": rows(found.mean_of_three),
        "undetected": rate(found.undetected),
        "pipeline_version": found.pipeline_version,
    }


def _tell(done: int, whole: int) -> None:
    if sys.stderr.isatty() or done == whole:
        filled = 30 * done // whole
        end = "\n" if done == whole else ""
        print(f"\r[{'#' * filled}{'.' * (30 - filled)}] {done}/{whole} pictures", end=end, file=sys.stderr, flush=True)


def _refused(sentence: str) -> int:
    print(f"anju: {sentence}", file=sys.stderr)
    return 1
