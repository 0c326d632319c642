"""Hostile and unusual pictures through the API with real face workers: refused or handled, never a failure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from backend.bootstrap import WORLD, world_of
from backend.gateways.face_frames import Frame
from backend.gateways.face_matcher import DlibFaceMatcher
from backend.gateways.face_worker import RESIDENT_AT_MOST
from tests.face_samples import MOVEMENTS, burst, document, faceless_burst
from tests.hostile_pictures import CASES, FRAMES, HANDLED, truncated
from tests.mobile_api.phones import ApiPhone
from tests.mobile_api.test_bad_input import refused, upload
from tests.services import stories
from tests.services.stories import TENANT_PHONE

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)  # nothing here is the database's
SAYS_DOCUMENT_WAS_READ = ("face_lost",)  # about the frames, which come after the document


@pytest.fixture(scope="module")
def matcher() -> Iterator[DlibFaceMatcher]:
    """One real worker for all the pictures, so that what one leaves behind meets the next."""
    made = DlibFaceMatcher(workers=1)
    assert made.wait_until_ready(120)
    yield made
    made.close()


@pytest.fixture
def tenant(
    matcher: DlibFaceMatcher, mobile: Flask, make: Callable[..., Any], phone: Callable[..., ApiPhone]
) -> ApiPhone:
    """A tenant who has agreed to the face check, on an app with the real matcher."""
    make(stories.make_identified)
    mobile.extensions[WORLD] = replace(world_of(mobile), faces=matcher)
    signed_in = phone(TENANT_PHONE)
    for text in signed_in.get("/consent-texts").json:
        signed_in.put(f"/consents/{text['purpose']}", {"version": text["version"], "given": True})
    return signed_in


def send(tenant: ApiPhone, paper: bytes, frames: Sequence[Frame], movements: Sequence[str] = ()) -> Any:
    """A whole check; with `movements`, under a challenge that these answer."""
    for _ in range(200):
        asked = tenant.post("/identity/challenges", {"document_sha256": sha256(paper).hexdigest()}).json
        places = [movements.index(action) for action in asked["actions"] if action in movements]
        if not movements or (len(places) == 3 and places == sorted(places)):
            break
    fields = {
        "challenge_id": asked["id"],
        "nonce": asked["nonce"],
        "times": json.dumps([frame.at_ms for frame in frames]),
        "document": paper,
        "frames": [frame.jpeg for frame in frames],
    }
    return tenant.call("POST", "/identity/checks", **upload(**fields))


def reasons(answer: Any) -> tuple[str, ...]:
    assert answer.status_code == 201, answer.json
    assert answer.json["decision"] == "retake"
    assert all(reason["tip_zh"] and reason["tip_en"] for reason in answer.json["reasons"])
    return tuple(reason["code"] for reason in answer.json["reasons"])


def test_each_picture_is_refused_with_its_code_or_handled_and_the_worker_stays(
    tenant: ApiPhone, matcher: DlibFaceMatcher
) -> None:
    (pid,) = matcher.worker_pids()
    wrong = {}
    for name, (made, wanted) in CASES.items():
        expected = SAYS_DOCUMENT_WAS_READ if wanted == HANDLED else (wanted,)
        if (told := reasons(send(tenant, made(), faceless_burst()))) != expected:
            wrong[name] = told
    assert not wrong
    assert matcher.worker_pids() == (pid,), "no picture ended the worker"
    assert peak_bytes(pid) < RESIDENT_AT_MOST
    good = send(tenant, document(), burst(), MOVEMENTS)
    assert (good.status_code, good.json["decision"]) == (201, "match"), "the next good check works"


def test_a_picture_cut_anywhere_is_damaged_or_no_picture(tenant: ApiPhone) -> None:
    for name, content in truncated():
        assert reasons(send(tenant, content, faceless_burst())) in (
            ("document_damaged",), ("document_unknown_kind",)
        ), name  # fmt: skip


def test_each_frame_is_refused_with_its_code(tenant: ApiPhone) -> None:
    for name, (made, wanted) in FRAMES.items():
        frames = [Frame(made(), 0), *burst()[1:]]
        assert reasons(send(tenant, document(), frames)) == (wanted,), name


def test_files_beyond_what_is_read_are_refused_by_the_door(tenant: ApiPhone) -> None:
    large_paper = b"\xff\xd8\xff" + bytes(10 * 1024 * 1024)
    refused(send(tenant, large_paper, faceless_burst()), 413, "input.too_large", "document")
    large = [Frame(bytes(500 * 1024), 0), *faceless_burst()[1:]]
    answer = send(tenant, document(), large)
    assert (answer.status_code, answer.json["code"]) == (413, "input.too_large")
    refused(send(tenant, b"", faceless_burst()), 422, "input.missing", "document")


def peak_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024
