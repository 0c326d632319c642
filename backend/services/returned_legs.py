"""What the registry has returned, and sending it anew once it was mended: by its owner, by staff, by the operator.

A returned row is over, so that nothing is sent again by itself; whoever has mended the cause puts the leg anew, as a
new version. Everything here runs inside the caller's write unit, but for the two use cases of the operator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.cases import OPEN_STATES
from backend.domain.registry_rules import end_owed
from backend.domain.rejection_words import explain_rejection
from backend.gateways.world import World
from backend.models.cases import Case
from backend.models.outbox import OutboxRow
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.registry_attempts import RegistryAttempt
from backend.queries.registry_sync import list_returned
from backend.services import outbox
from backend.services.audit import Actor, write_leaf
from backend.services.registration_changes import change_registration, hold_registration, send_landlord_leg
from backend.wire.registry_codes import is_blocking_code

LEGS = ("TENANT", "LANDLORD")
REJECTION = "registry_rejection"  # the kind of case that is about something returned, or set aside
NAMED_FIELDS = ("name", "id_type", "id_number")  # what a landlord writes of a tenant
_OURS = ("OPERATOR", "REGISTRY")
_ENDS = ("CHECKOUT", "VOID")


@dataclass(frozen=True)
class ReturnedReport:
    """One thing the registry found wrong that a landlord can mend: a field's name, never what stands in it."""

    code: str
    field: str
    what_zh: str
    what_en: str
    todo_zh: str
    todo_en: str


def blocking_errors(registration: Registration, *, leg: str | None = None, owner: str | None = None) -> list[Any]:
    """Why something of this registration came back and has not been sent again, as the registry said it."""
    legs = [each for each in LEGS if is_returned(registration, each) and leg in (None, each)]
    return [
        error for error in _errors(registration) if error.get("leg") in legs and owner in (None, error.get("owner"))
    ]


def is_returned(registration: Registration, leg: str) -> bool:
    """Whether the registry has returned this leg and nothing of it was put anew since."""
    if leg == "TENANT":
        return registration.registry_state == "rejected"
    return any(error.get("leg") == leg for error in _errors(registration))


def has_come_back(session: Session, registration: Registration, leg: str) -> bool:
    """The same by what was tried last, also where an end that could not be told has hidden it since."""
    if is_returned(registration, leg):
        return True
    mine = (RegistryAttempt.registration_id == registration.id, RegistryAttempt.leg == leg)
    last = session.scalar(select(RegistryAttempt.outcome).where(*mine).order_by(RegistryAttempt.id.desc()).limit(1))
    return last == "rejected" and not _is_on_its_way(session, registration.id, leg)


def named_is_returned(registration: Registration) -> bool:
    """Whether whom the landlord named is what the registry found fault with."""
    wrong = blocking_errors(registration, leg="LANDLORD", owner="LANDLORD")
    return any(_field_of(error) in NAMED_FIELDS for error in wrong)


def may_name_anew(registration: Registration) -> bool:
    """Whether a landlord may write the tenant anew: nothing of it has gone to the registry, or it came back."""
    gone = registration.landlord_leg == "reported" and registration.tenant_leg == "declared"
    return not gone or named_is_returned(registration)


def explain_to_landlord(registration: Registration) -> tuple[ReturnedReport, ...]:
    """What came back that the landlord can mend, in plain words; what was refused in both legs alike is said once."""
    found = []
    for error in blocking_errors(registration, owner="LANDLORD"):
        words = explain_rejection(error["code"], "LANDLORD", reader="LANDLORD")
        found.append(
            ReturnedReport(error["code"], _field_of(error), words.zh, words.en, words.todo_zh, words.todo_en)
        )
    return tuple(dict.fromkeys(found))


def leg_of(case: Case) -> str:
    """The leg a case of this kind is about."""
    return str(case.evidence.get("leg", "TENANT"))


def may_be_sent_again(session: Session, case: Case) -> bool:
    """Whether something of the leg a case is about came back or was set aside, and waits for a person."""
    if case.kind != REJECTION or case.registration_id is None or case.state not in OPEN_STATES:
        return False
    registration = session.get_one(Registration, case.registration_id)
    return has_come_back(session, registration, leg_of(case)) or bool(_parked(session, registration.id, leg_of(case)))


def send_leg_again(
    world: World, session: Session, registration: Registration, leg: str, actor: Actor, *, source: str
) -> bool:
    """Put a returned leg into the outbox anew, as a new version; False when it is not returned (any more)."""
    hold_registration(session, registration)
    if not has_come_back(session, registration, leg) or _is_erased(session, registration):
        return False
    change_registration(world, session, registration, "sent_again", actor, source=source, reason=leg.lower())
    if leg == "LANDLORD":
        send_landlord_leg(world, session, registration)
        return True
    registration.registry_state = "unsent"
    payload = {"leg": leg, "version": registration.version}
    outbox.put(world, session, "registry", registration.id, _op_of(session, registration), payload)
    return True


