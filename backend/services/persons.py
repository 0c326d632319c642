"""Who somebody is: name and document, entered once, sealed, checked with the authority."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.documents import Document, decide_document, mask_number
from backend.domain.ids import new_id
from backend.domain.persons import age_band, decide_name
from backend.domain.refusals import Refusal, Refused
from backend.gateways.identity_authority import AuthorityUnavailable
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.identity_checks import IdentityCheck
from backend.models.persons import Person
from backend.services import vault
from backend.services.audit import Actor, write_leaf


@dataclass(frozen=True)
class IdentityView:
    """One's own identity, the number masked. `state`: 'none', 'attested' or 'verified'."""

    person_id: str
    name: str
    id_type: str
    id_number_masked: str
    birth_year: int
    state: str
    document_checked: bool
    age_band: str
    hukou_division: str | None


@dataclass(frozen=True)
class _Entered:
    name: str
    document: Document
    birth_on: date
    sex: str


def enter_identity(
    world: World,
    *,
    account_id: str,
    id_type: str,
    id_number: str,
    name: str,
    hukou_division: str | None = None,
    birth_on: date | None = None,
    sex: str | None = None,
    nationality: str = "CHN",
) -> IdentityView:
    """Enter name and document of the account's person; the same input again changes nothing.

    The authority is asked whether name and number belong together; when it does not answer, the entry stands and the
    same input asks again. Raises Refused with every faulty field, person.unmatched, document.taken,
    person.already.
    """
    entered = _check_entry(world, id_type, id_number, name, birth_on, sex, hukou_division)
    token = number_token(world, entered.document)
    with reading() as session:
        known = _matches(world, session, account_id, token, entered.name)
        if known is not None and known.document_checked:
            return known
    matched = _ask_authority(world, entered)  # outside the transaction: it is a call to another office
    with transaction() as session:
        account = session.get_one(Account, account_id)
        if account.person_id is not None:
            if known is None:
                raise Refused("person.already")
            person = session.get_one(Person, account.person_id)
            if matched is not None and not is_document_checked(session, person.id):
                _record_match(world, session, person.id)
            return _view(world, session, person)
        if session.scalar(select(Person.id).where(Person.id_type == id_type, Person.id_number_token == token)):
            raise Refused("document.taken", "id_number")
        person = make_person(
            world, session, entered.name, entered.document, entered.birth_on, entered.sex, hukou_division, nationality
        )
        account.person_id = person.id
        if matched is not None:
            _record_match(world, session, person.id)
        write_leaf(
            world,
            session,
            Actor("resident", account_id),
            "identity_entered",
            subject_id=person.id,
            fields=["name", "id_type", "id_number"],
        )
        session.flush()
        return _view(world, session, person)


def my_identity(world: World, *, account_id: str) -> IdentityView | None:
    """The account's own identity, or None when it was not entered yet."""
    with reading() as session:
        account = session.get_one(Account, account_id)
        person = session.get(Person, account.person_id) if account.person_id else None
        return _view(world, session, person) if person else None


def number_token(world: World, document: Document) -> bytes:
    """Blind index of a normalised document number; equal numbers of different types differ."""
    return world.key_ring.blind_index("id_number", f"{document.id_type}:{document.id_number}")


def make_person(
    world: World,
    session: Session,
    name: str,
    document: Document,
    birth_on: date,
    sex: str,
    hukou_division: str | None,
    nationality: str = "CHN",
) -> Person:
    """Write a person inside the present write unit, every identity field sealed under a new data key."""
    person_id = new_id()
    vault.make_data_key(world, session, person_id)

    def sealed(column: str, text: str) -> bytes:
        return vault.seal(world, session, person_id, f"persons.{column}", person_id, text)

    person = Person(
        id=person_id,
        name_sealed=sealed("name", name),
        id_type=document.id_type,
        id_number_sealed=sealed("id_number", document.id_number),
        id_number_token=number_token(world, document),
        birth_on_sealed=sealed("birth_on", birth_on.isoformat()),
        sex=sex,
        nationality=nationality,
        hukou_division=hukou_division,
        created_at=world.clock.now(),
    )
    session.add(person)
    session.flush()
    return person


