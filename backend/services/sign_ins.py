"""Residents sign in: phone code, sessions of pages and apps, access tokens."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session as DbSession

from backend.db import at_once, can_act_at_once, reading, transaction
from backend.domain.ids import is_id, new_id
from backend.domain.persons import decide_phone, mask_phone
from backend.domain.refusals import Refusal, Refused
from backend.gateways.tokens import AccessTokenRejected
from backend.gateways.world import World
from backend.models.accounts import Account, LoginCode, Session
from backend.models.data_keys import DataKey
from backend.services import outbox, vault
from backend.services.audit import Actor, write_leaf

CODES_PER_HOUR = 8


@dataclass(frozen=True)
class CodeSent:
    """A code is on its way; another may be asked for after the given seconds."""

    resend_after_seconds: int
    phone_masked: str


@dataclass(frozen=True)
class SignedIn:
    """A new session; `secret` is shown once and stored hashed."""

    account_id: str
    session_id: str
    secret: str
    expires_at: datetime


@dataclass(frozen=True)
class AccountView:
    """The signed-in account."""

    id: str
    session_id: str
    person_id: str | None
    language: str
    elder_mode: bool
    phone_masked: str


@dataclass(frozen=True)
class SignInOver:
    """A sign-in that is over: whose it was, and whether it was ended on purpose or lay idle for too long."""

    account_id: str
    ended: bool


@dataclass(frozen=True)
class SessionView:
    """One signed-in phone or browser."""

    id: str
    kind: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime


def request_phone_code(world: World, *, phone: str) -> CodeSent:
    """Make a six-digit code and let the worker send it.

    Raises Refused phone.invalid, code.too_soon (60 s), code.too_many (8 an hour).
    """
    number = _phone(phone)
    token = world.key_ring.blind_index("phone", number)
    now = world.clock.now()
    with transaction() as session:
        _check_pace(world, session, token)
        code_id, digits = new_id(), f"{secrets.randbelow(10**6):06d}"
        vault.make_data_key(world, session, code_id)
        session.add(
            LoginCode(
                id=code_id,
                phone_token=token,
                code_hash=_code_hash(world, code_id, digits),
                message_sealed=vault.seal(
                    world, session, code_id, "login_codes.message", code_id, f"{number} {digits}"
                ),
                sent_at=now,
                expires_at=now + world.house.code_life,
            )
        )
        outbox.put(world, session, "sms", code_id, "login_code", {"login_code_id": code_id})
    return CodeSent(int(world.house.code_resend.total_seconds()), mask_phone(number))


def sign_in(
    world: World, *, phone: str, code: str, kind: str, user_agent: str = "", language: str = "zh"
) -> SignedIn:
    """Check a code and open a session; an account is made at the first sign-in, in the `language` of that moment.

    Raises Refused code.wrong (with tries left), code.expired, code.locked after five wrong tries.
    """
    number = _phone(phone)
    token = world.key_ring.blind_index("phone", number)
    refused: Refused | None = None
    with transaction() as session:
        row = session.scalar(
            select(LoginCode)
            .where(LoginCode.phone_token == token, LoginCode.used_at.is_(None))
            .order_by(LoginCode.sent_at.desc())
            .limit(1)
            .with_for_update()  # parallel guesses take turns, so that five are five
        )
        refused = _judge_code(world, row, code)
        if refused is None and row is not None:
            row.used_at = world.clock.now()
            account = _account(world, session, token, number, language)
            signed = open_session(world, session, account.id, kind, user_agent)
            write_leaf(
                world, session, Actor("resident", account.id), "sign_in", object_kind="account", object_id=account.id
            )
    if refused is not None:
        raise refused  # after the commit, so that a wrong try is counted
    return signed


def _judge_code(world: World, row: LoginCode | None, code: str) -> Refused | None:
    now = world.clock.now()
    if row is None or row.expires_at < now:
        return Refused("code.expired", "code")
    wait = max(1, int((row.sent_at + world.house.code_resend - now).total_seconds()))
    if row.attempts >= world.house.code_tries:
        return Refused("code.locked", "code", seconds=wait)
    if not hmac.compare_digest(row.code_hash, _code_hash(world, row.id, code.strip())):
        row.attempts += 1
        left = world.house.code_tries - row.attempts
        return Refused("code.wrong", "code", left=left) if left else Refused("code.locked", "code", seconds=wait)
    return None


def open_session(world: World, session: DbSession, account_id: str, kind: str, user_agent: str) -> SignedIn:
    """Write a session row inside the present write unit and answer its secret."""
    now = world.clock.now()
    life = world.house.page_session_idle if kind == "page" else world.house.refresh_token_life
    row = Session(
        id=new_id(),
        account_id=account_id,
        kind=kind,
        secret_hash=b"",
        user_agent=user_agent[:120],
        created_at=now,
        last_seen_at=now,
        expires_at=now + life,
    )
    secret = secrets.token_urlsafe(32)
    row.secret_hash = _hash(secret)
    session.add(row)
    return SignedIn(account_id, row.id, secret, row.expires_at)


def find_session(
    world: World, *, session_id: str, secret: str, kind: str, seen: bool = True
) -> AccountView | None:
    """The account of a living session, or None; a page's idle end moves on at most once a minute.

    `seen` is False when a page asks by itself: that is nobody being there, and keeps no session alive.
    """
    now = world.clock.now()
    with reading() as session:
        found = _find(session, session_id)
        row = found[0] if found else None
        if row is None or row.kind != kind or row.ended_at is not None or row.expires_at < now:
            return None
        if not hmac.compare_digest(row.secret_hash, _hash(secret)):
            return None
        view = _account_view(world, session, row)
        idle_since = row.last_seen_at
    if seen and kind == "page" and now - idle_since > timedelta(minutes=1):
        with transaction() as session:
            living = session.get(Session, session_id)
            if living is not None and living.ended_at is None:
                living.last_seen_at, living.expires_at = now, now + world.house.page_session_idle
    return view


def find_over(world: World, *, session_id: str, secret: str) -> SignInOver | None:
    """The sign-in of a page that is over, or None: what was typed under it is still of that account."""
    with reading() as session:
        found = _find(session, session_id)
        row = found[0] if found else None
        if row is None or row.kind != "page" or not hmac.compare_digest(row.secret_hash, _hash(secret)):
            return None
        is_over = row.ended_at is not None or row.expires_at < world.clock.now()
        return SignInOver(row.account_id, row.ended_at is not None) if is_over else None


def refresh(world: World, *, session_id: str, secret: str, user_agent: str = "") -> SignedIn:
    """Exchange a refresh secret for a new one. A secret used twice ends the session: one of the two was stolen.

    Raises Refused('unauthenticated').
    """
    now = world.clock.now()
    signed: SignedIn | None = None
    with transaction() as session:
        row = session.get(Session, session_id)
        if row is not None and row.kind == "api" and row.ended_at is None and row.expires_at > now:
            given = _hash(secret)
            if hmac.compare_digest(row.secret_hash, given):
                fresh = secrets.token_urlsafe(32)
                row.previous_secret_hash, row.secret_hash = row.secret_hash, _hash(fresh)
                row.last_seen_at, row.expires_at = now, now + world.house.refresh_token_life
                signed = SignedIn(row.account_id, row.id, fresh, row.expires_at)
            elif row.previous_secret_hash is not None and hmac.compare_digest(row.previous_secret_hash, given):
                row.ended_at = now
                write_leaf(
                    world,
                    session,
                    Actor("resident", row.account_id),
                    "session_reuse",
                    object_kind="session",
                    object_id=row.id,
                    decision="ended",
                )
    if signed is None:
        raise Refused("unauthenticated")
    return signed


def sign_out(world: World, *, account_id: str, session_id: str) -> None:
    """End one of the account's sessions; ending an ended one changes nothing."""
    with transaction() as session:
        row = session.get(Session, session_id)
        if row is None or row.account_id != account_id:
            raise Refused("not_found")
        row.ended_at = row.ended_at or world.clock.now()


