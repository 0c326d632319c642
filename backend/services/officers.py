"""Officers' accounts and sign-in with password and one-time code; wrong tries slow down, then lock."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.ids import new_id
from backend.domain.officers import (
    LOCK_MINUTES,
    SIGN_IN_TRIES,
    WAIT_SECONDS,
    find_officer_faults,
    session_end,
)
from backend.domain.refusals import Refusal, Refused
from backend.gateways.world import World
from backend.models.officers import Officer, OfficerSession
from backend.services import vault
from backend.services.audit import Actor, write_leaf
from backend.services.staff_notices import tell_supervisors

DEMO_PASSWORD = "chentang-demo-2026"  # of the seeded staff; shown on the demo's own pages, refused nowhere else
STEP_SECONDS = 30  # RFC 6238
OPERATOR = Actor("operator")
_PLACE = "officers.totp"
_BADGE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # without signs that look alike


@dataclass(frozen=True)
class OfficerMade:
    """A new officer; the secret of the one-time codes is shown once."""

    id: str
    badge: str
    totp_secret: str


@dataclass(frozen=True)
class OfficerSignedIn:
    """A new session; `secret` is given once and stored hashed."""

    officer_id: str
    session_id: str
    secret: str
    expires_at: datetime


@dataclass(frozen=True)
class DemoCode:
    """The present one-time code of a demo officer and how long it lasts; `seeded`: the demo's password is theirs."""

    login: str
    display_name: str
    role: str
    area: str
    code: str
    seconds_left: int
    seeded: bool


def create_officer(
    world: World, *, login: str, display_name: str, office: str, role: str, area: str, password: str
) -> OfficerMade:
    """Make an officer's account; `area` is the division code (prefix) the officer may see.

    Raises Refused with every faulty field, or officer.login_taken.
    """
    faults = find_officer_faults(login, display_name, office, role, area, password)
    if faults:
        raise Refused.of(faults)
    password_hash = hash_password(password)  # slow on purpose, so outside the write unit
    with transaction() as session:
        officer = add_officer(world, session, OPERATOR, login, display_name, office, role, area)
        officer.password_hash, officer.totp_at = password_hash, officer.created_at
        return OfficerMade(officer.id, officer.badge, read_totp_secret(world, session, officer))


def add_officer(
    world: World, session: Session, actor: Actor, login: str, display_name: str, office: str, role: str, area: str
) -> Officer:
    """The row of a new account, inside the present write unit: it has no password and no authenticator in use yet.

    Raises Refused officer.login_taken.
    """
    if session.scalar(select(Officer.id).where(Officer.login == login)) is not None:
        raise Refused("officer.login_taken", "login")
    officer_id = new_id()
    vault.make_data_key(world, session, officer_id)
    officer = Officer(
        id=officer_id,
        login=login,
        display_name=display_name.strip(),
        badge=_free_badge(session),
        office=office.strip(),
        role=role,
        area=area,
        totp_sealed=new_totp_secret(world, session, officer_id),
        created_at=world.clock.now(),
    )
    session.add(officer)
    session.flush()
    write_leaf(world, session, actor, "officer_created", object_kind="officer", object_id=officer_id, decision=role)
    return officer


def sign_in_officer(world: World, *, login: str, password: str, code: str, user_agent: str = "") -> OfficerSignedIn:
    """Check password and one-time code and open a session.

    Raises Refused officer.credentials (which of the three was wrong is not said), officer.code_used for a replayed
    code, officer.wait after three wrong tries, officer.locked after five.
    """
    with reading() as session:
        found = session.execute(
            select(Officer.id, Officer.password_hash).where(Officer.login == login.strip().lower(), Officer.active)
        ).first()
    # An unknown name costs as much time as a known one.
    password_fits = _verify((found and found.password_hash) or _nobodys_hash(), password)
    if found is None:
        raise Refused("officer.credentials")
    with transaction() as session:
        officer = session.get_one(Officer, found.id, populate_existing=True, with_for_update=True)
        outcome = _judge_sign_in(world, session, officer, password_fits, code.strip())
        if outcome is None:
            signed = open_officer_session(world, session, officer, "password", user_agent)
        write_leaf(
            world,
            session,
            actor_of(officer),
            "officer_sign_in",
            object_kind="officer",
            object_id=officer.id,
            decision="allowed" if outcome is None else "refused",
        )
    if outcome is not None:
        raise Refused.of([outcome])  # after the commit, so that a wrong try is counted
    return signed


def check_password(world: World, session: Session, officer: Officer, password: str) -> Refusal | None:
    """Whether the password is the officer's, inside the present write unit; wrong ones count towards the lock."""
    waiting = locked(world, officer)
    if waiting is not None:
        return waiting
    if officer.password_hash is not None and _verify(officer.password_hash, password):
        officer.failed_tries = 0
        return None
    return count_failure(world, session, officer) or Refusal("officer.password", "password")


def actor_of(officer: Officer, purpose: str | None = None, case_ref: str | None = None) -> Actor:
    """The officer as the audit writes it."""
    return Actor("officer", officer.id, officer.badge, officer.role, officer.office, purpose, case_ref)


def hash_secret(secret: str) -> bytes:
    """Stored form of a session secret (256 random bits, so a plain hash is enough)."""
    return sha256(secret.encode()).digest()


