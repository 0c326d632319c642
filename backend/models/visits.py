"""Visits: the field work of a case, at one unit, by one member of staff, on one day."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, Moment, one_of

VISIT_STATES = ("planned", "done", "withdrawn")
VISIT_OUTCOMES = ("met", "registered", "counted", "nobody_there", "moved_out", "empty", "address_wrong")


class Visit(Base):
    """One visit of a case. `note_id` is made by the phone that noted the outcome: the same note counts once.

    `visited_at` is when the visit took place, `noted_at` when its note arrived; a phone may have been offline between.
    """

    __tablename__ = "visits"
    __table_args__ = (
        one_of("state", VISIT_STATES),
        one_of("outcome", VISIT_OUTCOMES),
        CheckConstraint("(state = 'done') = (outcome IS NOT NULL)", name="outcome_when_done"),
        CheckConstraint("(state = 'done') = (note_id IS NOT NULL)", name="note_when_done"),
        Index(
            "uq_visits_one_planned",
            "case_id",
            unique=True,
            sqlite_where=text("state = 'planned'"),
            postgresql_where=text("state = 'planned'"),
        ),
        Index("ix_visits_assignee_id_state", "assignee_id", "state"),
        Index("ix_visits_area_due_on", "area", "due_on"),
        Index("ix_visits_case_id", "case_id"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    case_id: Mapped[Id] = mapped_column(ForeignKey("cases.id"))
    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.id"), index=True)
    area: Mapped[Code]
    ground: Mapped[Code]
    rule: Mapped[Code | None] = mapped_column(default=None)
    assignee_id: Mapped[Id] = mapped_column(ForeignKey("officers.id"))
    due_on: Mapped[date]
    state: Mapped[Code] = mapped_column(default="planned")
    planned_by: Mapped[Id] = mapped_column(ForeignKey("officers.id"))
    planned_at: Mapped[Moment]
    outcome: Mapped[Code | None] = mapped_column(default=None)
    note_id: Mapped[Id | None] = mapped_column(unique=True, default=None)
    visited_at: Mapped[Moment | None] = mapped_column(default=None)
    noted_at: Mapped[Moment | None] = mapped_column(default=None)
