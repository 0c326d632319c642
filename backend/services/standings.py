"""Keeps the ledger's copy of each unit's numbers in step with what it is counted from.

No use case has to think of it: a session that writes a registration, a unit, a headcount or moves a dwelling counts the
units concerned anew before it commits, in the same transaction. Two transactions about one unit wait for each other at
its row and count after that, so that neither misses the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache
from itertools import islice
from typing import Any

from sqlalchemy import Select, bindparam, event, select, true
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
    Unit: ("dwelling_id", "landlord_id", "capacity", "usable_area_m2", "space_kind"),
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
    _settle(session, "unit_id", unit_ids)


def settle_dwellings(session: Session, dwelling_ids: Collection[str]) -> None:
    """Count all units of these dwellings anew."""
    _settle(session, "dwelling_id", dwelling_ids)


def settle_everything(session: Session) -> None:
    """Count every unit anew: after many rows came past the sessions of this code."""
    session.connection().execute(_counting(session.get_bind().dialect.name, None))


def _settle(session: Session, by: str, ids: Collection[str]) -> None:
    """Lock first, count then: a statement of its own sees what the transaction waited for has committed."""
    dialect, rest = session.get_bind().dialect.name, iter(sorted(ids))
    while some := list(islice(rest, _AT_ONCE)):
        if dialect == "postgresql":
            session.connection().execute(_locking(by), {"ids": some})
        session.connection().execute(_counting(dialect, by), {"ids": some})


@cache
def _locking(by: str) -> Select[str]:
    kept = UnitStanding.__table__.columns[by].in_(bindparam("ids", expanding=True))
    return select(UnitStanding.unit_id).where(kept).order_by(UnitStanding.unit_id).with_for_update()


@cache
def _counting(dialect: str, by: str | None) -> Any:
    """Write what is counted of the units in `ids`, which are ids of units or of dwellings; without `by`, of all."""
    column = {"unit_id": Unit.id, "dwelling_id": Unit.dwelling_id}
    counted = counted_units(true() if by is None else column[by].in_(bindparam("ids", expanding=True)))
    statement: Any = (postgresql if dialect == "postgresql" else sqlite).insert(UnitStanding.__table__)
    written = statement.from_select(_NAMES, counted)
    fresh = {name: written.excluded[name] for name in _NAMES if name != "unit_id"}
    return written.on_conflict_do_update(index_elements=["unit_id"], set_=fresh)


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
