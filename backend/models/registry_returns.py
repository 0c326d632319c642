"""What comes back from the registry: what it holds of ours, how days compare, corrections, and who read a record there.

`registry_legs` is written with the receipt it comes from, so that a day and town can be compared without opening a
single person's data.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, Moment, Sealed, Text120, one_of

TENANTS = text("leg = 'TENANT'")
WAITING = text("state = 'shown'")


class RegistryLeg(Base):
    """One leg of a registration that the registry has accepted: its version, state, day and town there."""

    __tablename__ = "registry_legs"
    __table_args__ = (
        one_of("leg", ("TENANT", "LANDLORD")),
        one_of("state", ("ACTIVE", "MOVED_OUT", "VOIDED")),
        Index("ix_registry_legs_day_town", "day", "town", "changed_at"),
        Index("ix_registry_legs_reads", "reads_asked_at", sqlite_where=TENANTS, postgresql_where=TENANTS),
    )

    registration_id: Mapped[Id] = mapped_column(ForeignKey("registrations.id"), primary_key=True)
    leg: Mapped[Code] = mapped_column(primary_key=True)
    version: Mapped[int]
    state: Mapped[Code]
    day: Mapped[date]
    town: Mapped[Code]
    changed_at: Mapped[Moment]
    reads_asked_at: Mapped[Moment]
    reads_seen: Mapped[int] = mapped_column(default=0)


class Reconciliation(Base):
    """How one day and town compared when it was last looked at; `details` holds ids and kinds only."""

    __tablename__ = "reconciliations"
    __table_args__ = (
        one_of("outcome", ("equal", "unsettled", "differs", "digest_skew")),
        Index("ix_reconciliations_outcome", "outcome"),
    )

    day: Mapped[date] = mapped_column(primary_key=True)
    town: Mapped[Code] = mapped_column(primary_key=True)
    checked_at: Mapped[Moment]
    outcome: Mapped[Code]
    our_count: Mapped[int]
    their_count: Mapped[int]
    mended: Mapped[int] = mapped_column(default=0)
    details: Mapped[list[Any]] = mapped_column(default=list)


class RegistryCursor(Base):
    """How far a feed of the registry's has been read."""

    __tablename__ = "registry_cursors"

    name: Mapped[Code] = mapped_column(primary_key=True)
    cursor: Mapped[Text120]
    at: Mapped[Moment]


class RegistryCorrection(Base):
    """A correction made at the registry: it counts only once the person has accepted it, or a person has decided."""

    __tablename__ = "registry_corrections"
    __table_args__ = (
        one_of("state", ("shown", "accepted", "objected", "unanswered")),
        CheckConstraint("(state = 'shown') = (answered_at IS NULL)", name="answered"),
        Index("ix_registry_corrections_registration_id", "registration_id"),
        Index("ix_registry_corrections_due", "due_at", sqlite_where=WAITING, postgresql_where=WAITING),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, unique=True)
    registration_id: Mapped[Id] = mapped_column(ForeignKey("registrations.id"))
    made_at: Mapped[Moment]
    received_at: Mapped[Moment]
    due_at: Mapped[Moment]
    fields: Mapped[list[str]] = mapped_column(default=list)
    values_sealed: Mapped[Sealed]
    state: Mapped[Code] = mapped_column(default="shown")
    answered_at: Mapped[Moment | None] = mapped_column(default=None)
    case_id: Mapped[Id | None] = mapped_column(default=None)


class RegistryRead(Base):
    """Someone at the registry read a record: told to the person it is about, to nobody else."""

    __tablename__ = "registry_reads"
    __table_args__ = (
        UniqueConstraint("registration_id", "number"),
        Index("ix_registry_reads_person_id_id", "person_id", "id"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    registration_id: Mapped[Id] = mapped_column(ForeignKey("registrations.id"))
    number: Mapped[int]  # its place in the record's feed
    person_id: Mapped[Id]
    at: Mapped[Moment]
    office: Mapped[Text120]
    badge: Mapped[Text120]
    purpose: Mapped[Text120]


class Turn(Base):
    """Whose turn a chore is that only one process may do at a time, and when it was done last."""

    __tablename__ = "turns"

    name: Mapped[Code] = mapped_column(primary_key=True)
    taken_until: Mapped[Moment | None] = mapped_column(default=None)
    fence: Mapped[int] = mapped_column(default=0)
    done_at: Mapped[Moment | None] = mapped_column(default=None)
