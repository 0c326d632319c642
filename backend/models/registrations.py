"""Registrations: the facts of the two legs, of residence and of the registry, side by side.

The state a person sees is derived from these facts (backend.domain.registrations), never stored.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, Moment, Sealed, Text120, index_where, look_again, one_of

SCOPES = ("in_scope", "exempt", "out_of_scope", "foreign")
DECLARED_BY = ("self", "guardian", "relative", "window", "paper")
FIELD_SOURCES = ("tenant", "landlord", "officer", "document", "registry", "import", "office", "system")
RELATIONS = ("spouse", "child", "parent", "grandparent", "grandchild", "sibling", "other_relative", "other")
REPRESENTATIONS = ("elderly", "disabled", "ill")
BASES = ("lease_unrecorded", "oral", "hosted")
REGISTRY_STATES = ("unsent", "sent", "accepted", "rejected")


class Registration(Base):
    """One person's residence in one unit."""

    __tablename__ = "registrations"
    __table_args__ = (
        one_of("tenant_leg", ("invited", "draft", "declared")),
        one_of("landlord_leg", ("due", "reported")),
        one_of("scope", SCOPES),
        one_of("residence", ("living", "moved_out", "voided")),
        one_of("registry_state", REGISTRY_STATES),
        CheckConstraint("(tenant_leg = 'declared') = (declared_at IS NOT NULL)", name="declared_at"),
        CheckConstraint("(residence = 'moved_out') = (moved_out_on IS NOT NULL)", name="moved_out_on"),
        CheckConstraint("registry_state <> 'accepted' OR receipt_token IS NOT NULL", name="receipt"),
        Index(
            "uq_registrations_one_living",
            "person_id",
            "unit_id",
            unique=True,
            sqlite_where=text("residence = 'living'"),
            postgresql_where=text("residence = 'living'"),
        ),
        one_of("declared_by", DECLARED_BY),
        one_of("relation", RELATIONS),
        one_of("representation", REPRESENTATIONS),
        one_of("basis", BASES),
        CheckConstraint("(household_of_id IS NULL) = (relation IS NULL)", name="household"),
        Index("uq_registrations_lease_id", "lease_id", unique=True),
        index_where("ix_registrations_receipt_no", "receipt_no", "receipt_no IS NOT NULL"),
        index_where("ix_registrations_checkout_receipt_no", "checkout_receipt_no", "checkout_receipt_no IS NOT NULL"),
        index_where("ix_registrations_duties_look_at", "duties_look_at", "duties_look_at IS NOT NULL"),
        index_where(
            "ix_registrations_undeclared", "tenant_due_on", "residence = 'living' AND tenant_leg <> 'declared'"
        ),
        index_where("ix_registrations_unreported", "landlord_due_on", "residence = 'living' AND landlord_leg = 'due'"),
        index_where(
            "ix_registrations_alarmed",
            "registry_alarmed_at",
            "registry_alarmed_at IS NOT NULL AND accepted_at IS NULL",
        ),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.id"), index=True)
    lease_id: Mapped[Id | None] = mapped_column(ForeignKey("leases.id"), default=None)
    person_id: Mapped[Id | None] = mapped_column(ForeignKey("persons.id"), index=True, default=None)
    # who lives along: a co-resident's registration hangs on that of the tenant and has no lease of its own
    household_of_id: Mapped[Id | None] = mapped_column(ForeignKey("registrations.id"), index=True, default=None)
    relation: Mapped[Code | None] = mapped_column(default=None)
    place_type: Mapped[Code] = mapped_column(default="30")
    basis: Mapped[Code | None] = mapped_column(default=None)  # why no lease was behind it when it was declared
    reason: Mapped[Code | None] = mapped_column(default=None)
    move_in_on: Mapped[date]
    planned_end_on: Mapped[date | None] = mapped_column(default=None)
    # the landlord's leg
    landlord_leg: Mapped[Code] = mapped_column(default="due")
    landlord_due_on: Mapped[date | None] = mapped_column(default=None)
    landlord_reported_at: Mapped[Moment | None] = mapped_column(default=None)
    landlord_receipt_no: Mapped[Text120 | None] = mapped_column(default=None)
    landlord_receipt_token: Mapped[str | None] = mapped_column(default=None)
    # the tenant's leg
    tenant_leg: Mapped[Code] = mapped_column(default="invited")
    tenant_due_on: Mapped[date | None] = mapped_column(default=None)
    draft_expires_at: Mapped[Moment | None] = mapped_column(default=None)
    declared_at: Mapped[Moment | None] = mapped_column(default=None)
    declared_by: Mapped[Code | None] = mapped_column(default=None)
    declarer_id: Mapped[Id | None] = mapped_column(ForeignKey("persons.id"), default=None)  # who declared for it (ZJ-7)
    representation: Mapped[Code | None] = mapped_column(default=None)  # why a grown person is represented (ZJ-7)
    changed_on: Mapped[date | None] = mapped_column(default=None)  # of the change last reported; 10 days run (ZJ-13)
    notice_version: Mapped[Code | None] = mapped_column(default=None)
    # scope
    scope: Mapped[Code] = mapped_column(default="in_scope")
    exemption: Mapped[Code | None] = mapped_column(default=None)
    exempt_until: Mapped[date | None] = mapped_column(default=None)  # near relatives: 30 days at most (ZJ-12)
    # foreigners' path (EEL-39): never sent from here
    foreign_due_at: Mapped[Moment | None] = mapped_column(default=None)
    foreign_form_no: Mapped[Code | None] = mapped_column(default=None)
    foreign_form_at: Mapped[Moment | None] = mapped_column(default=None)
    foreign_done_at: Mapped[Moment | None] = mapped_column(default=None)
    # residence
    residence: Mapped[Code] = mapped_column(default="living")
    moved_out_on: Mapped[date | None] = mapped_column(default=None)
    moved_out_reason: Mapped[Code | None] = mapped_column(default=None)
    moved_out_by: Mapped[Code | None] = mapped_column(default=None)
    landlord_end_reported_at: Mapped[Moment | None] = mapped_column(default=None)
    void_reason: Mapped[Code | None] = mapped_column(default=None)
    disputed: Mapped[bool] = mapped_column(default=False)
    case_id: Mapped[Id | None] = mapped_column(default=None)
    # the registry, per version
    registry_state: Mapped[Code] = mapped_column(default="unsent")
    registry_version: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[Moment | None] = mapped_column(default=None)
    accepted_at: Mapped[Moment | None] = mapped_column(default=None)
    receipt_no: Mapped[Text120 | None] = mapped_column(default=None)
    receipt_token: Mapped[str | None] = mapped_column(default=None)
    checkout_receipt_no: Mapped[Text120 | None] = mapped_column(default=None)
    checkout_receipt_token: Mapped[str | None] = mapped_column(default=None)
    registry_errors: Mapped[list[Any]] = mapped_column(default=list)
    # deadlines
    duties_look_at: Mapped[Moment | None] = look_again()
    registry_alarmed_at: Mapped[Moment | None] = mapped_column(default=None)  # when the operator was told it is near
    paper_due_at: Mapped[Moment | None] = mapped_column(default=None)  # when the paper form became due
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]


