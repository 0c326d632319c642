"""Comparing what we hold as accepted with what the registry holds: pure, over (id, version, state) triples.

An id is that of one leg of one record. Nothing is ever deleted because of a difference (registry.md, rule 6).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

Entry = tuple[str, int, str]
KINDS = ("missing_there", "missing_here", "version_skew", "state_skew", "end_untold")
KIND_NAMES = {
    "missing_there": ("登记机关缺少", "Missing at the registry"),
    "missing_here": ("本平台缺少", "Missing here"),
    "version_skew": ("版本不一致", "Versions differ"),
    "state_skew": ("状态不一致", "States differ"),
    "end_untold": ("离开或作废未告知登记机关", "An end the registry was never told"),
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
        if self.kind == "end_untold":
            return True
        if self.theirs is None:
            return True
        if self.kind == "version_skew":
            return self.theirs[0] < self.ours[0]
        return self.theirs[1] == "ACTIVE"


def with_untold_ends(
    differences: Iterable[Difference], ours: Iterable[Entry], theirs: Iterable[Entry], ended: Mapping[str, str]
) -> list[Difference]:
    """The differences and, of legs that differ in nothing else, the ends never told: `ended` gives id → our state."""
    kept = [found for found in differences if found.kind != "state_skew" or found.id not in ended]
    told = {found.id for found in kept}
    versions = {name: version for name, version, _ in ours}
    there = {name: (version, state) for name, version, state in theirs}
    untold = [
        Difference(name, "end_untold", (versions[name], state), there.get(name))
        for name, state in ended.items()
        if name not in told
    ]
    return sorted([*kept, *untold], key=lambda found: found.id)


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
