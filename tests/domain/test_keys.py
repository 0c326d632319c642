"""Keys: the machine, grounds, activation, exposure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.domain.calendars import start_of
from backend.domain.keys import (
    ACTIONS,
    CLOCK_BOUND,
    STATE_NAMES,
    TRANSITIONS,
    code_days,
    credential_life,
    decide_restriction,
    exposure_until,
    landlord_acts,
    last_once,
    may_activate,
    next_state,
    once_counter,
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
    ("state", "reason", "is_over", "acts"),
    [
        ("active", None, False, ()),
        ("claimed", None, False, ()),
        ("suspended", "suspended_by_tenant", False, ()),
        ("suspended", "suspended_by_landlord", False, ("resume",)),
        ("active", None, True, ("suspend", "revoke")),
        ("claimed", None, True, ("revoke",)),
        ("suspended", "suspended_by_landlord", True, ("resume", "revoke")),
        ("suspended", "suspended_by_tenant", True, ("revoke",)),
        ("revoked", "check_out", True, ()),
    ],
)
def test_a_landlord_is_offered_what_can_succeed(
    state: str, reason: str | None, is_over: bool, acts: tuple[str, ...]
) -> None:
    assert landlord_acts(state, reason, is_over) == acts
    moves = [next_state(state, act) for act in acts]
    assert not [move for move in moves if isinstance(move, Refusal)]


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


MINUTE = timedelta(minutes=1)
GRACE = timedelta(days=2)  # of this property; the house's is longer and would only take longer to walk through
minutes = st.integers(0, 3 * 1440).map(lambda count: NOW + count * MINUTE)


def lock_opens(
    at: datetime, kind: str, credential_ends_at: datetime | None, days: list[datetime], others: list[datetime]
) -> bool:
    """Whether an offline lock could open at this true time, whatever its clock says within the error it may have.

    Written down as a lock judges it, not as the formula does: credential (with grace), day and one-time codes with the
    neighbouring day inside the uncertainty, and what else ends (`others`: a delegate's credential, a command sent).
    """
    for error in range(-5, 6):
        clock = at + error * MINUTE
        if credential_ends_at is not None:
            grace = GRACE if kind == "occupant" else timedelta(0)
            if clock < credential_ends_at + grace:
                return True
        if any(clock - CLOCK_BOUND < day_end for day_end in days) or any(clock < end for end in others):
            return True
    return False


@given(
    st.sampled_from(["occupant", "visitor"]),
    st.none() | minutes,
    st.booleans(),
    st.none() | st.dates(NOW.date(), NOW.date() + timedelta(days=4)),
    st.lists(minutes, max_size=3),
)
def test_exposure_until_is_never_earlier_than_the_last_possible_opening_and_at_most_the_clock_bound_later(
    kind: str, credential_ends_at: datetime | None, with_codes: bool, once_on: date | None, others: list[datetime]
) -> None:
    days: list[datetime] = []
    if kind == "occupant" and credential_ends_at is not None and with_codes:
        given_out = code_days(NOW.date(), NOW, credential_ends_at + GRACE, CLOCK_BOUND)
        days = [start_of(day + timedelta(days=1)) for day in given_out]
    counted = list(others)
    if once_on is not None:  # as the caller counts it
        days.append(start_of(once_on + timedelta(days=1)))
        counted.append(days[-1] + CLOCK_BOUND)
    until = exposure_until(credential_ends_at, kind, GRACE, CLOCK_BOUND, counted)
    if until is None:
        assert not any(lock_opens(NOW + n * MINUTE, kind, None, days, others) for n in range(0, 1440, 60))
        return
    walk = (until + n * MINUTE for n in range(2 * 1440))
    assert not any(lock_opens(at, kind, credential_ends_at, days, others) for at in walk)
    close = (until - n * MINUTE for n in range(1, 7))
    assert any(lock_opens(at, kind, credential_ends_at, days, others) for at in close)


def test_codes_are_given_out_for_whole_days_that_the_exposure_counts() -> None:
    ten_in_the_morning = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    days = code_days(date(2026, 11, 1), ten_in_the_morning, ten_in_the_morning + timedelta(days=37), CLOCK_BOUND)
    assert (days[0], days[-1], len(days)) == (date(2026, 11, 23), date(2026, 12, 29), 37)
    midnight = start_of(date(2026, 11, 25))
    assert code_days(date(2026, 11, 1), ten_in_the_morning, midnight + CLOCK_BOUND, CLOCK_BOUND)[-1].day == 24
    assert code_days(date(2026, 11, 1), ten_in_the_morning, midnight, CLOCK_BOUND)[-1].day == 23
    assert code_days(date(2026, 12, 1), ten_in_the_morning, midnight, CLOCK_BOUND) == []


@given(st.dates(), st.integers(0, 10))
def test_the_counter_of_one_time_codes_keeps_day_and_number_and_rises_with_both(day: date, number: int) -> None:
    counter = once_counter(day, number)
    assert last_once(counter) == (day, number)
    assert counter < once_counter(day, number + 1)
    assert day == date.max or counter < once_counter(day + timedelta(days=1), 0) <= 2**31 - 1


@pytest.mark.parametrize("counter", [0, 3, 15, 16, 500])
def test_one_time_codes_counted_without_a_day_are_long_past(counter: int) -> None:
    assert last_once(counter)[0] < date(1970, 1, 1)


def test_a_credential_never_outlives_a_key_that_ends() -> None:
    week, day = timedelta(days=7), timedelta(hours=24)
    assert credential_life(NOW, "occupant", week, day).expires_at == NOW + week
    assert credential_life(NOW, "visitor", week, day).expires_at == NOW + day
    assert credential_life(NOW, "visitor", week, day, NOW + timedelta(hours=4)).expires_at == NOW + timedelta(hours=4)


def test_a_key_that_waits_for_its_holder_cannot_reach_active_by_way_of_a_suspension() -> None:
    assert isinstance(next_state("claimed", "suspend"), Refusal)
