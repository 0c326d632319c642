"""Attempts to tell the registry: one row per item sent, kept as the proof of diligence (registry.md, rule 5).

An attempt is written before anything leaves, with the hash of what is sent, so that an answer that was lost is still
recognised afterwards. It holds codes and numbers only, never a person's data.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, Moment, Text120, one_of

OPEN = text("outcome = 'open'")


class RegistryAttempt(Base):
    """One item of one request to the registry; `open` until its fate is known."""

    __tablename__ = "registry_attempts"
    __table_args__ = (
        one_of("op", ("UPSERT", "AMEND", "CHECKOUT", "VOID")),
        one_of("leg", ("TENANT", "LANDLORD")),
        one_of("outcome", ("open", "accepted", "rejected", "failed", "superseded", "alarm")),
        Index("ix_registry_attempts_outbox_id", "outbox_id", "id"),
        Index("ix_registry_attempts_registration_id", "registration_id", "id"),
        Index("ix_registry_attempts_open", "id", sqlite_where=OPEN, postgresql_where=OPEN),
    )

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True, autoincrement=True
    )
    outbox_id: Mapped[int] = mapped_column(BigInteger)
    registration_id: Mapped[Id] = mapped_column(ForeignKey("registrations.id"))
    op: Mapped[Code]
    leg: Mapped[Code]
    version: Mapped[int]
    payload_hash: Mapped[Text120]
    idempotency_key: Mapped[Text120]
    remote_batch_id: Mapped[Text120 | None] = mapped_column(default=None)
    outcome: Mapped[Code] = mapped_column(default="open")
    reason: Mapped[Text120 | None] = mapped_column(default=None)
    errors: Mapped[list[Any]] = mapped_column(default=list)
    receipt_no: Mapped[Text120 | None] = mapped_column(default=None)
    sent_at: Mapped[Moment]
    answered_at: Mapped[Moment | None] = mapped_column(default=None)
