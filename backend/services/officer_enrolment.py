"""The first sign-in: with a code that was printed once, an officer sets password and authenticator, or a passkey."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

import pyotp
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.officers import FIRST_CODE_LENGTH, FIRST_CODE_LIFE, find_officer_faults, find_password_faults
from backend.domain.refusals import Refusal, Refused
from backend.gateways.world import World
from backend.models.officers import Officer, Passkey
from backend.services.audit import write_leaf
from backend.services.officer_passkeys import Question, console_party, keep_new_passkey, question_for_new
from backend.services.officers import (
    OPERATOR,
    OfficerSignedIn,
    actor_of,
    add_officer,
    count_failure,
    end_sessions,
    fitting_step,
    hash_password,
    hash_secret,
    locked,
    new_totp_secret,
    open_officer_session,
    read_totp_secret,
)
from backend.services.staff_notices import tell_officer

LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # without signs that look alike
ISSUER = "Anju"


@dataclass(frozen=True)
class FirstCode:
    """A code for the first sign-in, to be handed over on paper; it is stored hashed and never shown again."""

    officer_id: str
    login: str
    code: str


@dataclass(frozen=True)
class Enrolment:
    """An officer at the first sign-in: what the authenticator is set up with (`uri` for the QR code)."""

    login: str
    display_name: str
    role: str
    area: str
    totp_secret: str
    uri: str


def make_first_supervisor(world: World, *, login: str, display_name: str, office: str, area: str) -> FirstCode:
    """Make the first supervisor of an installation, with a code for the first sign-in.

    Raises Refused officer.first_exists when there is an active supervisor, and with every faulty field.
    """
    faults = find_officer_faults(login, display_name, office, "supervisor", area, None)
    if faults:
        raise Refused.of(faults)
    with transaction() as session:
        there = select(Officer.id).where(Officer.role == "supervisor", Officer.active)
        if session.scalar(there.limit(1)) is not None:
            raise Refused("officer.first_exists")
        officer = add_officer(world, session, OPERATOR, login, display_name, office, "supervisor", area)
        return give_first_code(world, session, officer)


def reset_by_operator(world: World, *, login: str) -> FirstCode:
    """Give an officer a new first code from the shell: where no second supervisor can do it. Raises not_found."""
    with transaction() as session:
        officer = session.scalar(select(Officer).where(Officer.login == login, Officer.active).with_for_update())
        if officer is None:
            raise Refused("not_found", "login")
        write_leaf(world, session, OPERATOR, "officer_reset", object_kind="officer", object_id=officer.id)
        once = world.clock.now().isoformat()
        tell_officer(world, session, officer.id, "account_reset", once=once, badge="operator")
        return give_first_code(world, session, officer)


def give_first_code(world: World, session: Session, officer: Officer) -> FirstCode:
    """Take all present ways to sign in away and make a code for new ones, inside the present write unit."""
    code = "".join(secrets.choice(LETTERS) for _ in range(FIRST_CODE_LENGTH))
    session.execute(delete(Passkey).where(Passkey.officer_id == officer.id))
    end_sessions(world, session, officer.id)
    officer.password_hash = officer.totp_at = None
    officer.totp_sealed, officer.totp_last_step = new_totp_secret(world, session, officer.id), 0
    officer.failed_tries, officer.locked_until = 0, None
    officer.first_code_hash = hash_secret(code)
    officer.first_code_until = world.clock.now() + FIRST_CODE_LIFE
    return FirstCode(officer.id, officer.login, "-".join(code[at : at + 4] for at in range(0, len(code), 4)))


def look_at_enrolment(world: World, *, login: str, first_code: str) -> Enrolment:
    """Who signs in for the first time. Raises Refused officer.first_code, officer.wait, officer.locked."""
    with transaction() as session:
        officer = _enrolling(world, session, login, first_code)
        if isinstance(officer, Officer):
            secret = read_totp_secret(world, session, officer)
            uri = pyotp.TOTP(secret, name=officer.login, issuer=ISSUER).provisioning_uri()
            return Enrolment(officer.login, officer.display_name, officer.role, officer.area, secret, uri)
    raise Refused.of([officer])  # after the commit, so that a wrong try is counted


def finish_with_password(
    world: World, *, login: str, first_code: str, password: str, code: str, user_agent: str = ""
) -> OfficerSignedIn:
    """Set password and authenticator, whose present code shows that it works; the officer is signed in.

    Raises Refused input.length, officer.weak, officer.totp, and what `look_at_enrolment` raises.
    """
    faults = find_password_faults(login, password)
    if faults:
        raise Refused.of(faults)
    password_hash = hash_password(password)  # slow on purpose, so outside the write unit
    with transaction() as session:
        officer = _enrolling(world, session, login, first_code)
        if isinstance(officer, Officer):
            step = fitting_step(world, session, officer, code)
            if step is None:
                raise Refused("officer.totp", "code")
            officer.password_hash, officer.totp_at = password_hash, world.clock.now()
            officer.totp_last_step = step
            return _enter(world, session, officer, user_agent)
    raise Refused.of([officer])


def ask_first_passkey(world: World, *, login: str, first_code: str) -> Question:
    """The question for the first passkey. Raises Refused passkey.off, and what `look_at_enrolment` raises."""
    party = console_party(world)
    with transaction() as session:
        officer = _enrolling(world, session, login, first_code)
        if isinstance(officer, Officer):
            return question_for_new(world, session, party, officer)
    raise Refused.of([officer])


def finish_with_passkey(
    world: World, *, login: str, first_code: str, credential: str, challenge: str, label: str, user_agent: str = ""
) -> OfficerSignedIn:
    """Enrol the first passkey; the officer is signed in.

    Raises Refused passkey.refused, passkey.known, passkey.off, and what `look_at_enrolment` raises.
    """
    party = console_party(world)
    with transaction() as session:
        officer = _enrolling(world, session, login, first_code)
        if isinstance(officer, Officer):
            keep_new_passkey(world, session, party, officer, credential, challenge, label)
            return _enter(world, session, officer, user_agent)
    raise Refused.of([officer])


def _enrolling(world: World, session: Session, login: str, first_code: str) -> Officer | Refusal:
    """The officer whose living first code this is; a wrong one counts like a wrong password."""
    officer = session.scalar(
        select(Officer).where(Officer.login == login.strip().lower(), Officer.active).with_for_update()
    )
    if officer is None or officer.first_code_hash is None or officer.first_code_until is None:
        return Refusal("officer.first_code", "first_code")
    waiting = locked(world, officer)
    if waiting is not None:
        return waiting
    given = hash_secret("".join(first_code.upper().split()).replace("-", ""))
    if hmac.compare_digest(given, officer.first_code_hash) and world.clock.now() < officer.first_code_until:
        return officer
    return count_failure(world, session, officer) or Refusal("officer.first_code", "first_code")


def _enter(world: World, session: Session, officer: Officer, user_agent: str) -> OfficerSignedIn:
    officer.first_code_hash = officer.first_code_until = None
    officer.failed_tries, officer.locked_until = 0, None
    write_leaf(world, session, actor_of(officer), "officer_enrolled", object_kind="officer", object_id=officer.id)
    return open_officer_session(world, session, officer, "first_code", user_agent)
