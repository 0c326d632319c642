"""The outbox: put an intent into the present write unit; claim, finish, retry or park it later.

Order per (destination, aggregate) is kept: a row is claimed only when no earlier open row of its aggregate exists.
A claim carries a lease and a fence, so that a sender that was thought dead cannot finish what another has taken.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast

from sqlalchemy import CursorResult, Select, Update, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from backend.db import after_commit, transaction
from backend.gateways.world import World
from backend.models.outbox import OutboxRow
from backend.wire.topics import shard_of


@dataclass(frozen=True)
class OutboxItem:
    """A claimed row: ids only, and the fence that proves the claim."""

    id: int
    aggregate_id: str
    kind: str
    payload: dict[str, Any]
    attempts: int
    fence: int
    created_at: datetime = field(compare=False)
    is_followed: bool = field(default=True, compare=False)  # an open row of its aggregate may stand behind it


def put(
    world: World,
    session: Session,
    destination: str,
    aggregate_id: str,
    kind: str,
    payload: dict[str, Any],
    *,
    not_before: datetime | None = None,
) -> None:
    """Write an intent inside the present write unit and wake its sender once that has committed."""
    now = world.clock.now()
    row = {
        "destination": destination,
        "aggregate_id": aggregate_id,
        "shard": shard_of(aggregate_id) if destination == "lock" else None,
        "kind": kind,
        "payload": payload,
        "created_at": now,
        "available_at": not_before or now,
    }
    session.connection().execute(insert(OutboxRow), row)  # plain: as an object of the session it costs three times that
    wake(world, session, destination)


def wake(world: World, session: Session, destination: str) -> None:
    """Wake a sender once the present write unit has committed."""
    after_commit(session, _Waker(world, destination))


@dataclass(frozen=True)
class _Waker:
    """Equal for equal channels, so that one unit wakes each sender once."""

    world: World = field(compare=False)
    channel: str

    def __call__(self) -> None:
        self.world.wake_up.notify(self.channel)


def claim(
    world: World,
    destination: str,
    *,
    limit: int,
    lease: timedelta,
    shards: Collection[int] | None = None,
    sent: Collection[int] = (),
    without: str | None = None,
) -> list[OutboxItem]:
    """Claim up to `limit` due rows, oldest first, at most one per aggregate; each is ours for `lease`.

    With `shards` only rows of locks of these, with `without` none of that kind. A row whose id is among `sent` holds
    nothing back any more: it has left, and whoever sent it has only not noted so yet.
    """
    now = world.clock.now()
    values = {"destination": destination, "now": now, "most": limit, "sent": list(sent)}
    with transaction() as session:
        connection = session.connection()
        if without is not None:
            rows = connection.execute(_DUE_WITHOUT, {**values, "without": without}).all()
        elif shards is None:
            rows = connection.execute(_DUE, values).all()
        else:
            rows = connection.execute(_DUE_OF_SHARDS, {**values, "shards": list(shards)}).all()
        if rows:
            connection.execute(_CLAIM, [{"row_id": row.id, "until": now + lease} for row in rows])
        return [
            OutboxItem(r.id, r.aggregate_id, r.kind, dict(r.payload), r.attempts + 1, r.fence + 1, r.created_at)
            for r in rows
        ]


def finish_in(world: World, session: Session, items: Sequence[OutboxItem]) -> bool:
    """Mark claimed rows as done inside the present write unit; False when a claim was lost to another sender."""
    kept = True
    for item in items:
        kept &= _settle(session, item, done_at=world.clock.now(), lease_until=None, last_error=None)
    return kept


def finish(world: World, items: Sequence[OutboxItem]) -> bool:
    """Mark claimed rows as done; False when a claim was lost to another sender."""
    with transaction() as session:
        return finish_in(world, session, items)


def retry(world: World, item: OutboxItem, *, after: timedelta, error: str) -> None:
    """Give a row back, to be tried again `after` from now."""
    with transaction() as session:
        retry_in(world, session, item, after=after, error=error)


def retry_in(world: World, session: Session, item: OutboxItem, *, after: timedelta, error: str) -> None:
    """The same inside the present write unit."""
    _settle(session, item, available_at=world.clock.now() + after, lease_until=None, last_error=error[:300])


def park(world: World, item: OutboxItem, *, error: str) -> None:
    """Set a row aside for a person; rows behind it go on."""
    with transaction() as session:
        park_in(world, session, item, error=error)


def park_in(world: World, session: Session, item: OutboxItem, *, error: str) -> None:
    """The same inside the present write unit."""
    _settle(session, item, parked_at=world.clock.now(), lease_until=None, last_error=error[:300])


def find_course(session: Session, destination: str, aggregate_id: str) -> str:
    """What became of the newest intent about one thing: 'none' (there was none), 'waiting', 'sent' or 'failed'."""
    about = select(OutboxRow).where(OutboxRow.destination == destination, OutboxRow.aggregate_id == aggregate_id)
    row = session.scalar(about.order_by(OutboxRow.id.desc()).limit(1))
    if row is None:
        return "none"
    if row.done_at is not None:
        return "sent"
    return "waiting" if row.parked_at is None else "failed"


def forget_done(session: Session, before: datetime) -> int:
    """Delete what was done before a moment, but the newest row: its id must not be given again; answers how many."""
    newest = select(func.max(OutboxRow.id)).scalar_subquery()
    gone = session.execute(delete(OutboxRow).where(OutboxRow.done_at < before, OutboxRow.id < newest))
    return cast("CursorResult[Any]", gone).rowcount


def hold(session: Session, items: Sequence[OutboxItem]) -> set[int]:
    """Lock claimed rows inside the present write unit; answers the ids whose claim is still ours."""
    fences = {item.id: item.fence for item in items}
    rows = session.execute(
        select(OutboxRow.id, OutboxRow.fence)
        .where(OutboxRow.id.in_(list(fences)), OutboxRow.done_at.is_(None))
        .order_by(OutboxRow.id)  # one order for everybody, so that no two wait for each other
        .with_for_update()
    )
    return {row.id for row in rows if row.fence == fences[row.id]}


def settle_together(session: Session, settled: Sequence[tuple[OutboxItem, Mapping[str, Any]]]) -> None:
    """End many claims that `hold` has found to be ours, those with the same columns in one statement."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for item, values in settled:
        row = {"row_id": item.id, "of_fence": item.fence, **values}
        groups.setdefault(tuple(sorted(values)), []).append(row)
    for names, rows in groups.items():
        session.connection().execute(_settlement(names), rows)


