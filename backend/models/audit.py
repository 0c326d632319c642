"""The audit log: a leaf per disclosure and decision, written in the business transaction, numbered and sealed later."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, Moment, Text120, Token


class AuditLeaf(Base):
    """Who did or saw what, for which purpose. `subject_id` is the person it is about; no identity value is in it."""

    __tablename__ = "audit_leaves"
    __table_args__ = (
        Index("ix_audit_leaves_subject_id_at", "subject_id", "at"),
        Index("ix_audit_leaves_actor_id_at", "actor_id", "at"),
        Index("ix_audit_leaves_object_id", "object_id", "id"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    at: Mapped[Moment]
    actor_kind: Mapped[Code]
    actor_id: Mapped[Id | None] = mapped_column(default=None)
    actor_badge: Mapped[Code | None] = mapped_column(default=None)
    role: Mapped[Code | None] = mapped_column(default=None)
    office: Mapped[Text120 | None] = mapped_column(default=None)
    action: Mapped[Code]
    purpose: Mapped[Code | None] = mapped_column(default=None)
    case_ref: Mapped[Text120 | None] = mapped_column(default=None)
    subject_id: Mapped[Id | None] = mapped_column(default=None)
    object_kind: Mapped[Code | None] = mapped_column(default=None)
    object_id: Mapped[Text120 | None] = mapped_column(default=None)
    fields: Mapped[list[str]] = mapped_column(default=list)
    decision: Mapped[Code | None] = mapped_column(default=None)
    request_id: Mapped[Text120 | None] = mapped_column(default=None)
    nonce: Mapped[Token]
    leaf_hash: Mapped[Token]
    seq: Mapped[int | None] = mapped_column(BigInteger, unique=True, default=None)


class AuditCheckpoint(Base):
    """A signed root over the first `size` leaves (RFC 6962 tree)."""

    __tablename__ = "audit_checkpoints"

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    root: Mapped[Token]
    note: Mapped[str]
    at: Mapped[Moment]


class AuditCheck(Base):
    """The whole log was recomputed: when, on whose wish (None: by the clock), how many leaves, how many faults."""

    __tablename__ = "audit_checks"

    id: Mapped[Id] = mapped_column(primary_key=True)
    at: Mapped[Moment]
    badge: Mapped[Code | None] = mapped_column(default=None)
    leaves: Mapped[int] = mapped_column(BigInteger)
    faults: Mapped[list[str]] = mapped_column(default=list)  # the first of them
    fault_count: Mapped[int]
