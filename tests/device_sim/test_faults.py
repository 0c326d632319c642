"""The bad network, by a virtual time: what is lost, doubled, late or silent, the same again with the same seed."""

from __future__ import annotations

from random import Random

from backend.wire import topics
from device_sim.faults import Item, LinkFaults

MESSAGES: list[Item] = [(topics.EVENTS, bytes([number])) for number in range(200)]


def numbers(items: list[Item]) -> list[int]:
    return [payload[0] for _, payload in items]


def test_a_good_network_changes_nothing() -> None:
    assert LinkFaults().pass_on(MESSAGES) == MESSAGES


def test_what_is_delayed_arrives_later_and_others_pass_it() -> None:
    faults = LinkFaults(delay=1.0, delay_seconds=5.0)
    assert faults.pass_on(MESSAGES[:2], 100.0) == []
    assert faults.pass_on([], 104.9) == []
    faults.delay = 0.0
    assert numbers(faults.pass_on(MESSAGES[2:3], 104.9)) == [2]
    assert numbers(faults.pass_on(MESSAGES[3:4], 105.0)) == [0, 1, 3]
    assert faults.pass_on([], 200.0) == [], "once"


def test_a_share_is_delayed_and_none_is_lost_or_doubled() -> None:
    faults = LinkFaults(Random(1), delay=0.3, delay_seconds=5.0)
    at_once, late = faults.pass_on(MESSAGES, 0.0), faults.pass_on([], 5.0)
    assert 40 < len(late) < 80
    assert sorted(numbers(at_once) + numbers(late)) == list(range(200))


def test_a_silent_direction_carries_nothing_not_even_what_was_late() -> None:
    faults = LinkFaults(delay=1.0, delay_seconds=5.0)
    faults.pass_on(MESSAGES[:1], 0.0)
    faults.delay, faults.silent = 0.0, True
    assert faults.pass_on(MESSAGES[1:2], 5.0) == []
    faults.silent = False
    assert numbers(faults.pass_on(MESSAGES[2:3], 6.0)) == [2]


def test_a_connection_that_ends_takes_what_was_under_way_with_it() -> None:
    faults = LinkFaults(delay=1.0, delay_seconds=5.0)
    faults.pass_on(MESSAGES, 0.0)
    faults.forget()
    assert faults.pass_on([], 5.0) == []


def test_the_same_seed_makes_the_same_network_and_another_seed_another() -> None:
    def story(seed: int) -> list[int]:
        faults = LinkFaults(Random(seed), drop=0.2, duplicate=0.2, reorder=0.2, delay=0.2, delay_seconds=3.0)
        return [n for at, item in enumerate(MESSAGES) for n in numbers(faults.pass_on([item], float(at)))]

    assert story(1) == story(1) != story(2)