def list_sessions(world: World, *, account_id: str) -> tuple[SessionView, ...]:
    """The account's living sessions, newest first."""
    with reading() as session:
        rows = session.scalars(
            select(Session)
            .where(Session.account_id == account_id, Session.ended_at.is_(None), Session.expires_at > world.clock.now())
            .order_by(Session.last_seen_at.desc())
        )
        return tuple(SessionView(r.id, r.kind, r.user_agent, r.created_at, r.last_seen_at) for r in rows)


def set_preferences(
    world: World, *, account_id: str, language: str | None = None, elder_mode: bool | None = None
) -> None:
    """Keep language ('zh' or 'en') and elder mode with the account."""
    if language is not None and language not in ("zh", "en"):
        raise Refused("input.not_one_of", "language", allowed=("zh", "en"))
    with transaction() as session:
        account = session.get_one(Account, account_id)
        account.language = language or account.language
        account.elder_mode = account.elder_mode if elder_mode is None else elder_mode


def access_token(world: World, signed_in: SignedIn) -> str:
    """A short-lived bearer token for a session."""
    now = int(world.clock.now().timestamp())
    life = int(world.house.access_token_life.total_seconds())
    return world.tokens.sign_access(
        {
            "sub": signed_in.account_id,
            "sid": signed_in.session_id,
            "jti": new_id(),
            "iat": now,
            "nbf": now,
            "exp": now + life,
        }
    )


