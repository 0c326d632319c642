"""What follows when a dwelling gets another address. Everything here runs inside the caller's write unit."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.gateways.world import World
from backend.models.dwellings import Dwelling
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services.audit import Actor
from backend.services.change_feed import note_unit
from backend.services.inbox import tell_person
from backend.services.moved_homes import follow_home
from backend.services.registration_changes import change_registration, send_landlord_leg


def tell_renumbered(world: World, session: Session, home: Dwelling, actor: Actor, *, source: str) -> None:
    """Tell the registry, the entitled offices and whoever lives there that a dwelling has its new road and number.

    Where it now lies in another division, what is still owed about it goes to the office there.

    The units keep their public numbers; keys, leases and `declared_at` stay. Nobody owes a declaration for it: they
    have not moved (ZJ-13). The dwelling must be flushed.
    """
    for unit in session.scalars(select(Unit).where(Unit.dwelling_id == home.id).order_by(Unit.id)).all():
        unit.version += 1
        note_unit(world, session, unit, "renumbered")
        for registration in _living(session, unit):
            change_registration(
                world, session, registration, "renumbered", actor, source=source, fields=["address"], send="AMEND"
            )
            if registration.landlord_leg == "reported":
                send_landlord_leg(world, session, registration)
            if registration.person_id is not None:
                tell_person(
                    world, session, registration.person_id, "home_renumbered",
                    once=f"{registration.id}:{registration.version}", before=home.former_address or "",
                    place=f"{home.road}{home.door_no}{home.building}{unit.label}",
                )  # fmt: skip
    follow_home(world, session, home, actor)


def _living(session: Session, unit: Unit) -> list[Registration]:
    """Who has declared to live there, locked, the tenant before those who live along."""
    found = select(Registration).where(
        Registration.unit_id == unit.id, Registration.residence == "living", Registration.tenant_leg == "declared"
    )
    return list(session.scalars(found.order_by(Registration.id).with_for_update()))
