"""What a unit is called."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.models.dwellings import Dwelling
from backend.models.units import Unit


def unit_alias(session: Session, unit_id: str) -> str:
    """How a unit is called among people: door number and label, no personal data."""
    unit = session.get_one(Unit, unit_id)
    dwelling = session.get_one(Dwelling, unit.dwelling_id)
    return f"{dwelling.road}{dwelling.door_no}{dwelling.building} {unit.label}".strip()
