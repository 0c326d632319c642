"""Commands to locks: what was asked, what is known of it."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, LockId, Moment, Text120, one_of

COMMAND_STATES = ("queued", "sent", "accepted", "executed", "refused", "expired", "unknown")


class Command(Base):
    """One command; `unknown` is an honest answer, resolved later by the lock's own event."""

    __tablename__ = "commands"
    __table_args__ = (
        one_of("state", COMMAND_STATES),
        UniqueConstraint("account_id", "idempotency_key"),
        Index("ix_commands_state_expires_at", "state", "expires_at"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    lock_id: Mapped[LockId] = mapped_column(ForeignKey("locks.id"), index=True)
    key_id: Mapped[Id | None] = mapped_column(ForeignKey("keys.id"), index=True, default=None)
    account_id: Mapped[Id | None] = mapped_column(ForeignKey("accounts.id"), default=None)
    idempotency_key: Mapped[Text120]
    action: Mapped[Code]
    state: Mapped[Code] = mapped_column(default="queued")
    reason: Mapped[Code | None] = mapped_column(default=None)
    counter: Mapped[int] = mapped_column(BigInteger)
    boot_id: Mapped[Text120 | None] = mapped_column(default=None)
    event_seq: Mapped[int | None] = mapped_column(BigInteger, default=None)
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    sent_at: Mapped[Moment | None] = mapped_column(default=None)
    answered_at: Mapped[Moment | None] = mapped_column(default=None)
