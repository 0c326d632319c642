"""Locks: manifest, claim, presence, and what the lock last reported."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, LockId, Moment, Text120, Token, one_of

PRESENCES = ("never", "online", "sleeping", "offline")


_ONE_IN_USE = Index(
    "uq_locks_unit_in_use",
    "unit_id",
    unique=True,
    sqlite_where=text("retired_at IS NULL"),
    postgresql_where=text("retired_at IS NULL"),
)


class Lock(Base):
    """A lock of the manifest; it can be claimed once, by its claim code."""

    __tablename__ = "locks"
    __table_args__ = (one_of("presence", PRESENCES), _ONE_IN_USE)

    id: Mapped[LockId] = mapped_column(primary_key=True)
    serial: Mapped[Code] = mapped_column(unique=True)
    model: Mapped[Text120]
    shard: Mapped[int] = mapped_column(index=True)
    public_key: Mapped[dict[str, Any]]
    agreement_key: Mapped[dict[str, Any] | None] = mapped_column(default=None)  # for the keypad's secret
    claim_code_hash: Mapped[Token] = mapped_column(unique=True)
    mqtt_password_hash: Mapped[str]
    unit_id: Mapped[Id | None] = mapped_column(ForeignKey("units.id"), default=None)
    claimed_by: Mapped[Id | None] = mapped_column(ForeignKey("persons.id"), default=None)
    claimed_at: Mapped[Moment | None] = mapped_column(default=None)
    # a lock that goes: first `retiring` (wiped by command), then retired with its event chain closed at `closed_seq`
    retiring_at: Mapped[Moment | None] = mapped_column(default=None)
    retired_at: Mapped[Moment | None] = mapped_column(default=None)
    retire_reason: Mapped[Code | None] = mapped_column(default=None)
    replaced_by: Mapped[LockId | None] = mapped_column(ForeignKey("locks.id"), default=None)
    closed_seq: Mapped[int | None] = mapped_column(BigInteger, default=None)
    # desired
    epoch: Mapped[int] = mapped_column(default=1)
    list_version: Mapped[int] = mapped_column(default=0)
    command_counter: Mapped[int] = mapped_column(BigInteger, default=0)
    # reported
    reported_list_version: Mapped[int] = mapped_column(default=0)
    reported_epoch: Mapped[int] = mapped_column(default=0)
    reported_at: Mapped[Moment | None] = mapped_column(default=None)
    presence: Mapped[Code] = mapped_column(default="never")
    session_id: Mapped[Text120 | None] = mapped_column(default=None)
    boot_id: Mapped[Text120 | None] = mapped_column(default=None)
    born_at: Mapped[Moment | None] = mapped_column(default=None)
    last_seen_at: Mapped[Moment | None] = mapped_column(default=None)
    firmware: Mapped[Text120 | None] = mapped_column(default=None)
    battery_percent: Mapped[int | None] = mapped_column(default=None)
    signal_dbm: Mapped[int | None] = mapped_column(default=None)
    clock_quality: Mapped[Code | None] = mapped_column(default=None)
    door_state: Mapped[Code | None] = mapped_column(default=None)
    alarm: Mapped[Text120 | None] = mapped_column(default=None)
    # event chain
    stored_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    stored_head: Mapped[Token | None] = mapped_column(default=None)
    checked_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    replay_asked_at: Mapped[Moment | None] = mapped_column(default=None)
