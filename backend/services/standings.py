"""Keeps the ledger's copy of each unit's numbers in step with what it is counted from.

No use case has to think of it: a session that writes a registration, a unit, a headcount or moves a dwelling counts the
units concerned anew before it commits, in the same transaction. Two transactions about one unit wait for each other at
its row and count after that, so that neither misses the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, event, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import get_history

from backend.db import db
from backend.models.base import Base
from backend.models.dwellings import Dwelling
from backend.models.registrations import Headcount, Registration
from backend.models.standings import UnitStanding
from backend.models.units import Unit
from backend.queries.unit_states import counted_units

# What a standing is counted from. A statement over many rows that writes one of these must call `settle_units` itself.
WATCHED: dict[type[Base], tuple[str, ...]] = {
    Registration: (
        "unit_id", "residence", "tenant_leg", "scope", "disputed", "tenant_due_on", "declared_at", "moved_out_on",
        "updated_at",
    ),
    Unit: ("dwelling_id", "landlord_id", "capacity", "usable_area_m2"),
    Headcount: ("unit_id", "people", "at"),
    Dwelling: ("division", "retired_on"),
}  # fmt: skip
_UNITS, _DWELLINGS = "anju_units_to_settle", "anju_dwellings_to_settle"
_AT_ONCE = 500  # SQLite takes a limited number of values
_NAMES = [column.name for column in UnitStanding.__table__.columns]


def keep_standings() -> None:
    """Let every session of this process keep the standings; asked again, nothing changes."""
    for name, listener in (("after_flush", _note_written), ("before_commit", _settle_written)):
        if not event.contains(db.session, name, listener):
            event.listen(db.session, name, listener)


def settle_units(session: Session, unit_ids: Collection[str]) -> None:
    """Count these units anew."""
    for some in _in_turns(sorted(unit_ids)):
        _settle(session, Unit.id.in_(some), UnitStanding.unit_id.in_(some))


def settle_dwellings(session: Session, dwelling_ids: Collection[str]) -> None:
    """Count all units of these dwellings anew."""
    for some in _in_turns(sorted(dwelling_ids)):
        _settle(session, Unit.dwelling_id.in_(some), UnitStanding.dwelling_id.in_(some))


def _settle(session: Session, counted: ColumnElement[bool], kept: ColumnElement[bool]) -> None:
    """Lock first, count then: a statement of its own sees what the transaction waited for has committed."""
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    if is_postgresql:
        session.execute(select(UnitStanding.unit_id).where(kept).order_by(UnitStanding.unit_id).with_for_update())
    statement: Any = (postgresql if is_postgresql else sqlite).insert(UnitStanding)
    written = statement.from_select(_NAMES, counted_units(counted))
    fresh = {name: written.excluded[name] for name in _NAMES if name != "unit_id"}
    session.execute(written.on_conflict_do_update(index_elements=["unit_id"], set_=fresh))


def _note_written(session: Session, _context: object) -> None:
    """After a flush: remember whose numbers it may have changed."""
    units: set[str] = session.info.setdefault(_UNITS, set())
    dwellings: set[str] = session.info.setdefault(_DWELLINGS, set())
    for row in (*session.new, *session.dirty, *session.deleted):
        if not _counts(session, row):
            continue
        if isinstance(row, Dwelling):
            dwellings.add(row.id)
        elif isinstance(row, Unit):
            units.add(row.id)
        else:
            units.update(_units_of(row))


def _counts(session: Session, row: Any) -> bool:
    watched = WATCHED.get(type(row))
    if watched is None:
        return False
    if row in session.new or row in session.deleted:
        return not isinstance(row, Dwelling)  # a new one has no units yet
    return any(get_history(row, name).has_changes() for name in watched)


def _units_of(row: Registration | Headcount) -> Iterator[str]:
    """The unit of a row, and the one it has left."""
    yield row.unit_id
    yield from get_history(row, "unit_id").deleted or ()


def _settle_written(session: Session) -> None:
    """Before a commit: count what was noted; a savepoint leaves it to the whole."""
    if session.in_nested_transaction():
        return
    session.flush()
    units, dwellings = session.info.pop(_UNITS, ()), session.info.pop(_DWELLINGS, ())
    if units:
        settle_units(session, units)
    if dwellings:
        settle_dwellings(session, dwellings)


def _in_turns(ids: Collection[str]) -> Iterator[list[str]]:
    rest = iter(ids)
    while some := list(islice(rest, _AT_ONCE)):
        yield some
