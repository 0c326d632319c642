"""The standing of each unit: what the ledger's state follows from, kept in step by the transaction that changes it.

A copy of numbers that stand elsewhere (backend.queries.unit_states counts them anew), so that a board over thousands of
units reads one row for each instead of all its registrations. Nothing in it is about a person, and no state is stored:
whether a day has passed is judged when it is read.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, Moment


class UnitStanding(Base):
    """One unit's numbers. `due_on` is the earliest day by which somebody living there has still to declare."""

    __tablename__ = "unit_standings"
    __table_args__ = (Index("ix_unit_standings_division", "division", "dwelling_id"),)

    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.id"), primary_key=True)
    dwelling_id: Mapped[Id] = mapped_column(ForeignKey("dwellings.id"), index=True)
    division: Mapped[Code]
    in_force: Mapped[bool]  # the address base still has the dwelling
    enrolled: Mapped[bool]
    capacity: Mapped[int]
    usable_area_m2: Mapped[float]
    registered: Mapped[int]
    disputed: Mapped[int]
    due_on: Mapped[date | None] = mapped_column(default=None)
    changed_at: Mapped[Moment | None] = mapped_column(default=None)
    headcount: Mapped[int | None] = mapped_column(default=None)
    headcount_at: Mapped[Moment | None] = mapped_column(default=None)
    headcount_then: Mapped[int] = mapped_column(default=0)  # registered when the visit counted
    space_kind: Mapped[Code]
