"""Keys: the machine, grounds, activation, exposure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.domain.keys import (
    ACTIONS,
    STATE_NAMES,
    TRANSITIONS,
    decide_restriction,
    exposure_until,
    may_activate,
    next_state,
)
from backend.domain.refusals import Refusal

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def test_every_transition_leads_to_a_named_state() -> None:
    for state, actions in TRANSITIONS.items():
        assert state in STATE_NAMES
        for action, following in actions.items():
            assert action in ACTIONS
            assert following in TRANSITIONS


@given(st.lists(st.sampled_from(sorted(ACTIONS)), max_size=12))
def test_no_walk_leaves_revoked_or_reaches_active_without_a_claim(walk: list[str]) -> None:
    state, claimed = "draft", False
    for action in walk:
        following = next_state(state, action)
        if isinstance(following, Refusal):
            assert set(following.allowed) == set(TRANSITIONS[state])
            continue
        assert state != "revoked"
        claimed = claimed or following == "claimed"
        state = following
        if state == "active":
            assert claimed


def test_an_illegal_step_says_in_words_what_is_possible() -> None:
    refusal = next_state("active", "claim")
    assert isinstance(refusal, Refusal)
    assert refusal.allowed == ("suspend", "revoke")
    assert refusal.sentence("zh") == "现在不能这样做（当前：可用）。可以：暂停、停用。"
    assert refusal.sentence("en") == "This is not possible now (state: active). Possible: suspend, revoke."
    ended = next_state("revoked", "resume")
    assert isinstance(ended, Refusal)
    assert ended.sentence("zh").endswith("可以：无。")


@pytest.mark.parametrize("ground", [None, "holder_request", "unpaid_rent"])
def test_an_occupants_key_is_not_restricted_without_a_ground(ground: str | None) -> None:
    refusal = decide_restriction("occupant", ground, by_holder=False)
    assert refusal is not None
    assert (refusal.code, refusal.reason.rule) == ("key.ground", "HR-12")


def test_a_holder_may_always_restrict_the_own_key_and_a_check_out_is_a_ground() -> None:
    assert decide_restriction("occupant", None, by_holder=True) is None
    assert decide_restriction("occupant", "check_out", by_holder=False) is None
    assert decide_restriction("visitor", None, by_holder=False) is None


@pytest.mark.parametrize(
    ("identity", "declared", "active"),
    [
        ("verified", True, True),
        ("attested", True, True),
        ("none", True, False),
        ("verified", False, False),
    ],
)
def test_a_key_needs_identity_and_declaration_and_nothing_else(identity: str, declared: bool, active: bool) -> None:
    assert may_activate(identity, declared) is active


def test_exposure_counts_grace_for_occupants_and_the_clock_bound() -> None:
    bound, grace = timedelta(minutes=5), timedelta(days=30)
    assert exposure_until(NOW, "occupant", grace, bound) == NOW + grace + bound
    assert exposure_until(NOW, "visitor", grace, bound) == NOW + bound
    assert exposure_until(None, "occupant", grace, bound) is None
