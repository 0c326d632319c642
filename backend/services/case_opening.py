"""Opening a case inside another use case's write unit: what a rule or a resident reports goes to a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.domain.cases import due_time_of, office_of
from backend.domain.ids import new_id
from backend.gateways.clock import CHINA
from backend.gateways.world import World
from backend.models.cases import Case
from backend.services.audit import SYSTEM, Actor
from backend.services.case_messages import keep_contact
from backend.services.case_steps import advance, note_step

# One lock number for all references: PostgreSQL's writers take turns here; SQLite's do already (BEGIN IMMEDIATE).
_REFERENCE_LOCK = 0x414A  # 'AJ'


def open_case(
    world: World,
    session: Session,
    *,
    kind: str,
    area: str,
    unit_id: str | None = None,
    registration_id: str | None = None,
    person_id: str | None = None,
    rule: str | None = None,
    opened_by: str,
    evidence: Mapping[str, Any] | None = None,
    due_at: datetime | None = None,
    reporter_id: str | None = None,
    call_back: bool = False,
    actor: Actor = SYSTEM,
    words: str = "",
    contact: str | None = None,
    once: str | None = None,
) -> Case:
    """Open one case inside the present write unit: reported by `actor`, routed to the office entitled to its kind.

    `area` is the 12-digit division of the dwelling (or the prefix the matter belongs to); `evidence` holds ids and
    codes only, never a person's data. Without `due_at` the kind's own time applies. `reporter_id` is the account that
    gets the answer, `words` what it said about the thing; `contact` the number of a caller without an account, `once`
    the form that makes it. The row is flushed, so that its id may be referred to.
    """
    now = world.clock.now()
    case = Case(
        id=new_id(),
        reference=_next_reference(world, session),
        kind=kind,
        state="reported",
        area=area,
        office=office_of(kind),
        rule=rule,
        unit_id=unit_id,
        registration_id=registration_id,
        person_id=person_id,
        evidence=dict(evidence or {}),
        opened_by=opened_by,
        opened_at=now,
        due_at=due_at or due_time_of(kind, now),
        reporter_id=reporter_id,
        call_back=call_back,
        once=once,
        version=1,
    )
    session.add(case)
    session.flush()
    if contact is not None:
        keep_contact(world, session, case, contact)
    note_step(world, session, case, "report", actor, words=words)
    advance(world, session, case, "route", SYSTEM)
    return case


def open_once(session: Session, find: Callable[[], Case | None], make: Callable[[], Case]) -> Case:
    """The case that `find` knows, else the one that `make` opens: of several who find none one alone opens it.

    Also of two processes that do the same chore, because one of them was thought dead and was not.
    """
    known = find()
    if known is None:
        _take_turn(session)
        known = find()  # whoever had the turn before us may have opened it
    return known or make()


def _take_turn(session: Session) -> None:
    """Wait until nobody else is opening a case; what is read from now on shows theirs."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_REFERENCE_LOCK)))


def _next_reference(world: World, session: Session) -> str:
    """The next free reference of the day, `AJ-20261123-0007`; the day is China's."""
    _take_turn(session)
    prefix = f"AJ-{world.clock.now().astimezone(CHINA):%Y%m%d}-"
    last = session.scalar(
        select(Case.reference)
        .where(Case.reference.startswith(prefix))
        .order_by(func.length(Case.reference).desc(), Case.reference.desc())
        .limit(1)
    )
    number = int(last.removeprefix(prefix)) + 1 if last else 1
    return f"{prefix}{number:04d}"
