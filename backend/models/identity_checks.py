"""Identity checks: challenge, outcome, attestation. Never an image, never a template, never an exact score."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, Moment, Text120, Token, one_of

METHODS = ("document", "face", "window", "live_video", "network_identity", "attestation")
OUTCOMES = ("pass", "fail", "manual")


class IdentityChallenge(Base):
    """A single-use movement challenge, bound to account, person and document picture (by hash)."""

    __tablename__ = "identity_challenges"

    id: Mapped[Id] = mapped_column(primary_key=True)
    account_id: Mapped[Id] = mapped_column(ForeignKey("accounts.id"), index=True)
    session_id: Mapped[Id]
    person_id: Mapped[Id] = mapped_column(ForeignKey("persons.id"))
    nonce_hash: Mapped[Token]
    actions: Mapped[list[str]]
    document_hash: Mapped[Token]
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    used_at: Mapped[Moment | None] = mapped_column(default=None)


class IdentityCheck(Base):
    """The outcome of one check."""

    __tablename__ = "identity_checks"
    __table_args__ = (
        one_of("method", METHODS),
        one_of("outcome", OUTCOMES),
        Index("ix_identity_checks_person_id", "person_id"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    person_id: Mapped[Id] = mapped_column(ForeignKey("persons.id"))
    challenge_id: Mapped[Id | None] = mapped_column(ForeignKey("identity_challenges.id"), unique=True, default=None)
    consent_id: Mapped[Id | None] = mapped_column(ForeignKey("consents.id"), default=None)
    method: Mapped[Code]
    provider: Mapped[Text120]
    decision: Mapped[Code]
    outcome: Mapped[Code]
    reasons: Mapped[list[str]] = mapped_column(default=list)
    score_bucket: Mapped[Code | None] = mapped_column(default=None)
    pipeline_version: Mapped[Text120 | None] = mapped_column(default=None)
    operator_id: Mapped[Id | None] = mapped_column(default=None)
    checked_at: Mapped[Moment]
