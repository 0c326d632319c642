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
POLL_STEPS = tuple(seconds * _SECOND for seconds in (1, 2, 5, 10, 20, 30, 60))
TRIES_BEFORE_PARKED = 8  # answers that no repetition seems to change; an outage alone never parks anything
IDENTITY_CODES = frozenset({"3001", "3002", "3003"})


def wait_after_fault(faults: int, source: random.Random | None = None) -> timedelta:
    """How long to wait after the `faults`-th fault in a row (1 is the first), with ± 20 % jitter."""
    return _jittered(FAULT_STEPS[min(max(faults, 1), len(FAULT_STEPS)) - 1], source)


def wait_before_poll(polls: int, source: random.Random | None = None) -> timedelta:
    """How long to wait before asking again for a batch that is not judged yet, with ± 20 % jitter."""
    return _jittered(POLL_STEPS[min(max(polls, 1), len(POLL_STEPS)) - 1], source)


def decide_owner(owners: Iterable[str]) -> str:
    """Who has to mend a rejection with several errors: the one nearest to the data, else the operator."""
    found = set(owners)
    for owner in ("TENANT", "LANDLORD", "REGISTRY"):
        if owner in found:
            return owner
    return "OPERATOR"


def _jittered(wait: timedelta, source: random.Random | None) -> timedelta:
    return wait * (source or random).uniform(0.8, 1.2)
