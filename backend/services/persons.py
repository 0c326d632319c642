"""Who somebody is: name and document, entered once, sealed, checked with the authority."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.documents import RESIDENT_ID, Document, decide_document, mask_number
from backend.domain.ids import new_id
from backend.domain.nationalities import CHINA, decide_nationality
from backend.domain.notices import NOTICES
from backend.domain.persons import age_band, decide_name, name_key
from backend.domain.refusals import Refusal, Refused
from backend.gateways.identity_authority import AuthorityUnavailable
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.identity_checks import IdentityCheck
from backend.models.persons import Person
from backend.services import vault
from backend.services.audit import SYSTEM, Actor, write_leaf
from backend.services.consents import is_given
from backend.services.document_states import has_declared, may_correct, record_answer, resend_registrations
from backend.services.field_sources import note_fields

_NOTICE = "registration_notice"


@dataclass(frozen=True)
class IdentityView:
    """One's own identity, the number masked. `state`: 'none', 'attested' or 'verified'.

    `document_state`: 'matched', 'unmatched' (3002), 'unavailable' (the authority is asked again) or 'unasked'.
    """

    person_id: str
    name: str
    id_type: str
    id_number_masked: str
    birth_year: int
    state: str
    document_checked: bool
    document_state: str
    may_correct: bool
    age_band: str
    hukou_division: str | None


@dataclass(frozen=True)
class Entry:
    """Name and document as they were entered, checked by themselves."""

    name: str
    document: Document
    birth_on: date
    sex: str
    nationality: str


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
    nationality: str | None = None,
    keep_unmatched: bool = False,
) -> IdentityView:
    """Enter name and document of the account's person; the same input again changes nothing.

    The authority is asked whether name and number belong together. When it does not answer, the entry stands and it is
    asked again later; when they do not belong together, the entry is refused, or stands with `keep_unmatched`, for a
    person at the window to decide. Until they match, another entry corrects this one; what it replaces is kept sealed
    as the field's earlier value. Where somebody has declared already, an identity card in a foreign document's place
    needs the household registration: it decides whether the registry is told (ZJ-2). Whom somebody they live with has
    entered takes that record over. Raises Refused with every faulty field, person.unmatched (3002), document.taken,
    person.already.
    """
    entered = check_entry(world, id_type, id_number, name, birth_on, sex, hukou_division, nationality)
    token = number_token(world, entered.document)
    with reading() as session:
        known = _matches(world, session, account_id, token, entered.name)
        if known is not None and known.document_checked:
            return known
    matched = ask_authority(world, entered)  # outside the transaction: it is a call to another office
    if matched is False and not keep_unmatched:
        raise Refused("person.unmatched", "name")
    with transaction() as session:
        account = session.get_one(Account, account_id)
        if account.person_id is not None:
            person = session.get_one(Person, account.person_id, with_for_update=True)
            if not _is_entry(world, session, person, token, entered.name):
                _correct(world, session, account_id, person, entered, hukou_division, nationality)
            record_answer(world, session, person, matched)
            return _view(world, session, person)
        joined = _find_entered(world, session, entered, token) if matched else None
        if joined is not None:
            return _join(world, session, account, joined)
        _refuse_taken(session, entered.document, token)
        actor, notice = Actor("resident", account_id), _notice_of(session, account_id)
        person = make_person(
            world, session, entered.name, entered.document, entered.birth_on, entered.sex, hukou_division,
            entered.nationality, actor=actor, notice_version=notice,
        )  # fmt: skip
        account.person_id = person.id
        record_answer(world, session, person, matched)
        write_leaf(
            world,
            session,
            actor,
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


def name_token(world: World, name: str) -> bytes:
    """Blind index of a whole name, by which the search finds it; a part of a name has another one."""
    return world.key_ring.blind_index("name", name_key(name))


def make_person(
    world: World,
    session: Session,
    name: str,
    document: Document,
    birth_on: date,
    sex: str,
    hukou_division: str | None,
    nationality: str = "CHN",
    *,
    source: str = "tenant",
    actor: Actor = SYSTEM,
    notice_version: str | None = None,
) -> Person:
    """Write a person inside the present write unit, every identity field sealed under a new data key.

    `source`, `actor` and the notice they had read are noted for every field (see field_sources).
    """
    person_id = new_id()
    vault.make_data_key(world, session, person_id)

    def sealed(column: str, text: str) -> bytes:
        return vault.seal(world, session, person_id, f"persons.{column}", person_id, text)

    person = Person(
        id=person_id,
        name_sealed=sealed("name", name),
        name_token=name_token(world, name),
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
    _note(world, session, person, document, source, actor, notice_version)
    return person


def _note(
    world: World,
    session: Session,
    person: Person,
    document: Document,
    source: str,
    actor: Actor,
    notice_version: str | None,
) -> None:
    """The sources of what was entered; birth and sex of an 18-digit number are the document's word."""
    read_off = {"birth_on": document.birth_on, "sex": document.sex}
    derived = {field: "document" for field, value in read_off.items() if value is not None}
    note_fields(world, session, person, source=source, actor=actor, notice_version=notice_version, derived=derived)


