"""Comparing what we hold as accepted with what the registry holds: pure, over (id, version, state) triples.

An id is that of one leg of one record. Nothing is ever deleted because of a difference (registry.md, rule 6).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

Entry = tuple[str, int, str]
KINDS = ("missing_there", "missing_here", "version_skew", "state_skew")
KIND_NAMES = {
    "missing_there": ("登记机关缺少", "Missing at the registry"),
    "missing_here": ("本平台缺少", "Missing here"),
    "version_skew": ("版本不一致", "Versions differ"),
    "state_skew": ("状态不一致", "States differ"),
}


@dataclass(frozen=True)
class Difference:
    """One leg that differs: our (version, state) and theirs, None where there is none."""

    id: str
    kind: str
    ours: tuple[int, str] | None
    theirs: tuple[int, str] | None

    @property
    def can_be_sent(self) -> bool:
        """Whether telling the registry again mends it: what it lacks, or holds older than we have proof of."""
        if self.ours is None:
            return False
        if self.theirs is None:
            return True
        if self.kind == "version_skew":
            return self.theirs[0] < self.ours[0]
        return self.theirs[1] == "ACTIVE"


def compare(ours: Iterable[Entry], theirs: Iterable[Entry], in_flight: Collection[str] = ()) -> list[Difference]:
    """What differs, by id; legs that are on their way (`in_flight`) are left for the next time."""
    here = {name: (version, state) for name, version, state in ours}
    there = {name: (version, state) for name, version, state in theirs}
    found = []
    for name in sorted((here.keys() | there.keys()) - set(in_flight)):
        mine, other = here.get(name), there.get(name)
        if mine == other:
            continue
        if other is None:
            kind = "missing_there"
        elif mine is None:
            kind = "missing_here"
        else:
            kind = "version_skew" if mine[0] != other[0] else "state_skew"
        found.append(Difference(name, kind, mine, other))
    return found
