"""Leases with the tenant as the landlord names them (PSAL-68): write-only for the landlord."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, Moment, Sealed, Text120, Token, index_where, look_again, one_of
from backend.models.persons import ID_TYPES

LEASE_KINDS = ("whole", "room", "bed")


class Lease(Base):
    """A lease of one unit; rent and deposit stay here and go nowhere.

    `named_*` is what the landlord wrote; the tenant never sees it and it is compared by `named_id_token` alone.
    `joint_id` names the first lease of a joint tenancy: co-tenants have a lease each, one term and one epoch.
    """

    __tablename__ = "leases"
    __table_args__ = (
        one_of("kind", LEASE_KINDS),
        one_of("named_id_type", ID_TYPES),
        one_of("state", ("active", "ended", "cancelled")),
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="dates"),
        index_where("ix_leases_duties_look_at", "duties_look_at", "duties_look_at IS NOT NULL"),
        index_where("ix_leases_ends_on", "ends_on", "state = 'active' AND ends_on IS NOT NULL"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.id"), index=True)
    landlord_id: Mapped[Id] = mapped_column(ForeignKey("persons.id"), index=True)
    tenant_id: Mapped[Id | None] = mapped_column(ForeignKey("persons.id"), index=True, default=None)
    joint_id: Mapped[Id | None] = mapped_column(ForeignKey("leases.id"), index=True, default=None)
    kind: Mapped[Code]
    state: Mapped[Code] = mapped_column(default="active")
    starts_on: Mapped[date]
    ends_on: Mapped[date | None] = mapped_column(default=None)
    alias: Mapped[Text120]
    named_name_sealed: Mapped[Sealed]
    named_id_type: Mapped[Code]
    named_id_number_sealed: Mapped[Sealed]
    named_id_token: Mapped[Token]
    named_phone_sealed: Mapped[Sealed]
    text_hash: Mapped[Text120 | None] = mapped_column(default=None)
    rent_cents: Mapped[int | None] = mapped_column(default=None)
    deposit_cents: Mapped[int | None] = mapped_column(default=None)
    filing_no: Mapped[Text120 | None] = mapped_column(default=None)
    landlord_ended_on: Mapped[date | None] = mapped_column(default=None)
    version: Mapped[int] = mapped_column(default=1)
    duties_look_at: Mapped[Moment | None] = look_again()  # says that it has changed; the registration's says when
    named_gone_at: Mapped[Moment | None] = mapped_column(default=None)  # when `named_*` was made unreadable
    created_at: Mapped[Moment]
