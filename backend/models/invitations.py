"""Invitations: a link or QR code that brings one phone to one lease."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, Moment, Sealed, Token, one_of


class Invitation(Base):
    """An invitation; the token is stored hashed (and sealed, so that the landlord's share page can show it again)."""

    __tablename__ = "invitations"
    __table_args__ = (one_of("state", ("pending", "accepted", "cancelled")),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    lease_id: Mapped[Id] = mapped_column(ForeignKey("leases.id"), index=True)
    token_hash: Mapped[Token] = mapped_column(unique=True)
    token_sealed: Mapped[Sealed]
    phone_token: Mapped[Token]
    phone_sealed: Mapped[Sealed]
    state: Mapped[Code] = mapped_column(default="pending")
    accepted_by: Mapped[Id | None] = mapped_column(ForeignKey("accounts.id"), default=None)
    accepted_at: Mapped[Moment | None] = mapped_column(default=None)
    expires_at: Mapped[Moment]
    created_at: Mapped[Moment]