class RegistrationChange(Base):
    """One transition of a registration: who, why, which version it made; field values sealed where personal."""

    __tablename__ = "registration_changes"

    id: Mapped[Id] = mapped_column(primary_key=True)
    registration_id: Mapped[Id] = mapped_column(ForeignKey("registrations.id"), index=True)
    version: Mapped[int]
    at: Mapped[Moment]
    actor_kind: Mapped[Code]
    actor_id: Mapped[Id | None] = mapped_column(default=None)
    action: Mapped[Code]
    reason: Mapped[Text120 | None] = mapped_column(default=None)
    source: Mapped[Code]
    fields: Mapped[list[str]] = mapped_column(default=list)
    before_sealed: Mapped[Sealed | None] = mapped_column(default=None)


class FieldSource(Base):
    """Where a stored field came from: one row each time it was set; the newest counts.

    A correction keeps the earlier value, sealed under the data key of the person it is about.
    """

    __tablename__ = "field_sources"
    __table_args__ = (
        one_of("object_kind", ("person", "registration")),
        one_of("source", FIELD_SOURCES),
        Index("ix_field_sources_object", "object_kind", "object_id", "field", "at"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    object_kind: Mapped[Code]
    object_id: Mapped[Id]
    field: Mapped[Code]
    source: Mapped[Code]
    at: Mapped[Moment]
    notice_version: Mapped[Code | None] = mapped_column(default=None)
    actor_kind: Mapped[Code]
    actor_id: Mapped[Id | None] = mapped_column(default=None)
    earlier_sealed: Mapped[Sealed | None] = mapped_column(default=None)


class Headcount(Base):
    """How many people a visit found in a unit: numbers, no names; `people` are `adults` and `children` together."""

    __tablename__ = "headcounts"
    __table_args__ = (
        CheckConstraint("people >= 0", name="people"),
        CheckConstraint("adults IS NULL OR people = adults + children", name="adults_and_children"),
        Index("ix_headcounts_unit_id_at", "unit_id", "at"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.id"))
    people: Mapped[int]
    at: Mapped[Moment]
    officer_id: Mapped[Id | None] = mapped_column(ForeignKey("officers.id"), default=None)
    case_id: Mapped[Id | None] = mapped_column(ForeignKey("cases.id"), default=None)
    adults: Mapped[int | None] = mapped_column(default=None)
    children: Mapped[int | None] = mapped_column(default=None)


class AgeCount(Base):
    """How many of those who live in a village are of an age band: a number, counted once a day, no names."""

    __tablename__ = "age_counts"
    __table_args__ = (CheckConstraint("people >= 0", name="people"),)

    division: Mapped[Code] = mapped_column(primary_key=True)
    band: Mapped[Code] = mapped_column(primary_key=True)
    people: Mapped[int]
    counted_on: Mapped[date]
