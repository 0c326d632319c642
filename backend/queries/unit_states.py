"""What the state of a unit follows from, counted from its registrations, and the state itself: numbers, no person.

The state is the first that fits on a day. The numbers come counted anew (`counted_units`: the truth) or from the copy
that every transaction keeps in step (`backend.models.standings`); `state_of` judges both alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, Select, Subquery, and_, case, func, literal, or_, select

from backend.domain.spaces import ASSUMED_STANDARD, SpaceStandard
from backend.models.dwellings import Dwelling
from backend.models.registrations import Headcount, Registration
from backend.models.units import Unit

DIVISION_DIGITS = 12


def lies_in(division: Any, area: str) -> ColumnElement[bool]:
    """Whether a 12-digit division code begins with `area`: a range, which an index serves in every collation."""
    return and_(division >= area.ljust(DIVISION_DIGITS, "0"), division <= area.ljust(DIVISION_DIGITS, "9"))


def state_of(unit: Any, today: date, standard: SpaceStandard = ASSUMED_STANDARD) -> ColumnElement[str]:
    """The state of a unit on a day, from its numbers (the columns of `counted_units`)."""
    signs = signs_of(unit, today, standard)
    nobody = signs.pop("no_one_registered")
    return case(*((sign, state) for state, sign in signs.items()), (~nobody, "registered"), else_="no_one_registered")


def signs_of(unit: Any, today: date, standard: SpaceStandard) -> dict[str, ColumnElement[bool]]:
    """What may be true of a unit, each by itself, under the state that it makes when nothing before it is true."""
    registered = unit.registered
    return {
        "not_enrolled": ~unit.enrolled,
        "disputed": unit.disputed > 0,
        "overdue": unit.due_on < today,
        "over_capacity": is_crowded(unit, standard),
        # whoever moved in after the visit and registered is no difference: it must have been one then, and still be
        "headcount_differs": and_(unit.headcount != registered, unit.headcount != unit.headcount_then),
        "no_one_registered": registered == 0,
    }


def is_crowded(unit: Any, standard: SpaceStandard) -> ColumnElement[bool]:
    """Whether more people live in a unit than it was let for, or than the standard in force allows (HR-7).

    One person alone is never too many; a whole home counts by its area alone.
    """
    registered = unit.registered
    by_area = registered * standard.area_per_head_m2 > unit.usable_area_m2
    by_room = and_(unit.space_kind != "whole_home", registered > standard.persons_per_room)
    return or_(registered > unit.capacity, and_(registered > 1, or_(by_area, by_room)))


def unit_states(
    area: str, today: date, *, standard: SpaceStandard = ASSUMED_STANDARD, dwelling_ids: Sequence[str] | None = None
) -> Subquery:
    """Units of an area (of some dwellings of it) counted anew: unit_id, `state`, `overdue_since`, and their numbers."""
    where = [lies_in(Dwelling.division, area)]
    if dwelling_ids is not None:
        where.append(Dwelling.id.in_(dwelling_ids))
    units = counted_units(*where).subquery()
    overdue_since = case((units.c.due_on < today, units.c.due_on), else_=literal(None, Date))
    state = state_of(units.c, today, standard)
    return select(units, state.label("state"), overdue_since.label("overdue_since")).subquery()


def counted_units(*where: ColumnElement[bool]) -> Select[Any]:
    """The numbers of the units that fit `where` (conditions on Unit and Dwelling), one column for each of a standing.

    People are all who live there and have declared, children and co-residents among them.
    """
    people, seen = _people(where), _latest_headcounts(where)
    then = _people_then(seen)
    return (
        select(
            Unit.id.label("unit_id"),
            Unit.dwelling_id,
            Dwelling.division,
            Dwelling.retired_on.is_(None).label("in_force"),
            Unit.landlord_id.is_not(None).label("enrolled"),
            Unit.capacity,
            Unit.usable_area_m2,
            func.coalesce(people.c.registered, 0).label("registered"),
            func.coalesce(people.c.disputed, 0).label("disputed"),
            people.c.due_on,
            people.c.changed_at,
            seen.c.people.label("headcount"),
            seen.c.at.label("headcount_at"),
            func.coalesce(then.c.people, 0).label("headcount_then"),
            Unit.space_kind,
        )
        .join(Dwelling, Dwelling.id == Unit.dwelling_id)
        .outerjoin(people, people.c.unit_id == Unit.id)
        .outerjoin(seen, seen.c.unit_id == Unit.id)
        .outerjoin(then, then.c.unit_id == Unit.id)
        .where(*where)
    )


def _people(where: Sequence[ColumnElement[bool]]) -> Subquery:
    living = Registration.residence == "living"
    declared = Registration.tenant_leg == "declared"
    owed = and_(living, ~declared, Registration.scope == "in_scope")
    return (
        select(
            Registration.unit_id,
            func.sum(case((and_(living, declared), 1), else_=0)).label("registered"),
            func.sum(case((and_(living, Registration.disputed), 1), else_=0)).label("disputed"),
            func.min(case((owed, Registration.tenant_due_on))).label("due_on"),
            func.max(Registration.updated_at).label("changed_at"),
        )
        .join(Unit, Unit.id == Registration.unit_id)
        .join(Dwelling, Dwelling.id == Unit.dwelling_id)
        .where(*where)
        .group_by(Registration.unit_id)
        .subquery()
    )


def _latest_headcounts(where: Sequence[ColumnElement[bool]]) -> Subquery:
    newest: Any = func.row_number().over(
        partition_by=Headcount.unit_id, order_by=(Headcount.at.desc(), Headcount.id.desc())
    )
    ranked = (
        select(Headcount.unit_id, Headcount.people, Headcount.at, newest.label("place"))
        .join(Unit, Unit.id == Headcount.unit_id)
        .join(Dwelling, Dwelling.id == Unit.dwelling_id)
        .where(*where)
        .subquery()
    )
    return select(ranked.c.unit_id, ranked.c.people, ranked.c.at).where(ranked.c.place == 1).subquery()


def _people_then(seen: Subquery) -> Subquery:
    """How many were registered in a unit when its people were last counted."""
    lived = or_(Registration.residence == "living", Registration.moved_out_on > func.date(seen.c.at))
    return (
        select(Registration.unit_id, func.count().label("people"))
        .join(seen, seen.c.unit_id == Registration.unit_id)
        .where(Registration.declared_at <= seen.c.at, Registration.residence != "voided", lived)
        .group_by(Registration.unit_id)
        .subquery()
    )
