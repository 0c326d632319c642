"""Accounts of staff as supervisors see them, and everybody's own: no resident is in here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select

from backend.db import db
from backend.models.officers import AccountRequest, Officer, OfficerSession, Passkey


@dataclass(frozen=True)
class StaffLine:
    """One account. `state`: 'active', 'suspended', 'locked' (wrong tries) or 'new' (no first sign-in yet)."""

    id: str
    login: str
    display_name: str
    badge: str
    office: str
    role: str
    area: str
    state: str
    has_password: bool
    passkeys: int
    first_code_until: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class SessionLine:
    """One living sign-in. `way` is one of models.officers.SIGN_IN_WAYS."""

    id: str
    way: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    purpose: str | None


@dataclass(frozen=True)
class RequestLine:
    """What is asked for about an account, and by whom."""

    id: str
    kind: str
    officer_id: str | None
    login: str
    display_name: str
    office: str
    role: str
    area: str
    asked_by: str
    asked_badge: str
    asked_at: datetime


def list_staff(area: str, now: datetime) -> tuple[StaffLine, ...]:
    """The accounts of an area, by role and name of sign-in."""
    rows = db.session.execute(
        _staff().where(Officer.area.startswith(area, autoescape=True)).order_by(Officer.role, Officer.login)
    )
    return tuple(_line(officer, passkeys, now) for officer, passkeys in rows)


def find_staff(officer_id: str, now: datetime) -> StaffLine | None:
    """One account, wherever it is."""
    row = db.session.execute(_staff().where(Officer.id == officer_id)).first()
    return _line(row[0], row[1], now) if row else None


def list_sessions(officer_id: str, now: datetime) -> tuple[SessionLine, ...]:
    """An officer's living sign-ins, newest first."""
    rows = db.session.scalars(
        select(OfficerSession)
        .where(
            OfficerSession.officer_id == officer_id,
            OfficerSession.ended_at.is_(None),
            OfficerSession.expires_at > now,
        )
        .order_by(OfficerSession.created_at.desc(), OfficerSession.id.desc())
    )
    return tuple(
        SessionLine(
            row.id,
            row.way,
            row.user_agent,
            row.created_at,
            row.last_seen_at,
            row.expires_at,
            row.purpose if row.purpose_until and row.purpose_until > now else None,
        )
        for row in rows
    )


def list_requests(area: str) -> tuple[RequestLine, ...]:
    """What waits for a supervisor of an area, oldest first."""
    rows = db.session.execute(
        select(AccountRequest, Officer.badge)
        .join(Officer, Officer.id == AccountRequest.asked_by)
        .where(AccountRequest.state == "waiting", AccountRequest.area.startswith(area, autoescape=True))
        .order_by(AccountRequest.asked_at, AccountRequest.id)
    )
    return tuple(_request(row, badge) for row, badge in rows)


def find_request(request_id: str) -> RequestLine | None:
    """One request, wherever it is and whatever became of it."""
    row = db.session.execute(
        select(AccountRequest, Officer.badge)
        .join(Officer, Officer.id == AccountRequest.asked_by)
        .where(AccountRequest.id == request_id)
    ).first()
    return _request(row[0], row[1]) if row else None


def _staff() -> Select[Officer, int]:
    counted = select(Passkey.officer_id, func.count().label("passkeys")).group_by(Passkey.officer_id).subquery()
    return select(Officer, func.coalesce(counted.c.passkeys, 0)).outerjoin(counted, counted.c.officer_id == Officer.id)


def _line(row: Officer, passkeys: int, now: datetime) -> StaffLine:
    has_password = row.password_hash is not None and row.totp_at is not None
    return StaffLine(
        row.id,
        row.login,
        row.display_name,
        row.badge,
        row.office,
        row.role,
        row.area,
        _state(row, now),
        has_password,
        passkeys,
        row.first_code_until,
        row.created_at,
    )


def _state(row: Officer, now: datetime) -> str:
    if not row.active:
        return "suspended"
    if row.first_code_hash is not None:
        return "new"
    return "locked" if row.locked_until is not None and row.locked_until > now else "active"


def _request(row: AccountRequest, badge: str) -> RequestLine:
    return RequestLine(
        row.id,
        row.kind,
        row.officer_id,
        row.login,
        row.display_name,
        row.office,
        row.role,
        row.area,
        row.asked_by,
        badge,
        row.asked_at,
    )
