"""A bad network between a lock and its broker: messages lost, doubled, out of order, cut off. Seeded, so repeatable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from backend.wire.topics import Channel

Item = TypeVar("Item", bound="tuple[Channel, bytes]")


@dataclass
class LinkFaults:
    """Shares from 0 to 1 of what goes wrong in one direction; `drop_next` counts sure losses by channel path."""

    chance: Random = field(default_factory=lambda: Random(0))
    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    drop_next: Counter[str] = field(default_factory=Counter)

    def pass_on(self, items: Sequence[Item]) -> list[Item]:
        """What arrives of these messages, in the order it arrives."""
        arrived: list[Item] = []
        for item in items:
            path = item[0].path
            if self.drop_next[path] > 0:
                self.drop_next[path] -= 1
            elif self.chance.random() >= self.drop:
                arrived.extend([item, item] if self.chance.random() < self.duplicate else [item])
        for place in range(len(arrived) - 1):
            if self.chance.random() < self.reorder:
                arrived[place], arrived[place + 1] = arrived[place + 1], arrived[place]
        return arrived
