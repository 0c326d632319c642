"""Passkeys of officers: enrol, sign in, show again who one is, remove."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.ids import new_id
from backend.domain.refusals import Refusal, Refused
from backend.gateways import passkeys
from backend.gateways.passkeys import PasskeyRefused, RelyingParty
from backend.gateways.world import World
from backend.models.officers import Officer, Passkey, PasskeyChallenge
from backend.services.audit import Actor, write_leaf
from backend.services.officer_sessions import acting_officer, is_stepped_up, settle_again
from backend.services.officers import OfficerSignedIn, actor_of, open_officer_session

LABEL_MOST = 40


@dataclass(frozen=True)
class Question:
    """What a browser is to ask its passkeys: the options as JSON, and the challenge to be kept for the answer."""

    options: str
    challenge: str


@dataclass(frozen=True)
class PasskeyLine:
    """One of an officer's passkeys."""

    id: str
    label: str
    created_at: datetime
    used_at: datetime | None


def console_party(world: World) -> RelyingParty:
    """The console as passkeys know it. Raises Refused passkey.off where its address allows none."""
    party = passkeys.relying_party(world.house.console_url)
    if party is None:
        raise Refused("passkey.off")
    return party


def ask_new_passkey(world: World, *, session_id: str) -> Question:
    """The question for a further passkey, after the second act. Raises Refused passkey.off, step_up."""
    party = console_party(world)
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        if not is_stepped_up(world, acting.session):
            raise Refused("step_up", "password")
        return question_for_new(world, session, party, acting.officer)


def add_passkey(world: World, *, session_id: str, credential: str, challenge: str, label: str) -> None:
    """Enrol the passkey of a browser's answer under a name. Raises Refused passkey.refused, passkey.known, step_up."""
    party = console_party(world)
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        if not is_stepped_up(world, acting.session):
            raise Refused("step_up", "password")
        keep_new_passkey(world, session, party, acting.officer, credential, challenge, label)


def question_for_new(world: World, session: Session, party: RelyingParty, officer: Officer) -> Question:
    """The question for a new passkey of `officer`, inside the present write unit."""
    challenge = _remember(world, session, officer.id)
    known = session.scalars(select(Passkey.credential_id).where(Passkey.officer_id == officer.id)).all()
    options = passkeys.registration_options(party, officer.id, officer.login, officer.display_name, challenge, known)
    return Question(options, challenge.hex())


def keep_new_passkey(
    world: World, session: Session, party: RelyingParty, officer: Officer, credential: str, challenge: str, label: str
) -> None:
    """Store the passkey of a browser's answer, inside the present write unit."""
    try:
        made = passkeys.read_registration(party, credential, _use(world, session, challenge, officer.id))
    except PasskeyRefused:
        raise Refused("passkey.refused") from None
    if session.scalar(select(Passkey.id).where(Passkey.credential_id == made.credential_id)) is not None:
        raise Refused("passkey.known")
    count = session.scalar(select(func.count()).where(Passkey.officer_id == officer.id)) or 0
    row = Passkey(
        id=new_id(),
        officer_id=officer.id,
        credential_id=made.credential_id,
        public_key=made.public_key,
        sign_count=made.sign_count,
        label=label.strip()[:LABEL_MOST] or f"Passkey {count + 1}",
        created_at=world.clock.now(),
    )
    session.add(row)
    session.flush()
    _leaf(world, session, actor_of(officer), "passkey_added", officer.id)


def ask_sign_in(world: World) -> Question:
    """The question at the sign-in page; the device offers the passkeys it holds. Raises Refused passkey.off."""
    party = console_party(world)
    with transaction() as session:
        challenge = _remember(world, session, None)
    return Question(passkeys.question(party, challenge), challenge.hex())


def sign_in_with_passkey(world: World, *, credential: str, challenge: str, user_agent: str = "") -> OfficerSignedIn:
    """Open a session for the owner of a passkey: two factors in one act, so no password and no code are asked.

    A lock after wrong passwords does not hold a passkey back. Raises Refused passkey.refused, passkey.off.
    """
    party = console_party(world)
    with transaction() as session:
        officer = _check(world, session, party, credential, challenge, None)
        signed = open_officer_session(world, session, officer, "passkey", user_agent) if officer else None
        if officer is not None:
            officer.failed_tries, officer.locked_until = 0, None
            _leaf(world, session, actor_of(officer), "officer_sign_in", officer.id, "allowed")
    if signed is None:
        raise Refused("passkey.refused")
    return signed


