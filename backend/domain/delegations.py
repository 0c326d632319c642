"""A landlord's phone that issues a key without network: for how long, and for which units."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from backend.domain.refusals import Refusal

LONGEST_LIFE = timedelta(days=3)


def decide_delegate(days: int, occupants: Sequence[tuple[str, bool]]) -> Refusal | None:
    """Whether a landlord's phone may be given the right to issue keys of a unit.

    `occupants`: (kind of lease, whether it is a joint one) of everyone who lives there. A landlord makes no key to a
    home that others live in, except where it is let by the bed or jointly and another person is to join (HR-12).
    """
    if not 1 <= days <= LONGEST_LIFE.days:
        return Refusal("delegate.days", "days", {"most": LONGEST_LIFE.days})
    if any(kind != "bed" and not is_joint for kind, is_joint in occupants):
        return Refusal("unit.occupied")
    return None
