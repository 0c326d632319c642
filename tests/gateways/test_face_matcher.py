"""The role FaceMatcher: one contract for the real and the fake part, and what only worker processes can do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from backend.domain.faces import DECISIONS, FACE_REASONS, FacePolicy, FaceVerdict
from backend.gateways.face_matcher import (
    DlibFaceMatcher,
    FaceBusy,
    FaceMatcher,
    FaceUnavailable,
    FakeFaceMatcher,
    Frame,
    UnavailableFaceMatcher,
    make_face_matcher,
)
from tests.face_samples import ACTIONS, NOW, asked, burst, document, faceless_burst, landscape, picture, saved
from tests.gateways.test_face_reasons import beside_itself, blurred
from tests.hostile_pictures import CASES

TOP = Path(__file__).resolve().parents[2]
POLICY = FacePolicy()
CHALLENGE = asked(ACTIONS)
NO_FACE = saved(landscape(96, 96, 99))
DOCUMENTS = {
    "document_no_face": lambda: NO_FACE,
    "document_several_faces": lambda: picture(change=beside_itself),
    "document_blurred": lambda: picture(change=blurred(5)),
    "document_damaged": lambda: document()[:9_000],
}
# Their heads are whole, or there is none: nothing has to be decoded.
TOLD_BY_THE_HEAD = tuple(f"document_{code}" for code in ("unknown_kind", "too_large", "too_small", "animated", "mixed"))


@pytest.fixture(scope="module")
def real() -> Iterator[DlibFaceMatcher]:
    """One worker, two places to wait, a deadline short enough for a test of it."""
    matcher = DlibFaceMatcher(workers=1, queue_size=2)
    assert matcher.wait_until_ready(120)
    yield matcher
    matcher.close()


@pytest.fixture(params=["real", "fake"])
def matcher(request: pytest.FixtureRequest) -> FaceMatcher:
    """Both parts of the role."""
    return FakeFaceMatcher() if request.param == "fake" else request.getfixturevalue("real")


def test_a_person_and_their_document_match(matcher: FaceMatcher) -> None:
    verdict = matcher.verify(document(), burst(), CHALLENGE, POLICY, NOW)
    assert verdict.decision == "match" and verdict.distance is not None
    assert verdict.distance == round(verdict.distance, 2) <= POLICY.match_at_most
    assert verdict.pipeline_version


def test_missing_pictures_are_taken_again_with_a_known_reason(matcher: FaceMatcher) -> None:
    for paper, frames in ((b"", burst()), (document(), ())):
        verdict = matcher.verify(paper, frames, CHALLENGE, POLICY, NOW)
        assert verdict.decision == "retake" and set(verdict.reasons) <= set(FACE_REASONS) and verdict.distance is None
    assert verdict.decision in DECISIONS


def test_pictures_that_come_after_the_challenge_ended_are_taken_again(matcher: FaceMatcher) -> None:
    late = CHALLENGE.expires_at + timedelta(seconds=1)
    assert matcher.verify(document(), burst(), CHALLENGE, POLICY, late).reasons == ("challenge_late",)


def test_a_good_document_has_no_fault_and_a_missing_one_is_told(matcher: FaceMatcher) -> None:
    assert matcher.look_at_document(document(), POLICY) == ()
    assert matcher.look_at_document(b"", POLICY) == ("document_missing",)


def test_a_ready_matcher_says_so(matcher: FaceMatcher) -> None:
    assert matcher.is_ready()


def closed() -> list[FaceMatcher]:
    matchers: list[FaceMatcher] = [FakeFaceMatcher(), DlibFaceMatcher(), UnavailableFaceMatcher("no package")]
    for one in matchers:
        one.close()
    return matchers


def test_a_closed_matcher_is_unavailable_and_not_ready() -> None:
    for one in closed():
        assert not one.is_ready()
        with pytest.raises(FaceUnavailable):
            one.verify(document(), faceless_burst(), CHALLENGE, POLICY, NOW)
        with pytest.raises(FaceUnavailable):
            one.look_at_document(document(), POLICY)


def test_the_fake_answers_what_it_is_told_and_then_the_last_for_ever() -> None:
    review = FakeFaceMatcher.verdict("review", "likeness_unsure", distance=0.5)
    fake = FakeFaceMatcher(FaceBusy(5), review)
    with pytest.raises(FaceBusy):
        fake.verify(b"x", faceless_burst(), CHALLENGE, POLICY, NOW)
    assert [fake.verify(b"x", faceless_burst(), CHALLENGE, POLICY, NOW) for _ in range(2)] == [review, review]
    assert FakeFaceMatcher(faults=("document_dark",)).look_at_document(b"x", POLICY) == ("document_dark",)
    with pytest.raises(FaceBusy):
        FakeFaceMatcher(faults=FaceBusy(5)).look_at_document(b"x", POLICY)


def test_without_workers_there_is_no_matcher() -> None:
    assert isinstance(make_face_matcher(workers=0), UnavailableFaceMatcher)


def test_bad_bytes_trouble_no_worker(real: DlibFaceMatcher) -> None:
    (pid,) = real.worker_pids()
    os.kill(pid, signal.SIGSTOP)
    try:
        assert real.verify(b"%PDF-", faceless_burst(), CHALLENGE, POLICY, NOW).reasons == ("document_unknown_kind",)
        broken = (Frame(b"\xff\xd8\xff", 0), *faceless_burst()[1:])
        assert real.verify(NO_FACE, broken, CHALLENGE, POLICY, NOW).reasons == ("frame_damaged",)
        hostile = {name: case for name, case in CASES.items() if case[1] in TOLD_BY_THE_HEAD}
        assert len(hostile) > 20
        wrong = {name: told for name, (made, _) in hostile.items() if (told := real.look_at_document(made(), POLICY))}
        assert wrong == {name: (wanted,) for name, (_, wanted) in hostile.items()}
    finally:
        os.kill(pid, signal.SIGCONT)


def quick(matcher: DlibFaceMatcher) -> FaceVerdict:
    return matcher.verify(NO_FACE, faceless_burst(), CHALLENGE, POLICY, NOW)


@pytest.mark.parametrize("fault", DOCUMENTS)
def test_a_document_alone_is_judged_as_it_is_in_a_check(real: DlibFaceMatcher, fault: str) -> None:
    content = DOCUMENTS[fault]()
    assert real.look_at_document(content, POLICY) == (fault,)
    assert real.verify(content, faceless_burst(), CHALLENGE, POLICY, NOW).reasons == (fault,)


class Deadly(bytes):
    """A picture that ends as many workers as are `left`, each as soon as it is read."""

    left = 0

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        if not self.left:
            return bytes, (bytes(self),)
        self.left -= 1
        return os._exit, (1,)


def test_a_look_is_asked_of_another_worker_when_one_dies_of_it_and_of_no_third(real: DlibFaceMatcher) -> None:
    deadly = Deadly(NO_FACE)
    deadly.left = 1
    assert real.look_at_document(deadly, POLICY) == ("document_no_face",)
    deadly.left = 3
    with pytest.raises(FaceUnavailable, match="died"):
        real.look_at_document(deadly, POLICY)
    assert deadly.left == 1
    assert real.look_at_document(document(), POLICY) == (), "the next look works"


def test_a_worker_killed_while_idle_is_replaced_without_a_failed_check(real: DlibFaceMatcher) -> None:
    (pid,) = real.worker_pids()
    os.kill(pid, signal.SIGKILL)
    assert quick(real).reasons == ("document_no_face",)
    assert pid not in real.worker_pids()


def test_a_full_queue_is_busy_and_a_hung_worker_is_killed_at_the_deadline_and_replaced() -> None:
    matcher = DlibFaceMatcher(workers=1, queue_size=0, deadline_seconds=1.0)
    try:
        assert matcher.wait_until_ready(120)
        (pid,) = matcher.worker_pids()
        os.kill(pid, signal.SIGSTOP)
        with ThreadPoolExecutor(2) as threads:
            errors = [asked.exception() for asked in [threads.submit(quick, matcher) for _ in range(2)]]
        assert {type(error) for error in errors} == {FaceBusy, FaceUnavailable}
        assert next(error for error in errors if isinstance(error, FaceBusy)).retry_after_seconds > 0
        assert matcher.wait_until_ready(120)
        assert pid not in matcher.worker_pids()
    finally:
        matcher.close()


def test_a_worker_is_renewed_after_its_checks() -> None:
    matcher = DlibFaceMatcher(workers=1, checks_per_worker=1)
    try:
        assert matcher.wait_until_ready(120)
        before = matcher.worker_pids()
        assert quick(matcher).decision == quick(matcher).decision == "retake"
        assert not set(before) & set(matcher.worker_pids())
    finally:
        matcher.close()


def test_checks_of_several_threads_wait_their_turn(real: DlibFaceMatcher) -> None:
    with ThreadPoolExecutor(3) as threads:
        verdicts = list(threads.map(quick, [real] * 3))
    assert {verdict.reasons for verdict in verdicts} == {("document_no_face",)}


def peak_memory_mb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def test_the_memory_of_a_worker_stays_bounded_with_the_largest_pictures(real: DlibFaceMatcher) -> None:
    size = (8_000, 6_000)  # 48 megapixels
    transparent, plain = Image.new("RGBA", size, (90, 120, 150, 255)), Image.new("RGB", size, (90, 120, 150))
    for content in (saved(transparent, "PNG", compress_level=1), saved(plain, progressive=True, subsampling=0)):
        assert real.verify(content, faceless_burst(), CHALLENGE, POLICY, NOW).reasons == ("document_no_face",)
    assert max(peak_memory_mb(pid) for pid in real.worker_pids()) < 700


def test_the_web_process_never_imports_the_face_library() -> None:
    script = (
        "import sys\nimport backend.gateways.face_matcher as m\n"
        "heavy = {'dlib', 'face_recognition', 'numpy', 'PIL'} & set(sys.modules)\nassert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=TOP, check=True)


def test_workers_end_with_the_process_that_asked_for_them() -> None:
    script = (
        "import os\nfrom backend.gateways.face_matcher import DlibFaceMatcher\n"
        "m = DlibFaceMatcher()\nassert m.wait_until_ready(120)\n"
        "print(*m.worker_pids(), flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=TOP, stdout=subprocess.PIPE, text=True) as asking:
        assert asking.stdout is not None
        # The pipe ends when its last holder is gone: the asking process, its fork server, and the worker.
        pid = int(asking.stdout.read())
    assert not Path(f"/proc/{pid}").exists() or "zombie" in Path(f"/proc/{pid}/status").read_text(encoding="ascii")
