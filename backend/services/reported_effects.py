"""What a reported change does once it counts, and the case when a person has to decide. Inside the caller's write unit.

No key, no lease and no `declared_at` is ever touched by what another office says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.reported import BECAME_LOCAL, LEASE_FILED, RENUMBERED
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.dwellings import Dwelling
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.sharing import DataSharingAgreement, InboundChange
from backend.models.units import Unit
from backend.queries.unit_facts import short_address
from backend.services.audit import Actor
from backend.services.case_opening import open_case
from backend.services.inbox import tell_person
from backend.services.key_changes import unit_alias
from backend.services.registration_changes import change_registration
from backend.services.renumbering import tell_renumbered
from backend.services.residence_paths import take_path
from backend.services.wards import find_guardian

Data = Mapping[str, str]
# What of a report whoever decides about it reads on the case: addresses, numbers of files and days.
_FOR_THE_CASE = {
    LEASE_FILED: ("lease.filing_no", "lease.filed_on"),
    RENUMBERED: ("address.division", "address.road", "address.door_no", "address.building"),
    BECAME_LOCAL: ("person.since_on",),
}


def count_report(world: World, session: Session, change: InboundChange, data: Data, actor: Actor) -> bool:
    """Let a matched change count; False when what it is about has gone or moved meanwhile, and nothing was changed."""
    if change.kind == LEASE_FILED:
        lease = session.get(Lease, change.lease_id or "", with_for_update=True)
        if lease is None:
            return False
        apply_filing(world, session, change, lease, data)
        return True
    if change.kind == RENUMBERED:
        home = find_dwelling(session, data)
        if home is None or _others_at(session, home, data) or _village_of(session, home, data) is None:
            return False
        apply_renumbering(world, session, change, home, data, actor)
        return True
    return _apply_became_local(world, session, change, data, actor)


def apply_filing(world: World, session: Session, change: InboundChange, lease: Lease, data: Data) -> None:
    """Write the filing number onto the lease and tell both parties (HR-8)."""
    if lease.filing_no != data["lease.filing_no"]:
        lease.filing_no, lease.version = data["lease.filing_no"], lease.version + 1
    settle(world, change, "counted")
    for party in filter(None, (lease.landlord_id, lease.tenant_id)):
        unit = unit_alias(session, lease.unit_id)
        tell_person(
            world, session, party, "lease_filed", once=f"{change.id}:{party}", rule="HR-8", unit=unit,
            filing_no=lease.filing_no, filed_on=data["lease.filed_on"],
        )  # fmt: skip


def apply_renumbering(
    world: World, session: Session, change: InboundChange, home: Dwelling, data: Data, actor: Actor
) -> None:
    """Give a dwelling its new village, road and number; its units keep their public numbers, and who lives there stays.

    The village is one that `count_report` has found.
    """
    village = _village_of(session, home, data)
    if village is not None and not is_there_already(home, data):
        home.former_address = short_address(home)[:120]
        home.division, home.division_version = village.division, village.division_version
        home.street, home.village = village.street, village.village
        home.road, home.door_no = data["address.road"], data["address.door_no"]
        home.building = data.get("address.building", home.building)
        session.flush()
        tell_renumbered(world, session, home, actor, source="office")
    settle(world, change, "counted")


def find_dwelling(session: Session, data: Data) -> Dwelling | None:
    """The dwelling in force that the base knows by this code."""
    known = Dwelling.address_code == data["address.code"]
    return session.scalar(select(Dwelling).where(known, Dwelling.retired_on.is_(None)).with_for_update())


def is_there_already(home: Dwelling, data: Data) -> bool:
    """Whether the dwelling has this address."""
    place = (home.division, home.road, home.door_no, home.building)
    wanted = (data["address.division"], data["address.road"], data["address.door_no"])
    return place == (*wanted, data.get("address.building", home.building))


def is_plain(session: Session, home: Dwelling, data: Data) -> bool:
    """Whether a renumbering needs nobody's judgement: the same village, and nobody else at the new address."""
    return home.division == data["address.division"] and not _others_at(session, home, data)


