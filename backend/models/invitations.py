"""Invitations: a link or QR code that brings one phone to one lease, or to one visitor's key."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, Moment, Sealed, Token, index_where, one_of


class Invitation(Base):
    """An invitation; the token is stored hashed (and sealed, so that the landlord's share page can show it again)."""

    __tablename__ = "invitations"
    __table_args__ = (
        one_of("state", ("pending", "accepted", "cancelled")),
        CheckConstraint("(lease_id IS NULL) <> (key_id IS NULL)", name="one_aim"),
        index_where("ix_invitations_accepted_by", "accepted_by", "accepted_by IS NOT NULL"),
        index_where("ix_invitations_pending_phone", "phone_token", "state = 'pending'"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    lease_id: Mapped[Id | None] = mapped_column(ForeignKey("leases.id"), index=True, default=None)
    key_id: Mapped[Id | None] = mapped_column(ForeignKey("keys.id"), index=True, default=None)
    token_hash: Mapped[Token] = mapped_column(unique=True)
    token_sealed: Mapped[Sealed]
    phone_token: Mapped[Token]
    phone_sealed: Mapped[Sealed]
    state: Mapped[Code] = mapped_column(default="pending")
    accepted_by: Mapped[Id | None] = mapped_column(ForeignKey("accounts.id"), default=None)
    accepted_at: Mapped[Moment | None] = mapped_column(default=None)
    expires_at: Mapped[Moment]
    created_at: Mapped[Moment]

    @property
    def aim_id(self) -> str:
        """The lease, or the visitor's key, it leads to; its data key seals what is sealed here."""
        aim = self.lease_id or self.key_id
        assert aim is not None  # a constraint of the table
        return aim
