"""By whose hand a use case is done: the person's own phone, or an officer's at the window.

Every use case that a person without a phone needs opens its write unit here, so that both doors share every rule. At
the window it needs a stated purpose, a visit that is still open, and the own area; a leaf names the officer and what
was done, and the person reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from backend.db import transaction
from backend.domain.ids import is_id
from backend.domain.officers import covers
from backend.domain.purposes import SERVE, SERVE_AT_DOOR, decide_act
from backend.domain.refusals import Refusal, Refused
from backend.domain.visits import decide_note
from backend.domain.window import ACTS, decide_receipt, receipt_time
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from backend.models.leases import Lease
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.models.visits import Visit
from backend.models.window_visits import WindowVisit
from backend.services.audit import Actor, write_leaf
from backend.services.officer_sessions import Acting, acting_officer


@dataclass(frozen=True)
class Desk:
    """An act at the window: whose session, in which visit.

    Of a paper form: the day stamped on its receipt (None: today), and the day its writer dated it, kept as a note.
    """

    session_id: str
    visit_id: str
    received_on: date | None = None
    dated_on: date | None = None


@dataclass(frozen=True)
class Hand:
    """How an act is written down: by whom, as which source of its fields, through which channel.

    `declared_at` is when a complete declaration on paper reached the office; None: now.
    """

    actor: Actor
    source: str
    declared_by: str = "self"
    channel: str = "phone"
    declared_at: datetime | None = None
    note: str | None = None

    @property
    def officer_id(self) -> str | None:
        """The officer whose hand it is."""
        return None if self.channel == "phone" else self.actor.id

    def speaks_as(self, role: str) -> Actor:
        """The actor of somebody who speaks for another ('guardian'); an officer stays the officer."""
        return Actor("resident", self.actor.id, role=role) if self.channel == "phone" else self.actor


@dataclass(frozen=True)
class Place:
    """What an act is about, by one id; the area is checked where it lies."""

    registration_id: str | None = None
    lease_id: str | None = None
    unit_id: str | None = None
    dwelling_id: str | None = None
    case_id: str | None = None

    @property
    def object(self) -> tuple[str | None, str | None]:
        """(kind, id) as a leaf names it."""
        for kind in ("registration", "lease", "unit", "dwelling", "case"):
            found = getattr(self, f"{kind}_id")
            if found is not None:
                return kind, found
        return None, None


NOWHERE = Place()


class _TurnedAway(Exception):
    """The officer may not; carries what has to be written down before it is said."""

    def __init__(self, refusal: Refusal, actor: Actor, visit_id: str) -> None:
        self.refusal, self.actor, self.visit_id = refusal, actor, visit_id
        super().__init__(refusal.code)


@contextmanager
def acting_for(
    world: World,
    account_id: str,
    desk: Desk | None,
    act: str,
    *,
    source: str = "tenant",
    fields: tuple[str, ...] = (),
    **about: str,
) -> Iterator[tuple[Session, Hand]]:
    """Open the write unit of an act for an account, from its own phone (`desk` None) or at the window.

    `source` is whose word the fields are when they come from a phone; `about` is what the act is about, as `Place` has
    it (registration_id=…). Raises at the window Refused unauthenticated,
    purpose.missing, purpose.unfit, not_found, visit.over, visit.present, paper.received, area.foreign, at a door also
    field.not_yours, field.done, field.withdrawn, field.elsewhere; those that a supervisor has to see are written down.
    """
    if desk is None:
        with transaction() as session:
            yield session, Hand(Actor("resident", account_id), source)
        return
    place = Place(**about)
    with _at_desk(world, account_id, desk, act, place) as (session, acting, visit):
        _note_service(world, session, acting, account_id, visit, act, place, fields)
        yield session, _hand(world, acting, visit, desk)


def check_place(world: World, account_id: str, desk: Desk | None, act: str, **about: str) -> None:
    """Whether an officer may do the act there: before anything is looked up for it or a form shows where it is.

    Nothing is done yet, so no leaf of service is written. At a phone (`desk` None) there is nothing to check. Raises
    as `acting_for`.
    """
    if desk is not None:
        with _at_desk(world, account_id, desk, act, Place(**about)):
            pass


@contextmanager
def _at_desk(
    world: World, account_id: str, desk: Desk, act: str, place: Place
) -> Iterator[tuple[Session, Acting, WindowVisit]]:
    """A write unit of an officer who may do the act; being turned away is written down in a write unit of its own."""
    try:
        with transaction() as session:
            acting = acting_officer(world, session, desk.session_id)
            yield session, acting, _admit(world, session, acting, account_id, desk, act, place)
    except _TurnedAway as away:
        note_turned_away(world, away.refusal, away.actor, "visit", away.visit_id)
        raise Refused.of([away.refusal]) from None


def served_action(visit: WindowVisit) -> str:
    """What the person reads about it: served at the window, or at their own door."""
    return "served_at_door" if visit.visit_id else "served_at_window"


def note_turned_away(world: World, refusal: Refusal, actor: Actor, object_kind: str, object_id: str) -> None:
    """Write down a refusal at the window that matters to a supervisor, in a write unit of its own."""
    if refusal.code in ("area.foreign", "reads.cap", "purpose.unfit"):
        with transaction() as session:
            write_leaf(
                world, session, actor, "refused", object_kind=object_kind, object_id=object_id, decision=refusal.code
            )


def note_service(
    world: World,
    session_id: str,
    visit_id: str,
    account_id: str,
    act: str,
    *,
    fields: tuple[str, ...] = (),
    **about: str,
) -> None:
    """Write down what is about to be read or printed for the person at the window. Raises as `acting_for`."""
    with acting_for(world, account_id, Desk(session_id, visit_id), act, fields=fields, **about):
        pass


def find_open_visit(world: World, session: Session, acting: Acting, visit_id: str) -> WindowVisit | Refusal:
    """A visit that an officer of its area may serve now: a colleague may take over at the window, nobody at a door."""
    visit = session.get(WindowVisit, visit_id)
    refusal = decide_act(acting.session.purpose, SERVE_AT_DOOR if visit and visit.visit_id else SERVE)
    if refusal is not None:
        return refusal
    if visit is None:
        return Refusal("not_found", "visit_id")
    if not covers(acting.officer.area, visit.area):
        return Refusal("area.foreign")
    if world.clock.now() >= visit.ends_at:
        return Refusal("visit.over")
    return _judge_errand(session, acting, visit) or visit


def _judge_errand(session: Session, acting: Acting, visit: WindowVisit) -> Refusal | None:
    """A desk at a door is within a visit that is the officer's own, and ends with it."""
    if visit.visit_id is None:
        return None
    errand = session.get_one(Visit, visit.visit_id)
    return decide_note(errand.state, errand.assignee_id, acting.officer.id)


