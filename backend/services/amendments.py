"""Changes and corrections of a declaration (ZJ-13): reported within ten days, late ones taken all the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.refusals import Refusal, Refused
from backend.domain.registrations import decide_tenant_action, find_declaration_faults
from backend.domain.residence_paths import find_change_faults
from backend.gateways.world import World
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.services.hands import Desk, Hand, acting_for
from backend.services.own_registrations import own_registration_to_change
from backend.services.registration_changes import change_registration, send_landlord_leg
from backend.services.residence_paths import take_path
from backend.services.tenancies import RegistrationView, registration_view


def amend(
    world: World,
    *,
    account_id: str,
    registration_id: str,
    move_in_on: date,
    planned_end_on: date | None = None,
    reason: str | None = None,
    hukou_division: str | None = None,
    changed_on: date | None = None,
    unit_id: str | None = None,
    version: int | None = None,
    desk: Desk | None = None,
) -> RegistrationView:
    """Amend a declaration: sent to the registry as a new version; `declared_at` stays.

    `changed_on` is the day on which something changed (its ten days run from there); without it this is a correction.
    A new place of household registration decides the scope anew: who became local is checked out at the registry and
    lives on (ZJ-2), who is local no longer is registered. `version` is the one the answers were read at. The same
    answers again change nothing. Raises Refused transition, stale, registration.other_unit, registration.ended_there
    and every faulty field.
    """
    given = {"move_in_on": move_in_on, "planned_end_on": planned_end_on, "reason": reason}
    with acting_for(world, account_id, desk, "amend", registration_id=registration_id) as (session, hand):
        registration = own_registration_to_change(world, session, account_id, registration_id)
        person = session.get(Person, registration.person_id) if registration.person_id else None
        faults = _faults(world, registration, given, hukou_division, changed_on, unit_id)
        if faults:
            raise Refused.of(faults)
        assert person is not None  # declared
        changed = [name for name, value in given.items() if getattr(registration, name) != value]
        moved = hukou_division is not None and hukou_division != person.hukou_division
        if changed_on is not None and changed_on != registration.changed_on and (changed or moved):
            given["changed_on"] = changed_on
            changed.append("changed_on")
        # A returned registration goes out again even unchanged: what was wrong may have been mended elsewhere.
        if not changed and not moved and registration.registry_state != "rejected":
            return registration_view(session, registration)
        if version is not None and version != registration.version:
            raise Refused("stale")
        for name in changed:
            setattr(registration, name, given[name])
        fields = changed + (["hukou_division"] if moved else [])
        if moved:
            person.hukou_division = hukou_division
        _tell(world, session, hand, registration, person, fields)
        if moved:
            _move_others(world, session, hand, registration, person)
        return registration_view(session, registration)


def _faults(
    world: World,
    registration: Registration,
    given: Mapping[str, object],
    hukou_division: str | None,
    changed_on: date | None,
    unit_id: str | None,
) -> list[Refusal]:
    refusal = decide_tenant_action(registration.tenant_leg, registration.residence, "amend", registration.exemption)
    if refusal is not None:
        return [refusal]
    if unit_id is not None and unit_id != registration.unit_id:
        return [Refusal("registration.other_unit", "unit_id")]
    if hukou_division is not None and registration.scope == "out_of_scope" and registration.checkout_receipt_no:
        return [Refusal("registration.ended_there", "hukou_division")]
    move_in_on, planned_end_on, reason = given["move_in_on"], given["planned_end_on"], given["reason"]
    assert isinstance(move_in_on, date)
    assert planned_end_on is None or isinstance(planned_end_on, date)
    today = world.clock.today()
    faults = find_declaration_faults(move_in_on, planned_end_on, None if reason is None else str(reason), today)
    faults += find_change_faults(changed_on, move_in_on, today)
    if hukou_division is not None and not (len(hukou_division) == 6 and hukou_division.isdigit()):
        faults.append(Refusal("registration.division", "hukou_division"))
    return faults


def _tell(
    world: World, session: Session, hand: Hand, registration: Registration, person: Person, fields: list[str]
) -> None:
    path = take_path(session, registration, person)
    change_registration(
        world,
        session,
        registration,
        "amend",
        hand.actor,
        source=hand.source,
        reason="became_local" if path.op == "CHECKOUT" else None,
        fields=fields,
        send=path.op,
        leaving=path.leaving,
    )
    if path.entered and registration.landlord_leg == "reported":
        send_landlord_leg(world, session, registration)


def _move_others(world: World, session: Session, hand: Hand, registration: Registration, person: Person) -> None:
    """The place of household registration is the person's: where else they live follows it too."""
    others = session.scalars(
        select(Registration).where(
            Registration.person_id == person.id,
            Registration.id != registration.id,
            Registration.residence == "living",
            Registration.tenant_leg == "declared",
        )
    )
    for other in others.all():
        _tell(world, session, hand, other, person, ["hukou_division"])
