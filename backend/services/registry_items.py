"""What is told to the registry about a registration: the whitelisted fields, read at the moment of sending.

Everything here runs inside the caller's write unit. Nothing is sent that the data dictionary does not name, and nothing
at all about a residence out of scope (ZJ-2), exempt (ZJ-12) or on the foreigners' path (EEL-39).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy.orm import Session

from backend.domain.calendars import day_of
from backend.gateways.clock import CHINA
from backend.gateways.world import World
from backend.models.dwellings import Dwelling
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services import vault
from backend.services.persons import birth_of, name_of, number_of
from backend.wire.registry_messages import NONCE_BYTES, Item, make_item


@dataclass(frozen=True)
class NothingToSend:
    """Why a registration is not told to the registry after all."""

    reason: str


@dataclass(frozen=True)
class _Told:
    """The payload, whose data key its nonce comes from, and the moment the change took effect."""

    payload: dict[str, str]
    subject_id: str
    effective_at: datetime


def build_item(
    world: World, session: Session, registration: Registration, *, op: str, leg: str, version: int
) -> Item | NothingToSend:
    """Build the item for one outbox row of a registration.

    An amendment of a leg the registry never accepted is sent as its first version; the end of a record it never
    accepted is not sent. What has left the scope since is only ended: a check-out (became local, ZJ-2) or, for an
    identity corrected to a foreigner's, a void, neither of which says anything of the person. The nonce comes from the
    person's data key, so a repeated build makes the same item, and destroying the key leaves the hash without meaning.
    """
    endings = {"in_scope": ("CHECKOUT", "VOID"), "out_of_scope": ("CHECKOUT", "VOID"), "foreign": ("VOID",)}
    ends = op in endings.get(registration.scope, ())
    if registration.declared_at is None or (registration.scope != "in_scope" and not ends):
        return NothingToSend(f"scope {registration.scope}")
    if registration.residence == "voided" and not ends:
        return NothingToSend("voided")
    # the landlord's receipt number is our own acknowledgement until the registry's, with its token, takes its place
    token = registration.receipt_token if leg == "TENANT" else registration.landlord_receipt_token
    if op in ("UPSERT", "AMEND"):
        op = "AMEND" if token is not None else "UPSERT"
        told = _tenant_leg(world, session, registration) if leg == "TENANT" else _landlord_leg(
            world, session, registration
        )  # fmt: skip
    else:
        told = _end(registration, op)
    if isinstance(told, NothingToSend):
        return told
    nonce = vault.derive(world, session, told.subject_id, f"registry|{registration.id}|{leg}|{version}")[:NONCE_BYTES]
    declared_at = registration.landlord_reported_at if leg == "LANDLORD" else registration.declared_at
    return make_item(
        op,
        registration.id,
        version,
        leg,
        effective_at=told.effective_at,
        declared_at=declared_at or registration.declared_at,
        payload=told.payload,
        nonce=nonce,
    )


def _tenant_leg(world: World, session: Session, registration: Registration) -> _Told | NothingToSend:
    if registration.person_id is None:
        return NothingToSend("no person")
    person = session.get_one(Person, registration.person_id)
    payload = {
        "name": name_of(world, session, person),
        "id_type": person.id_type,
        "id_number": number_of(world, session, person),
        "birth_on": birth_of(world, session, person).isoformat(),
        "sex": person.sex,
        "declared_by": registration.declared_by or "self",
        **_place(session, registration),
    }
    optional = {
        "hukou_division": person.hukou_division,
        "reason": registration.reason,
        "notice_version": registration.notice_version,
    }
    payload |= {name: value for name, value in optional.items() if value}
    if person.guardian_id is not None:
        guardian = session.get_one(Person, person.guardian_id)
        payload |= {
            "guardian_name": name_of(world, session, guardian),
            "guardian_id_type": guardian.id_type,
            "guardian_id_number": number_of(world, session, guardian),
            "guardian_relation": "guardian",
        }
    return _Told(payload, person.id, _day_start(registration))


def _landlord_leg(world: World, session: Session, registration: Registration) -> _Told | NothingToSend:
    """The statutory minimum as the landlord wrote it (PSAL-68): name, document, number, where and since when."""
    if registration.lease_id is None:
        return NothingToSend("no lease")
    lease = session.get_one(Lease, registration.lease_id)

    def opened(column: str, sealed: bytes) -> str:
        return vault.unseal(world, session, lease.id, f"leases.{column}", lease.id, sealed)

    payload = {
        "name": opened("named_name", lease.named_name_sealed),
        "id_type": lease.named_id_type,
        "id_number": opened("named_id_number", lease.named_id_number_sealed),
        **_place(session, registration),
        "move_in_on": lease.starts_on.isoformat(),
    }
    payload.pop("planned_end_on", None)
    if lease.ends_on is not None:
        payload["planned_end_on"] = lease.ends_on.isoformat()
    return _Told(payload, lease.id, _day_start(registration))


def _end(registration: Registration, op: str) -> _Told | NothingToSend:
    """A check-out or a void: only id, receipt, date and reason."""
    receipt_no = registration.receipt_no
    if receipt_no is None and registration.landlord_receipt_token is not None:
        receipt_no = registration.landlord_receipt_no
    if receipt_no is None:
        return NothingToSend("the registry never accepted it")
    if registration.person_id is None:
        return NothingToSend("no person")
    payload = {"receipt_no": receipt_no}
    if op == "VOID":
        payload["void_reason"] = registration.void_reason or "entered_in_error"
        return _Told(payload, registration.person_id, registration.updated_at)
    ended_on, reason = registration.moved_out_on, registration.moved_out_reason or "lease_end"
    if ended_on is None and registration.scope == "out_of_scope":  # still lives there, as a local
        ended_on, reason = registration.changed_on or day_of(registration.updated_at), "became_local"
    if ended_on is None:
        return NothingToSend("not moved out")
    payload["moved_out_on"] = ended_on.isoformat()
    payload["checkout_reason"] = reason
    return _Told(payload, registration.person_id, datetime.combine(ended_on, time(), CHINA))


def _place(session: Session, registration: Registration) -> dict[str, str]:
    unit = session.get_one(Unit, registration.unit_id)
    dwelling = session.get_one(Dwelling, unit.dwelling_id)
    parts = (dwelling.province, dwelling.city, dwelling.county, dwelling.street, dwelling.village)
    place = {
        "unit_no": unit.public_number,
        "division": dwelling.division,
        "address": f"{''.join(parts)}{dwelling.road}{dwelling.door_no}{dwelling.building}{unit.label}",
        "place_type": registration.place_type,
        "move_in_on": registration.move_in_on.isoformat(),
    }
    if registration.planned_end_on is not None:
        place["planned_end_on"] = registration.planned_end_on.isoformat()
    return place


def _day_start(registration: Registration) -> datetime:
    """A residence takes effect with the first moment of its day in China."""
    return datetime.combine(registration.move_in_on, time(), CHINA)
