"""The state of every unit of an area as one subquery: numbers alone, no person is read.

The area is the prefix of the division code and stands in the WHERE of each part, so that a village does not pay for
its county.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Subquery, and_, case, func, or_, select

from backend.domain.spaces import AREA_PER_HEAD_M2
from backend.models.dwellings import Dwelling
from backend.models.registrations import Headcount, Registration
from backend.models.units import Unit


def unit_states(
    area: str,
    today: date,
    *,
    area_per_head_m2: float = AREA_PER_HEAD_M2,
    dwelling_ids: Sequence[str] | None = None,
    in_force: bool = False,
) -> Subquery:
    """Units of an area (of some dwellings of it; `in_force`: not of retired ones) with the first state that fits.

    Columns: unit_id, dwelling_id, division, village, state, registered and overdue (people, children and co-residents
    among them), changed_at (of a registration), overdue_since (day), headcount, headcount_at.
    """
    where: list[ColumnElement[bool]] = [Dwelling.division.startswith(area, autoescape=True)]
    if dwelling_ids is not None:
        where.append(Dwelling.id.in_(dwelling_ids))
    if in_force:
        where.append(Dwelling.retired_on.is_(None))
    people, counted = _people(where, today), _latest_headcounts(where)
    then = _people_then(counted)
    registered, late = func.coalesce(people.c.registered, 0), func.coalesce(people.c.overdue, 0)
    crowded = or_(registered > Unit.capacity, and_(registered > 1, registered * area_per_head_m2 > Unit.usable_area_m2))
    state = case(
        (Unit.landlord_id.is_(None), "not_enrolled"),
        (func.coalesce(people.c.disputed, 0) > 0, "disputed"),
        (late > 0, "overdue"),
        (crowded, "over_capacity"),
        # whoever moved in after the visit and registered is no difference: it must have been one then, and still be
        (
            and_(counted.c.people != registered, counted.c.people != func.coalesce(then.c.people, 0)),
            "headcount_differs",
        ),
        (registered > 0, "registered"),
        else_="no_one_registered",
    )
    return (
        select(
            Unit.id.label("unit_id"),
            Unit.dwelling_id,
            Dwelling.division,
            Dwelling.village,
            state.label("state"),
            registered.label("registered"),
            late.label("overdue"),
            people.c.changed_at,
            people.c.overdue_since,
            counted.c.people.label("headcount"),
            counted.c.at.label("headcount_at"),
        )
        .join(Dwelling, Dwelling.id == Unit.dwelling_id)
        .outerjoin(people, people.c.unit_id == Unit.id)
        .outerjoin(counted, counted.c.unit_id == Unit.id)
        .outerjoin(then, then.c.unit_id == Unit.id)
        .where(*where)
        .subquery()
    )


def _people(where: list[ColumnElement[bool]], today: date) -> Subquery:
    living = Registration.residence == "living"
    declared = Registration.tenant_leg == "declared"
    overdue = and_(living, ~declared, Registration.scope == "in_scope", Registration.tenant_due_on < today)
    return (
        select(
            Registration.unit_id,
            func.sum(case((and_(living, declared), 1), else_=0)).label("registered"),
            func.sum(case((overdue, 1), else_=0)).label("overdue"),
            func.sum(case((and_(living, Registration.disputed), 1), else_=0)).label("disputed"),
            func.max(Registration.updated_at).label("changed_at"),
            func.min(case((overdue, Registration.tenant_due_on))).label("overdue_since"),
        )
        .join(Unit, Unit.id == Registration.unit_id)
        .join(Dwelling, Dwelling.id == Unit.dwelling_id)
        .where(*where)
        .group_by(Registration.unit_id)
        .subquery()
    )


def _latest_headcounts(where: list[ColumnElement[bool]]) -> Subquery:
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


def _people_then(counted: Subquery) -> Subquery:
    """How many were registered in a unit when its people were last counted."""
    lived = or_(Registration.residence == "living", Registration.moved_out_on > func.date(counted.c.at))
    return (
        select(Registration.unit_id, func.count().label("people"))
        .join(counted, counted.c.unit_id == Registration.unit_id)
        .where(Registration.declared_at <= counted.c.at, Registration.residence != "voided", lived)
        .group_by(Registration.unit_id)
        .subquery()
    )
