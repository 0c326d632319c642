"""What the authority said of a name and a number, and what follows, inside other use cases' write units."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from backend.domain.ids import new_id
from backend.gateways.world import World
from backend.models.identity_checks import IdentityCheck
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.services.audit import Actor
from backend.services.registration_changes import change_registration, compare_legs, send_landlord_leg
from backend.services.residence_paths import take_path

UNMATCHED_CODE = "3002"  # as the registry says it; its owner is the tenant
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
_WEAK = ("document", "face")  # checks that do not bind the number that was typed


def record_answer(world: World, session: Session, person: Person, matched: bool | None) -> None:
    """Keep the authority's answer; None: it gave none, so it is asked again later, ever more rarely."""
    if matched is None:
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(person.document_tries, 10))
        person.document_state, person.document_ask_at = "unavailable", world.clock.now() + pause
        person.document_tries += 1
        return
    person.document_state, person.document_ask_at = ("matched" if matched else "unmatched"), None
    person.document_tries = 0
    session.add(
        IdentityCheck(
            id=new_id(),
            person_id=person.id,
            method="document",
            provider="identity_authority",
            decision="match" if matched else "no_match",
            outcome="pass" if matched else "fail",
            reasons=[] if matched else [UNMATCHED_CODE],
            checked_at=world.clock.now(),
        )
    )
    session.flush()


def may_correct(session: Session, person: Person) -> bool:
    """Whether name and number may still be corrected by the person: until the authority has matched them.

    Afterwards, or once a person, the landlord or the network identity has bound the number, the window corrects it.
    """
    if person.document_state == "matched":
        return False
    passed = select(IdentityCheck.id).where(
        IdentityCheck.person_id == person.id, IdentityCheck.outcome == "pass", IdentityCheck.method.not_in(_WEAK)
    )
    return session.scalar(passed.limit(1)) is None


def has_declared(session: Session, person: Person) -> bool:
    """Whether a residence of theirs is declared, so that their document decides what the registry is told."""
    return bool(_declared(session, Registration.person_id == person.id))


def resend_registrations(
    world: World,
    session: Session,
    person: Person,
    actor: Actor,
    *,
    action: str,
    source: str,
    fields: Sequence[str],
) -> None:
    """What was corrected of a person goes out again with each declared residence, whose time stays (ZJ-13).

    So it does with those of the children whose guardian they are (ZJ-7), where they stand as such. Where only now one
    turns out to be in scope, the landlord's report, which has waited for that, goes with it (ZJ-2).
    """
    for registration in _declared(session, Registration.person_id == person.id):
        path = take_path(session, registration, person)
        change_registration(
            world,
            session,
            registration,
            action,
            actor,
            source=source,
            reason="became_local" if path.op == "CHECKOUT" else None,
            fields=fields,
            send=path.op,
            leaving=path.leaving,
        )
        if path.entered and registration.landlord_leg == "reported":
            send_landlord_leg(world, session, registration)
        if registration.lease_id is not None:
            compare_legs(world, session, session.get_one(Lease, registration.lease_id), registration)
    of_guardian = [f"guardian_{field}" for field in fields if field != "hukou_division"]
    wards = select(Person.id).where(Person.guardian_id == person.id)
    for registration in _declared(session, Registration.person_id.in_(wards)) if of_guardian else ():
        change_registration(
            world,
            session,
            registration,
            "guardian_corrected",
            actor,
            source=source,
            fields=of_guardian,
            send="AMEND",
        )


def _declared(session: Session, whose: ColumnElement[bool]) -> list[Registration]:
    """The declared residences that somebody still lives in, held for this write unit."""
    session.flush()
    found = select(Registration).where(
        whose, Registration.tenant_leg == "declared", Registration.residence == "living"
    )
    locked = found.order_by(Registration.id).with_for_update().execution_options(populate_existing=True)
    return list(session.scalars(locked))
