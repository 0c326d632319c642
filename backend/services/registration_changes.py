"""What happens to registrations inside other use cases. Everything here runs inside the caller's write unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.cases import OPEN_STATES
from backend.domain.ids import new_id
from backend.domain.residence_paths import foreign_due_at
from backend.gateways.world import World
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration, RegistrationChange
from backend.models.units import Unit
from backend.services import outbox
from backend.services.audit import SYSTEM, Actor, write_leaf
from backend.services.case_opening import open_case
from backend.services.case_steps import advance
from backend.services.change_feed import note_registration, note_unit
from backend.services.field_sources import note_fields


def new_registration(
    world: World, session: Session, *, unit_id: str, move_in_on: date, tenant_due_on: date, **named: Any
) -> Registration:
    """Write a registration that nobody has declared yet; `named` are further columns: a lease, a person, a head."""
    now = world.clock.now()
    registration = Registration(
        id=new_id(),
        unit_id=unit_id,
        move_in_on=move_in_on,
        tenant_leg="invited",
        tenant_due_on=tenant_due_on,
        registry_errors=[],
        created_at=now,
        updated_at=now,
        **named,
    )
    session.add(registration)
    session.flush()
    return registration


def hold_registration(session: Session, registration: Registration) -> None:
    """Let other write units about a registration wait, and go on from what the one before has left.

    Two that raise the version of the same reading would put two rows with one version into the outbox.
    """
    session.flush()
    session.refresh(registration, with_for_update=True)


def change_registration(
    world: World,
    session: Session,
    registration: Registration,
    action: str,
    actor: Actor,
    *,
    source: str,
    reason: str | None = None,
    fields: Sequence[str] = (),
    send: str | None = None,
    leaving: bool = False,
) -> None:
    """Raise the version and write who did what and why; `send` puts the tenant's leg into the registry's outbox.

    The sources of all fields that were set are noted, of the registration and of its person. Only what is declared and
    in scope is ever sent (ZJ-2, ZJ-12, EEL-39), and `leaving`: the end of what has just ceased to be in scope.
    """
    registration.version += 1
    registration.updated_at = world.clock.now()
    if registration.scope == "foreign" and registration.foreign_due_at is None:
        registration.foreign_due_at = foreign_due_at(registration.move_in_on)
    _note_sources(world, session, registration, source, actor)
    session.add(
        RegistrationChange(
            id=new_id(),
            registration_id=registration.id,
            version=registration.version,
            at=world.clock.now(),
            actor_kind=actor.kind,
            actor_id=actor.id,
            action=action,
            reason=reason,
            source=source,
            fields=list(fields),
        )
    )
    write_leaf(
        world,
        session,
        actor,
        f"registration_{action}",
        subject_id=registration.person_id,
        object_kind="registration",
        object_id=registration.id,
        fields=fields,
        decision=reason,
    )
    note_registration(world, session, registration, action)
    if leaving:  # offices are told nothing more of this residence, but how many are registered there has changed
        note_unit(world, session, session.get_one(Unit, registration.unit_id), "changed")
    told = registration.declared_at is not None and (registration.scope == "in_scope" or leaving)
    if send is not None and told:
        registration.registry_state = "unsent"
        outbox.put(
            world, session, "registry", registration.id, send, {"leg": "TENANT", "version": registration.version}
        )


def _note_sources(world: World, session: Session, registration: Registration, source: str, actor: Actor) -> None:
    notice = registration.notice_version if source == "tenant" else None
    note_fields(world, session, registration, source=source, actor=actor, notice_version=notice)
    person = session.get(Person, registration.person_id) if registration.person_id else None
    if person is not None:
        note_fields(world, session, person, source=source, actor=actor, notice_version=notice)


def void_in(
    world: World,
    session: Session,
    registration: Registration,
    action: str,
    actor: Actor,
    reason: str,
    *,
    source: str,
) -> None:
    """Void an entry ('duplicate' or 'entered_in_error'): unlike a check-out, it says that nobody lived there."""
    registration.residence, registration.void_reason = "voided", reason
    registration.draft_expires_at, registration.disputed = None, False
    change_registration(
        world, session, registration, action, actor, source=source, reason=reason, fields=["void_reason"], send="VOID"
    )


def send_landlord_leg(world: World, session: Session, registration: Registration) -> None:
    """Send the landlord's report once the tenant's declaration has shown that the residence is in scope (ZJ-2).

    Why an earlier one came back is over with that: the next answer says what is wrong with this one.
    """
    if registration.tenant_leg == "declared" and registration.scope == "in_scope":
        registration.registry_errors = [e for e in registration.registry_errors if e.get("leg") != "LANDLORD"]
        outbox.put(
            world, session, "registry", registration.id, "UPSERT", {"leg": "LANDLORD", "version": registration.version}
        )


def put_end(world: World, session: Session, registration: Registration, op: str) -> None:
    """Tell the registry again that a residence is over ('CHECKOUT', 'VOID'), as a version later than all before."""
    hold_registration(session, registration)
    registration.version += 1
    registration.registry_state = "unsent"
    outbox.put(world, session, "registry", registration.id, op, {"leg": "TENANT", "version": registration.version})


def open_registration_case(
    world: World,
    session: Session,
    registration: Registration,
    *,
    kind: str,
    rule: str,
    opened_by: str,
    evidence: Mapping[str, str],
) -> Case:
    """Open a case about a registration, routed by the dwelling it is in."""
    unit = session.get_one(Unit, registration.unit_id)
    dwelling = session.get_one(Dwelling, unit.dwelling_id)
    return open_case(
        world,
        session,
        kind=kind,
        area=dwelling.division,
        unit_id=unit.id,
        registration_id=registration.id,
        person_id=registration.person_id,
        rule=rule,
        opened_by=opened_by,
        evidence=evidence,
    )


def settle_dispute_by_agreement(world: World, session: Session, registration: Registration) -> None:
    """The tenant has now said "left" too: the open dispute is over, and no officer has to decide it any more."""
    case = session.get(Case, registration.case_id) if registration.case_id else None
    if case is None or case.kind != "dispute" or case.state not in OPEN_STATES:
        return
    case.decision, case.decision_reason, case.decided_at = "moved_out", "both_sides_heard", world.clock.now()
    advance(world, session, case, "settle", SYSTEM, reason="both_sides_heard")
    registration.case_id = None
    write_leaf(
        world,
        session,
        SYSTEM,
        "case_decided",
        subject_id=case.person_id,
        object_kind="case",
        object_id=case.reference,
        decision="moved_out",
    )


def compare_legs(world: World, session: Session, lease: Lease, registration: Registration) -> str | None:
    """Compare the two legs blind, by the token of the number. A difference opens a case and is shown as its name.

    Neither side learns the other's answer. Both speak of one unit, since they are one row; and of dates none is wrong
    because it is another than the other side's: the lease begins on one day, and its tenant moves in when they do.
    """
    if registration.person_id is None or registration.landlord_leg != "reported":
        return None
    person = session.get_one(Person, registration.person_id)
    difference = "document" if person.id_number_token != lease.named_id_token else None
    if difference is not None and not _has_case(session, registration, "leg_difference"):
        case = open_registration_case(
            world,
            session,
            registration,
            kind="leg_difference",
            rule="PSAL-68",
            opened_by="rule",
            evidence={"differs_in": difference},
        )
        registration.case_id = registration.case_id or case.id
    return difference


def _has_case(session: Session, registration: Registration, kind: str) -> bool:
    found = session.scalar(select(Case.id).where(Case.registration_id == registration.id, Case.kind == kind).limit(1))
    return found is not None
