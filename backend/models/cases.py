"""Cases: the closed loop. About a dwelling or about one's own record, never a file on a person."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, Moment, Text120, index_where, one_of

CASE_KINDS = (
    "identity_review",
    "unit_claim",
    "dispute",
    "leg_difference",
    "overdue_registration",
    "registry_rejection",
    "data_question",
    "help_request",
    "resident_report",
    "rebind",
    "overdue_report",
    "overdue_check_out",
    "over_capacity",
    "headcount_differs",
    "void_request",
    "registry_difference",
    "registry_correction",
    "office_change",
    "visit",
)
CASE_STATES = ("reported", "routed", "assigned", "handled", "checked", "answered", "rated")


class Case(Base):
    """One matter for a person to decide; `reference` is what people quote."""

    __tablename__ = "cases"
    __table_args__ = (
        one_of("kind", CASE_KINDS),
        one_of("state", CASE_STATES),
        Index("ix_cases_area_state", "area", "state"),
        Index("ix_cases_registration_id", "registration_id"),
        index_where("ix_cases_undecided", "due_at", "decided_at IS NULL AND escalated_at IS NULL"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    reference: Mapped[Code] = mapped_column(unique=True)
    kind: Mapped[Code]
    state: Mapped[Code] = mapped_column(default="routed")
    area: Mapped[Code]
    office: Mapped[Text120]
    rule: Mapped[Code | None] = mapped_column(default=None)
    unit_id: Mapped[Id | None] = mapped_column(ForeignKey("units.id"), default=None)
    registration_id: Mapped[Id | None] = mapped_column(ForeignKey("registrations.id"), default=None)
    person_id: Mapped[Id | None] = mapped_column(ForeignKey("persons.id"), index=True, default=None)
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    opened_by: Mapped[Code]
    assigned_to: Mapped[Id | None] = mapped_column(ForeignKey("officers.id"), default=None)
    decision: Mapped[Code | None] = mapped_column(default=None)
    decision_reason: Mapped[Code | None] = mapped_column(default=None)
    decided_by: Mapped[Id | None] = mapped_column(ForeignKey("officers.id"), default=None)
    opened_at: Mapped[Moment]
    due_at: Mapped[Moment | None] = mapped_column(default=None)
    assigned_at: Mapped[Moment | None] = mapped_column(default=None)
    touched_at: Mapped[Moment | None] = mapped_column(default=None)  # when its taker was last seen at it
    escalated_at: Mapped[Moment | None] = mapped_column(default=None)  # when it was late and went to the supervisors
    decided_at: Mapped[Moment | None] = mapped_column(default=None)
    version: Mapped[int] = mapped_column(default=1)
