"""One change, many readers: agreements with other offices, the feed of changes, what went out, what came in.

Nothing here holds a person's data but the sealed payload of a change that an office reported.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.domain.sharing import DELIVERIES, DIRECTIONS, STATES
from backend.models.base import Base, Code, Id, Moment, Sealed, Text120, one_of

OUTCOMES = ("open", "delivered", "withheld", "parked")
INBOUND_STATES = ("received", "unmatched", "matched", "refused", "shown", "objected", "counted")
_IN_FORCE = text("state IN ('active', 'suspended')")
_UNNUMBERED = text("sequence IS NULL")


class DataSharingAgreement(Base):
    """What one office may be told or may report; a changed agreement is a new version, approved anew.

    `keys` is the office's JWKS: its own calls are verified with it. Active only with the approval of two supervisors.
    """

    __tablename__ = "data_sharing_agreements"
    __table_args__ = (
        one_of("direction", DIRECTIONS),
        one_of("delivery", DELIVERIES),
        one_of("state", STATES),
        CheckConstraint("ends_on >= starts_on", name="dates"),
        CheckConstraint("(delivery = 'webhook') = (webhook_url IS NOT NULL)", name="webhook"),
        CheckConstraint("batch_size BETWEEN 1 AND 100", name="batch_size"),
        CheckConstraint(
            "first_approver_id IS NULL OR second_approver_id IS NULL OR first_approver_id <> second_approver_id",
            name="four_eyes",
        ),
        CheckConstraint(
            "state IN ('draft', 'ended') OR (first_approver_id IS NOT NULL AND second_approver_id IS NOT NULL)",
            name="approved",
        ),
        UniqueConstraint("subscriber", "version"),
        Index(
            "uq_data_sharing_agreements_one_in_force",
            "subscriber",
            unique=True,
            sqlite_where=_IN_FORCE,
            postgresql_where=_IN_FORCE,
        ),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    subscriber: Mapped[Code]
    version: Mapped[int] = mapped_column(default=1)
    office_zh: Mapped[Text120]
    office_en: Mapped[Text120]
    direction: Mapped[Code]
    areas: Mapped[list[str]]  # division prefixes
    purpose: Mapped[Code]
    legal_basis: Mapped[Code]
    kinds: Mapped[list[str]]
    fields: Mapped[list[str]]
    starts_on: Mapped[date]
    ends_on: Mapped[date]  # the last day
    delivery: Mapped[Code]
    webhook_url: Mapped[str | None] = mapped_column(default=None)
    batch_size: Mapped[int] = mapped_column(default=1)
    keys: Mapped[dict[str, Any]]
    state: Mapped[Code] = mapped_column(default="draft")
    state_reason: Mapped[Text120 | None] = mapped_column(default=None)
    first_approver_id: Mapped[Id | None] = mapped_column(ForeignKey("officers.id"), default=None)
    first_approved_at: Mapped[Moment | None] = mapped_column(default=None)
    second_approver_id: Mapped[Id | None] = mapped_column(ForeignKey("officers.id"), default=None)
    second_approved_at: Mapped[Moment | None] = mapped_column(default=None)
    created_at: Mapped[Moment]
    changed_at: Mapped[Moment]


class SharingInterest(Base):
    """What an agreement in force (or suspended) wants to hear of: looked up, in the same statement, by every change."""

    __tablename__ = "sharing_interests"

    agreement_id: Mapped[Id] = mapped_column(ForeignKey("data_sharing_agreements.id"), primary_key=True)
    kind: Mapped[Code] = mapped_column(primary_key=True, index=True)
    area: Mapped[Code] = mapped_column(primary_key=True)


class FeedEvent(Base):
    """Something changed: ids only. Written unnumbered with the change itself; the worker numbers it.

    A number given after the commit leaves no gap in which a later reader could miss an earlier event.
    """

    __tablename__ = "feed_events"
    __table_args__ = (
        one_of("object_kind", ("registration", "lease", "unit")),
        Index("ix_feed_events_unnumbered", "id", sqlite_where=_UNNUMBERED, postgresql_where=_UNNUMBERED),
        Index("ix_feed_events_object", "object_kind", "object_id"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    sequence: Mapped[int | None] = mapped_column(BigInteger, unique=True, default=None)
    kind: Mapped[Code]
    object_kind: Mapped[Code]
    object_id: Mapped[Id]
    person_id: Mapped[Id | None] = mapped_column(default=None)
    area: Mapped[Code]
    version: Mapped[int]
    at: Mapped[Moment]


class OfficeDelivery(Base):
    """What became of one event under one agreement, and which fields went out."""

    __tablename__ = "deliveries"
    __table_args__ = (
        one_of("outcome", OUTCOMES),
        UniqueConstraint("agreement_id", "event_id"),
        Index("ix_deliveries_agreement_id_at", "agreement_id", "at"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    agreement_id: Mapped[Id] = mapped_column(ForeignKey("data_sharing_agreements.id"))
    event_id: Mapped[Id] = mapped_column(ForeignKey("feed_events.id"))
    outcome: Mapped[Code]
    reason: Mapped[Text120 | None] = mapped_column(default=None)
    fields: Mapped[list[str]] = mapped_column(default=list)
    attempts: Mapped[int] = mapped_column(default=0)
    first_at: Mapped[Moment]
    at: Mapped[Moment]


class InboundChange(Base):
    """A change that an entitled office reported: received once by the office's own id, and counted only after a check.

    The payload is sealed under the data key of the change itself (subject: this row's id).
    """

    __tablename__ = "inbound_changes"
    __table_args__ = (
        one_of("state", INBOUND_STATES),
        UniqueConstraint("subscriber", "office_change_id"),
        Index("ix_inbound_changes_state", "state", "received_at"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    agreement_id: Mapped[Id] = mapped_column(ForeignKey("data_sharing_agreements.id"))
    subscriber: Mapped[Code]  # unique over the versions of an agreement too
    office_change_id: Mapped[Text120]
    body_hash: Mapped[Text120]  # the same id with another content is another change, and refused
    kind: Mapped[Code]
    received_at: Mapped[Moment]
    payload_sealed: Mapped[Sealed]
    state: Mapped[Code] = mapped_column(default="received")
    unit_id: Mapped[Id | None] = mapped_column(ForeignKey("units.id"), default=None)
    registration_id: Mapped[Id | None] = mapped_column(ForeignKey("registrations.id"), index=True, default=None)
    lease_id: Mapped[Id | None] = mapped_column(ForeignKey("leases.id"), default=None)
    person_id: Mapped[Id | None] = mapped_column(ForeignKey("persons.id"), index=True, default=None)
    case_id: Mapped[Id | None] = mapped_column(ForeignKey("cases.id"), default=None)
    shown_at: Mapped[Moment | None] = mapped_column(default=None)
    decided_at: Mapped[Moment | None] = mapped_column(default=None)
    reason: Mapped[Text120 | None] = mapped_column(default=None)
