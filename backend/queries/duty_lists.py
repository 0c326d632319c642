"""Overdue duties of an area and paper forms that are due. Nameless: addresses, rules and days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select

from backend.db import reading
from backend.domain.calendars import day_of
from backend.domain.counts import last_moment
from backend.domain.duties import DUTIES
from backend.models.dwellings import Dwelling
from backend.models.leases import Lease
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.queries.unit_facts import short_address

MOST = 200


@dataclass(frozen=True)
class DutyLine:
    """A duty that is late: which (a key of DUTIES), whose, by which rule, where, since when. Nameless."""

    code: str
    unit_id: str
    place: str
    label: str
    owner: str
    rule: str
    due_on: date
    days_late: int


@dataclass(frozen=True)
class PaperForm:
    """A declaration the registry has not accepted shortly before its deadline: the printed form is due."""

    registration_id: str
    unit_id: str
    place: str
    label: str
    declared_at: datetime | None
    deadline: datetime | None
    paper_due_at: datetime


def list_overdue(area: str, now: datetime, *, unit_id: str | None = None) -> tuple[DutyLine, ...]:
    """The overdue duties of an area, or of one unit of it, the latest first; at most `MOST` of each kind."""
    lines: list[DutyLine] = []
    for code, fact, late in _late(now):
        duty = DUTIES[code]
        assert duty.rule is not None
        found = _places(fact, area).where(late, *([Unit.id == unit_id] if unit_id else []))
        for unit, dwelling, value in _rows(found.order_by(fact).limit(MOST)):
            due_on = day_of(last_moment(value)) if duty.stored else duty.count.last_day(value)
            days = (day_of(now) - due_on).days
            place = short_address(dwelling)
            lines.append(DutyLine(code, unit.id, place, unit.label, duty.owner, duty.rule, due_on, days))
    return tuple(sorted(lines, key=lambda line: (line.due_on, line.place, line.label, line.code)))


def late_rules(now: datetime, *units: ColumnElement[bool]) -> dict[str, tuple[str, ...]]:
    """By unit, of those that fit the conditions on Unit and Dwelling: the rules of the duties missed there."""
    found: dict[str, list[str]] = {}
    for code, fact, late in _late(now):
        for unit, _, _ in _rows(_places(fact, "").where(late, *units)):
            found.setdefault(unit.id, []).append(DUTIES[code].rule or "")
    return {unit_id: tuple(dict.fromkeys(rules)) for unit_id, rules in found.items()}


def list_paper_due(area: str = "") -> tuple[PaperForm, ...]:
    """Declarations whose paper form is due, the longest waiting first; the registry may still accept each of them."""
    due = (*_alarmed(), Registration.paper_due_at.is_not(None))
    statement = _places(Registration, area).where(*due).order_by(Registration.paper_due_at, Registration.id)
    return tuple(
        PaperForm(
            row.id,
            unit.id,
            short_address(dwelling),
            unit.label,
            row.declared_at,
            last_moment(row.tenant_due_on) if row.tenant_due_on else None,
            row.paper_due_at,
        )
        for unit, dwelling, row in _rows(statement.limit(MOST))
    )


def count_near_deadline() -> tuple[int, int]:
    """(declarations the registry may not accept in time or has not, those of them whose paper form is due)."""
    counts = select(func.count(), func.count(Registration.paper_due_at)).select_from(Registration)
    with reading() as session:
        alarmed, paper = session.execute(counts.where(*_alarmed())).one()
        return alarmed, paper


def _rows(statement: Select[Any]) -> list[Any]:
    """The rows of a statement, read at once."""
    with reading() as session:
        return list(session.execute(statement).all())


def _alarmed() -> tuple[ColumnElement[bool], ...]:
    return (
        Registration.registry_alarmed_at.is_not(None),
        Registration.accepted_at.is_(None),
        Registration.residence == "living",
        Registration.scope == "in_scope",
    )


def _late(now: datetime) -> Iterator[tuple[str, Any, ColumnElement[bool]]]:
    """(code, fact, which rows are late): the facts of domain.duty_facts as conditions of the database."""
    today = day_of(now)
    living = _is(Registration.residence, "living")
    in_scope = living & (Registration.scope == "in_scope")
    yield (
        "declare",
        Registration.tenant_due_on,
        (in_scope & ~_is(Registration.tenant_leg, "declared") & (Registration.tenant_due_on < today)),
    )
    yield (
        "report",
        Registration.landlord_due_on,
        (
            in_scope
            & _is(Registration.landlord_leg, "due")
            & (Registration.landlord_due_on < today)
        ),
    )
    declared = Registration.tenant_leg == "declared"
    foreign = living & (Registration.scope == "foreign") & Registration.foreign_done_at.is_(None)
    yield "foreign", Registration.foreign_due_at, foreign & (Registration.foreign_due_at < now)
    exempt = living & declared & (Registration.scope == "exempt")
    yield "exemption", Registration.exempt_until, exempt & (Registration.exempt_until < today)
    returned = in_scope & declared & (Registration.registry_state == "rejected")
    yield (
        "change",
        Registration.changed_on,
        (returned & (Registration.changed_on <= DUTIES["change"].count.latest_late_fact(now))),
    )
    standing = living & _is(Lease.state, "active") & Lease.landlord_ended_on.is_(None)
    for code in ("report_end", "lease_end"):
        yield code, Lease.ends_on, standing & (Lease.ends_on <= DUTIES[code].count.latest_late_fact(now))


def _is(column: Any, value: str) -> ColumnElement[bool]:
    """Equal to a value that stands in the statement itself, so that a partial index on it can be used."""
    return column == literal(value, literal_execute=True)  # type: ignore[no-any-return]


def _places(what: Any, area: str) -> Select[Any]:
    return (
        select(Unit, Dwelling, what)
        .select_from(Registration)
        .join(Unit, Unit.id == Registration.unit_id)
        .join(Dwelling, Dwelling.id == Unit.dwelling_id)
        .outerjoin(Lease, Lease.id == Registration.lease_id)
        .where(Dwelling.division.startswith(area, autoescape=True))
    )