def _admit(
    world: World, session: Session, acting: Acting, account_id: str, desk: Desk, act: str, place: Place
) -> WindowVisit:
    visit = find_open_visit(world, session, acting, desk.visit_id)
    refusal = visit if isinstance(visit, Refusal) else _judge(world, session, acting, visit, account_id, act, place)
    if isinstance(visit, WindowVisit) and refusal is None and visit.channel == "paper":
        refusal = decide_receipt(desk.received_on, world.clock.today())
    if refusal is not None:
        raise _TurnedAway(refusal, acting.actor, desk.visit_id)
    assert isinstance(visit, WindowVisit)
    return visit


def _judge(
    world: World, session: Session, acting: Acting, visit: WindowVisit, account_id: str, act: str, place: Place
) -> Refusal | None:
    if visit.account_id != account_id:
        return Refusal("not_found", "visit_id")
    if visit.channel == "paper" and not ACTS[act].on_paper:
        return Refusal("visit.present")
    if visit.visit_id is not None and not ACTS[act].at_door:
        return Refusal("field.act")
    if place == NOWHERE:
        return None
    division = _where(session, place, Dwelling.division)
    if division is None:
        return Refusal("not_found")
    if not covers(acting.officer.area, division):
        return Refusal("area.foreign")
    return _judge_unit(session, visit, place)


def _judge_unit(session: Session, visit: WindowVisit, place: Place) -> Refusal | None:
    """At a door only the unit that the visit was planned for is dealt with."""
    if visit.visit_id is None:
        return None
    is_here = _where(session, place, Unit.id) == session.get_one(Visit, visit.visit_id).unit_id
    return None if is_here else Refusal("field.elsewhere")


def _where(session: Session, place: Place, wanted: InstrumentedAttribute[str]) -> str | None:
    """The division or unit an object lies in."""
    statement = select(wanted).select_from(Dwelling)
    kind, object_id = place.object
    if not is_id(object_id or ""):
        return None
    if kind == "case":  # it knows its area; not each is about a unit
        column = Case.area if wanted is Dwelling.division else Case.unit_id
        return session.scalar(select(column).where(Case.id == object_id))
    if kind != "dwelling":
        statement = statement.join(Unit, Unit.dwelling_id == Dwelling.id)
    if kind == "registration":
        statement = statement.join(Registration, Registration.unit_id == Unit.id).where(Registration.id == object_id)
    elif kind == "lease":
        statement = statement.join(Lease, Lease.unit_id == Unit.id).where(Lease.id == object_id)
    else:
        statement = statement.where((Unit.id if kind == "unit" else Dwelling.id) == object_id)
    return session.scalar(statement)


def _note_service(
    world: World,
    session: Session,
    acting: Acting,
    account_id: str,
    visit: WindowVisit,
    act: str,
    place: Place,
    fields: tuple[str, ...],
) -> None:
    kind, object_id = place.object
    write_leaf(
        world,
        session,
        acting.actor,
        served_action(visit),
        subject_id=session.get_one(Account, account_id).person_id,
        object_kind=kind or "person",
        object_id=object_id,
        fields=fields,
        decision=act,
    )


def _hand(world: World, acting: Acting, visit: WindowVisit, desk: Desk) -> Hand:
    on_paper = visit.channel == "paper"
    return Hand(
        actor=acting.actor,
        source="officer",
        declared_by=visit.channel,
        channel=visit.channel,
        declared_at=receipt_time(desk.received_on, world.clock.now()) if on_paper else None,
        note=f"form_dated:{desk.dated_on.isoformat()}" if on_paper and desk.dated_on else None,
    )
