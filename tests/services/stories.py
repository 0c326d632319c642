"""Test factories that go through the services: a landlord with a unit and a lock, a tenant with a key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from backend.db import db, transaction
from backend.domain.ids import new_id
from backend.domain.notices import NOTICES
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.dwellings import Dwelling
from backend.models.identity_checks import IdentityCheck
from backend.models.keys import Key
from backend.models.locks import Lock
from backend.models.units import Unit
from backend.seeding import sample_number
from backend.services.consents import answer_consent
from backend.services.guardians import enter_child
from backend.services.identity_states import settle_identity
from backend.services.invitations import accept_invitation, invite_tenant
from backend.services.leases import record_lease
from backend.services.lock_manifests import import_locks
from backend.services.persons import enter_identity
from backend.services.registrations import declare
from backend.services.sign_ins import find_or_make_account
from backend.services.units import claim_lock, claim_unit
from backend.wire.jwk import jwk_of, make_private_key
from device_sim.identities import Identity, make_identity

LANDLORD_PHONE, TENANT_PHONE = "+8619900009001", "+8619900009101"
TENANT_NUMBER = sample_number("341822", date(1995, 6, 1))
LANDLORD_NUMBER = sample_number("330522", date(1965, 2, 3))


@dataclass
class Story:
    """What the factories made, by id."""

    landlord: str
    unit_id: str
    dwelling_id: str
    identity: Identity
    lease_id: str = ""
    registration_id: str = ""
    key_id: str = ""
    tenant: str = ""
    link_token: str = ""
    phone_jwk: dict[str, str] | None = None


def make_dwelling(world: World, door: int = 1, units: int = 2) -> tuple[str, list[str]]:
    """A dwelling of the address base with unclaimed bedrooms."""
    home = Dwelling(
        id=new_id(), division="330522003900", division_version="test", province="浙江省", city="湖州市",
        county="长兴县", street="太湖街道", village="陈塘村", road="陈塘路", door_no=f"{door}号",
        imported_at=world.clock.now(),
    )  # fmt: skip
    rooms = [
        Unit(id=new_id(), dwelling_id=home.id, public_number=f"U-TEST{door:02d}{n:02d}", label=f"{100 + n}室",
             space_kind="bedroom", usable_area_m2=15, capacity=2, created_at=world.clock.now())
        for n in range(1, units + 1)
    ]  # fmt: skip
    with transaction() as session:
        session.add(home)
        session.flush()
        session.add_all(rooms)
    return home.id, [room.id for room in rooms]


def make_account(world: World, phone: str) -> str:
    """An account as the first sign-in makes it."""
    with transaction() as session:
        return find_or_make_account(world, session, phone).id


def make_landlord(world: World, phone: str = LANDLORD_PHONE, number: str = LANDLORD_NUMBER) -> str:
    """An identified landlord's account."""
    account_id = make_account(world, phone)
    enter_identity(world, account_id=account_id, id_type="111", id_number=number, name="沈安一")
    return account_id


def make_let_unit(world: World, *, lock: int = 1, door: int = 1) -> Story:
    """A landlord who has claimed a unit and its lock."""
    landlord = make_landlord(world)
    dwelling_id, rooms = make_dwelling(world, door)
    claim_unit(world, account_id=landlord, unit_id=rooms[0], right_kind="owner", evidence="不动产权证书")
    identity = make_identity(7, lock)
    import_locks(world, [identity.public_part()])
    claim_lock(world, account_id=landlord, unit_id=rooms[0], claim_code=identity.claim_code)
    return Story(landlord, rooms[0], dwelling_id, identity)


def make_invited(world: World, **changes: Any) -> Story:
    """The same with a lease and an open invitation; `changes` go to `record_lease`."""
    story = make_let_unit(world)
    values: dict[str, Any] = {
        "kind": "room",
        "starts_on": world.clock.today(),
        "ends_on": world.clock.today() + timedelta(days=365),
        "alias": "小周",
        "tenant_name": "周来福",
        "tenant_id_type": "111",
        "tenant_id_number": TENANT_NUMBER,
        "tenant_phone": TENANT_PHONE,
        **changes,
    }
    made = record_lease(world, account_id=story.landlord, unit_id=story.unit_id, **values)
    story.lease_id, story.registration_id, story.key_id = made.lease_id, made.registration_id, made.key_id or ""
    link = invite_tenant(world, account_id=story.landlord, lease_id=made.lease_id).link
    story.link_token = link.rsplit("/", 1)[1]
    return story


def make_claimed(world: World, **changes: Any) -> Story:
    """The same, accepted by the tenant's phone."""
    story = make_invited(world, **changes)
    story.tenant = make_account(world, TENANT_PHONE)
    story.phone_jwk = jwk_of(make_private_key().public_key())
    accept_invitation(world, account_id=story.tenant, token=story.link_token, phone_jwk=story.phone_jwk)
    return story


