"""What a reported change is about here, and who is shown it. Everything runs inside the receiving write unit.

A report that fits nothing in the agreed area is kept unmatched and says nothing about anybody: an office learns no more
of a person it did not know to be here than of one who does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.documents import Document
from backend.domain.registrations import decide_scope
from backend.domain.reported import BECAME_LOCAL, LEASE_FILED, RENUMBERED, document_of
from backend.gateways.world import World
from backend.models.dwellings import Dwelling
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.sharing import DataSharingAgreement, InboundChange
from backend.models.units import Unit
from backend.queries.unit_facts import short_address
from backend.services.agreements import office_actor, terms_of
from backend.services.audit import write_leaf
from backend.services.inbox import tell_account, tell_person
from backend.services.key_changes import unit_alias
from backend.services.persons import name_of, number_token
from backend.services.reported_effects import (
    apply_filing,
    apply_renumbering,
    find_dwelling,
    find_speaker,
    is_plain,
    is_there_already,
    landlords_of,
    open_report_case,
)

Data = Mapping[str, str]


def take_in(world: World, session: Session, agreement: DataSharingAgreement, change: InboundChange, data: Data) -> None:
    """Match a change, write the leaves, and let those it concerns know; a filing counts at once."""
    take = {LEASE_FILED: _take_filing, RENUMBERED: _take_renumbering, BECAME_LOCAL: _take_became_local}[change.kind]
    if not take(world, session, agreement, change, data):
        change.state = "unmatched"
    session.flush()


def _take_filing(
    world: World, session: Session, agreement: DataSharingAgreement, change: InboundChange, data: Data
) -> bool:
    lease = session.get(Lease, data["lease.reference"], with_for_update=True)
    if lease is None or lease.state == "cancelled":
        return False
    unit = session.get_one(Unit, lease.unit_id)
    if not _is_agreed(session, agreement, unit) or data.get("unit.public_number") not in (None, unit.public_number):
        return False
    change.lease_id, change.unit_id, change.shown_at = lease.id, unit.id, world.clock.now()
    for subject in (lease.tenant_id or lease.id, lease.landlord_id):
        _leaf(world, session, agreement, change, subject, data)
    if lease.filing_no not in (None, data["lease.filing_no"]):  # which of two numbers counts is for a person to say
        change.state = "shown"
        open_report_case(world, session, change, agreement.office_zh, "another_number", data)
        return True
    apply_filing(world, session, change, lease, data)
    return True


def _take_renumbering(
    world: World, session: Session, agreement: DataSharingAgreement, change: InboundChange, data: Data
) -> bool:
    home = find_dwelling(session, data)
    if home is None or not terms_of(agreement).covers(home.division):
        return False
    units = session.scalars(select(Unit).where(Unit.dwelling_id == home.id).order_by(Unit.id)).all()
    change.unit_id, change.shown_at = units[0].id if units else None, world.clock.now()
    landlords = landlords_of(session, home)
    for landlord in landlords:
        _leaf(world, session, agreement, change, landlord, data)
    plain = is_plain(session, home, data)
    if is_there_already(home, data) or (plain and not landlords):
        apply_renumbering(world, session, change, home, data, office_actor(agreement))
        return True
    change.state = "shown"
    for number, landlord in enumerate(landlords):
        tell_person(
            world, session, landlord, "office_renumbered", once=f"{change.id}:{number}", office=agreement.office_zh,
            office_en=agreement.office_en, place=short_address(home), road=data["address.road"],
            door=data["address.door_no"],
        )  # fmt: skip
    if not plain:
        open_report_case(world, session, change, agreement.office_zh, "ambiguous", data)
    return True


def _take_became_local(
    world: World, session: Session, agreement: DataSharingAgreement, change: InboundChange, data: Data
) -> bool:
    document = document_of(data, world.clock.today())
    if not isinstance(document, Document):
        return False
    token = number_token(world, document)
    person = session.scalar(select(Person).where(Person.id_type == document.id_type, Person.id_number_token == token))
    if person is None or ("person.name" in data and name_of(world, session, person) != data["person.name"]):
        return False
    registration = _which_ends(session, agreement, person, data["person.hukou_division"])
    if registration is None:
        return False
    change.person_id, change.registration_id, change.unit_id = person.id, registration.id, registration.unit_id
    change.state, change.shown_at = "shown", world.clock.now()
    _leaf(world, session, agreement, change, person.id, data)
    speaker = find_speaker(world, session, person)
    if speaker is None:  # the paper path: nobody would see it on a screen
        open_report_case(world, session, change, agreement.office_zh, "no_account", data)
        return True
    unit = unit_alias(session, registration.unit_id)
    tell_account(
        world, session, speaker, "office_became_local", once=change.id, rule="ZJ-2", unit=unit,
        office=agreement.office_zh, office_en=agreement.office_en,
    )  # fmt: skip
    return True


def _which_ends(
    session: Session, agreement: DataSharingAgreement, person: Person, hukou_division: str
) -> Registration | None:
    """The newest residence in the agreed area that would leave the registration's scope (ZJ-2)."""
    rows = session.execute(
        select(Registration, Dwelling.division)
        .join(Unit, Unit.id == Registration.unit_id)
        .join(Dwelling, Dwelling.id == Unit.dwelling_id)
        .where(
            Registration.person_id == person.id,
            Registration.residence == "living",
            Registration.tenant_leg == "declared",
            Registration.scope == "in_scope",
        )
        .order_by(Registration.created_at.desc(), Registration.id.desc())
    ).all()
    terms = terms_of(agreement)
    for registration, division in rows:
        after = decide_scope(person.id_type, hukou_division, division, registration.exemption)
        if terms.covers(division) and after == "out_of_scope":
            found: Registration = registration
            return found
    return None


def _is_agreed(session: Session, agreement: DataSharingAgreement, unit: Unit) -> bool:
    return terms_of(agreement).covers(session.get_one(Dwelling, unit.dwelling_id).division)


def _leaf(
    world: World,
    session: Session,
    agreement: DataSharingAgreement,
    change: InboundChange,
    subject_id: str,
    data: Data,
) -> None:
    """Shown to the person: which office said something about them, under which agreement, and which fields."""
    write_leaf(
        world,
        session,
        office_actor(agreement),
        "office_reported",
        subject_id=subject_id,
        object_kind="report",
        object_id=change.id,
        fields=sorted(data),
        decision=change.kind,
    )