def ask_again(world: World, *, session_id: str) -> Question:
    """The question for one of the officer's own passkeys, behind a locked screen too. Raises Refused passkey.off."""
    party = console_party(world)
    with transaction() as session:
        acting = acting_officer(world, session, session_id, locked=True)
        challenge = _remember(world, session, acting.officer.id)
        known = session.scalars(select(Passkey.credential_id).where(Passkey.officer_id == acting.officer.id)).all()
        if not known:
            raise Refused("passkey.refused")
        return Question(passkeys.question(party, challenge, known), challenge.hex())


def show_passkey_again(world: World, *, session_id: str, credential: str, challenge: str, opens: bool) -> None:
    """Show by a passkey who one is: opens the locked screen (`opens`), or is the second act before a full number.

    Raises Refused passkey.refused, unauthenticated.
    """
    party = console_party(world)
    with transaction() as session:
        acting = acting_officer(world, session, session_id, locked=opens)
        shown = _check(world, session, party, credential, challenge, acting.officer.id)
        refused = None if shown is not None else Refusal("passkey.refused")
        settle_again(world, session, acting, refused, "screen_opened" if opens else "step_up")
    if refused is not None:
        raise Refused.of([refused])


def list_passkeys(officer_id: str) -> tuple[PasskeyLine, ...]:
    """An officer's passkeys, oldest first."""
    with reading() as session:
        rows = session.scalars(select(Passkey).where(Passkey.officer_id == officer_id).order_by(Passkey.created_at))
        return tuple(PasskeyLine(row.id, row.label, row.created_at, row.used_at) for row in rows)


def remove_passkey(world: World, *, session_id: str, passkey_id: str) -> None:
    """Remove one's own passkey. Raises Refused not_found, passkey.last when nothing else would let one in."""
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        mine = session.scalars(select(Passkey).where(Passkey.officer_id == acting.officer.id)).all()
        row = next((each for each in mine if each.id == passkey_id), None)
        if row is None:
            raise Refused("not_found")
        if len(mine) == 1 and (acting.officer.password_hash is None or acting.officer.totp_at is None):
            raise Refused("passkey.last")
        session.delete(row)
        _leaf(world, session, acting.actor, "passkey_removed", acting.officer.id)


def _check(
    world: World, session: Session, party: RelyingParty, credential: str, challenge: str, officer_id: str | None
) -> Officer | None:
    """The active owner of the passkey that answered rightly, or None; the challenge is used up either way."""
    try:
        expected = _use(world, session, challenge, officer_id)
        wanted = passkeys.credential_id_of(credential)
        row = session.scalar(select(Passkey).where(Passkey.credential_id == wanted).with_for_update())
        if row is None or officer_id not in (None, row.officer_id):
            return None
        row.sign_count = passkeys.check_answer(party, credential, expected, row.public_key, row.sign_count)
    except PasskeyRefused:
        return None
    row.used_at = world.clock.now()
    officer = session.get_one(Officer, row.officer_id, with_for_update=True)
    return officer if officer.active else None


def _remember(world: World, session: Session, officer_id: str | None) -> bytes:
    now = world.clock.now()
    session.execute(delete(PasskeyChallenge).where(PasskeyChallenge.expires_at <= now))
    challenge = secrets.token_bytes(32)
    life = timedelta(milliseconds=passkeys.LIFE_MS)
    session.add(PasskeyChallenge(challenge=challenge, officer_id=officer_id, expires_at=now + life))
    return challenge


def _use(world: World, session: Session, challenge: str, officer_id: str | None) -> bytes:
    """The challenge as bytes, once. Raises PasskeyRefused when it is unknown, used, too old or another officer's."""
    try:
        wanted = bytes.fromhex(challenge)
    except ValueError:
        raise PasskeyRefused from None
    row = session.get(PasskeyChallenge, wanted, with_for_update=True)
    if row is None:
        raise PasskeyRefused
    session.delete(row)
    session.flush()
    if row.expires_at <= world.clock.now() or row.officer_id != officer_id:
        raise PasskeyRefused
    return wanted


def _leaf(
    world: World, session: Session, actor: Actor, action: str, officer_id: str, decision: str | None = None
) -> None:
    write_leaf(world, session, actor, action, object_kind="officer", object_id=officer_id, decision=decision)
