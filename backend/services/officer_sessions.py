"""An officer's session: who is signed in, for which purpose, the locked screen, the second act.

A screen left alone locks and keeps its task; a task ends by hand, after its time, or with the case it names.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.cases import is_closed_for
from backend.domain.purposes import OWN_REFERENCE, PURPOSES, decide_purpose
from backend.domain.refusals import Refusal, Refused
from backend.gateways.world import World
from backend.models.cases import Case
from backend.models.officers import Officer, OfficerSession
from backend.services.audit import Actor, write_leaf
from backend.services.officers import actor_of, check_password, hash_secret
from backend.services.staff_notices import tell_supervisors

_SEEN_EVERY = timedelta(seconds=20)  # the idle clock need not be written at every request


@dataclass(frozen=True)
class OfficerView:
    """The signed-in officer and the task at hand; `locked`: nothing but the lock screen may be shown."""

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
    purpose_until: datetime | None
    stepped_up: bool
    expires_at: datetime
    locked: bool
    has_password: bool


@dataclass(frozen=True)
class Acting:
    """The officer inside a write unit: the locked row and the actor for the audit."""

    officer: Officer
    session: OfficerSession
    actor: Actor


def find_officer_session(world: World, *, session_id: str, secret: str, seen: bool = True) -> OfficerView | None:
    """The officer of a living session, or None (ended, over, or another secret); left alone too long it is locked.

    `seen` False leaves the idle clock alone: what a page asks by itself is not a sign of somebody being there.
    A task that is over by itself ends here.
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
        view, last_seen_at = _view(world, session, officer, row), row.last_seen_at
        over = _why_over(world, session, officer, row)
    seen = seen and not view.locked and now - last_seen_at > _SEEN_EVERY
    if seen or over:
        with transaction() as session:
            living = session.get(OfficerSession, session_id, populate_existing=True)
            if living is not None and living.ended_at is None:
                living.last_seen_at = now if seen else living.last_seen_at
                _end_if_over(world, session, officer, living)
    return view


def lock_session(world: World, *, session_id: str) -> None:
    """Lock the screen: nothing is answered until `open_screen`; locking a locked one changes nothing."""
    with transaction() as session:
        row = session.get(OfficerSession, session_id)
        if row is not None and row.ended_at is None:
            row.locked_at = row.locked_at or world.clock.now()


def open_screen(world: World, *, session_id: str, password: str) -> None:
    """Open a locked screen by the password; the task that was under way goes on while its time lasts.

    Raises Refused officer.password, officer.wait, officer.locked (which ends the session), unauthenticated.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id, locked=True)
        refused = check_password(world, session, acting.officer, password)
        settle_again(world, session, acting, refused, "screen_opened")
    if refused is not None:
        raise Refused.of([refused])


def settle_again(world: World, session: Session, acting: Acting, refused: Refusal | None, action: str) -> None:
    """What follows when somebody signed in shows again who they are: the screen opens, a full number may be shown."""
    row, now = acting.session, world.clock.now()
    if refused is None:
        row.locked_at, row.last_seen_at = None, now
        row.stepped_up_at = now if action == "step_up" else row.stepped_up_at
    elif refused.code == "officer.locked":
        row.ended_at = now
    write_leaf(
        world,
        session,
        acting.actor,
        action,
        object_kind="officer",
        object_id=acting.officer.id,
        decision="allowed" if refused is None else "refused",
    )


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
    """Choose the purpose for what follows; a number of ours must be an open case of the officer's area.

    A number of another office cannot be checked: the supervisors are told that it is used.
    Raises Refused input.not_one_of, purpose.case, purpose.case_form, purpose.case_unknown, purpose.case_closed.
    """
    decided = decide_purpose(purpose, case_number)
    if isinstance(decided, Refusal):
        raise Refused.of([decided])
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        _check_case(world, session, acting.officer, *decided)
        row, now = acting.session, world.clock.now()
        row.purpose, row.case_ref, row.purpose_at = decided[0], decided[1], now
        row.purpose_until = now + PURPOSES[decided[0]].lasts
        row.stepped_up_at = None
        write_leaf(
            world,
            session,
            actor_of(acting.officer, row.purpose, row.case_ref),
            "task_begun",
            object_kind="officer",
            object_id=acting.officer.id,
        )
        return _view(world, session, acting.officer, row)


def end_task(world: World, *, session_id: str) -> None:
    """Clear the purpose: from here on nothing about a person is shown."""
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        if acting.session.purpose is None:
            return
        _clear_task(world, session, acting.officer, acting.session, "by_hand")


def step_up(world: World, *, session_id: str, password: str) -> None:
    """The second act before a full number: the password again; it holds for `house.step_up_life`.

    Raises Refused officer.password, officer.wait, or officer.locked after five wrong tries (which ends the session).
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        refused = check_password(world, session, acting.officer, password)
        settle_again(world, session, acting, refused, "step_up")
    if refused is not None:
        raise Refused.of([refused])


