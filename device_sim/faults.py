"""A bad network between a lock and its broker: messages lost, doubled, late, out of order, or one way silent.

Seeded, so repeatable.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from backend.wire.topics import Channel

Item = tuple[Channel, bytes]


@dataclass
class LinkFaults:
    """Shares from 0 to 1 of what goes wrong in one direction; `drop_next` counts sure losses by channel path.

    The share `delay` of messages is held for `delay_seconds`, while others pass them; a `silent` direction carries
    nothing, though the connection stands.
    """

    chance: Random = field(default_factory=lambda: Random(0))
    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    delay: float = 0.0
    delay_seconds: float = 0.0
    silent: bool = False
    drop_next: Counter[str] = field(default_factory=Counter)
    _held: list[tuple[float, Item]] = field(default_factory=list)

    def pass_on(self, items: Sequence[Item], now: float = 0.0) -> list[Item]:
        """What arrives at `now`, of these messages and of those held back before, in the order it arrives."""
        arrived = self._release(now)
        for item in items:
            path = item[0].path
            if self.drop_next[path] > 0:
                self.drop_next[path] -= 1
            elif self.chance.random() >= self.drop:
                for each in [item, item] if self.chance.random() < self.duplicate else [item]:
                    if self.delay and self.chance.random() < self.delay:
                        self._held.append((now + self.delay_seconds, each))
                    else:
                        arrived.append(each)
        for place in range(len(arrived) - 1):
            if self.chance.random() < self.reorder:
                arrived[place], arrived[place + 1] = arrived[place + 1], arrived[place]
        return [] if self.silent else arrived

    def forget(self) -> None:
        """The connection is gone, and with it what was under way."""
        self._held.clear()

    def _release(self, now: float) -> list[Item]:
        due = [item for until, item in self._held if until <= now]
        self._held = [held for held in self._held if held[0] > now]
        return due