def _notice_of(session: Session, account_id: str) -> str | None:
    """The version of the notice this account has read."""
    return NOTICES[_NOTICE].version if is_given(session, account_id, _NOTICE) else None


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


def check_entry(
    world: World,
    id_type: str,
    id_number: str,
    name: str,
    birth_on: date | None,
    sex: str | None,
    hukou_division: str | None,
    nationality: str | None = CHINA,
) -> Entry:
    """Check name and document, birth and sex out of the number; raises Refused with every faulty field.

    The nationality is a code; that of a resident identity card is China's.
    """
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
    country = decide_nationality(id_type, nationality)
    if isinstance(country, Refusal):
        faults.append(country)
    if hukou_division is not None and not (len(hukou_division) == 6 and hukou_division.isdigit()):
        faults.append(Refusal("registration.division", "hukou_division"))
    if faults:
        raise Refused.of(faults)
    assert isinstance(checked_name, str) and isinstance(document, Document) and birth_on and sex
    assert isinstance(country, str)
    return Entry(checked_name, document, birth_on, sex, country)


def _refuse_taken(session: Session, document: Document, token: bytes) -> None:
    taken = select(Person.id).where(Person.id_type == document.id_type, Person.id_number_token == token)
    if session.scalar(taken) is not None:
        raise Refused("document.taken", "id_number")


def _find_entered(world: World, session: Session, entered: Entry, token: bytes) -> Person | None:
    """Who was entered by somebody they live with and has no account yet: the same name and number, nothing checked."""
    found = select(Person).where(Person.id_type == entered.document.id_type, Person.id_number_token == token)
    person = session.scalar(found.with_for_update())
    if person is None or person.identity_state != "none" or name_of(world, session, person) != entered.name:
        return None
    has_account = session.scalar(select(Account.id).where(Account.person_id == person.id).limit(1)) is not None
    return None if has_account else person


def _join(world: World, session: Session, account: Account, person: Person) -> IdentityView:
    """The account is that person's now; what others declared of them is shown once their own check is passed."""
    account.person_id = person.id
    if person.document_state != "matched":
        record_answer(world, session, person, True)
    actor = Actor("resident", account.id)
    write_leaf(world, session, actor, "identity_joined", subject_id=person.id, fields=["name", "id_type", "id_number"])
    session.flush()
    return _view(world, session, person)


def _correct(
    world: World,
    session: Session,
    account_id: str,
    person: Person,
    entered: Entry,
    hukou_division: str | None,
    nationality: str | None,
) -> None:
    """Put another entry in the place of one that nobody has matched yet."""
    if not may_correct(session, person):
        raise Refused("person.already")
    is_card, was_card = entered.document.id_type == RESIDENT_ID, person.id_type == RESIDENT_ID
    hukou_division = hukou_division or (person.hukou_division if is_card == was_card else None)
    if is_card and hukou_division is None and has_declared(session, person):
        raise Refused("input.missing", "hukou_division")
    token = number_token(world, entered.document)
    if (person.id_type, person.id_number_token) != (entered.document.id_type, token):
        _refuse_taken(session, entered.document, token)

    def sealed(column: str, text: str) -> bytes:
        return vault.seal(world, session, person.id, f"persons.{column}", person.id, text)

    person.name_sealed, person.id_type = sealed("name", entered.name), entered.document.id_type
    person.id_number_sealed, person.id_number_token = sealed("id_number", entered.document.id_number), token
    person.birth_on_sealed, person.sex = sealed("birth_on", entered.birth_on.isoformat()), entered.sex
    person.name_token = name_token(world, entered.name)
    person.hukou_division = hukou_division
    if is_card or nationality:
        person.nationality = entered.nationality
    person.version += 1
    actor, fields = Actor("resident", account_id), ["name", "id_type", "id_number", "hukou_division", "nationality"]
    _note(world, session, person, entered.document, "tenant", actor, _notice_of(session, account_id))
    write_leaf(world, session, actor, "identity_corrected", subject_id=person.id, fields=fields)
    resend_registrations(world, session, person, actor)


def ask_authority(world: World, entered: Entry) -> bool | None:
    """Whether name and number belong together, None when the authority gives no answer; never inside a write unit."""
    try:
        answer = world.authority.check(entered.document.id_type, entered.document.id_number, entered.name)
    except AuthorityUnavailable:
        return None
    return answer.matched


def _matches(world: World, session: Session, account_id: str, token: bytes, name: str) -> IdentityView | None:
    account = session.get_one(Account, account_id)
    if account.person_id is None:
        return None
    person = session.get_one(Person, account.person_id)
    if _is_entry(world, session, person, token, name):
        return _view(world, session, person)
    if not may_correct(session, person):
        raise Refused("person.already")
    return None


def _is_entry(world: World, session: Session, person: Person, token: bytes, name: str) -> bool:
    return person.id_number_token == token and name_of(world, session, person) == name


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
        document_state=person.document_state,
        may_correct=may_correct(session, person),
        age_band=age_band(birth_on, world.clock.today()),
        hukou_division=person.hukou_division,
    )
