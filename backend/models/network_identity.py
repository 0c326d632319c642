"""Requests to the national network identity: whom they bind, and how they ended. No attribute ever comes back."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, Moment, Token, one_of

OUTCOMES = ("verified", "refused", "expired")


class NetworkIdentityRequest(Base):
    """One request, good once and for minutes; `state_hash` is what the tenant's return must know."""

    __tablename__ = "network_identity_requests"
    __table_args__ = (one_of("outcome", OUTCOMES),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    account_id: Mapped[Id] = mapped_column(ForeignKey("accounts.id"), index=True)
    session_id: Mapped[Id]
    person_id: Mapped[Id] = mapped_column(ForeignKey("persons.id"))
    id_number_token: Mapped[Token]
    state_hash: Mapped[Token]
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    used_at: Mapped[Moment | None] = mapped_column(default=None)
    outcome: Mapped[Code | None] = mapped_column(default=None)
