"""Children under 16 and their guardians (ZJ-7): entered from the guardian's own account, attested by their word.

A person at the window reviews it. The child's own registration is declared by the guardian elsewhere; what it needs
(person, guardian, relation, consent) is made here and answered by `guardian_of`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading
from backend.domain.documents import mask_number
from backend.domain.guardians import decide_guardian, find_child_faults
from backend.domain.persons import age_band
from backend.domain.refusals import Refusal, Refused
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.persons import Person
from backend.services.audit import Actor, write_leaf
from backend.services.consents import answer_for_child, find_for_child
from backend.services.document_states import record_answer
from backend.services.entered_persons import ask_about
from backend.services.field_sources import note_fields
from backend.services.hands import Desk, Hand, acting_for
from backend.services.identity_reviews import find_review, open_review
from backend.services.identity_states import settle_identity
from backend.services.inbox import tell_person
from backend.services.persons import Entry, birth_of, check_entry, make_person, name_of, number_of, number_token
from backend.services.wards import children_of, find_guardian

NOTICE = "registration_notice"


@dataclass(frozen=True)
class ChildView:
    """A child as its guardian sees it; `consent` is the guardian's answer to the notice, None when withdrawn."""

    person_id: str
    name: str
    id_type: str
    id_number_masked: str
    relation: str
    age_band: str
    state: str
    document_state: str
    consent: bool | None
    case_reference: str | None
    case_due_at: datetime | None


@dataclass(frozen=True)
class GuardianFacts:
    """Who answers for a child, as a registration needs it."""

    person_id: str
    name: str
    id_type: str
    id_number: str
    relation: str


def enter_child(
    world: World,
    *,
    account_id: str,
    name: str,
    id_type: str,
    id_number: str,
    relation: str,
    notice_version: str,
    birth_on: date | None = None,
    sex: str | None = None,
    hukou_division: str | None = None,
    desk: Desk | None = None,
) -> ChildView:
    """Enter a child under 16, with the guardian's consent; the child's identity stands on the guardian's word at once.

    The same entry again changes nothing. Raises Refused with every faulty field, guardian.unidentified, guardian.grown,
    guardian.self, guardian.another, person.missing, person.minor, person.unmatched (3002), document.taken,
    consent.text.
    """
    entered = check_entry(world, id_type, id_number, name, birth_on, sex, hukou_division)
    faults = find_child_faults(relation, entered.birth_on, world.clock.today())
    if faults:
        raise Refused.of(faults)
    with reading() as session:
        _guardian(world, session, account_id)
    matched = ask_about(world, entered, desk)  # outside the transaction: it is a call to another office
    with acting_for(world, account_id, desk, "enter_child") as (session, hand):
        guardian = _guardian(world, session, account_id)
        actor = hand.speaks_as("guardian")
        child = _find_or_make(world, session, guardian, entered, hukou_division, actor, notice_version)
        known = child.guardian_id == guardian.id
        child.guardian_id, child.guardian_relation = guardian.id, relation
        note_fields(world, session, child, source=hand.source, actor=actor, notice_version=notice_version)
        answer_for_child(world, session, account_id, child.id, NOTICE, notice_version, True, hand)
        if not known:
            _attest(world, session, hand, guardian, child, matched)
        return _view(world, session, child)


def list_children(world: World, *, account_id: str) -> tuple[ChildView, ...]:
    """The children under 16 this account answers for, the eldest entry first; who has grown up answers alone."""
    with reading() as session:
        account = session.get_one(Account, account_id)
        return tuple(_view(world, session, child) for child in children_of(world, session, account.person_id))


def consent_for_child(world: World, *, account_id: str, child_id: str, notice_version: str) -> ChildView:
    """Give the guardian's consent again after it was taken back; the same again changes nothing.

    Raises Refused not_found, guardian.unidentified, person.missing, person.minor, consent.text. At the window the child
    is entered again.
    """
    with acting_for(world, account_id, None, "enter_child") as (session, hand):
        child = _own_child(world, session, account_id, child_id)
        _guardian(world, session, account_id)
        answer_for_child(world, session, account_id, child.id, NOTICE, notice_version, True, hand)
        return _view(world, session, child)


