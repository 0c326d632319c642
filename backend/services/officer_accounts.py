"""Accounts of staff, kept by the supervisors of an area: made, changed, reset, suspended, resumed, signed out.

Accounts of supervisors and auditors take two: one asks, another approves. A suspension never waits.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.ids import new_id
from backend.domain.officers import covers, find_officer_faults, find_password_faults, takes_two
from backend.domain.refusals import Refusal, Refused
from backend.gateways.world import World
from backend.models.officers import AccountRequest, Officer, OfficerSession
from backend.services.audit import write_leaf
from backend.services.disclosures import answer, note_refusal
from backend.services.officer_enrolment import FirstCode, give_first_code
from backend.services.officer_sessions import Acting, acting_officer, is_stepped_up
from backend.services.officers import add_officer, check_password, end_sessions, hash_password
from backend.services.staff_notices import tell_officer, tell_supervisors

DECISIONS = ("approved", "declined", "withdrawn")


@dataclass(frozen=True)
class Wish:
    """What an account is to be."""

    login: str
    display_name: str
    office: str
    role: str
    area: str


@dataclass(frozen=True)
class Settled:
    """What became of a request: `state` is one of models.officers.REQUEST_STATES; the code is shown this once."""

    request_id: str
    officer_id: str | None
    state: str
    first_code: FirstCode | None = None


def ask_new_account(world: World, *, session_id: str, wish: Wish) -> Settled:
    """Make an account in one's area, or ask for it where it takes two.

    Raises Refused with every faulty field, step_up, area.foreign (written down), officer.login_taken, officer.pending.
    """
    faults = find_officer_faults(wish.login, wish.display_name, wish.office, wish.role, wish.area, None)
    if faults:
        raise Refused.of(faults)
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = _judge(world, session, acting, "create", None, wish) or _ask(
            world, session, acting, "create", None, wish
        )
        note_refusal(world, session, acting, outcome, "officer", "new")
    return answer(outcome)


def ask_for_account(world: World, *, session_id: str, officer_id: str, kind: str, wish: Wish | None = None) -> Settled:
    """Change, reset, resume or suspend an account of one's area, or ask for it where it takes two.

    `wish` goes with a change alone. Raises Refused not_found, officer.self, area.foreign (written down), step_up,
    officer.pending, officer.suspended, officer.active, officer.unchanged, and with every faulty field of a change.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        officer = session.get(Officer, officer_id, with_for_update=True)
        outcome: Settled | Refusal = Refusal("not_found")
        if officer is not None:
            wanted = wish if kind == "change" and wish is not None else _as_it_is(officer)
            faults = find_officer_faults(
                officer.login, wanted.display_name, wanted.office, wanted.role, wanted.area, None
            )
            if faults:
                raise Refused.of(faults)
            outcome = _judge(world, session, acting, kind, officer, wanted) or _ask(
                world, session, acting, kind, officer, wanted
            )
        note_refusal(world, session, acting, outcome, "officer", officer_id)
    return answer(outcome)


def decide_request(world: World, *, session_id: str, request_id: str, decision: str) -> Settled:
    """Approve or decline what another supervisor asks for, or withdraw what one asked for oneself.

    Raises Refused not_found, officer.decided, area.foreign (written down), officer.self, officer.four_eyes, step_up.
    """
    if decision not in DECISIONS:
        raise Refused("input.not_one_of", "decision", allowed=DECISIONS)
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        request = session.get(AccountRequest, request_id, with_for_update=True)
        outcome = _decide(world, session, acting, request, decision)
        note_refusal(world, session, acting, outcome, "account_request", request_id)
    return answer(outcome)


def lift_lock(world: World, *, session_id: str, officer_id: str) -> None:
    """Let an officer of one's area try again before the lock is over. Raises Refused not_found, area.foreign."""
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        officer = session.get(Officer, officer_id, with_for_update=True)
        outcome = Refusal("not_found") if officer is None else _reach(acting, officer.area)
        if outcome is None and officer is not None:
            officer.failed_tries, officer.locked_until = 0, None
            _leaf(world, session, acting, "lock_lifted", officer.id)
        note_refusal(world, session, acting, outcome, "officer", officer_id)
    answer(outcome)


