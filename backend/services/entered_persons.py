"""A grown person whose name and document somebody else enters: found by the document, or written now."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.persons import Person
from backend.services.audit import Actor, write_leaf
from backend.services.document_asking import ask_at
from backend.services.document_states import record_answer
from backend.services.hands import Desk
from backend.services.persons import Entry, make_person, name_of, number_token


def ask_about(world: World, entered: Entry, desk: Desk | None) -> bool | None:
    """The authority's answer, None when it gives none; it is called outside every write unit.

    Raises Refused person.unmatched: what somebody enters for another is not kept when it is wrong; and at a desk as
    `ask_at`.
    """
    matched = ask_at(world, entered, desk)
    if matched is False:
        raise Refused("person.unmatched", "name")
    return matched


def find_or_enter(
    world: World,
    session: Session,
    actor: Actor,
    entered: Entry,
    matched: bool | None,
    *,
    hukou_division: str | None,
    source: str = "tenant",
) -> Person:
    """The person of a document, inside the present write unit; what a known person has said of themselves stays.

    Raises Refused person.unmatched for a known number under another name: the same words the authority would find.
    """
    token = number_token(world, entered.document)
    known = session.scalar(
        select(Person).where(Person.id_type == entered.document.id_type, Person.id_number_token == token)
    )
    if known is not None:
        if name_of(world, session, known) != entered.name:
            raise Refused("person.unmatched", "name")
        return known
    person = make_person(
        world,
        session,
        entered.name,
        entered.document,
        entered.birth_on,
        entered.sex,
        hukou_division,
        entered.nationality,
        source=source,
        actor=actor,
    )
    record_answer(world, session, person, matched)
    fields = ["name", "id_type", "id_number"]
    write_leaf(world, session, actor, "identity_entered_by_another", subject_id=person.id, fields=fields)
    session.flush()
    return person
