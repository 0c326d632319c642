"""Whose turn a chore is: of several workers one alone keeps the house, and another takes over when it falls silent.

A turn is a lease with a fence in one row. A process that was put to sleep in the middle of a chore may still finish it
after its lease; each chore is therefore safe to run twice, and the turn only keeps everybody from running all of them.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.gateways.world import World
from backend.models.registry_returns import Turn

LEASE = timedelta(seconds=60)


class TurnHolder:
    """One process's hold on a turn. It is renewed in the second half of its lease only, so that it costs little."""

    def __init__(self, world: World, name: str) -> None:
        self._world, self._name = world, name
        self._fence: int | None = None
        self._until: datetime | None = None

    def is_mine(self) -> bool:
        """Whether it is this process's turn now; takes the turn when nobody has it."""
        now = self._world.clock.now()
        if self._until is not None and now < self._until - LEASE / 2:
            return True
        try:
            with transaction() as session:
                self._fence = _take(session, self._name, self._fence, now)
        except IntegrityError:  # another process has just made the row
            self._fence = None
        self._until = None if self._fence is None else now + LEASE
        return self._until is not None

    def give_up(self) -> None:
        """Let another take over at once."""
        if self._fence is None:
            return
        with transaction() as session:
            mine = (Turn.name == self._name, Turn.fence == self._fence)
            session.execute(update(Turn).where(*mine).values(taken_until=None))
        self._fence = self._until = None


def take_due(world: World, name: str, *, every: timedelta) -> bool:
    """Whether a chore that is due once in `every` is due now; True to one caller alone, who then does it."""
    now = world.clock.now()
    try:
        with transaction() as session:
            row = session.scalar(select(Turn).where(Turn.name == name).with_for_update())
            if row is None:
                session.execute(insert(Turn).values(name=name, fence=1, done_at=now))
                return True
            if row.done_at is not None and now - row.done_at < every:
                return False
            row.done_at, row.fence = now, row.fence + 1
            return True
    except IntegrityError:
        return False


def was_done(name: str, since: datetime) -> bool:
    """Whether a chore was done at `since` or later."""
    with reading() as session:
        done_at = session.scalar(select(Turn.done_at).where(Turn.name == name))
    return done_at is not None and done_at >= since


def note_done(world: World, name: str) -> None:
    """Note that a chore has just been done."""
    with transaction() as session:
        row = session.get(Turn, name) or Turn(name=name, fence=0)
        row.done_at = world.clock.now()
        session.add(row)


def _take(session: Session, name: str, fence: int | None, now: datetime) -> int | None:
    row = session.scalar(select(Turn).where(Turn.name == name).with_for_update())
    if row is None:
        session.execute(insert(Turn).values(name=name, fence=1, taken_until=now + LEASE))
        return 1
    if row.fence != fence and row.taken_until is not None and row.taken_until > now:
        return None
    row.fence, row.taken_until = row.fence + 1, now + LEASE
    return row.fence