def acting_officer(world: World, session: Session, session_id: str, *, locked: bool = False) -> Acting:
    """The officer of a living session inside the present write unit; the row is locked, so caps count right.

    A task that is over by itself ends here. `locked` True: also when the screen is locked, to open it.
    Raises Refused('unauthenticated') when the session has ended meanwhile, session.locked when its screen is locked.
    """
    row = session.get(OfficerSession, session_id, populate_existing=True)
    if row is None or not _is_alive(world, row):
        raise Refused("unauthenticated")
    officer = session.get_one(Officer, row.officer_id, populate_existing=True, with_for_update=True)
    if not officer.active:
        raise Refused("unauthenticated")
    if not locked and is_locked(world, row):
        raise Refused("session.locked")
    _end_if_over(world, session, officer, row)
    return Acting(officer, row, actor_of(officer, row.purpose, row.case_ref))


def is_stepped_up(world: World, row: OfficerSession) -> bool:
    """Whether the password was given again within the last minutes."""
    return row.stepped_up_at is not None and world.clock.now() - row.stepped_up_at <= world.house.step_up_life


def is_locked(world: World, row: OfficerSession) -> bool:
    """Whether the screen is locked: by hand, or because nobody was there for `house.officer_idle`."""
    return row.locked_at is not None or world.clock.now() - row.last_seen_at > world.house.officer_idle


def _is_alive(world: World, row: OfficerSession) -> bool:
    return row.ended_at is None and world.clock.now() < row.expires_at


def _check_case(world: World, session: Session, officer: Officer, purpose: str, number: str | None) -> None:
    if number is None:
        return
    if OWN_REFERENCE.fullmatch(number):
        known = select(Case).where(Case.reference == number, Case.area.startswith(officer.area, autoescape=True))
        case = session.scalar(known)
        if case is None:
            raise Refused("purpose.case_unknown", "case_number")
        if _is_closed(officer, case):
            raise Refused("purpose.case_closed", "case_number")
    elif PURPOSES[purpose].needs_case:
        told = {"badge": officer.badge, "role": officer.role, "number": number}
        once = f"{officer.id}:{world.clock.today()}:{number}"
        tell_supervisors(world, session, officer.area, "outside_case", once=once, but=officer.id, **told)


def _is_closed(officer: Officer, case: Case) -> bool:
    return is_closed_for(officer.role, case.kind, case.state, caller_waits=case.contact_sealed is not None)


def _why_over(world: World, session: Session, officer: Officer, row: OfficerSession) -> str | None:
    """Why a task is over by itself ('time', 'case_closed'), or None: it goes on, or there is none."""
    if row.purpose is None:
        return None
    if row.purpose_until is None or world.clock.now() >= row.purpose_until:
        return "time"
    if row.case_ref is None or not OWN_REFERENCE.fullmatch(row.case_ref):
        return None
    case = session.scalar(select(Case).where(Case.reference == row.case_ref))
    return "case_closed" if case is not None and _is_closed(officer, case) else None


def _end_if_over(world: World, session: Session, officer: Officer, row: OfficerSession) -> None:
    why = _why_over(world, session, officer, row)
    if why is not None:
        _clear_task(world, session, officer, row, why)


def _clear_task(world: World, session: Session, officer: Officer, row: OfficerSession, why: str) -> None:
    actor = actor_of(officer, row.purpose, row.case_ref)
    write_leaf(world, session, actor, "task_ended", object_kind="officer", object_id=officer.id, decision=why)
    row.purpose = row.case_ref = row.purpose_at = row.purpose_until = row.stepped_up_at = None


def _view(world: World, session: Session, officer: Officer, row: OfficerSession) -> OfficerView:
    over = _why_over(world, session, officer, row) is not None
    return OfficerView(
        id=officer.id,
        session_id=row.id,
        display_name=officer.display_name,
        badge=officer.badge,
        office=officer.office,
        role=officer.role,
        area=officer.area,
        purpose=None if over else row.purpose,
        case_ref=None if over else row.case_ref,
        purpose_at=None if over else row.purpose_at,
        purpose_until=None if over else row.purpose_until,
        stepped_up=is_stepped_up(world, row),
        expires_at=row.expires_at,
        locked=is_locked(world, row),
        has_password=officer.password_hash is not None,
    )