def demo_codes(world: World) -> tuple[DemoCode, ...]:
    """The present one-time codes of all staff. Raises Refused not_found outside the demo."""
    if not world.house.demo:
        raise Refused("not_found")
    now = world.clock.now()
    left = STEP_SECONDS - int(now.timestamp()) % STEP_SECONDS
    with reading() as session:
        return tuple(
            DemoCode(
                *(o.login, o.display_name, o.role, o.area, _totp(world, session, o).at(now), left),
                seeded=o.totp_at == o.created_at,
            )
            for o in session.scalars(
                select(Officer)
                .where(Officer.active, Officer.totp_at.is_not(None))
                .order_by(Officer.created_at, Officer.id)
            )
        )


def open_officer_session(
    world: World, session: Session, officer: Officer, way: str, user_agent: str
) -> OfficerSignedIn:
    """A new session inside the present write unit; `way` is one of models.officers.SIGN_IN_WAYS."""
    now, secret = world.clock.now(), secrets.token_urlsafe(32)
    row = OfficerSession(
        id=new_id(),
        officer_id=officer.id,
        secret_hash=hash_secret(secret),
        way=way,
        user_agent=user_agent[:120],
        created_at=now,
        last_seen_at=now,
        expires_at=session_end(now, world.house.officer_session),
    )
    session.add(row)
    return OfficerSignedIn(officer.id, row.id, secret, row.expires_at)


def end_sessions(world: World, session: Session, officer_id: str, *, but: str | None = None) -> int:
    """End an officer's sessions, except `but`; answers how many."""
    living = session.scalars(
        select(OfficerSession).where(OfficerSession.officer_id == officer_id, OfficerSession.ended_at.is_(None))
    )
    ended = [row for row in living if row.id != but]
    for row in ended:
        row.ended_at = world.clock.now()
    return len(ended)


def hash_password(password: str) -> str:
    """Argon2id; slow on purpose, so not for the inside of a write unit."""
    return _hasher().hash(password)


def new_totp_secret(world: World, session: Session, officer_id: str) -> bytes:
    """A fresh secret for one-time codes, sealed."""
    return vault.seal(world, session, officer_id, _PLACE, officer_id, pyotp.random_base32())


def read_totp_secret(world: World, session: Session, officer: Officer) -> str:
    """The secret of the one-time codes, to be shown once to whoever sets the authenticator up."""
    return vault.unseal(world, session, officer.id, _PLACE, officer.id, officer.totp_sealed)


def fitting_step(world: World, session: Session, officer: Officer, code: str) -> int | None:
    """The 30-second step a code belongs to: the present one or a neighbour (clocks differ), else None."""
    now = world.clock.now()
    totp = _totp(world, session, officer)
    present = int(now.timestamp()) // STEP_SECONDS
    for step in (present, present - 1, present + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.strip().encode()):
            return step
    return None


def locked(world: World, officer: Officer) -> Refusal | None:
    """Whether tries with a password or code must wait: for seconds after some wrong ones, for minutes after five."""
    if officer.locked_until is None or officer.locked_until <= world.clock.now():
        return None
    left = int((officer.locked_until - world.clock.now()).total_seconds())
    if officer.failed_tries:
        return Refusal("officer.wait", None, {"seconds": left + 1})
    return Refusal("officer.locked", None, {"minutes": left // 60 + 1})


def count_failure(world: World, session: Session, officer: Officer) -> Refusal | None:
    """Count a wrong try: the third and fourth make the next one wait, the fifth locks, and supervisors are told."""
    officer.failed_tries += 1
    now = world.clock.now()
    if officer.failed_tries < SIGN_IN_TRIES:
        wait = WAIT_SECONDS.get(officer.failed_tries)
        officer.locked_until = now + timedelta(seconds=wait) if wait else None
        return None
    officer.failed_tries = 0
    officer.locked_until = now + timedelta(minutes=LOCK_MINUTES)
    tell_supervisors(
        world, session, officer.area, "account_locked", once=f"{officer.id}:{now.isoformat()}", but=officer.id,
        login=officer.login, badge=officer.badge,
    )  # fmt: skip
    return Refusal("officer.locked", None, {"minutes": LOCK_MINUTES})


def _judge_sign_in(world: World, session: Session, officer: Officer, password_fits: bool, code: str) -> Refusal | None:
    waiting = locked(world, officer)
    if waiting is not None:
        return waiting
    step = fitting_step(world, session, officer, code)
    if not password_fits or step is None or officer.totp_at is None:
        return count_failure(world, session, officer) or Refusal("officer.credentials")
    if step <= officer.totp_last_step:
        return Refusal("officer.code_used", "code")
    officer.totp_last_step = step
    officer.failed_tries, officer.locked_until = 0, None
    return None


def _totp(world: World, session: Session, officer: Officer) -> pyotp.TOTP:
    return pyotp.TOTP(read_totp_secret(world, session, officer), interval=STEP_SECONDS)


def _free_badge(session: Session) -> str:
    while True:
        badge = "P-" + "".join(secrets.choice(_BADGE_LETTERS) for _ in range(5))
        if session.scalar(select(Officer.id).where(Officer.badge == badge)) is None:
            return badge


@cache
def _hasher() -> PasswordHasher:
    # Argon2id with 19 MiB, two passes, one lane: the floor OWASP's password storage sheet names. The second factor and
    # the lockout carry the rest, and a burst of wrong sign-ins cannot exhaust a small server's memory.
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@cache
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_urlsafe(16))


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher().verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