def withdraw_for_child(world: World, *, account_id: str, child_id: str, desk: Desk | None = None) -> ChildView:
    """Take the guardian's consent back; what was finished under it stays. Raises Refused not_found."""
    with acting_for(world, account_id, desk, "withdraw_for_child") as (session, hand):
        child = _own_child(world, session, account_id, child_id)
        last = find_for_child(session, child.id, NOTICE)
        if last is None or not last.given:
            raise Refused("not_found", "child_id")
        if last.withdrawn_at is None:
            last.withdrawn_at = world.clock.now()
            write_leaf(
                world,
                session,
                hand.speaks_as("guardian"),
                "consent_withdrawn",
                subject_id=child.id,
                object_kind="consent",
                object_id=last.id,
                fields=[NOTICE],
            )
        return _view(world, session, child)


def guardian_of(world: World, session: Session, child: Person) -> GuardianFacts | None:
    """The guardian of a child in clear, for the child's registration; None when nobody has entered the child."""
    if child.guardian_id is None:
        return None
    guardian = session.get_one(Person, child.guardian_id)
    return GuardianFacts(
        guardian.id,
        name_of(world, session, guardian),
        guardian.id_type,
        number_of(world, session, guardian),
        child.guardian_relation or "other",
    )


def _guardian(world: World, session: Session, account_id: str) -> Person:
    account = session.get_one(Account, account_id)
    if account.person_id is None:
        raise Refused("person.missing")
    person = session.get_one(Person, account.person_id)
    refusal = decide_guardian(person.identity_state, birth_of(world, session, person), world.clock.today())
    if refusal is not None:
        raise Refused.of([refusal])
    return person


def _find_or_make(
    world: World,
    session: Session,
    guardian: Person,
    entered: Entry,
    hukou_division: str | None,
    actor: Actor,
    notice_version: str,
) -> Person:
    """The child's person: made now, or entered before by this guardian or by the child from a phone of its own."""
    token = number_token(world, entered.document)
    known = session.scalar(
        select(Person).where(Person.id_type == entered.document.id_type, Person.id_number_token == token)
    )
    if known is None:
        return make_person(
            world, session, entered.name, entered.document, entered.birth_on, entered.sex, hukou_division,
            actor=actor, notice_version=notice_version,
        )  # fmt: skip
    if known.id == guardian.id:
        raise Refused("guardian.self", "id_number")
    if name_of(world, session, known) != entered.name:
        raise Refused("document.taken", "id_number")
    if known.guardian_id not in (None, guardian.id):
        raise Refused("guardian.another", "id_number")
    return known


def _attest(world: World, session: Session, hand: Hand, guardian: Person, child: Person, matched: bool | None) -> None:
    """The guardian's word, as an attestation; somebody at the window looks at it within the review's time."""
    actor = hand.speaks_as("guardian")
    if child.document_state != "matched":
        record_answer(world, session, child, matched)
    fields = ["name", "id_type", "id_number", "relation"]
    write_leaf(world, session, actor, "child_entered", subject_id=child.id, fields=fields)
    session.flush()
    if child.identity_state == "none":
        settle_identity(
            world, session, child.id, "attested", method="attestation", operator_id=guardian.id, actor=actor
        )
    if child.identity_state == "attested":
        open_review(world, session, child.id, "guardian", {"way": "guardian"})
    tell_person(world, session, child.id, "guardian_entered", once=child.id, rule="ZJ-7")


def _own_child(world: World, session: Session, account_id: str, child_id: str) -> Person:
    account = session.get_one(Account, account_id)
    child = session.get(Person, child_id)
    if child is None or account.person_id is None or find_guardian(world, session, child) != account.person_id:
        raise Refused.of([Refusal("not_found", "child_id")])
    return child


def _view(world: World, session: Session, child: Person) -> ChildView:
    consent = find_for_child(session, child.id, NOTICE)
    review = find_review(session, child.id)
    return ChildView(
        person_id=child.id,
        name=name_of(world, session, child),
        id_type=child.id_type,
        id_number_masked=mask_number(number_of(world, session, child)),
        relation=child.guardian_relation or "other",
        age_band=age_band(birth_of(world, session, child), world.clock.today()),
        state=child.identity_state,
        document_state=child.document_state,
        consent=None if consent is None or consent.withdrawn_at is not None else consent.given,
        case_reference=review.reference if review else None,
        case_due_at=review.due_at if review else None,
    )
