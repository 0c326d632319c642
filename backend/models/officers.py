"""Officers of the precinct: accounts, ways to sign in, sessions with a purpose."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, Moment, Sealed, Text120, Token, one_of

ROLES = ("officer", "grid_worker", "reviewer", "supervisor", "auditor", "window_clerk")
SIGN_IN_WAYS = ("password", "passkey", "first_code")
REQUEST_KINDS = ("create", "change", "reset", "resume", "suspend")
REQUEST_STATES = ("waiting", "approved", "declined", "withdrawn")


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
    password_hash: Mapped[str | None] = mapped_column(default=None)
    totp_sealed: Mapped[Sealed]
    totp_at: Mapped[Moment | None] = mapped_column(default=None)  # when its first code was right
    totp_last_step: Mapped[int] = mapped_column(default=0)
    failed_tries: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[Moment | None] = mapped_column(default=None)
    first_code_hash: Mapped[Token | None] = mapped_column(default=None)
    first_code_until: Mapped[Moment | None] = mapped_column(default=None)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[Moment]


class OfficerSession(Base):
    """A signed-in officer; persons are shown only while a purpose is set."""

    __tablename__ = "officer_sessions"
    __table_args__ = (one_of("way", SIGN_IN_WAYS), Index("ix_officer_sessions_officer_id", "officer_id"))

    id: Mapped[Id] = mapped_column(primary_key=True)
    officer_id: Mapped[Id] = mapped_column(ForeignKey("officers.id"))
    secret_hash: Mapped[Token] = mapped_column(LargeBinary(32))
    purpose: Mapped[Code | None] = mapped_column(default=None)
    case_ref: Mapped[Text120 | None] = mapped_column(default=None)
    purpose_at: Mapped[Moment | None] = mapped_column(default=None)
    purpose_until: Mapped[Moment | None] = mapped_column(default=None)
    way: Mapped[Code] = mapped_column(default="password")
    user_agent: Mapped[Text120] = mapped_column(default="")
    created_at: Mapped[Moment]
    last_seen_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    stepped_up_at: Mapped[Moment | None] = mapped_column(default=None)
    locked_at: Mapped[Moment | None] = mapped_column(default=None)
    ended_at: Mapped[Moment | None] = mapped_column(default=None)


class Passkey(Base):
    """The public half of a passkey; the private half never leaves the officer's device or security key."""

    __tablename__ = "officer_passkeys"

    id: Mapped[Id] = mapped_column(primary_key=True)
    officer_id: Mapped[Id] = mapped_column(ForeignKey("officers.id"), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1023), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(default=0)
    label: Mapped[Text120]
    created_at: Mapped[Moment]
    used_at: Mapped[Moment | None] = mapped_column(default=None)


class PasskeyChallenge(Base):
    """What a passkey is asked to sign: good once, for minutes. `officer_id` None: whoever signs in by it."""

    __tablename__ = "officer_challenges"

    challenge: Mapped[Token] = mapped_column(primary_key=True)
    officer_id: Mapped[Id | None] = mapped_column(ForeignKey("officers.id"), default=None)
    expires_at: Mapped[Moment] = mapped_column(index=True)


class AccountRequest(Base):
    """What a supervisor asks for about an account; where it takes a second one, it waits for the answer."""

    __tablename__ = "account_requests"
    __table_args__ = (
        one_of("kind", REQUEST_KINDS),
        one_of("state", REQUEST_STATES),
        CheckConstraint(
            "decided_by IS NULL OR decided_by <> asked_by OR NOT four_eyes OR state = 'withdrawn'", name="four_eyes"
        ),
        Index("ix_account_requests_state", "state"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    kind: Mapped[Code]
    officer_id: Mapped[Id | None] = mapped_column(ForeignKey("officers.id"), index=True, default=None)
    login: Mapped[Text120]
    display_name: Mapped[Text120]
    office: Mapped[Text120]
    role: Mapped[Code]
    area: Mapped[Code]
    four_eyes: Mapped[bool]
    state: Mapped[Code] = mapped_column(default="waiting")
    asked_by: Mapped[Id] = mapped_column(ForeignKey("officers.id"))
    asked_at: Mapped[Moment]
    decided_by: Mapped[Id | None] = mapped_column(ForeignKey("officers.id"), default=None)
    decided_at: Mapped[Moment | None] = mapped_column(default=None)


class StaffNotice(Base):
    """Something an officer is to know on the start page; `once` keeps it from being told twice. Names no resident."""

    __tablename__ = "staff_notices"
    __table_args__ = (UniqueConstraint("officer_id", "once"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    officer_id: Mapped[Id] = mapped_column(ForeignKey("officers.id"))
    kind: Mapped[Code]
    once: Mapped[Text120]
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[Moment]
    read_at: Mapped[Moment | None] = mapped_column(default=None)
