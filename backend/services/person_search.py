"""Search for one person by a whole number: blind index, own area, under a purpose, masked, counted, written down."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.calendars import start_of
from backend.domain.documents import DOCUMENT_TYPES, Document, decide_document, mask_number
from backend.domain.persons import decide_phone
from backend.domain.purposes import SEARCH, decide_act, mask_name
from backend.domain.refusals import Refusal
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.audit import AuditLeaf
from backend.models.dwellings import Dwelling
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.queries.unit_facts import find_residence, short_address
from backend.services.audit import write_leaf
from backend.services.disclosures import answer, judge_cap, note_refusal, state_of
from backend.services.officer_sessions import Acting, acting_officer
from backend.services.persons import name_of, number_of, number_token

MOST = 20
_RECEIPT = re.compile(r"R-\d{9}-\d{8}-\d{6}-\d")
FOUND_FIELDS = ("name_masked", "id_type", "id_number_masked", "address", "registry_state")


@dataclass(frozen=True)
class Found:
    """One registration that fits; name and number masked."""

    registration_id: str
    unit_id: str
    place: str
    label: str
    name_masked: str
    id_type: str
    id_number_masked: str
    state: str
    move_in_on: date


@dataclass(frozen=True)
class SearchResult:
    """What was looked for ('document', 'phone' or 'receipt') and what was found in the officer's area."""

    kind: str
    found: tuple[Found, ...]


def find_person(world: World, *, session_id: str, text: str) -> SearchResult:
    """Find the registrations of one person by document number, phone or receipt number.

    Somebody registered elsewhere and nobody at all answer alike. Raises Refused search.text, purpose.missing,
    purpose.unfit, reads.cap.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = _find(world, session, acting, text)
        note_refusal(world, session, acting, outcome, "search", "person")
    return answer(outcome)


def _find(world: World, session: Session, acting: Acting, text: str) -> SearchResult | Refusal:
    refusal = decide_act(acting.session.purpose, SEARCH)
    if refusal is not None:
        return refusal
    wish = _wish(world, text)
    if wish is None:
        return Refusal("search.text", "text")
    kind, condition = wish
    most = world.house.reads_of(acting.officer.role)
    if _searches_today(world, session, acting) >= most:
        return Refusal("reads.cap", None, {"most": most})
    rows = session.execute(
        select(Registration, Person, Unit, Dwelling)
        .join(Person, Person.id == Registration.person_id)
        .join(Unit, Unit.id == Registration.unit_id)
        .join(Dwelling, Dwelling.id == Unit.dwelling_id)
        .where(
            condition,
            Dwelling.division.startswith(acting.officer.area, autoescape=True),
            Registration.tenant_leg == "declared",
            Registration.scope == "in_scope",
            Registration.residence != "voided",
        )
        .order_by(Registration.residence, Registration.move_in_on.desc())
        .limit(MOST)
    ).all()
    refusal = judge_cap(world, session, acting, [person.id for _, person, _, _ in rows], "person_found")
    if refusal is not None:
        return refusal
    write_leaf(
        world,
        session,
        acting.actor,
        "search_made",
        object_kind="search",
        object_id=kind,
        decision="found" if rows else "none",
    )
    for person_id in dict.fromkeys(person.id for _, person, _, _ in rows):
        write_leaf(
            world,
            session,
            acting.actor,
            "person_found",
            subject_id=person_id,
            object_kind="search",
            object_id=kind,
            fields=FOUND_FIELDS,
        )
    return SearchResult(kind, tuple(_found(world, session, *row) for row in rows))


def _wish(world: World, text: str) -> tuple[str, ColumnElement[bool]] | None:
    """What the text is: a receipt number, a phone, a document number; parts of a number and names are none."""
    wanted = text.strip().upper()
    if _RECEIPT.fullmatch(wanted):
        return "receipt", Registration.receipt_no == wanted
    phone = decide_phone(text)
    if not isinstance(phone, Refusal):
        token = world.key_ring.blind_index("phone", phone)
        account = select(Account.person_id).where(Account.phone_token == token)
        return "phone", Person.id.in_(account)
    documents = [decide_document(code, text, world.clock.today()) for code in DOCUMENT_TYPES]
    tokens = [number_token(world, document) for document in documents if isinstance(document, Document)]
    return ("document", Person.id_number_token.in_(tokens)) if tokens else None


def _searches_today(world: World, session: Session, acting: Acting) -> int:
    return (
        session.scalar(
            select(func.count()).where(
                AuditLeaf.actor_id == acting.officer.id,
                AuditLeaf.at >= start_of(world.clock.today()),
                AuditLeaf.action == "search_made",
            )
        )
        or 0
    )


def _found(
    world: World, session: Session, registration: Registration, person: Person, unit: Unit, dwelling: Dwelling
) -> Found:
    residence = find_residence(registration.id)
    assert residence is not None
    return Found(
        registration_id=registration.id,
        unit_id=unit.id,
        place=short_address(dwelling),
        label=unit.label,
        name_masked=mask_name(name_of(world, session, person)),
        id_type=person.id_type,
        id_number_masked=mask_number(number_of(world, session, person)),
        state=state_of(residence),
        move_in_on=registration.move_in_on,
    )
