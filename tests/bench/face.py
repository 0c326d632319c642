"""The bench of the face check: what it costs beside the same library called as its own manual shows.

CPU time of one process, both sides in turn, the least of several rounds: what is left is the work itself. The pictures
are of two persons in the public domain; the pairs for development are added where that folder is there.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from backend.domain.faces import FacePolicy
from backend.domain.movements import Challenge
from backend.gateways.face_engine import load_engine
from backend.gateways.face_frames import Frame
from backend.gateways.face_matcher import DlibFaceMatcher
from backend.gateways.face_pipeline import compare_pictures, judge_document, look_at_document, verify
from backend.gateways.face_worker import RESIDENT_AT_MOST
from device_sim import faces
from tests.bench.figures import Row, at_most
from tests.bench.stage import Stage

POLICY = FacePolicy()
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
ACTIONS = ("turn_left", "close_eyes", "open_mouth")
SIZES = (("480p", (640, 480), 0.70), ("720p", (1280, 720), 0.40), ("1080p", (1920, 1080), 0.22),
         ("12 MP", (4000, 3000), 0.06))  # fmt: skip
BURST_CEILING, GUARD_CEILING = 0.30, 0.08
ROUNDS, QUICK_ROUNDS = 5, 2
DEVELOPMENT_PAIRS = Path(__file__).resolve().parents[3] / "shared" / "faces" / "pairs.csv"
MEGABYTE = 1024 * 1024


def measure_pairs(stage: Stage) -> list[Row]:
    """Two pictures of one person compared, with their quality, at four sizes; beside it: load, find, encode."""
    rows = []
    for name, size, ceiling in SIZES:
        pair = [_framed(picture, size) for picture in (faces.default_document(), faces.default_selfie())]
        stage.say(f"face check: two pictures of {name}")
        ours, raw = _least_cpu(
            lambda pair=pair: compare_pictures(*pair, POLICY),  # type: ignore[misc]
            lambda pair=pair: [_raw_encodings(picture) for picture in pair],  # type: ignore[misc]
            rounds=_rounds(stage, is_dear=size[1] >= 1_080),
        )
        rows.append(_cpu_row(f"two pictures of {name} compared", ours, raw, ceiling))
    return rows


def measure_looks(stage: Stage) -> list[Row]:
    """A look at the document alone: one that is usable, one without a face, and the dearest picture allowed."""
    load_engine()  # is no part of a look
    rows = []
    for name, content in (
        ("a document", faces.default_document()),
        ("a picture without a face", _framed(_saved(_noise(1)), (1_280, 720))),
        ("the dearest picture of 50 MP", _dearest_pictures()[0]),
    ):
        stage.say(f"face check: {name} looked at")
        begun = time.process_time()
        judge_document(content, POLICY)
        rows.append(Row(f"{name} looked at alone", (time.process_time() - begun) * 1_000, "ms CPU"))
    return rows


def measure_burst(stage: Stage) -> list[Row]:
    """A whole verification, document and movement check included; beside it: find, landmarks, encode in each frame."""
    stage.say("face check: making a burst")
    document, burst = faces.default_document(), faces.record_burst(faces.default_selfie(), ACTIONS)
    frames = [Frame(one.jpeg, one.at_ms) for one in burst]
    challenge = Challenge("bench", ACTIONS, NOW + timedelta(seconds=60))
    stage.say(f"face check: a burst of {len(frames)} frames")
    ours, raw = _least_cpu(
        lambda: verify(document, frames, challenge, POLICY, NOW),
        lambda: [_raw_encodings(document), *(_raw_encodings(frame.jpeg, landmarks=True) for frame in frames)],
        rounds=_rounds(stage, is_dear=True),
    )
    verdict = verify(document, frames, challenge, POLICY, NOW)
    row = _cpu_row(f"a burst of {len(frames)} frames checked against a document", ours, raw, BURST_CEILING)
    return [row, Row(f"its decision: {verdict.decision}, at distance", verdict.distance or 0.0, "",
                     ok=verdict.decision == "match")]  # fmt: skip


def measure_guard(stage: Stage) -> list[Row]:
    """What the saving costs: how far our distances lie from the library's own, at most, over all pairs there are."""
    pictures = {
        "document": faces.default_document(), "selfie": faces.default_selfie(), "other": faces.second_person()
    }  # fmt: skip
    rows = [_guard_row(stage, "pairs from packages", pictures, [("document", "selfie"), ("document", "other"),
                                                                ("selfie", "other")])]  # fmt: skip
    if not DEVELOPMENT_PAIRS.exists():
        stage.say(f"face check: the pairs for development are not here ({DEVELOPMENT_PAIRS}); left out")
        return [*rows, Row("distance differs from raw: pairs for development are not on this machine", 0, "pairs")]
    with DEVELOPMENT_PAIRS.open(newline="", encoding="utf-8") as lines:
        pairs = [(row["file_a"], row["file_b"]) for row in csv.DictReader(lines)][: 5 if stage.quick else None]
    pictures = {name: (DEVELOPMENT_PAIRS.parent / name).read_bytes() for pair in pairs for name in pair}
    return [*rows, _guard_row(stage, "pairs for development", pictures, pairs)]


