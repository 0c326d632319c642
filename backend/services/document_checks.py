"""Names and numbers the authority could not be asked about in time: asked again until it has answered."""

from __future__ import annotations

import structlog
from sqlalchemy import select

from backend.db import reading, transaction
from backend.gateways.identity_authority import AuthorityUnavailable
from backend.gateways.key_ring import KeyRingError
from backend.gateways.world import World
from backend.models.persons import Person
from backend.services.audit import SYSTEM, write_leaf
from backend.services.document_states import record_answer
from backend.services.inbox import tell_person
from backend.services.persons import name_of, number_of

log = structlog.get_logger(__name__)


def ask_again(world: World, *, limit: int = 20) -> int:
    """Ask about what is due, each answer in its own write unit; the person is told. Answers how many were answered.

    The first silence ends the round: an office that is away is not asked twenty times.
    """
    with reading() as session:
        due = session.scalars(
            select(Person)
            .where(Person.document_state == "unavailable", Person.document_ask_at <= world.clock.now())
            .order_by(Person.document_ask_at)
            .limit(limit)
        )
        questions, unreadable = [], []
        for person in due:
            try:
                asked = (person.id_type, number_of(world, session, person), name_of(world, session, person))
                questions.append((person.id, person.id_number_token, *asked))
            except KeyRingError:
                unreadable.append((person.id, person.id_number_token))
    for person_id, token in unreadable:  # asked about later, as if there had been no answer; nobody behind waits
        log.error("document_unreadable", person_id=person_id)
        _record(world, person_id, token, None)
    answered = 0
    for person_id, token, id_type, number, name in questions:
        try:
            matched: bool | None = world.authority.check(id_type, number, name).matched
        except AuthorityUnavailable:
            matched = None
        _record(world, person_id, token, matched)
        if matched is None:
            break
        answered += 1
    return answered


def _record(world: World, person_id: str, token: bytes, matched: bool | None) -> None:
    with transaction() as session:
        person = session.get_one(Person, person_id, with_for_update=True)
        if person.document_state != "unavailable" or person.id_number_token != token:
            return  # answered, or corrected, in the meantime
        record_answer(world, session, person, matched)
        if matched is None:
            return
        person.version += 1
        write_leaf(world, session, SYSTEM, "identity_document", subject_id=person.id, decision=person.document_state)
        once = f"{person.id}:{person.version}"
        tell_person(world, session, person.id, "document_matched" if matched else "document_unmatched", once=once)