def make_identified(world: World, **changes: Any) -> Story:
    """The same, with notice read and identity entered (not yet checked by face or person)."""
    story = make_claimed(world, **changes)
    read_notice(world, story.tenant)
    enter_identity(world, account_id=story.tenant, id_type="111", id_number=TENANT_NUMBER, name="周来福")
    return story


def make_declared(world: World, hukou: str = "341822", **changes: Any) -> Story:
    """The same, declared."""
    story = make_identified(world, **changes)
    declare(world, account_id=story.tenant, registration_id=story.registration_id, move_in_on=world.clock.today(),
            hukou_division=hukou)  # fmt: skip
    return story


def make_active(world: World, **changes: Any) -> Story:
    """The same, with the identity verified at the window: the key is active."""
    story = make_declared(world, **changes)
    verify_at_window(world, story.tenant)
    return story


def verify_at_window(world: World, account_id: str) -> None:
    """A person at the window has verified this account's identity."""
    from backend.services.persons import my_identity

    identity = my_identity(world, account_id=account_id)
    assert identity is not None
    with transaction() as session:
        settle_identity(world, session, identity.person_id, "verified", method="window")


def make_child(world: World, account_id: str) -> str:
    """A child of ten, entered by this account as its guardian; answers the child's id."""
    version = NOTICES["registration_notice"].version
    number = sample_number("341822", world.clock.today().replace(year=world.clock.today().year - 10))
    return enter_child(world, account_id=account_id, name="周小福", id_type="111", id_number=number,
                       relation="mother", notice_version=version).person_id  # fmt: skip


def read_notice(world: World, account_id: str, purpose: str = "registration_notice", given: bool = True) -> None:
    """Answer the present text of a purpose."""
    answer_consent(world, account_id=account_id, purpose=purpose, version=NOTICES[purpose].version, given=given)


def key_row(key_id: str) -> Key:
    """The key as it is stored now."""
    db.session.rollback()
    return db.session.get_one(Key, key_id)


CO_TENANT_PHONE, CO_TENANT_NUMBER = "+8619900009102", sample_number("341822", date(1996, 7, 2))
VISITOR_PHONE = "+8619900009201"


@dataclass
class Occupant:
    """A further tenant, by id."""

    account: str
    lease_id: str
    registration_id: str
    key_id: str
    phone_jwk: dict[str, str]


def make_occupant(
    world: World, story: Story, *, phone: str = CO_TENANT_PHONE, number: str = CO_TENANT_NUMBER, **changes: Any
) -> Occupant:
    """A further tenant of the story's unit with an active key; `changes` go to `record_lease` (joint_with, dates)."""
    values: dict[str, Any] = {
        "kind": "room",
        "starts_on": world.clock.today(),
        "ends_on": world.clock.today() + timedelta(days=365),
        "alias": "小吴",
        "tenant_name": "吴友",
        "tenant_id_type": "111",
        "tenant_id_number": number,
        "tenant_phone": phone,
        **changes,
    }
    made = record_lease(world, account_id=story.landlord, unit_id=story.unit_id, **values)
    return move_in(world, story, made.lease_id, made.registration_id, phone, number)


def move_in(
    world: World, story: Story, lease_id: str, registration_id: str, phone: str, number: str
) -> Occupant:
    """Invite, accept, declare, verify: the tenant of a recorded lease lives there."""
    link = invite_tenant(world, account_id=story.landlord, lease_id=lease_id).link
    account, jwk = make_account(world, phone), jwk_of(make_private_key().public_key())
    accepted = accept_invitation(world, account_id=account, token=link.rsplit("/", 1)[1], phone_jwk=jwk)
    read_notice(world, account)
    enter_identity(world, account_id=account, id_type="111", id_number=number, name="吴友")
    declare(world, account_id=account, registration_id=registration_id, move_in_on=world.clock.today(),
            hukou_division="341822")  # fmt: skip
    verify_at_window(world, account)
    return Occupant(account, lease_id, registration_id, accepted.key_id, jwk)


def give_keypad(lock_id: str) -> EllipticCurvePrivateKey:
    """The lock gets a keypad; answers its private agreement key."""
    private = make_private_key()
    with transaction() as session:
        session.get_one(Lock, lock_id).agreement_key = jwk_of(private.public_key())
    return private


def take_keypad(lock_id: str) -> None:
    """The lock is of a model without keypad."""
    with transaction() as session:
        session.get_one(Lock, lock_id).agreement_key = None


def match_face(world: World, account_id: str) -> None:
    """A face check of this account's person has just matched."""
    with transaction() as session:
        person_id = session.get_one(Account, account_id).person_id
        session.add(
            IdentityCheck(id=new_id(), person_id=person_id, method="face", provider="test", decision="match",
                          outcome="pass", checked_at=world.clock.now())  # fmt: skip
        )


def lock_row(lock_id: str) -> Lock:
    """The lock as it is stored now."""
    db.session.rollback()
    return db.session.get_one(Lock, lock_id)
