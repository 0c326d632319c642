"""The local standard in force on a day (HR-7), and how it came about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import db, reading
from backend.domain.house_rules import HouseRules
from backend.domain.local_standards import STANDARDS
from backend.domain.spaces import SpaceStandard
from backend.models.local_standards import LocalStandard
from backend.models.officers import Officer


@dataclass(frozen=True)
class StandardLine:
    """One value of one standard, from when it counts, and who set it why and when."""

    name: str
    value: float
    starts_on: date
    reason: str
    badge: str
    office: str
    set_at: datetime


def standard_on(session: Session, house: HouseRules, on: date) -> SpaceStandard:
    """The standard in force on a day; what nobody has set yet is the installation's own."""
    found = house.space_standard.__dict__ | {
        name: value for name in STANDARDS if (value := _value_on(session, name, on)) is not None
    }
    return SpaceStandard(float(found["area_per_head_m2"]), int(found["persons_per_room"]))


def get_standard(house: HouseRules, on: date) -> SpaceStandard:
    """The same, for a page."""
    with reading() as session:
        return standard_on(session, house, on)


def list_history() -> tuple[StandardLine, ...]:
    """Everything that was ever set, the latest beginning first."""
    rows = db.session.execute(
        select(LocalStandard, Officer.badge, Officer.office)
        .join(Officer, Officer.id == LocalStandard.set_by)
        .order_by(LocalStandard.starts_on.desc(), LocalStandard.id.desc())
    )
    return tuple(
        StandardLine(row.name, row.value, row.starts_on, row.reason, badge, office, row.set_at)
        for row, badge, office in rows
    )


def _value_on(session: Session, name: str, on: date) -> float | None:
    """Of two that begin on the same day the one set later counts: ids sort by the time they were made."""
    return session.scalar(
        select(LocalStandard.value)
        .where(LocalStandard.name == name, LocalStandard.starts_on <= on)
        .order_by(LocalStandard.starts_on.desc(), LocalStandard.id.desc())
        .limit(1)
    )
