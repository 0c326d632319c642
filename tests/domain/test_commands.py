"""Commands: the lock's word stands above ours, and silence has an honest name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backend.domain.commands import FINAL, PATIENCE, decide_answer, decide_silence

END = datetime(2026, 11, 23, 2, 0, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "state, answer, reason, after",
    [
        ("queued", "accepted", None, "accepted"),
        ("sent", "accepted", None, "accepted"),
        ("accepted", "executed", None, "executed"),
        ("sent", "executed", None, "executed"),
        ("sent", "refused", "revoked", "refused"),
        ("sent", "refused", "expired", "expired"),
        ("unknown", "executed", None, "executed"),
        ("unknown", "refused", "jammed", "refused"),
        ("expired", "executed", None, "executed"),
        ("refused", "executed", None, "executed"),
        ("executed", "accepted", None, None),
        ("executed", "refused", "revoked", None),
        ("executed", "executed", None, None),
        ("refused", "accepted", None, None),
        ("unknown", "accepted", None, None),
        ("expired", "refused", "revoked", None),
    ],
)
def test_an_answer_moves_a_command_forward_and_never_back(
    state: str, answer: str, reason: str | None, after: str | None
) -> None:
    assert decide_answer(state, answer, reason) == after


@pytest.mark.parametrize(
    "state, may_have_left, after",
    [
        ("queued", False, "expired"),
        ("queued", True, "unknown"),
        ("sent", True, "unknown"),
        ("accepted", True, "unknown"),
    ],
)
def test_silence_is_called_unknown_unless_the_command_surely_never_left(
    state: str, may_have_left: bool, after: str
) -> None:
    assert decide_silence(state, may_have_left, END, END + PATIENCE - timedelta(milliseconds=1)) is None
    assert decide_silence(state, may_have_left, END, END + PATIENCE) == after


@pytest.mark.parametrize("state", FINAL)
def test_silence_changes_nothing_final(state: str) -> None:
    assert decide_silence(state, True, END, END + timedelta(days=1)) is None
