"""Cases: the closed loop, step by step. About a dwelling or about one's own record, never a file on a person."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, Moment, Sealed, Text120, index_where, one_of

CASE_KINDS = (
    "identity_review",
    "unit_claim",
    "dispute",
    "leg_difference",
    "overdue_registration",
    "registry_rejection",
    "data_question",
    "look_question",
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
    "unsafe_dwelling",
    "landlord_duty",
    "lock_trouble",
    "visit",
)
CASE_STATES = ("reported", "routed", "assigned", "handled", "checked", "answered", "rated")


class Case(Base):
    """One matter for a person to decide; `reference` is what people quote.

    `reporter_id` is who gets the answer, None when a rule or an office opened it, or staff for somebody who called;
    nobody but the reporter and, when a call was wished for, the officer who has taken the case learns who that is.
    """

    __tablename__ = "cases"
    __table_args__ = (
        one_of("kind", CASE_KINDS),
        one_of("state", CASE_STATES),
        Index("ix_cases_area_state", "area", "state"),
        Index("ix_cases_registration_id", "registration_id"),
        CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),
        CheckConstraint("checked_by IS NULL OR checked_by <> decided_by", name="four_eyes"),
        index_where("ix_cases_reporter_id", "reporter_id", "reporter_id IS NOT NULL"),
        Index("ix_cases_unit_id", "unit_id"),
        index_where(
            "ix_cases_uncalled",
            "call_due_at",
            "call_due_at IS NOT NULL AND answered_at IS NULL AND escalated_at IS NULL",
        ),
        index_where("ix_cases_contact", "id", "contact_sealed IS NOT NULL"),
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
    reporter_id: Mapped[Id | None] = mapped_column(ForeignKey("accounts.id"), default=None)
    contact_sealed: Mapped[Sealed | None] = mapped_column(default=None)  # a caller's number, where no account is
    once: Mapped[Id | None] = mapped_column(unique=True, default=None)  # the form it was taken down on
    call_back: Mapped[bool] = mapped_column(default=False)
    checked_by: Mapped[Id | None] = mapped_column(ForeignKey("officers.id"), default=None)
    call_due_at: Mapped[Moment | None] = mapped_column(default=None)  # until when whoever left a number is called
    answered_at: Mapped[Moment | None] = mapped_column(default=None)
    stars: Mapped[int | None] = mapped_column(default=None)
    stars_reason: Mapped[Code | None] = mapped_column(default=None)
    reopened_at: Mapped[Moment | None] = mapped_column(default=None)
    version: Mapped[int] = mapped_column(default=1)


class CaseStep(Base):
    """One step of a case: the transition that led to its `version`, by whom, and why.

    `words_sealed` are what was reported or answered, under a data key of the case alone; destroying it forgets them.
    """

    __tablename__ = "case_steps"
    __table_args__ = (UniqueConstraint("case_id", "version"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    case_id: Mapped[Id] = mapped_column(ForeignKey("cases.id"))
    version: Mapped[int]
    action: Mapped[Code]
    state: Mapped[Code]
    actor: Mapped[Code]
    officer_id: Mapped[Id | None] = mapped_column(ForeignKey("officers.id"), default=None)
    reason: Mapped[Code | None] = mapped_column(default=None)
    words_sealed: Mapped[Sealed | None] = mapped_column(default=None)
    at: Mapped[Moment]
