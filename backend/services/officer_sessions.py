"""An officer's session: who is signed in, for which purpose, and the second act before a full number."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.purposes import OWN_REFERENCE, decide_purpose
from backend.domain.refusals import Refusal, Refused
from backend.gateways.world import World
from backend.models.cases import Case
from backend.models.officers import Officer, OfficerSession
from backend.services.audit import Actor, write_leaf
from backend.services.officers import actor_of, check_password, hash_secret

_SEEN_EVERY = timedelta(seconds=20)  # the idle clock need not be written at every request


@dataclass(frozen=True)
class OfficerView:
    """The signed-in officer and the task at hand."""

    id: str
    session_id: str
    display_name: str
    badge: str
    office: str
    role: str
    area: str
    purpose: str | None
    case_ref: str | None
    purpose_at: datetime | None
    stepped_up: bool
    expires_at: datetime


@dataclass(frozen=True)
class Acting:
    """The officer inside a write unit: the locked row and the actor for the audit."""

    officer: Officer
    session: OfficerSession
    actor: Actor


def find_officer_session(world: World, *, session_id: str, secret: str, seen: bool = True) -> OfficerView | None:
    """The officer of a living session, or None (ended, idle too long, over, or another secret).

    `seen` False leaves the idle clock alone: what a page asks by itself is not a sign of somebody being there.
    """
    now = world.clock.now()
    with reading() as session:
        row = session.get(OfficerSession, session_id)
        if row is None or not hmac.compare_digest(row.secret_hash, hash_secret(secret)):
            return None
        if not _is_alive(world, row):
            return None
        officer = session.get_one(Officer, row.officer_id)
        if not officer.active:
            return None
        view, last_seen_at = _view(world, officer, row), row.last_seen_at
    if seen and now - last_seen_at > _SEEN_EVERY:
        with transaction() as session:
            living = session.get(OfficerSession, session_id)
            if living is not None and living.ended_at is None:
                living.last_seen_at = now
    return view


def sign_out_officer(world: World, *, session_id: str) -> None:
    """End a session and its task; ending an ended one changes nothing."""
    with transaction() as session:
        row = session.get(OfficerSession, session_id)
        if row is not None and row.ended_at is None:
            row.ended_at = world.clock.now()
            officer = session.get_one(Officer, row.officer_id)
            write_leaf(
                world,
                session,
                actor_of(officer, row.purpose, row.case_ref),
                "officer_sign_out",
                object_kind="officer",
                object_id=officer.id,
            )


def begin_task(world: World, *, session_id: str, purpose: str, case_number: str | None = None) -> OfficerView:
    """Choose the purpose for what follows; a number of ours must be a case of the officer's area.

    Raises Refused input.not_one_of, purpose.case, purpose.case_form, purpose.case_unknown.
    """
    decided = decide_purpose(purpose, case_number)
    if isinstance(decided, Refusal):
        raise Refused.of([decided])
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        if decided[1] is not None and OWN_REFERENCE.fullmatch(decided[1]):
            known = select(Case.id).where(Case.reference == decided[1], Case.area.startswith(acting.officer.area))
            if session.scalar(known) is None:
                raise Refused("purpose.case_unknown", "case_number")
        row = acting.session
        row.purpose, row.case_ref, row.purpose_at = decided[0], decided[1], world.clock.now()
        row.stepped_up_at = None
        write_leaf(
            world,
            session,
            actor_of(acting.officer, row.purpose, row.case_ref),
            "task_begun",
            object_kind="officer",
            object_id=acting.officer.id,
        )
        return _view(world, acting.officer, row)


def end_task(world: World, *, session_id: str) -> None:
    """Clear the purpose: from here on nothing about a person is shown."""
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        if acting.session.purpose is None:
            return
        write_leaf(world, session, acting.actor, "task_ended", object_kind="officer", object_id=acting.officer.id)
        row = acting.session
        row.purpose = row.case_ref = row.purpose_at = row.stepped_up_at = None


def step_up(world: World, *, session_id: str, password: str) -> None:
    """The second act before a full number: the password again; it holds for `house.step_up_life`.

    Raises Refused officer.password, or officer.locked after five wrong tries (which ends the session).
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        refused = check_password(world, session, acting.officer, password)
        if refused is None:
            acting.session.stepped_up_at = world.clock.now()
        elif refused.code == "officer.locked":
            acting.session.ended_at = world.clock.now()
        write_leaf(
            world,
            session,
            acting.actor,
            "step_up",
            object_kind="officer",
            object_id=acting.officer.id,
            decision="allowed" if refused is None else "refused",
        )
    if refused is not None:
        raise Refused.of([refused])


def acting_officer(world: World, session: Session, session_id: str) -> Acting:
    """The officer of a living session inside the present write unit; the row is locked, so caps count right.

    Raises Refused('unauthenticated') when the session has ended meanwhile.
    """
    row = session.get(OfficerSession, session_id, populate_existing=True)
    if row is None or not _is_alive(world, row):
        raise Refused("unauthenticated")
    officer = session.get_one(Officer, row.officer_id, populate_existing=True, with_for_update=True)
    if not officer.active:
        raise Refused("unauthenticated")
    return Acting(officer, row, actor_of(officer, row.purpose, row.case_ref))


def is_stepped_up(world: World, row: OfficerSession) -> bool:
    """Whether the password was given again within the last minutes."""
    return row.stepped_up_at is not None and world.clock.now() - row.stepped_up_at <= world.house.step_up_life


def _is_alive(world: World, row: OfficerSession) -> bool:
    now = world.clock.now()
    return row.ended_at is None and now < row.expires_at and now - row.last_seen_at <= world.house.officer_idle


def _view(world: World, officer: Officer, row: OfficerSession) -> OfficerView:
    return OfficerView(
        id=officer.id,
        session_id=row.id,
        display_name=officer.display_name,
        badge=officer.badge,
        office=officer.office,
        role=officer.role,
        area=officer.area,
        purpose=row.purpose,
        case_ref=row.case_ref,
        purpose_at=row.purpose_at,
        stepped_up=is_stepped_up(world, row),
        expires_at=row.expires_at,
    )
