"""Events of a lock's own log. No foreign key and a key that begins with the lock, so that it can be distributed."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, LockId, Moment, Token


class LockEvent(Base):
    """One event: `text` holds the exact bytes the hash covers; stored once per (lock, sequence).

    PostgreSQL keeps a partition for each month of `received_at`, our own clock, and can therefore hold unique only
    what names that column too. That a lock's sequence stands once is kept by its chain: whoever stores events holds
    the lock's row, and goes on exactly behind the sequence and head that stand there.
    """

    __tablename__ = "lock_events"
    __table_args__ = (
        Index("ix_lock_events_key_id_at", "key_id", "at"),
        {"postgresql_partition_by": "RANGE (received_at)"},
    )

    lock_id: Mapped[LockId] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[Moment]
    kind: Mapped[Code]
    key_id: Mapped[Id | None] = mapped_column(default=None)
    command_id: Mapped[Id | None] = mapped_column(default=None)
    text: Mapped[str]
    hash: Mapped[Token]
    late: Mapped[bool] = mapped_column(default=False)
    received_at: Mapped[Moment] = mapped_column(primary_key=True)


class LockCheckpoint(Base):
    """A lock's signed statement of its chain's head."""

    __tablename__ = "lock_checkpoints"

    lock_id: Mapped[LockId] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    token: Mapped[str]
    received_at: Mapped[Moment]


class LockAnomaly(Base):
    """A message that was not accepted (clone, tamper, poison): what an operator can look at, without secrets.

    The same fault of the same lock within an hour is one row: `seen` counts it, `digest` is the last one's SHA-256.
    """

    __tablename__ = "lock_anomalies"

    id: Mapped[Id] = mapped_column(primary_key=True)
    lock_id: Mapped[LockId] = mapped_column(index=True)
    kind: Mapped[Code]
    reason: Mapped[str]
    topic: Mapped[str]
    at: Mapped[Moment]
    last_at: Mapped[Moment]
    seen: Mapped[int] = mapped_column(default=1)
    size_bytes: Mapped[int | None] = mapped_column(default=None)
    digest: Mapped[Token | None] = mapped_column(default=None)
