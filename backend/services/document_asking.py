"""Whether a name belongs to a number is an answer about somebody: staff get it under a purpose and so often a day.

The leaf is written and counted before the authority is asked, whatever it says; whose number is held here reads it.
"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.calendars import start_of
from backend.domain.refusals import Refusal
from backend.gateways.world import World
from backend.models.audit import AuditLeaf
from backend.models.persons import Person
from backend.services.audit import write_leaf
from backend.services.disclosures import answer, judge_cap, note_refusal
from backend.services.hands import Desk, find_open_visit
from backend.services.officer_sessions import Acting, acting_officer
from backend.services.persons import Entry, ask_authority, name_of, number_token

ASKED = "document_asked"


def ask_at(world: World, entered: Entry, desk: Desk | None) -> bool | None:
    """The authority's answer about somebody entered for another, None when it gives none; never inside a write unit.

    At a desk the asking is counted and written down before. Raises Refused purpose.missing, purpose.unfit, not_found,
    area.foreign, visit.over, reads.cap, and person.unmatched for a number held here under another name.
    """
    if desk is not None:
        with transaction() as session:
            acting = acting_officer(world, session, desk.session_id)
            found = find_open_visit(world, session, acting, desk.visit_id)
            outcome = found if isinstance(found, Refusal) else note_asking(world, session, acting, entered)
            note_refusal(world, session, acting, outcome, "visit", desk.visit_id)
        answer(outcome)
    return ask_authority(world, entered)


def note_asking(world: World, session: Session, acting: Acting, entered: Entry) -> Refusal | None:
    """Write down that an officer asks about a document, inside a write unit that commits before the authority is asked.

    Answers reads.cap when the day's cap is reached, and person.unmatched when the number is held here under another
    name: that needs no authority, and is written down all the same.
    """
    most, held = world.house.reads_of(acting.officer.role), find_held(world, session, entered)
    if _count_today(world, session, acting) >= most:
        return Refusal("reads.cap", None, {"most": most})
    refusal = judge_cap(world, session, acting, [held.id] if held else [], ASKED)
    if refusal is not None:
        return refusal
    fits = held is None or name_of(world, session, held) == entered.name
    write_leaf(
        world,
        session,
        acting.actor,
        ASKED,
        subject_id=held.id if held else None,
        object_kind="document",
        object_id=entered.document.id_type,
        decision="allowed" if fits else "unmatched",
    )
    return None if fits else Refusal("person.unmatched", "name")


def find_held(world: World, session: Session, entered: Entry) -> Person | None:
    """Who is held here under a document's number."""
    token = number_token(world, entered.document)
    return session.scalar(
        select(Person).where(Person.id_type == entered.document.id_type, Person.id_number_token == token)
    )


def _count_today(world: World, session: Session, acting: Acting) -> int:
    return (
        session.scalar(
            select(func.count()).where(
                AuditLeaf.actor_id == acting.officer.id,
                AuditLeaf.at >= start_of(world.clock.today()),
                AuditLeaf.action == ASKED,
            )
        )
        or 0
    )
