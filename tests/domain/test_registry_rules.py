"""How the sync waits and who mends: pure rules."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from backend.domain.registry_rules import (
    FAULT_STEPS,
    decide_owner,
    end_owed,
    wait_after_fault,
    wait_before_poll,
)


def test_a_short_fault_is_over_in_seconds_and_a_long_one_costs_an_hour_at_most() -> None:
    source = random.Random(1)
    assert wait_after_fault(1, source) < timedelta(seconds=1.3)
    assert max(wait_after_fault(10_000, source) for _ in range(50)) <= timedelta(minutes=72)


def test_waiting_grows_and_never_keeps_step_with_others() -> None:
    source = random.Random(1)
    assert list(FAULT_STEPS) == sorted(set(FAULT_STEPS))
    assert len({wait_after_fault(5, source) for _ in range(20)}) == 20


def test_a_batch_that_is_not_judged_yet_is_asked_for_at_least_every_minute_or_so() -> None:
    waits = [wait_before_poll(timedelta(days=2), random.Random(seed)) for seed in range(50)]
    assert max(waits) <= timedelta(seconds=72)


def test_a_fresh_batch_is_asked_for_within_seconds() -> None:
    assert wait_before_poll(timedelta(seconds=4), random.Random(1)) <= timedelta(seconds=1.2)


@pytest.mark.parametrize(
    ("owners", "owner"),
    [
        (["OPERATOR", "TENANT"], "TENANT"),
        (["LANDLORD", "OPERATOR"], "LANDLORD"),
        (["REGISTRY"], "REGISTRY"),
        (["OPERATOR"], "OPERATOR"),
        ([], "OPERATOR"),
        (["SOMEONE"], "OPERATOR"),
    ],
)
def test_the_one_nearest_to_the_data_mends_first(owners: list[str], owner: str) -> None:
    assert decide_owner(owners) == owner


@pytest.mark.parametrize(
    ("residence", "scope", "op"),
    [
        ("living", "in_scope", None),
        ("living", "exempt", None),
        ("living", "out_of_scope", "CHECKOUT"),
        ("living", "foreign", "VOID"),
        ("moved_out", "in_scope", "CHECKOUT"),
        ("moved_out", "foreign", "VOID"),
        ("voided", "in_scope", "VOID"),
        ("voided", "out_of_scope", "VOID"),
    ],
)
def test_what_is_over_here_is_ended_there(residence: str, scope: str, op: str | None) -> None:
    assert end_owed(residence, scope) == op