def end_session(world: World, *, session_id: str, officer_id: str, ended_id: str) -> None:
    """End a session of `officer_id`: one's own, or as a supervisor one of an officer of the area, who is told.

    Raises Refused not_found, area.foreign (written down).
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        row = session.get(OfficerSession, ended_id)
        owner = session.get(Officer, officer_id) if row is not None and row.officer_id == officer_id else None
        outcome = _judge_end(acting, owner)
        if row is not None and owner is not None and outcome is None and row.ended_at is None:
            row.ended_at = world.clock.now()
            _leaf(world, session, acting, "session_ended", owner.id)
            if owner.id != acting.officer.id:
                tell_officer(world, session, owner.id, "session_ended", once=row.id, badge=acting.officer.badge)
        note_refusal(world, session, acting, outcome, "session", ended_id)
    answer(outcome)


def change_password(world: World, *, session_id: str, present: str, wanted: str) -> None:
    """Change one's own password; one's other sessions end.

    Raises Refused officer.password, officer.wait, officer.locked, input.length, officer.weak.
    """
    with transaction() as session:
        login = acting_officer(world, session, session_id).officer.login
    faults = [Refusal(fault.code, "wanted", fault.params) for fault in find_password_faults(login, wanted)]
    if faults:
        raise Refused.of(faults)
    password_hash = hash_password(wanted)  # slow on purpose, so outside the write unit
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        refused = check_password(world, session, acting.officer, present)
        if refused is None:
            acting.officer.password_hash = password_hash
            end_sessions(world, session, acting.officer.id, but=session_id)
            _leaf(world, session, acting, "password_changed", acting.officer.id)
    if refused is not None:
        raise Refused.of([refused])


def _judge(
    world: World, session: Session, acting: Acting, kind: str, officer: Officer | None, wish: Wish
) -> Refusal | None:
    """Whether this supervisor may ask for it now: not for oneself, inside the area, after the second act."""
    if officer is not None and officer.id == acting.officer.id:
        return Refusal("officer.self")
    outside = _reach(acting, wish.area) or (_reach(acting, officer.area) if officer is not None else None)
    if outside is not None:
        return outside
    if officer is not None and not officer.active and kind in ("change", "reset", "suspend"):
        return Refusal("officer.suspended")
    if officer is not None and officer.active and kind == "resume":
        return Refusal("officer.active")
    if officer is not None and kind == "change" and _is_like(officer, wish):
        return Refusal("officer.unchanged")
    if kind != "suspend" and not is_stepped_up(world, acting.session):
        return Refusal("step_up", "password")
    about = AccountRequest.login == wish.login
    if officer is not None:
        about = or_(about, AccountRequest.officer_id == officer.id)
    waiting = select(AccountRequest.id).where(AccountRequest.state == "waiting", about)
    if kind != "suspend" and session.scalar(waiting.limit(1)) is not None:
        return Refusal("officer.pending")
    return None


def _ask(world: World, session: Session, acting: Acting, kind: str, officer: Officer | None, wish: Wish) -> Settled:
    if officer is None and session.scalar(select(Officer.id).where(Officer.login == wish.login)) is not None:
        raise Refused("officer.login_taken", "login")
    now = world.clock.now()
    two = takes_two(kind, wish.role, *(() if officer is None else (officer.role,)))
    request = AccountRequest(
        id=new_id(),
        kind=kind,
        officer_id=officer.id if officer else None,
        login=wish.login,
        display_name=wish.display_name.strip(),
        office=wish.office.strip(),
        role=wish.role,
        area=wish.area,
        four_eyes=two,
        state="waiting",
        asked_by=acting.officer.id,
        asked_at=now,
    )
    session.add(request)
    session.flush()
    _leaf(world, session, acting, "account_asked", request.officer_id or request.id, kind)
    if not two:
        return _apply(world, session, acting, request)
    told = {"badge": acting.officer.badge, "kind": kind, "login": wish.login, "role": wish.role, "area": wish.area}
    tell_supervisors(world, session, wish.area, "request_waiting", once=request.id, but=acting.officer.id, **told)
    return Settled(request.id, request.officer_id, "waiting")


def _decide(
    world: World, session: Session, acting: Acting, request: AccountRequest | None, decision: str
) -> Settled | Refusal:
    if request is None:
        return Refusal("not_found")
    officer = session.get(Officer, request.officer_id, with_for_update=True) if request.officer_id else None
    outside = _reach(acting, request.area) or (_reach(acting, officer.area) if officer is not None else None)
    mine = request.asked_by == acting.officer.id
    if outside is not None:
        return outside
    if request.state != "waiting":
        return Refusal("officer.decided")
    if request.officer_id == acting.officer.id:
        return Refusal("officer.self")
    if mine != (decision == "withdrawn"):
        return Refusal("officer.four_eyes")
    if decision == "approved" and not is_stepped_up(world, acting.session):
        return Refusal("step_up", "password")
    if decision == "approved":
        settled = _apply(world, session, acting, request)
    else:
        _close(world, acting, request, decision)
        settled = Settled(request.id, request.officer_id, decision)
    _leaf(world, session, acting, f"account_{decision}", request.officer_id or request.id, request.kind)
    if not mine:
        told = {"badge": acting.officer.badge, "kind": request.kind, "login": request.login}
        tell_officer(world, session, request.asked_by, f"request_{decision}", once=request.id, **told)
    return settled


def _apply(world: World, session: Session, acting: Acting, request: AccountRequest) -> Settled:
    """Do what was asked for, inside the present write unit; new ways to sign in come with a code."""
    _close(world, acting, request, "approved")
    first_code = None
    if request.officer_id is None:
        officer = add_officer(
            world, session, acting.actor, request.login, request.display_name, request.office, request.role,
            request.area,
        )  # fmt: skip
        request.officer_id = officer.id
        first_code = give_first_code(world, session, officer)
    else:
        officer = session.get_one(Officer, request.officer_id)
        first_code = _change(world, session, acting, officer, request)
    session.flush()
    return Settled(request.id, officer.id, "approved", first_code)


def _change(
    world: World, session: Session, acting: Acting, officer: Officer, request: AccountRequest
) -> FirstCode | None:
    badge, once = acting.officer.badge, request.id
    if request.kind == "reset":
        tell_officer(world, session, officer.id, "account_reset", once=once, badge=badge)
        _leaf(world, session, acting, "officer_reset", officer.id)
        return give_first_code(world, session, officer)
    if request.kind == "change":
        for name in ("display_name", "office", "role", "area"):
            setattr(officer, name, getattr(request, name))
        told = {"badge": badge, "role": request.role, "area": request.area}
        tell_officer(world, session, officer.id, "account_changed", once=once, **told)
    else:
        officer.active = request.kind == "resume"
    end_sessions(world, session, officer.id)
    _leaf(world, session, acting, f"officer_{request.kind}", officer.id, officer.role)
    return None


def _judge_end(acting: Acting, owner: Officer | None) -> Refusal | None:
    """One's own always; another's as a supervisor of the area. To everybody else another's is not there."""
    if owner is not None and owner.id == acting.officer.id:
        return None
    if owner is None or acting.officer.role != "supervisor":
        return Refusal("not_found")
    return _reach(acting, owner.area)


def _reach(acting: Acting, area: str) -> Refusal | None:
    return None if covers(acting.officer.area, area) else Refusal("area.foreign")


def _close(world: World, acting: Acting, request: AccountRequest, state: str) -> None:
    request.state, request.decided_by, request.decided_at = state, acting.officer.id, world.clock.now()


def _is_like(officer: Officer, wish: Wish) -> bool:
    wanted = (wish.display_name.strip(), wish.office.strip(), wish.role, wish.area)
    return wanted == (officer.display_name, officer.office, officer.role, officer.area)


def _as_it_is(officer: Officer) -> Wish:
    return Wish(officer.login, officer.display_name, officer.office, officer.role, officer.area)


def _leaf(
    world: World, session: Session, acting: Acting, action: str, officer_id: str, decision: str | None = None
) -> None:
    write_leaf(world, session, acting.actor, action, object_kind="officer", object_id=officer_id, decision=decision)