def name_of(world: World, session: Session, person: Person) -> str:
    """The name in clear, for the person or under an audit leaf."""
    return vault.unseal(world, session, person.id, "persons.name", person.id, person.name_sealed)


def number_of(world: World, session: Session, person: Person) -> str:
    """The document number in clear: for masking, for the registry, or under an audit leaf after a step-up."""
    return vault.unseal(world, session, person.id, "persons.id_number", person.id, person.id_number_sealed)


def birth_of(world: World, session: Session, person: Person) -> date:
    """The date of birth."""
    text = vault.unseal(world, session, person.id, "persons.birth_on", person.id, person.birth_on_sealed)
    return date.fromisoformat(text)


def _check_entry(
    world: World,
    id_type: str,
    id_number: str,
    name: str,
    birth_on: date | None,
    sex: str | None,
    hukou_division: str | None,
) -> _Entered:
    today = world.clock.today()
    faults: list[Refusal] = []
    checked_name = decide_name(name)
    if isinstance(checked_name, Refusal):
        faults.append(checked_name)
    document = decide_document(id_type, id_number, today)
    if isinstance(document, Refusal):
        faults.append(document)
    else:
        birth_on, sex = document.birth_on or birth_on, document.sex or sex or "unknown"
        if birth_on is None:
            faults.append(Refusal("input.missing", "birth_on"))
        elif birth_on > today:
            faults.append(Refusal("input.future_date", "birth_on"))
    if hukou_division is not None and not (len(hukou_division) == 6 and hukou_division.isdigit()):
        faults.append(Refusal("registration.division", "hukou_division"))
    if faults:
        raise Refused.of(faults)
    assert isinstance(checked_name, str) and isinstance(document, Document) and birth_on and sex
    return _Entered(checked_name, document, birth_on, sex)


def _record_match(world: World, session: Session, person_id: str) -> None:
    session.add(
        IdentityCheck(
            id=new_id(),
            person_id=person_id,
            method="document",
            provider="identity_authority",
            decision="match",
            outcome="pass",
            checked_at=world.clock.now(),
        )
    )
    session.flush()


def _ask_authority(world: World, entered: _Entered) -> bool | None:
    try:
        answer = world.authority.check(entered.document.id_type, entered.document.id_number, entered.name)
    except AuthorityUnavailable:
        return None
    if not answer.matched:
        raise Refused("person.unmatched", "name")
    return True


def _matches(world: World, session: Session, account_id: str, token: bytes, name: str) -> IdentityView | None:
    account = session.get_one(Account, account_id)
    if account.person_id is None:
        return None
    person = session.get_one(Person, account.person_id)
    if person.id_number_token == token and name_of(world, session, person) == name:
        return _view(world, session, person)
    raise Refused("person.already")


def is_document_checked(session: Session, person_id: str) -> bool:
    """Whether name and number were found to belong together, or a person saw the document."""
    found = session.scalar(
        select(IdentityCheck.id).where(IdentityCheck.person_id == person_id, IdentityCheck.outcome == "pass").limit(1)
    )
    return found is not None


def _view(world: World, session: Session, person: Person) -> IdentityView:
    birth_on = birth_of(world, session, person)
    return IdentityView(
        person_id=person.id,
        name=name_of(world, session, person),
        id_type=person.id_type,
        id_number_masked=mask_number(number_of(world, session, person)),
        birth_year=birth_on.year,
        state=person.identity_state,
        document_checked=is_document_checked(session, person.id),
        age_band=age_band(birth_on, world.clock.today()),
        hukou_division=person.hukou_division,
    )
