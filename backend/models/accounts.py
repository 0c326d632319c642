"""Residents' accounts, their sessions and phone codes."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, Moment, Sealed, Text120, Token, one_of


class Account(Base):
    """One account per phone; a person is attached once the identity is entered.

    Who was entered at a window has one without a phone: `desk_area` is the area of the office that keeps it.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("(phone_token IS NULL) = (phone_sealed IS NULL)", name="phone"),
        CheckConstraint("phone_token IS NOT NULL OR desk_area IS NOT NULL", name="desk"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    phone_token: Mapped[Token | None] = mapped_column(unique=True, default=None)
    phone_sealed: Mapped[Sealed | None] = mapped_column(default=None)
    desk_area: Mapped[Code | None] = mapped_column(default=None)
    person_id: Mapped[Id | None] = mapped_column(ForeignKey("persons.id"), unique=True, default=None)
    language: Mapped[Code] = mapped_column(default="zh")
    elder_mode: Mapped[bool] = mapped_column(default=False)
    silenced: Mapped[list[str]] = mapped_column(default=list, server_default=text("'[]'"))  # topics of notice_kinds
    reminded_on: Mapped[date | None] = mapped_column(default=None)  # one reminder by short message a day
    created_at: Mapped[Moment]


class Session(Base):
    """A signed-in phone: kind `page` (HttpOnly cookie) or `api` (access token + rotating refresh token)."""

    __tablename__ = "sessions"
    __table_args__ = (one_of("kind", ("page", "api")), Index("ix_sessions_account_id", "account_id"))

    id: Mapped[Id] = mapped_column(primary_key=True)
    account_id: Mapped[Id] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[Code]
    secret_hash: Mapped[Token]
    previous_secret_hash: Mapped[Token | None] = mapped_column(default=None)
    user_agent: Mapped[Text120] = mapped_column(default="")
    created_at: Mapped[Moment]
    last_seen_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    ended_at: Mapped[Moment | None] = mapped_column(default=None)


class LoginCode(Base):
    """A six-digit phone code: stored hashed, five minutes, five tries."""

    __tablename__ = "login_codes"
    __table_args__ = (Index("ix_login_codes_phone_token", "phone_token", "sent_at"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    phone_token: Mapped[Token]
    code_hash: Mapped[Token]
    message_sealed: Mapped[Sealed]
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    used_at: Mapped[Moment | None] = mapped_column(default=None)
