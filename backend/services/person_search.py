"""Search by a whole number, name or address: own area, under a purpose, masked, counted, written down.

Names and numbers are sealed and found by their blind index alone, so that a part of one finds nobody. An address is
matched whole too: a road alone would be a list of all who live there.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.calendars import start_of
from backend.domain.documents import DOCUMENT_TYPES, Document, decide_document, mask_number
from backend.domain.persons import decide_name, decide_phone
from backend.domain.purposes import SEARCH, decide_act, mask_name
from backend.domain.refusals import Refusal
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.audit import AuditLeaf
from backend.models.dwellings import Dwelling
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.queries.pages import comes_after
from backend.queries.unit_facts import find_residence, short_address
from backend.services.audit import write_leaf
from backend.services.disclosures import answer, judge_cap, note_refusal, state_of
from backend.services.officer_sessions import Acting, acting_officer
from backend.services.persons import name_of, name_token, number_of, number_token

PER_PAGE = 20
WAYS = ("number", "name", "address")
_RECEIPT = re.compile(r"R-\d{9}-\d{8}-\d{6}-\d")
FOUND_FIELDS = ("name_masked", "id_type", "id_number_masked", "address", "residence_dates", "registry_state")


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
    """What was looked for ('document', 'phone', 'receipt', 'name', 'address') and a page of what the area has of it.

    `more` is where the next page begins, None on the last one.
    """

    kind: str
    found: tuple[Found, ...]
    more: str | None = None


def find_person(
    world: World, *, session_id: str, text: str, by: str = "number", after: str | None = None
) -> SearchResult:
    """Find registrations of the area `by` 'number' (document, phone, receipt), 'name' or 'address', each of them whole.

    Somebody registered elsewhere and nobody at all answer alike. `after` is the `more` of the page before. Raises
    Refused search.text, search.name, search.address, purpose.missing, purpose.unfit, reads.cap.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = _find(world, session, acting, text, by, after)
        note_refusal(world, session, acting, outcome, "search", "person")
    return answer(outcome)


def _find(
    world: World, session: Session, acting: Acting, text: str, by: str, after: str | None
) -> SearchResult | Refusal:
    refusal = decide_act(acting.session.purpose, SEARCH)
    if refusal is not None:
        return refusal
    wish = _WISHES[by](world, text) if by in _WISHES else Refusal("input.not_one_of", "by", allowed=WAYS)
    if isinstance(wish, Refusal):
        return wish
    kind, condition = wish
    most = world.house.reads_of(acting.officer.role)
    if _searches_today(world, session, acting) >= most:
        return Refusal("reads.cap", None, {"most": most})
    rows = session.execute(_page(session, condition, acting.officer.area, after)).all()
    shown = rows[:PER_PAGE]
    persons = list(dict.fromkeys(person.id for _, person, _, _ in shown))
    refusal = judge_cap(world, session, acting, persons, "person_found")
    if refusal is not None:
        return refusal
    _write_down(world, session, acting, kind, persons)
    more = shown[-1][0].id if len(rows) > PER_PAGE else None
    return SearchResult(kind, tuple(_found(world, session, *row) for row in shown), more)


def _page(
    session: Session, condition: ColumnElement[bool], area: str, after: str | None
) -> Select[Registration, Person, Unit, Dwelling]:
    """One row more than a page: those who live there first."""
    order: tuple[Any, ...] = (Registration.residence, Registration.id)
    statement = (
        select(Registration, Person, Unit, Dwelling)
        .join(Person, Person.id == Registration.person_id)
        .join(Unit, Unit.id == Registration.unit_id)
        .join(Dwelling, Dwelling.id == Unit.dwelling_id)
        .where(
            condition,
            Dwelling.division.startswith(area, autoescape=True),
            Registration.tenant_leg == "declared",
            Registration.scope == "in_scope",
            Registration.residence != "voided",
        )
        .order_by(*order)
        .limit(PER_PAGE + 1)
    )
    seen = session.execute(select(*order).where(Registration.id == after)).first() if after else None
    return statement.where(comes_after(order, seen)) if seen else statement


def _write_down(world: World, session: Session, acting: Acting, kind: str, persons: list[str]) -> None:
    """One leaf for the search, and one for each person whose line is shown."""
    named: dict[str, Any] = {"object_kind": "search", "object_id": kind}
    write_leaf(world, session, acting.actor, "search_made", **named, decision="found" if persons else "none")
    for person_id in persons:
        write_leaf(world, session, acting.actor, "person_found", subject_id=person_id, **named, fields=FOUND_FIELDS)


Wish = tuple[str, ColumnElement[bool]] | Refusal


def _wish_by_number(world: World, text: str) -> Wish:
    """A receipt number, a phone or a document number; a part of one is none."""
    wanted = text.strip().upper()
    if _RECEIPT.fullmatch(wanted):
        return "receipt", or_(Registration.receipt_no == wanted, Registration.checkout_receipt_no == wanted)
    phone = decide_phone(text)
    if not isinstance(phone, Refusal):
        token = world.key_ring.blind_index("phone", phone)
        account = select(Account.person_id).where(Account.phone_token == token)
        return "phone", Person.id.in_(account)
    documents = [decide_document(code, text, world.clock.today()) for code in DOCUMENT_TYPES]
    tokens = [number_token(world, document) for document in documents if isinstance(document, Document)]
    return ("document", Person.id_number_token.in_(tokens)) if tokens else Refusal("search.text", "text")


def _wish_by_name(world: World, text: str) -> Wish:
    name = decide_name(text)
    if isinstance(name, Refusal):
        return Refusal("search.name", "text")
    return "name", Person.name_token == name_token(world, name)


def _wish_by_address(world: World, text: str) -> Wish:
    """A dwelling or a unit as it is written at the door, with or without the village, or by its former address."""
    typed = "".join(unicodedata.normalize("NFKC", text).split())[:120]
    if not any(letter.isdigit() for letter in typed):
        return Refusal("search.address", "text")
    door = Dwelling.road + Dwelling.door_no + Dwelling.building
    places = (door, Dwelling.village + door, door + Unit.label, Dwelling.village + door + Unit.label)
    spellings = (typed, f"{typed}号", f"{typed}室")
    return "address", or_(*(place.in_(spellings) for place in places), Dwelling.former_address.in_(spellings))


_WISHES = {"number": _wish_by_number, "name": _wish_by_name, "address": _wish_by_address}


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
