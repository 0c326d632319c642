"""Which locks this bridge may act for at this moment, by its own clock that never jumps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from backend.gateways.world import World
from backend.services import bridge_shards
from backend.services.bridge_shards import Fence, NameInUse
from backend.wire.topics import SHARDS, shard_of

log = structlog.get_logger(__name__)

RENEW_SECONDS = 1.0
DEAF_SECONDS = 5.0  # a broker that was only started anew is back by then
SAFETY_SECONDS = 1.0  # before the lease ends: what was begun can end, and clocks may differ so much


class Shards(Protocol):
    """Says whose locks are ours."""

    def held(self) -> Collection[int]:
        """The shards to act for now."""
        ...

    def holds(self, lock_id: str, life: int | None = None) -> bool:
        """Whether to act for a lock now, and whether what came over the connection `life` is news of it."""
        ...

    def fence_of(self, lock_id: str) -> Fence | None:
        """The claim to a lock's shard, to be checked where its word is written."""
        ...


class EveryShard:
    """All locks, for ever: one bridge alone, as tests and measurements have it."""

    def held(self) -> Collection[int]:
        return range(SHARDS)

    def holds(self, lock_id: str, life: int | None = None) -> bool:
        return True

    def fence_of(self, lock_id: str) -> Fence | None:
        return None


class Ears(Protocol):
    """The part of the link that is told what to listen to; `is_connected` tells whether it can hear anything."""

    life: int
    is_connected: bool

    def has_heard(self, shards: Collection[int]) -> bool:
        """Whether the present connection has already carried messages of any of these shards."""
        ...

    def forget(self) -> None:
        """End the connection and everything that is on its way over it."""
        ...

    def hear(self, shards: Collection[int]) -> None:
        """Listen to exactly these shards from now on."""
        ...


@dataclass(frozen=True)
class _Term:
    fence: int
    life: int  # the first connection whose messages count


@dataclass(frozen=True)
class _Held:
    terms: Mapping[int, _Term] = field(default_factory=dict)
    until: float = float("-inf")


class ShardHolder:
    """Keeps this bridge's shards by renewing their lease in a thread of its own; without renewal it holds nothing.

    A message counts only when it came over a connection that began to listen after the shard was taken: what was on
    its way before that could be older than what another bridge has done since.
    """

    def __init__(
        self,
        app: Flask,
        world: World,
        ears: Ears,
        name: str,
        *,
        on_name_taken: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.trouble: str | None = "no shards asked for yet"
        self.name_is_taken = False
        self._on_name_taken = on_name_taken
        self._app, self._world, self._ears, self._name, self._monotonic = app, world, ears, name, monotonic
        self._state = _Held()
        self._starts = True
        self._deaf_since: float | None = None
        self._has_left = False
        self._stop = threading.Event()

    def held(self) -> Collection[int]:
        """The shards to act for now."""
        state = self._state
        return frozenset(state.terms) if self._monotonic() < state.until else frozenset()

    def holds(self, lock_id: str, life: int | None = None) -> bool:
        """Whether to act for a lock now, and whether what came over the connection `life` is news of it."""
        state = self._state
        term = state.terms.get(shard_of(lock_id))
        return term is not None and self._monotonic() < state.until and (life is None or life >= term.life)

    def fence_of(self, lock_id: str) -> Fence | None:
        """The claim to a lock's shard; one that nobody has when it is not ours."""
        shard = shard_of(lock_id)
        term = self._state.terms.get(shard)
        return Fence(self._name, shard, -1 if term is None else term.fence)

    def run(self) -> None:
        """Renew each second until `stop`, or until another process has our name."""
        while not self._stop.is_set() and not self.name_is_taken:
            self.step()
            self._stop.wait(RENEW_SECONDS)

    def stop(self) -> None:
        """Ask the loop to end."""
        self._stop.set()

    def leave(self) -> None:
        """Hold nothing any more and let others take over at once."""
        state, self._state = self._state, _Held()
        if self.name_is_taken:
            return
        try:
            with self._app.app_context():
                bridge_shards.leave_shards(self._world, self._name, _fences(state))
        except SQLAlchemyError as error:  # then they wait for the lease to end
            log.warning("shards_not_left", error=type(error).__name__)

    def step(self) -> None:
        """Renew once, and listen to what is ours; whom the broker does not take leaves the shards to others."""
        asked, before = self._monotonic(), self._state
        if self._is_deaf(asked):
            if not self._has_left:
                self.leave()
            self._has_left = self._starts = True
            self.trouble = "no connection to the broker: the shards are left to others"
            return
        self._has_left = False
        try:
            with self._app.app_context():
                owned = bridge_shards.renew_shards(
                    self._world, self._name, _fences(before), starts=self._starts
                )
        except NameInUse:
            self._state, self.trouble = _Held(), f"another process uses the name {self._name}"
            log.error("bridge_name_taken", name=self._name)
            self.name_is_taken = True
            self._on_name_taken()
            return
        except Exception as error:  # the database is away: what is held ends by itself
            self.trouble, self._starts = f"shards not renewed ({type(error).__name__})", True
            log.warning("shards_not_renewed", error=type(error).__name__)
            return
        self.trouble, self._starts = None, False
        self._change(before, owned, asked + bridge_shards.LEASE.total_seconds() - SAFETY_SECONDS)

    def _is_deaf(self, now: float) -> bool:
        """Whether there has been no connection to the broker for longer than a broker needs to start anew."""
        if self._ears.is_connected:
            self._deaf_since = None
        elif self._deaf_since is None:
            self._deaf_since = now
        return self._deaf_since is not None and now - self._deaf_since >= DEAF_SECONDS

    def _change(self, before: _Held, owned: Mapping[int, int], until: float) -> None:
        lapsed = self._monotonic() >= before.until  # meanwhile messages were dropped, of all shards
        known = {} if lapsed else {s: t for s, t in before.terms.items() if owned.get(s) == t.fence}
        gained = owned.keys() - known.keys()
        if gained and self._ears.has_heard(gained):
            self._ears.forget()
        fresh = {shard: _Term(owned[shard], self._ears.life) for shard in gained}
        self._state = _Held({**known, **fresh}, until)  # before the first message comes
        self._ears.hear(frozenset(owned))
        if gained or owned.keys() != before.terms.keys():
            log.info("shards_held", name=self._name, shards=sorted(owned), gained=sorted(gained))


def _fences(state: _Held) -> dict[int, int]:
    return {shard: term.fence for shard, term in state.terms.items()}