def landlords_of(session: Session, home: Dwelling) -> Sequence[str]:
    """Who lets something in this dwelling."""
    found = select(Unit.landlord_id).where(Unit.dwelling_id == home.id, Unit.landlord_id.is_not(None)).distinct()
    return [owner for owner in session.scalars(found.order_by(Unit.landlord_id)) if owner is not None]


def find_speaker(world: World, session: Session, person: Person) -> str | None:
    """The account that answers for a person: their own, or a child's guardian's (ZJ-7)."""
    own = session.scalar(select(Account.id).where(Account.person_id == person.id))
    guardian_id = find_guardian(world, session, person) if own is None else None
    return own if guardian_id is None else session.scalar(select(Account.id).where(Account.person_id == guardian_id))


def open_report_case(world: World, session: Session, change: InboundChange, office: str, why: str, data: Data) -> None:
    """Ask a person to decide about a reported change; the change points to the case, which says nothing of a person."""
    area = session.get_one(DataSharingAgreement, change.agreement_id).areas[0]
    if change.unit_id is not None:
        unit = session.get_one(Unit, change.unit_id)
        area = session.get_one(Dwelling, unit.dwelling_id).division
    case = open_case(
        world,
        session,
        kind="office_change",
        area=area,
        unit_id=change.unit_id,
        registration_id=change.registration_id,
        person_id=change.person_id,
        rule={LEASE_FILED: "HR-8", RENUMBERED: None}.get(change.kind, "ZJ-2"),
        opened_by="rule" if why != "objected" else "resident",
        evidence={
            "report": change.id,
            "office": office,
            "change": change.kind,
            "why": why,
            "said": " ".join(data[name] for name in _FOR_THE_CASE[change.kind] if data.get(name)),
        },
    )
    change.case_id = case.id


def settle(world: World, change: InboundChange, state: str, reason: str | None = None) -> None:
    """Close a reported change."""
    change.state, change.reason, change.decided_at = state, reason, world.clock.now()


def _village_of(session: Session, home: Dwelling, data: Data) -> Dwelling | None:
    """A dwelling that has the names of the reported village; None where the base knows none in the same county.

    A code alone is no address, and no new plate carries a house into another county.
    """
    division = data["address.division"]
    if division == home.division:
        return home
    if division[:6] != home.division[:6]:
        return None
    known = select(Dwelling).where(Dwelling.division == division, Dwelling.retired_on.is_(None))
    return session.scalar(known.order_by(Dwelling.id.desc()).limit(1))


def _others_at(session: Session, home: Dwelling, data: Data) -> bool:
    """Whether another dwelling in force has the address that is reported for this one."""
    place = (
        Dwelling.division == data["address.division"],
        Dwelling.road == data["address.road"],
        Dwelling.door_no == data["address.door_no"],
        Dwelling.building == data.get("address.building", home.building),
        Dwelling.retired_on.is_(None),
        Dwelling.id != home.id,
    )
    return session.scalar(select(Dwelling.id).where(*place).limit(1)) is not None


def _apply_became_local(world: World, session: Session, change: InboundChange, data: Data, actor: Actor) -> bool:
    """The residence ends its registration, not its being lived in: checked out at the registry, the key untouched."""
    person = session.get(Person, change.person_id or "", with_for_update=True)
    living = [] if person is None else _living(session, person.id)
    if person is None or not living:
        return False
    person.hukou_division = data["person.hukou_division"]
    since = date.fromisoformat(data["person.since_on"])
    for registration in living:
        path = take_path(session, registration, person)
        registration.changed_on = max(since, registration.move_in_on)
        change_registration(
            world,
            session,
            registration,
            "became_local" if path.leaving else "amend",
            actor,
            source="office",
            reason="became_local" if path.leaving else None,
            fields=["hukou_division", "changed_on"],
            send=path.op,
            leaving=path.leaving,
        )
    settle(world, change, "counted")
    return True


def _living(session: Session, person_id: str) -> Sequence[Registration]:
    """Where the person lives by own declaration: the place of household registration is theirs wherever they live."""
    return session.scalars(
        select(Registration)
        .where(
            Registration.person_id == person_id,
            Registration.residence == "living",
            Registration.tenant_leg == "declared",
        )
        .order_by(Registration.id)
        .with_for_update()
    ).all()
