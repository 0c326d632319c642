"""What is true of units that makes them worth a visit: counted anew, codes and no person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select

from backend.db import reading
from backend.domain.calendars import day_of
from backend.domain.spaces import SpaceStandard
from backend.domain.visits import GROUND_OF_RULE, has_ground
from backend.models.dwellings import Dwelling
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.queries.duty_lists import late_rules
from backend.queries.letting_rights import unseen_units
from backend.queries.unit_states import counted_units, lies_in, signs_of, state_of

Found = tuple[str, tuple[str, ...], tuple[str, ...]]  # state, signs, rules of missed duties


def find_facts(area: str, unit_id: str, now: datetime, standard: SpaceStandard) -> Found | None:
    """The state of a unit of the area, what else is true of it, and which rules are not kept there; None elsewhere."""
    return _facts(now, standard, lies_in(Dwelling.division, area), Unit.id == unit_id).get(unit_id)


def is_worth_a_visit(
    kind: str, evidence: Mapping[str, Any], unit_id: str, now: datetime, standard: SpaceStandard
) -> bool:
    """Whether what a case about a unit is about is still true there."""
    true = list_true_grounds(now, standard, Unit.id == unit_id)
    return has_ground(kind, evidence, true.get(unit_id, set()))


def list_true_grounds(now: datetime, standard: SpaceStandard, *units: ColumnElement[bool]) -> dict[str, set[str]]:
    """By unit: the grounds (keys of domain.visits.GROUNDS) that are true, those a state covers included."""
    found = {
        unit_id: {*signs, *(GROUND_OF_RULE[rule] for rule in rules if rule in GROUND_OF_RULE)}
        for unit_id, (_, signs, rules) in _facts(now, standard, *units).items()
    }
    for unit_id in _units_of_those_who_stay(units):
        found.setdefault(unit_id, set()).add("others_stay")
    return found


def _facts(now: datetime, standard: SpaceStandard, *units: ColumnElement[bool]) -> dict[str, Found]:
    numbers = counted_units(*units).subquery()
    signs = signs_of(numbers.c, day_of(now), standard)
    state = state_of(numbers.c, day_of(now), standard)
    statement = select(numbers.c.unit_id, state, *(sign.label(f"is_{name}") for name, sign in signs.items()))
    with reading() as session:
        rows = session.execute(statement).all()
        unseen = set(session.scalars(unseen_units(day_of(now), *units)))
    late = late_rules(now, *units)
    return {
        unit_id: (
            name,
            (
                *(sign for sign, is_true in zip(signs, truths, strict=True) if is_true),
                *(("right_unseen",) if unit_id in unseen else ()),
            ),
            late.get(unit_id, ()),
        )
        for unit_id, name, *truths in rows
    }


def _units_of_those_who_stay(units: Sequence[ColumnElement[bool]]) -> set[str]:
    """Where somebody lives along with a tenant who has left."""
    head = select(Registration.id).where(Registration.residence == "moved_out").scalar_subquery()
    along = (
        select(Registration.unit_id)
        .join(Unit, Unit.id == Registration.unit_id)
        .join(Dwelling, Dwelling.id == Unit.dwelling_id)
        .where(*units, Registration.residence == "living", Registration.household_of_id.in_(head))
    )
    with reading() as session:
        return set(session.scalars(along))