def send_landlords_again(
    world: World, session: Session, registration: Registration, actor: Actor, *, source: str
) -> None:
    """The landlord's own leg goes out anew when it came back, and a tenant's that waited for what a landlord mends."""
    waited = blocking_errors(registration, leg="TENANT", owner="LANDLORD")
    if waited:
        send_leg_again(world, session, registration, "TENANT", actor, source=source)
    send_leg_again(world, session, registration, "LANDLORD", actor, source=source)


def take_up_parked(world: World, session: Session, registration_id: str, leg: str) -> bool:
    """Take up what was set aside of a leg; False when nothing was."""
    rows = _parked(session, registration_id, leg, locked=True)
    for row in rows:
        row.parked_at, row.available_at, row.lease_until = None, world.clock.now(), None
    if rows:
        outbox.wake(world, session, "registry")
    return bool(rows)


def retry_returned(world: World, *, outbox_id: int, actor: Actor) -> bool:
    """Send anew what a row carried that came back; False when it was none, or went out again since."""
    with transaction() as session:
        attempt = session.scalars(
            select(RegistryAttempt)
            .where(RegistryAttempt.outbox_id == outbox_id)
            .order_by(RegistryAttempt.id.desc())
            .limit(1)
        ).first()
        if attempt is None or attempt.outcome != "rejected" or _has_later(session, attempt):
            return False
        return _retry(world, session, attempt.registration_id, attempt.leg, actor)


def retry_all_returned(world: World, *, actor: Actor) -> int:
    """Send anew everything that came back through no fault of tenant or landlord; answers how many legs."""
    returned = [row for row in list_returned(None) if row.owner in _OURS]
    done = 0
    for row in returned:
        with transaction() as session:
            done += _retry(world, session, row.registration_id, row.leg, actor)
    return done


def _retry(world: World, session: Session, registration_id: str, leg: str, actor: Actor) -> bool:
    registration = session.get_one(Registration, registration_id)
    if not send_leg_again(world, session, registration, leg, actor, source="system"):
        return False
    write_leaf(world, session, actor, "registry_retry", object_kind="registration", object_id=registration_id)
    return True


def _op_of(session: Session, registration: Registration) -> str:
    """What came back: an end is told as what the residence ended as, anything else as it stands now."""
    last = session.scalar(
        select(RegistryAttempt.op)
        .where(
            RegistryAttempt.registration_id == registration.id,
            RegistryAttempt.leg == "TENANT",
            RegistryAttempt.outcome == "rejected",
        )
        .order_by(RegistryAttempt.id.desc())
        .limit(1)
    )
    if last in _ENDS:
        return end_owed(registration.residence, registration.scope) or last
    return "UPSERT"


def _has_later(session: Session, attempt: RegistryAttempt) -> bool:
    later = select(RegistryAttempt.id).where(
        RegistryAttempt.registration_id == attempt.registration_id,
        RegistryAttempt.leg == attempt.leg,
        RegistryAttempt.id > attempt.id,
    )
    return session.scalar(later.limit(1)) is not None


def _parked(session: Session, registration_id: str, leg: str, *, locked: bool = False) -> list[OutboxRow]:
    parked = (
        select(OutboxRow)
        .where(
            OutboxRow.destination == "registry",
            OutboxRow.aggregate_id == registration_id,
            OutboxRow.done_at.is_(None),
            OutboxRow.parked_at.is_not(None),
        )
        .order_by(OutboxRow.id)
    )
    found = session.scalars(parked.with_for_update() if locked else parked)
    return [row for row in found if row.payload.get("leg", "TENANT") == leg]


def _is_on_its_way(session: Session, registration_id: str, leg: str) -> bool:
    waiting = select(OutboxRow.payload).where(
        OutboxRow.destination == "registry", OutboxRow.aggregate_id == registration_id, OutboxRow.done_at.is_(None)
    )
    return any(payload.get("leg", "TENANT") == leg for payload in session.scalars(waiting))


def _is_erased(session: Session, registration: Registration) -> bool:
    """Whether its person was deleted: nothing is left to send."""
    person = session.get(Person, registration.person_id) if registration.person_id else None
    return person is not None and person.erased_at is not None


def _errors(registration: Registration) -> list[Mapping[str, Any]]:
    return [error for error in registration.registry_errors if is_blocking_code(error.get("code", ""))]


def _field_of(error: Mapping[str, Any]) -> str:
    return str(error.get("pointer") or "").rsplit("/", 1)[-1]