def read_access_token(world: World, token: str) -> AccountView:
    """The account behind a bearer token; an ended session ends its tokens. Raises Refused('unauthenticated')."""
    try:
        claims = world.tokens.read_access(token, world.clock.now())
    except AccessTokenRejected:
        raise Refused("unauthenticated") from None
    if can_act_at_once():
        return _read_at_once(world, claims["sid"], claims["sub"])
    with reading() as session:
        found = _find(session, claims["sid"])
        row = found[0] if found else None
        if row is None or row.account_id != claims["sub"] or row.ended_at is not None:
            raise Refused("unauthenticated")
        return _account_view(world, session, row)


def _read_at_once(world: World, session_id: str, account_id: str) -> AccountView:
    """The same in one way there and back: it stands before every call of the API."""
    if not is_id(session_id) or not is_id(account_id):
        raise Refused("unauthenticated")
    for person_id, language, elder, sealed, kek_id, wrapped in at_once(_ALIVE, {"id": session_id, "of": account_id}):
        phone = vault.unseal_with(world, kek_id, wrapped, account_id, "accounts.phone", account_id, sealed)
        person = None if person_id is None else str(person_id)
        return AccountView(account_id, session_id, person, language, elder, mask_phone(phone))
    raise Refused("unauthenticated")


def _find(session: DbSession, session_id: str) -> tuple[Session, Account, DataKey] | None:
    """A session with its account and that one's data key: every call needs all three, so they come in one question.

    While the caller holds the answer, `session.get` finds them without asking again.
    """
    found = session.execute(_WITH_ACCOUNT, {"session_id": session_id}).one_or_none()
    return None if found is None else (found[0], found[1], found[2])


def _account_view(world: World, session: DbSession, row: Session) -> AccountView:
    account = session.get_one(Account, row.account_id)
    assert account.phone_sealed is not None  # it has signed in with it
    phone = vault.unseal(world, session, account.id, "accounts.phone", account.id, account.phone_sealed)
    return AccountView(account.id, row.id, account.person_id, account.language, account.elder_mode, mask_phone(phone))


def find_or_make_account(world: World, session: DbSession, number: str) -> Account:
    """The account of a phone (E.164), made when there is none; inside the present write unit."""
    return _account(world, session, world.key_ring.blind_index("phone", number), number)


def _account(world: World, session: DbSession, token: bytes, number: str, language: str = "zh") -> Account:
    account = session.scalar(select(Account).where(Account.phone_token == token))
    if account is None:
        account_id = new_id()
        vault.make_data_key(world, session, account_id)
        account = Account(
            id=account_id,
            phone_token=token,
            language=language,
            phone_sealed=vault.seal(world, session, account_id, "accounts.phone", account_id, number),
            created_at=world.clock.now(),
        )
        session.add(account)
        session.flush()
    return account


def _check_pace(world: World, session: DbSession, token: bytes) -> None:
    now = world.clock.now()
    last = session.scalar(select(func.max(LoginCode.sent_at)).where(LoginCode.phone_token == token))
    if last is not None and now - last < world.house.code_resend:
        raise Refused("code.too_soon", "phone", seconds=int((last + world.house.code_resend - now).total_seconds()) + 1)
    recent = session.scalar(
        select(func.count()).where(LoginCode.phone_token == token, LoginCode.sent_at > now - timedelta(hours=1))
    )
    if (recent or 0) >= CODES_PER_HOUR:
        raise Refused("code.too_many", "phone", seconds=3600)


def _phone(text: str) -> str:
    number = decide_phone(text)
    if isinstance(number, Refusal):
        raise Refused.of([number])
    return number


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _code_hash(world: World, code_id: str, digits: str) -> bytes:
    # Six digits can be searched through, so the hash is keyed by the ring and bound to its row.
    return world.key_ring.blind_index("secret", f"{code_id}:{digits}")


_ALIVE = """
SELECT a.person_id, a.language, a.elder_mode, a.phone_sealed, d.kek_id, d.wrapped
FROM sessions s JOIN accounts a ON a.id = s.account_id LEFT JOIN data_keys d ON d.subject_id = a.id
WHERE s.id = %(id)s::uuid AND s.account_id = %(of)s::uuid AND s.ended_at IS NULL
"""
_WITH_ACCOUNT = (  # made once: every call begins with it
    select(Session, Account, DataKey)
    .join(Account, Account.id == Session.account_id)
    .outerjoin(DataKey, DataKey.subject_id == Account.id)
    .where(Session.id == bindparam("session_id"))
)
