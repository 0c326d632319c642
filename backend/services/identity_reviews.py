"""When a person decides who somebody is: the window, live video, and the landlord's attestation meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.documents import normalise_number
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services import vault
from backend.services.appointment_changes import end_appointment
from backend.services.audit import Actor
from backend.services.case_opening import open_case, open_once
from backend.services.case_steps import advance
from backend.services.hands import Desk, acting_for
from backend.services.identity_states import settle_identity
from backend.services.inbox import tell_person
from backend.services.own_leases import own_lease_to_change, registration_of

PROVINCE = "33"  # where a case is routed when the person has no dwelling yet


@dataclass(frozen=True)
class CaseRef:
    """A person takes over."""

    reference: str
    due_at: datetime | None


@dataclass(frozen=True)
class IdentityState:
    """'none', 'attested' (until a person has reviewed) or 'verified'."""

    state: str
    review_due_at: datetime | None


def ask_a_person(world: World, *, account_id: str, way: str) -> CaseRef:
    """Choose an equal other way: 'window' or 'live_video'. A second request finds the first one's case."""
    if way not in ("window", "live_video"):
        raise Refused("input.not_one_of", "way", allowed=("window", "live_video"))
    with transaction() as session:
        account = session.get_one(Account, account_id)
        if account.person_id is None:
            raise Refused("person.missing")
        case = open_review(world, session, account.person_id, "tenant", {"way": way})
        case.evidence = {**case.evidence, "way": way}
        return CaseRef(case.reference, case.due_at)


def attest(
    world: World, *, account_id: str, lease_id: str, met_in_person: bool, saw_document: bool,
    number_ends: str | None = None, desk: Desk | None = None,
) -> IdentityState:  # fmt: skip
    """The landlord's word: met this person, saw this document (PSAL-68). The key can work; a person reviews in 72 h.

    `number_ends` are the last four characters read off the document: what the landlord wrote in the lease is never
    shown again, so that is how the two are compared. Raises Refused attestation.words, attestation.ending,
    attestation.not_open, attestation.differs. A second attestation changes nothing.
    """
    if not (met_in_person and saw_document):
        raise Refused("attestation.words", "met_in_person" if not met_in_person else "saw_document")
    with acting_for(world, account_id, desk, "attest", lease_id=lease_id) as (session, hand):
        lease = own_lease_to_change(world, session, account_id, lease_id)
        if number_ends is not None and not _ends_like(world, session, lease, number_ends):
            raise Refused("attestation.ending", "number_ends")
        registration = registration_of(session, lease.id)
        person_id = _tenant_of(session, registration)
        if person_id is None or lease.state != "active":
            raise Refused("attestation.not_open")
        person = session.get_one(Person, person_id)
        if person.identity_state == "none":
            if person.id_number_token != lease.named_id_token:
                raise Refused("attestation.differs")
            settle_identity(
                world,
                session,
                person.id,
                "attested",
                method="attestation",
                operator_id=lease.landlord_id,
                actor=hand.speaks_as("landlord"),
            )
            open_review(world, session, person.id, "landlord", {"way": "attested"})
            tell_person(
                world, session, person.id, "identity_attested", once=f"{person.id}:{person.version}", rule="PSAL-68"
            )
        return IdentityState(person.identity_state, person.identity_review_due_at)


def _ends_like(world: World, session: Session, lease: Lease, number_ends: str) -> bool:
    """Whether the number the landlord wrote ends in these four characters; a number made unreadable ends like none."""
    if lease.named_gone_at is not None:
        return False
    written = vault.unseal(world, session, lease.id, "leases.named_id_number", lease.id, lease.named_id_number_sealed)
    return written[-4:] == normalise_number(number_ends)


def find_review(session: Session, person_id: str) -> Case | None:
    """The person's open identity review, if there is one."""
    return session.scalar(
        select(Case)
        .where(Case.person_id == person_id, Case.kind == "identity_review", Case.decided_at.is_(None))
        .order_by(Case.opened_at)
        .limit(1)
    )


def close_review(world: World, session: Session, person_id: str, actor: Actor) -> None:
    """The identity was settled another way: nobody needs to decide or to meet any more."""
    review = find_review(session, person_id)
    if review is not None:
        review.decision, review.decided_at = "matched", world.clock.now()
        advance(world, session, review, "settle", actor)
        end_appointment(world, session, review.id, "cancel", actor)
    session.flush()


def area_of_person(session: Session, person_id: str) -> str:
    """The division a review of this person is routed to."""
    registration = _living_registration(session, person_id)
    if registration is None:
        return PROVINCE
    unit = session.get_one(Unit, registration.unit_id)
    return session.get_one(Dwelling, unit.dwelling_id).division


def open_review(world: World, session: Session, person_id: str, opened_by: str, evidence: Mapping[str, str]) -> Case:
    """Open an identity review inside the present write unit, where the person lives; a second finds the first."""
    registration = _living_registration(session, person_id)
    area, unit_id = area_of_person(session, person_id), registration.unit_id if registration else None
    review = open_once(
        session,
        lambda: find_review(session, person_id),
        lambda: open_case(
            world,
            session,
            kind="identity_review",
            area=area,
            unit_id=unit_id,
            registration_id=registration.id if registration else None,
            person_id=person_id,
            rule="FACE-6",
            opened_by=opened_by,
            evidence=dict(evidence),
        ),
    )
    if review.area == PROVINCE and registration is not None:  # it follows the person to the office that is entitled
        review.area, review.unit_id, review.registration_id = area, unit_id, registration.id
    return review


def _living_registration(session: Session, person_id: str) -> Registration | None:
    """Where the person lives or is about to: through the key their phone holds, also before the declaration.

    Who lives along, or without a lease, has no key: their own registration says where. A child lives where the guardian
    does until a registration of their own says otherwise.
    """
    along = session.scalar(
        select(Registration)
        .where(
            Registration.person_id == person_id,
            Registration.lease_id.is_(None),
            Registration.residence == "living",
        )
        .order_by(Registration.created_at.desc())
        .limit(1)
    )
    if along is not None:
        return along
    guardian_id = select(Person.guardian_id).where(Person.id == person_id).scalar_subquery()
    return session.scalar(
        select(Registration)
        .join(Key, Key.lease_id == Registration.lease_id)
        .join(Account, Account.id == Key.holder_account_id)
        .where(Account.person_id.in_((person_id, guardian_id)), Registration.residence == "living")
        .order_by(Registration.created_at.desc())
        .limit(1)
    )


def _tenant_of(session: Session, registration: Registration) -> str | None:
    """The tenant who accepted: from the registration, or, before the declaration, from the key's account."""
    if registration.person_id is not None:
        return registration.person_id
    return session.scalar(
        select(Account.person_id)
        .join(Key, Key.holder_account_id == Account.id)
        .where(Key.lease_id == registration.lease_id, Key.state.in_(("claimed", "active", "suspended")))
        .limit(1)
    )