def measure_memory(stage: Stage) -> list[Row]:
    """A worker process at rest, and at its peak over the dearest pictures that are allowed."""
    stage.say("face check: the memory of a worker")
    frames = [Frame(_saved(_noise(n)), n * 250) for n in range(24)]
    challenge = Challenge("bench", ACTIONS, NOW + timedelta(seconds=60))
    matcher = DlibFaceMatcher()
    try:
        if not matcher.wait_until_ready(60):
            raise RuntimeError("the face worker does not start")
        (pid,) = matcher.worker_pids()
        rest, own = _status(pid, "VmRSS"), _own_megabytes(pid)
        for content in _dearest_pictures():
            matcher.verify(content, frames, challenge, POLICY, NOW)
        if matcher.worker_pids() != (pid,):
            raise RuntimeError("a picture ended the face worker")
        peak = _status(pid, "VmHWM")
    finally:
        matcher.close()
    ceiling = RESIDENT_AT_MOST / MEGABYTE
    goal, ok = at_most(round(ceiling), peak)
    return [
        Row("a face worker at rest, its own memory", own, "MB"),
        Row("a face worker at rest, with what it shares", rest, "MB"),
        Row("its peak over the dearest pictures of 50 MP", peak, "MB", goal=f"{goal} MB", ok=ok),
    ]


def measurements(quick: bool) -> Sequence[Callable[[Stage], list[Row]]]:
    """What is measured, in this order; a quick run takes fewer rounds and pairs (the stage says so)."""
    return measure_pairs, measure_looks, measure_burst, measure_guard, measure_memory


def _rounds(stage: Stage, *, is_dear: bool) -> int:
    return ROUNDS if not stage.quick else 1 if is_dear else QUICK_ROUNDS


def _least_cpu(ours: Callable[[], object], raw: Callable[[], object], *, rounds: int) -> tuple[float, float]:
    """The least CPU seconds of either side over `rounds`, each side once a round."""
    least = [float("inf"), float("inf")]
    for _ in range(rounds):
        for side, work in enumerate((ours, raw)):
            begun = time.process_time()
            work()
            least[side] = min(least[side], time.process_time() - begun)
    return least[0], least[1]


def _cpu_row(name: str, ours: float, raw: float, ceiling: float) -> Row:
    goal, ok = at_most(ceiling, ours / raw)
    return Row(name, ours * 1_000, "ms CPU", raw * 1_000, ours / raw, goal, ok)


def _raw_encodings(content: bytes, *, landmarks: bool = False) -> Any:
    """The library as its manual shows it: load, find with its defaults, encode. Its first face."""
    import face_recognition  # after load_engine, which guards its import

    pixels = face_recognition.load_image_file(io.BytesIO(content))
    places = face_recognition.face_locations(pixels)
    if landmarks:
        face_recognition.face_landmarks(pixels, places)
    found = face_recognition.face_encodings(pixels, places)
    return found[0] if found else None


def _guard_row(stage: Stage, what: str, pictures: dict[str, bytes], pairs: Sequence[tuple[str, str]]) -> Row:
    engine = load_engine()
    ours, raw = {}, {}
    for number, (name, content) in enumerate(pictures.items(), start=1):
        stage.say(f"face check: {what}, picture {number} of {len(pictures)}")
        ours[name] = look_at_document(engine, content, POLICY).encoded(engine)
        raw[name] = _raw_encodings(content)
    apart = [
        abs(float(np.linalg.norm(ours[a] - ours[b])) - float(np.linalg.norm(raw[a] - raw[b])))
        for a, b in pairs
        if raw[a] is not None and raw[b] is not None  # the library finds no face in a sideways one
    ]
    goal, ok = at_most(GUARD_CEILING, max(apart))
    return Row(f"distance differs from raw, most of {len(apart)} {what}", max(apart), "distance", goal=goal, ok=ok)


def _framed(picture: bytes, size: tuple[int, int]) -> bytes:
    """The picture as a camera of `size` pixels would give it: the portrait fills its height."""
    with Image.open(io.BytesIO(picture)) as opened:
        scale = size[1] / opened.height
        portrait = opened.convert("RGB").resize((round(opened.width * scale), size[1]), Image.Resampling.LANCZOS)
    frame = Image.new("RGB", size, (96, 100, 104))
    frame.paste(portrait, ((size[0] - portrait.width) // 2, 0))
    return _saved(frame)


def _noise(seed: int) -> Image.Image:
    small = np.random.default_rng(seed).integers(60, 180, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((96, 96), Image.Resampling.BICUBIC)


def _dearest_pictures() -> list[bytes]:
    """Pictures just within the limit of pixels, of the kinds whose decoders hold most."""
    wide, square = (8_100, 6_100), (7_000, 7_000)
    return [
        _saved(Image.new("RGB", square, (90, 120, 150)), "WEBP", quality=10, method=0),
        _saved(Image.new("CMYK", wide, (90, 120, 150, 20)), progressive=True, quality=50),
        _saved(Image.new("RGBA", wide, (90, 120, 150, 200)), "PNG", compress_level=1),
    ]


def _saved(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    written = io.BytesIO()
    image.save(written, kind, **({"quality": 90} | options if kind == "JPEG" else options))  # type: ignore[arg-type]
    return written.getvalue()


def _status(pid: int, field: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split(f"{field}:")[1].split()[0]) / 1024


def _own_megabytes(pid: int) -> float:
    """Memory that would come back if the worker ended: its own pages, and its share of the fork server's."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except PermissionError:  # a worker lets nobody but root look
        return _status(pid, "RssAnon")
    return int(rollup.split("\nPss:")[1].split()[0]) / 1024
