"""Leases: which dates may stand beside each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from backend.domain.refusals import Refusal

KINDS = ("whole", "room", "bed")
LEASE_STATES = {"active": ("有效", "active"), "ended": ("已结束", "ended"), "cancelled": ("已撤回", "taken back")}
KIND_NAMES = {"whole": ("整租", "Whole"), "room": ("合租", "Room"), "bed": ("床位", "Bed")}


@dataclass(frozen=True)
class Term:
    """From `starts_on` to `ends_on`, both included; no end means open-ended."""

    starts_on: date
    ends_on: date | None

    def overlaps(self, other: Term) -> bool:
        """Whether the two share a day."""
        starts_before = other.ends_on is None or self.starts_on <= other.ends_on
        ends_after = self.ends_on is None or self.ends_on >= other.starts_on
        return starts_before and ends_after


def find_term_faults(
    term: Term, today: date, others: Iterable[Term], beds: int = 1, *, runs_already: bool = False
) -> list[Refusal]:
    """All reasons why a new lease may not have these dates; so many `beds` may be let side by side.

    A lease that `runs_already` may have begun years ago.
    """
    faults = []
    days = (term.starts_on - today).days
    if days > 366 or (days < -366 and not runs_already):
        faults.append(Refusal("lease.start", "starts_on"))
    if term.ends_on is not None and term.ends_on < term.starts_on:
        faults.append(Refusal("input.date_order", "ends_on"))
    elif term.ends_on is not None and term.ends_on < today:
        faults.append(Refusal("lease.past", "ends_on"))
    clashes = [other for other in others if term.overlaps(other)]
    if not faults and len(clashes) >= beds:
        faults.append(overlap_refusal(clashes[0]))
    return faults


def overlap_refusal(other: Term) -> Refusal:
    """Names the lease that is in the way by its dates alone."""
    ends_on = other.ends_on.isoformat() if other.ends_on else "…"
    return Refusal("lease.overlap", "starts_on", {"starts_on": other.starts_on.isoformat(), "ends_on": ends_on})


def decide_start(starts_on: date, new_starts_on: date, accepted: bool) -> Refusal | None:
    """A lease that somebody has accepted may start earlier, never later by one side's word (HR-12)."""
    return Refusal("lease.start_later", "starts_on") if accepted and new_starts_on > starts_on else None


def decide_extension(ends_on: date | None, new_ends_on: date | None, today: date) -> Refusal | None:
    """A lease may be extended by one side, never shortened by one side (HR-12)."""
    if new_ends_on is not None and (ends_on is None or new_ends_on < ends_on):
        return Refusal("lease.shorten", "ends_on")
    if new_ends_on is not None and (new_ends_on - today) > timedelta(days=366 * 20):
        return Refusal("lease.start", "ends_on")
    return None
