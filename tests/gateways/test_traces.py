"""The detector itself: it finds each planted trace of a face, and nothing where there is none."""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path

import numpy as np
import pytest

from backend.domain.faces import FacePolicy
from backend.gateways.face_engine import load_engine
from backend.gateways.face_pipeline import look_at_document
from tests.face_samples import document, landscape, saved
from tests.traces import files_in, find_traces, open_files_of, traces_in

RANDOM = np.random.default_rng(11).bytes(300_001)
TEXT = json.dumps([{"name": f"room {n}", "price": n / 7, "at": "2026-11-23T02:00:00Z"} for n in range(3_000)]).encode()


@pytest.fixture(scope="module")
def embedding() -> list[float]:
    """The numbers of a real face."""
    engine = load_engine()
    numbers: list[float] = look_at_document(engine, document(), FacePolicy()).encoded(engine).tolist()
    return numbers


def hidden(trace: bytes) -> bytes:
    """A trace at an odd place among other bytes."""
    return RANDOM[:10_007] + trace + TEXT


def test_where_nothing_is_nothing_is_found() -> None:
    for content in (RANDOM, TEXT, bytes(200_000), np.arange(50_000, dtype=np.float64).tobytes(), b""):
        assert find_traces(content, [document()]) == []


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_is_found_raw_and_as_text(kind: str) -> None:
    content = saved(landscape(90, 80), kind)
    for form in (content, base64.b64encode(content), base64.urlsafe_b64encode(content)):
        assert find_traces(hidden(form)), form[:20]


def test_a_piece_of_a_picture_that_was_sent_is_found_without_its_head() -> None:
    inner = document()[len(document()) // 2 :]
    for form in (inner, base64.b64encode(inner), base64.b64encode(inner[1:]), base64.b64encode(inner[2:])):
        assert find_traces(hidden(form), [document()]) == ["a piece of picture 0"]


@pytest.mark.parametrize("letter", ["<128d", "<128f", ">128d", ">128f"])
def test_the_numbers_of_a_face_are_found_at_any_byte(embedding: list[float], letter: str) -> None:
    for shift in range(8):
        assert find_traces(RANDOM[: 4_000 + shift] + struct.pack(letter, *embedding) + RANDOM[:999])


def test_the_numbers_of_a_face_are_found_as_text(embedding: list[float]) -> None:
    for form in (json.dumps(embedding), ";".join(f"{number:.5f}" for number in embedding) + ";", str(embedding)):
        assert find_traces(hidden(form.encode()))


def test_files_are_searched_and_open_ones_without_a_name_too(tmp_path: Path) -> None:
    import os

    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "cache").write_bytes(hidden(document()))
    (tmp_path / "clean").write_bytes(TEXT)
    assert set(traces_in(files_in(tmp_path), [])) == {"deep/cache"}
    with (tmp_path / "gone").open("w+b") as file:
        file.write(hidden(document()))
        file.flush()
        (tmp_path / "gone").unlink()
        assert any("gone" in name for name in traces_in(open_files_of([os.getpid()]), []))
