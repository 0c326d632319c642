"""Electronic keys and, per door, what is desired and what the lock has confirmed."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, LockId, Moment, Text120, one_of

KEY_STATES = ("draft", "invited", "claimed", "active", "suspended", "revoking", "revoked")
CONSENTS = ("not_needed", "asked", "given", "refused", "emergency")


class Key(Base):
    """An electronic key; `id` is the pseudonymous key id, the only name a lock ever learns.

    A visitor's key (cleaner, tradesman) belongs to a unit, not to a lease; on an occupied unit it needs an occupant's
    consent or a stated emergency. `replaces_id` is the key of the lost phone that this one stands for.
    """

    __tablename__ = "keys"
    __table_args__ = (
        one_of("state", KEY_STATES),
        one_of("kind", ("occupant", "visitor")),
        one_of("suspended_by", ("tenant", "landlord")),
        one_of("consent", CONSENTS),
        one_of("issuer_role", ("tenant", "landlord")),
        CheckConstraint("kind = 'visitor' OR lease_id IS NOT NULL", name="lease"),
        CheckConstraint("kind = 'occupant' OR purpose IS NOT NULL", name="purpose"),
        Index(
            "uq_keys_one_per_lease",
            "lease_id",
            unique=True,
            sqlite_where=text("kind = 'occupant' AND state NOT IN ('revoking', 'revoked')"),
            postgresql_where=text("kind = 'occupant' AND state NOT IN ('revoking', 'revoked')"),
        ),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    kind: Mapped[Code] = mapped_column(default="occupant")
    lease_id: Mapped[Id | None] = mapped_column(ForeignKey("leases.id"), default=None)
    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.id"), index=True)
    holder_id: Mapped[Id | None] = mapped_column(ForeignKey("persons.id"), index=True, default=None)
    holder_account_id: Mapped[Id | None] = mapped_column(ForeignKey("accounts.id"), index=True, default=None)
    state: Mapped[Code] = mapped_column(default="draft")
    phone_jwk: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    phone_thumbprint: Mapped[Text120 | None] = mapped_column(default=None)
    rights: Mapped[list[str]] = mapped_column(default=lambda: ["unlock", "lock"])
    sched: Mapped[list[Any] | None] = mapped_column(default=None)
    uses: Mapped[int | None] = mapped_column(default=None)
    tvr: Mapped[bool] = mapped_column(default=False)
    code_counter: Mapped[int] = mapped_column(default=0)  # day and number, see backend.domain.keys.once_counter
    epoch: Mapped[int] = mapped_column(default=1)
    # a visitor's key: what for, who issued it, what the occupants said
    purpose: Mapped[Code | None] = mapped_column(default=None)
    issued_by: Mapped[Id | None] = mapped_column(ForeignKey("accounts.id"), default=None)
    issuer_role: Mapped[Code | None] = mapped_column(default=None)
    consent: Mapped[Code] = mapped_column(default="not_needed")
    consent_by: Mapped[Id | None] = mapped_column(ForeignKey("accounts.id"), default=None)
    consent_at: Mapped[Moment | None] = mapped_column(default=None)
    emergency: Mapped[Code | None] = mapped_column(default=None)
    starts_on: Mapped[date]
    ends_on: Mapped[date | None] = mapped_column(default=None)
    activated_at: Mapped[Moment | None] = mapped_column(default=None)
    suspended_at: Mapped[Moment | None] = mapped_column(default=None)
    suspended_by: Mapped[Code | None] = mapped_column(default=None)
    replaces_id: Mapped[Id | None] = mapped_column(ForeignKey("keys.id"), default=None)
    delegate_id: Mapped[Id | None] = mapped_column(ForeignKey("key_delegates.id"), default=None)
    revoke_ground: Mapped[Code | None] = mapped_column(default=None)
    revoke_asked_at: Mapped[Moment | None] = mapped_column(default=None)
    revoked_at: Mapped[Moment | None] = mapped_column(default=None)
    credential_ends_at: Mapped[Moment | None] = mapped_column(default=None)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[Moment]


class KeyDoor(Base):
    """One door of a key. `exposure_until`: the latest moment an unconfirmed door could still open."""

    __tablename__ = "key_doors"
    __table_args__ = (Index("ix_key_doors_lock_id", "lock_id"),)

    key_id: Mapped[Id] = mapped_column(ForeignKey("keys.id"), primary_key=True)
    lock_id: Mapped[LockId] = mapped_column(ForeignKey("locks.id"), primary_key=True)
    desired_version: Mapped[int] = mapped_column(default=0)
    reported_version: Mapped[int] = mapped_column(default=0)
    confirmed_at: Mapped[Moment | None] = mapped_column(default=None)
    exposure_until: Mapped[Moment | None] = mapped_column(default=None)


class KeyDelegate(Base):
    """A landlord's phone that may issue keys of one lock without network until `expires_at`; `id` is the token's jti.

    Until then it extends the exposure of every key of this lock and epoch.
    """

    __tablename__ = "key_delegates"
    __table_args__ = (Index("ix_key_delegates_lock_id", "lock_id", "expires_at"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    account_id: Mapped[Id] = mapped_column(ForeignKey("accounts.id"), index=True)
    lock_id: Mapped[LockId] = mapped_column(ForeignKey("locks.id"))
    epoch: Mapped[int]
    phone_thumbprint: Mapped[Text120]
    issued_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    revoked_at: Mapped[Moment | None] = mapped_column(default=None)
