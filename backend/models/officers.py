"""Officers of the precinct: accounts, sessions with a purpose, counted reads."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, Moment, Sealed, Text120, Token, one_of

ROLES = ("officer", "grid_worker", "reviewer", "supervisor", "auditor", "window_clerk")


class Officer(Base):
    """A member of staff; residents see `badge` (a pseudonym), office and role, never the name."""

    __tablename__ = "officers"
    __table_args__ = (one_of("role", ROLES),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    login: Mapped[Text120] = mapped_column(unique=True)
    display_name: Mapped[Text120]
    badge: Mapped[Code] = mapped_column(unique=True)
    office: Mapped[Text120]
    role: Mapped[Code]
    area: Mapped[Code]
    password_hash: Mapped[str]
    totp_sealed: Mapped[Sealed]
    totp_last_step: Mapped[int] = mapped_column(default=0)
    failed_tries: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[Moment | None] = mapped_column(default=None)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[Moment]


class OfficerSession(Base):
    """A signed-in officer; persons are shown only while a purpose is set."""

    __tablename__ = "officer_sessions"
    __table_args__ = (Index("ix_officer_sessions_officer_id", "officer_id"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    officer_id: Mapped[Id] = mapped_column(ForeignKey("officers.id"))
    secret_hash: Mapped[Token] = mapped_column(LargeBinary(32))
    purpose: Mapped[Code | None] = mapped_column(default=None)
    case_ref: Mapped[Text120 | None] = mapped_column(default=None)
    purpose_at: Mapped[Moment | None] = mapped_column(default=None)
    created_at: Mapped[Moment]
    last_seen_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    stepped_up_at: Mapped[Moment | None] = mapped_column(default=None)
    ended_at: Mapped[Moment | None] = mapped_column(default=None)
