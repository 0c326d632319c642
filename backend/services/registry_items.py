"""What is told to the registry about a registration: the whitelisted fields, read at the moment of sending.

Everything here runs inside the caller's write unit. Nothing is sent that the data dictionary does not name, and nothing
at all about a residence out of scope (ZJ-2), exempt (ZJ-12) or on the foreigners' path (EEL-39).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.calendars import day_of
from backend.domain.documents import Document, decide_document
from backend.domain.households import guardian_code, relation_code
from backend.domain.persons import age_band
from backend.gateways.clock import CHINA
from backend.gateways.world import World
from backend.models.data_keys import DataKey
from backend.models.dwellings import Dwelling
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services import vault
from backend.services.accepted_corrections import standing_values
from backend.services.guardians import guardian_of
from backend.services.persons import birth_of, name_of, number_of
from backend.wire.registry_messages import NONCE_BYTES, Item, make_item
from backend.wire.registry_payload import shape_of

_MAY_BE_ADDED = ("hukou_division", "relation")  # what a payload may lack and a correction still say


@dataclass(frozen=True)
class NothingToSend:
    """Why a registration is not told to the registry after all."""

    reason: str


class NotPermitted(ValueError):
    """A payload with a field that the data dictionary does not permit: it never leaves (registry.md, code 5003)."""


@dataclass(frozen=True)
class _Told:
    """The payload, whose data key its nonce comes from, and the moment the change took effect."""

    payload: dict[str, str]
    subject_id: str
    effective_at: datetime


def build_item(
    world: World, session: Session, registration: Registration, *, op: str, leg: str, version: int, again: bool = False
) -> Item | NothingToSend:
    """Build the item for one outbox row of a registration.

    An amendment of a leg the registry never accepted is sent as its first version; the end of a record it never
    accepted is not sent. What the registry has corrected and the person accepted goes out as it was corrected, until it
    is carried out here. With `again` the registry has lost what it accepted, and `op` stays as it is. What has left
    the scope since is only ended: a check-out (became local, ZJ-2) or, for an identity corrected to a foreigner's, a
    void, neither of which says anything of the person. The nonce comes from the person's data key, so a repeated build
    makes the same item, and destroying the key leaves the hash without meaning.
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
        if not again:
            op = "AMEND" if token is not None else "UPSERT"
        if leg == "TENANT":
            told = _tenant_leg(world, session, registration, is_held=token is not None)
        else:
            told = _landlord_leg(world, session, registration)
    else:
        told = _end(registration, op)
    if isinstance(told, NothingToSend):
        return told
    if not_permitted(op, leg, told.payload):
        raise NotPermitted(op, leg)
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


def preload(session: Session, registration_ids: Sequence[str]) -> list[Any]:
    """Read what building the items of these registrations needs, in a few statements instead of ten for each.

    Keep the answer while building: the session finds what was read only as long as somebody holds it.
    """
    registrations = list(session.scalars(select(Registration).where(Registration.id.in_(registration_ids))))
    leases = _read(session, Lease, Lease.id, [row.lease_id for row in registrations])
    units = _read(session, Unit, Unit.id, [row.unit_id for row in registrations])
    dwellings = _read(session, Dwelling, Dwelling.id, [unit.dwelling_id for unit in units])
    persons = _read(session, Person, Person.id, [row.person_id for row in registrations])
    guardians = _read(session, Person, Person.id, [person.guardian_id for person in persons])
    subjects = [row.id for row in (*persons, *guardians, *leases)]
    keys = _read(session, DataKey, DataKey.subject_id, subjects)
    return [registrations, leases, units, dwellings, persons, guardians, keys]


def not_permitted(op: str, leg: str, payload: Mapping[str, str]) -> set[str]:
    """The fields of a payload that the data dictionary does not permit for this kind of item."""
    shape = shape_of(op, leg)
    return set(payload) - shape.required - shape.optional


def _read(session: Session, kind: Any, column: Any, ids: Sequence[str | None]) -> list[Any]:
    wanted = sorted({one for one in ids if one is not None})
    return list(session.scalars(select(kind).where(column.in_(wanted)))) if wanted else []


def _tenant_leg(
    world: World, session: Session, registration: Registration, *, is_held: bool
) -> _Told | NothingToSend:
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
        "relation": relation_code(registration.relation) if registration.relation else None,
    }
    payload |= {name: value for name, value in optional.items() if value}
    payload |= _guardian(world, session, registration, person)
    if is_held:  # only what it holds can have been corrected there
        _keep_corrected(payload, standing_values(world, session, registration), world.clock.today())
    return _Told(payload, person.id, _day_start(registration))


def _keep_corrected(payload: dict[str, str], corrected: Mapping[str, str], today: date) -> None:
    """Say of a field what the registry's correction says: another word of ours about it would end the correction.

    Birth and sex that follow from a corrected number are its own. A place of household registration that would put the
    record out of scope is left unsaid: a person decides about that.
    """
    permitted = {name: value for name, value in corrected.items() if name in payload or name in _MAY_BE_ADDED}
    document = decide_document(
        permitted.get("id_type", payload["id_type"]), permitted.get("id_number", payload["id_number"]), today
    )
    if "id_number" in permitted and isinstance(document, Document) and document.birth_on is not None:
        payload |= {"birth_on": document.birth_on.isoformat(), "sex": document.sex or payload["sex"]}
    payload |= permitted
    for name in [name for name, value in permitted.items() if not value]:
        del payload[name]
    if payload.get("hukou_division") == payload["division"][:6]:
        del payload["hukou_division"]


def _guardian(world: World, session: Session, registration: Registration, person: Person) -> dict[str, str]:
    """The guardian of whoever was under 16 when they were declared (ZJ-7), as stored; nothing of a grown person's."""
    declared_on = day_of(registration.declared_at) if registration.declared_at else world.clock.today()
    if age_band(birth_of(world, session, person), declared_on) == "adult":
        return {}
    guardian = guardian_of(world, session, person)
    if guardian is None:
        return {}
    return {
        "guardian_name": guardian.name,
        "guardian_id_type": guardian.id_type,
        "guardian_id_number": guardian.id_number,
        "guardian_relation": guardian_code(guardian.relation),
    }


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
