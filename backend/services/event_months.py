"""The months of door events: on PostgreSQL each is a partition, made ahead, and dropped whole when its time is over.

A month is dropped only when every event in it is older than events are kept; what is older in a younger month is
deleted row by row. SQLite has one plain table, in which rows are deleted. Months are counted in UTC, by our clock's
`received_at`: a lock may have lost its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from backend.gateways.world import World
from backend.models.lock_events import LockEvent

MONTHS_AHEAD = 2
REST = "lock_events_rest"  # the net: what belongs to no month that was made
_NAME = re.compile(r"lock_events_y([0-9]{4})m([0-9]{2})")
_PARTITIONS = text(
    "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
    "WHERE i.inhparent = 'lock_events'::regclass ORDER BY c.relname"
)
_PATIENCE = text("SET LOCAL lock_timeout = '2s'")  # whoever stores events must not queue up behind a chore


@dataclass(frozen=True, order=True)
class Month:
    """One calendar month in UTC; `number` counts months from the year 0."""

    number: int

    @classmethod
    def of(cls, moment: datetime) -> Month:
        """The month that holds a moment."""
        moment = moment.astimezone(UTC)
        return cls(moment.year * 12 + moment.month - 1)

    @property
    def first(self) -> datetime:
        """Its first moment."""
        return datetime(self.number // 12, self.number % 12 + 1, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The first moment of the next one."""
        return Month(self.number + 1).first

    @property
    def table(self) -> str:
        """The name of its partition."""
        return f"lock_events_y{self.number // 12:04d}m{self.number % 12 + 1:02d}"


def make_months_ahead(world: World, session: Session) -> list[str]:
    """Make the partitions of this month and the next two; answers the names of those that were missing.

    What the net has caught of such a month is moved into it. Repeating it changes nothing; SQLite has no months.
    """
    if not _has_months(session):
        return []
    now = Month.of(world.clock.now()).number
    known = set(list_months(session))
    missing = [Month(number) for number in range(now, now + MONTHS_AHEAD + 1) if Month(number) not in known]
    if missing:
        session.execute(_PATIENCE)
    for month in missing:
        _make(session, month)
    return [month.table for month in missing]


def forget_door_events(world: World, session: Session) -> list[str]:
    """Forget events older than the house keeps them; answers the months that were dropped whole.

    The lock's row keeps the sequence and head of its chain, so that what comes later still continues it.
    """
    before = world.clock.now() - world.house.door_events_kept
    over = [month for month in list_months(session) if month.end <= before]
    if over:
        session.execute(_PATIENCE)
    for month in over:
        session.execute(text(f"DROP TABLE {month.table}"))
    session.execute(delete(LockEvent).where(LockEvent.received_at < before))
    return [month.table for month in over]


def list_months(session: Session) -> list[Month]:
    """The months that have a partition, oldest first."""
    if not _has_months(session):
        return []
    found = (_NAME.fullmatch(name) for name in session.scalars(_PARTITIONS))
    return [Month(int(match[1]) * 12 + int(match[2]) - 1) for match in found if match is not None]


def _make(session: Session, month: Month) -> None:
    """Make a month's table beside the others, fill it from the net, and only then let it take its place."""
    span = f"FROM ('{month.first.isoformat()}') TO ('{month.end.isoformat()}')"
    session.execute(text(f"LOCK TABLE {REST} IN ACCESS EXCLUSIVE MODE"))
    session.execute(text(f"CREATE TABLE {month.table} (LIKE lock_events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"))
    caught = f"DELETE FROM {REST} WHERE received_at >= :first AND received_at < :end RETURNING *"
    session.execute(
        text(f"WITH caught AS ({caught}) INSERT INTO {month.table} SELECT * FROM caught"),
        {"first": month.first, "end": month.end},
    )
    session.execute(text(f"ALTER TABLE lock_events ATTACH PARTITION {month.table} FOR VALUES {span}"))


def _has_months(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