def _settle(session: Session, item: OutboxItem, **values: Any) -> bool:
    statement = _settlement(tuple(sorted(values)))
    found = session.connection().execute(statement, {"row_id": item.id, "of_fence": item.fence, **values})
    return found.rowcount == 1


@cache
def _settlement(names: tuple[str, ...]) -> Update:
    """The statement that ends a claim and sets these columns."""
    mine = (
        OutboxRow.id == bindparam("row_id"),
        OutboxRow.fence == bindparam("of_fence"),
        OutboxRow.done_at.is_(None),
    )
    return update(OutboxRow).where(*mine).values({name: bindparam(name) for name in names})


def _due() -> Select[Any]:
    earlier = aliased(OutboxRow)
    # A subquery of its own for each row, with a condition that the index of open rows does not fit: as a join the
    # database reads all open rows for each one after a burst, when it has not yet counted how many there are.
    ahead = (
        select(earlier.id)
        .where(
            earlier.destination == OutboxRow.destination,
            earlier.aggregate_id == OutboxRow.aggregate_id,
            earlier.id < OutboxRow.id,
            func.coalesce(earlier.done_at, earlier.parked_at).is_(None),
            earlier.id.not_in(bindparam("sent", expanding=True)),
        )
        .limit(1)
        .scalar_subquery()
    )
    columns = ("id", "aggregate_id", "kind", "payload", "attempts", "fence", "created_at")
    return (
        select(*(getattr(OutboxRow, name) for name in columns))
        .where(
            OutboxRow.destination == bindparam("destination"),
            OutboxRow.done_at.is_(None),
            OutboxRow.parked_at.is_(None),
            OutboxRow.available_at <= bindparam("now"),
            (OutboxRow.lease_until.is_(None)) | (OutboxRow.lease_until < bindparam("now")),
            ahead.is_(None),
        )
        .order_by(OutboxRow.id)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )


# Made once: a command waits for each of them, and putting a statement together takes as long as running it.
_DUE = _due()
_DUE_OF_SHARDS = _DUE.where(OutboxRow.shard.in_(bindparam("shards", expanding=True)))
_DUE_WITHOUT = _DUE.where(OutboxRow.kind != bindparam("without"))
_CLAIM = (
    update(OutboxRow)
    .where(OutboxRow.id == bindparam("row_id"))
    .values(lease_until=bindparam("until"), fence=OutboxRow.fence + 1, attempts=OutboxRow.attempts + 1)
)
