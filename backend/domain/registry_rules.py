"""How the sync with the registry waits, gives up and tells: pure rules (registry.md, rules 1 and 5)."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import timedelta

_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)

# A short fault is over in seconds, a long one in hours; after these steps it stays at the last.
FAULT_STEPS = (
    1 * _SECOND,
    2 * _SECOND,
    4 * _SECOND,
    8 * _SECOND,
    15 * _SECOND,
    30 * _SECOND,
    *(minutes * _MINUTE for minutes in (1, 2, 4, 8, 15, 30, 60)),
)
POLL_SOONEST, POLL_LATEST = _SECOND / 2, 60 * _SECOND
TRIES_BEFORE_PARKED = 8  # answers that no repetition seems to change; an outage alone never parks anything
IDENTITY_CODES = frozenset({"3001", "3002", "3003"})


def wait_after_fault(faults: int, source: random.Random | None = None) -> timedelta:
    """How long to wait after the `faults`-th fault in a row (1 is the first), with ± 20 % jitter."""
    return _jittered(FAULT_STEPS[min(max(faults, 1), len(FAULT_STEPS)) - 1], source)


def wait_before_poll(age: timedelta, source: random.Random | None = None) -> timedelta:
    """How long to wait before asking again for a batch sent `age` ago and not judged yet, with ± 20 % jitter.

    A quarter of its age: a batch that takes seconds is asked for within seconds, one that takes days each minute.
    """
    return _jittered(min(max(age / 4, POLL_SOONEST), POLL_LATEST), source)


def decide_owner(owners: Iterable[str]) -> str:
    """Who has to mend a rejection with several errors: the one nearest to the data, else the operator."""
    found = set(owners)
    for owner in ("TENANT", "LANDLORD", "REGISTRY"):
        if owner in found:
            return owner
    return "OPERATOR"


def end_owed(residence: str, scope: str) -> str | None:
    """The operation that ends, at the registry, what is over here: VOID, CHECKOUT, or None while it goes on.

    What was entered in error or is a foreigner's (EEL-39) is voided; who moved out or became local (ZJ-2) checks out.
    """
    if residence == "voided" or scope == "foreign":
        return "VOID"
    return "CHECKOUT" if residence == "moved_out" or scope == "out_of_scope" else None


def _jittered(wait: timedelta, source: random.Random | None) -> timedelta:
    return wait * (source or random).uniform(0.8, 1.2)
