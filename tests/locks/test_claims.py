"""What the protocol promises of doors, shown with the real platform and the real firmware between them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import segno
from flask import Flask

from backend.domain.ids import new_id
from backend.services import keys
from backend.services.delegated_keys import adopt_delegated_key
from backend.services.delegates import fetch_activation, make_delegate
from backend.services.keys import get_key
from backend.wire import codec, near_messages
from backend.wire.jwk import base64url, from_base64url
from device_sim.lock import Lock
from device_sim.phone import Carried, Phone
from tests.device_sim.makers import open_near
from tests.locks.households import Household

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def household(core: Flask, clock: Any) -> Household:
    return Household(core, clock)


def test_old_tenant_refused_after_the_new_tenants_first_opening_on_a_lock_that_stayed_offline(
    household: Household,
) -> None:
    household.connect()
    old = household.move_in()
    assert household.open_near(old) == "opened"
    household.disconnect()
    household.move_out(old)
    new = household.move_in()
    assert household.open_near(old) == "opened"  # the lock cannot know yet, and the screen says so:
    door = get_key(household.world, account_id=household.story.landlord, key_id=old.key_id).doors[0]
    assert door.exposure_until is not None and door.confirmed_at is None
    assert household.open_near(new) == "opened"
    assert household.open_near(old) == "refused"
    assert household.open_near(new) == "opened"


def test_revocation_carried_by_a_third_phone_works_at_once(household: Household) -> None:
    household.connect()
    first = household.move_in(kind="bed")
    third = household.move_in(kind="bed")
    household.disconnect()
    household.move_out(first)
    assert household.open_near(first) == "opened"
    assert household.refresh(third)
    assert household.open_near(third) == "opened"
    assert household.open_near(first) == "refused"
    assert household.open_near(third) == "opened"


@SQLITE
@pytest.mark.parametrize("ppm", [-100.0, 0.0, 100.0])
def test_exposure_until_is_never_earlier_than_the_last_possible_opening_and_at_most_the_clock_bound_later(
    core: Flask, clock: Any, ppm: float
) -> None:
    household = Household(core, clock, ppm=ppm)
    household.connect()
    resident = household.move_in()
    household.wait(6 * DAY)  # the worst case: its clock set as late as can be, and then it hears nothing any more
    household.disconnect()
    household.wait(HOUR)
    household.move_out(resident)
    door = get_key(household.world, account_id=household.story.landlord, key_id=resident.key_id).doors[0]
    assert door.exposure_until is not None
    last = None
    at, end = door.exposure_until - 20 * timedelta(minutes=1), door.exposure_until + HOUR
    while at <= end:
        clock.set(at)
        if household.open_near(resident) == "opened":
            last = at
        at += timedelta(seconds=20)
    assert last is not None, "the worst case must be one: the door still opened shortly before"
    assert last <= door.exposure_until
    assert door.exposure_until - last <= timedelta(minutes=10)  # our clock bound, and the lock's clock the other way


def test_a_month_long_platform_outage_locks_no_resident_out(household: Household) -> None:
    household.connect()
    resident = household.move_in()
    household.begin_outage()
    for day in range(31):
        assert household.open_near(resident) == "opened", f"day {day}"
        household.wait(DAY)
    household.end_outage()
    assert household.open_online(resident) == "executed"


def test_what_a_landlord_may_not_do_to_an_occupants_key_is_refused(household: Household) -> None:
    from backend.domain.refusals import Refused

    household.connect()
    resident = household.move_in()
    household.wait(90 * DAY)  # the lease's planned end is long past: holdover
    for harm in (keys.suspend_key, keys.revoke_key):
        for ground in (None, "lease_over", "check_out", "both_agreed", "court_order"):
            with pytest.raises(Refused, match="key.ground"):
                harm(household.world, account_id=household.story.landlord, key_id=resident.key_id, ground=ground)
    assert household.refresh(resident)
    assert household.open_near(resident) == "opened"
    assert household.open_online(resident) == "executed"


def test_a_landlord_without_network_hands_over_a_key_and_it_opens_only_with_the_platforms_word(
    household: Household,
) -> None:
    """Side by side at an offline door: the tenant's public key and the credential pass through the lock's box."""
    world, landlord, lock = household.world, Phone(), household.lock
    household.connect()
    former = household.move_in()
    household.move_out(former)
    made = make_delegate(
        world, account_id=household.story.landlord, unit_id=household.story.unit_id, phone_jwk=landlord.jwk
    )
    person = household.identify()  # identified at the window some days ago, and no lease yet
    activation = fetch_activation(world, account_id=person.account, phone_jwk=person.phone.jwk).activation
    household.disconnect()
    household.wait(HOUR)

    leave(lock, "204512", base64url(json.dumps(person.phone.jwk).encode()))
    holder = json.loads(from_base64url(fetch(lock, "204512")))
    now = int(household.clock.now().timestamp())
    key_id = new_id()
    credential = landlord.issue(made.token or "", lock.identity.lock_id, made.epoch, holder, key_id, now, now + 86_400)
    shown = segno.make(f"{credential}~{made.token}", error="l", micro=False)  # the other way: a code on the screen
    assert int(shown.version) <= 30, "137 modules a side: a phone's camera reads it off another phone"
    leave(lock, "204513", credential)
    received = fetch(lock, "204513")

    both = Carried(delegate=made.token, activation=activation)
    assert show(lock, person.phone, received, Carried(delegate=made.token)) == "refused"  # the landlord's word alone
    assert show(lock, person.phone, received, Carried(activation=activation)) == "refused"  # the platform's alone
    assert show(lock, Phone(), received, both) == "refused"  # another phone's
    assert show(lock, person.phone, received, both) == "opened"
    assert household.open_near(former) == "refused"  # a new tenancy has begun with it

    lease = household.record_lease_for(person)  # network is back at the landlord's home
    for account in (household.story.landlord, person.account):  # either may tell it first, and both may
        adopted = adopt_delegated_key(
            world, account_id=account, lease_id=lease, credential=received, delegate=made.token or ""
        )
        assert (adopted.id, adopted.state) == (key_id, "claimed")
    household.connect()
    household.declare_for(person, lease)
    assert get_key(world, account_id=person.account, key_id=key_id).state == "active"
    resident = household.resident_of(person, lease, key_id)
    assert household.refresh(resident)
    assert household.open_near(resident) == "opened"
    assert household.open_online(resident) == "executed"


def leave(lock: Lock, box: str, item: str) -> None:
    answer = near_messages.decode_box(lock.near.greet().hello(codec.encode(near_messages.Leave(box, item))))
    assert answer.state == "kept"


def fetch(lock: Lock, box: str) -> str:
    answer = near_messages.decode_box(lock.near.greet().hello(codec.encode(near_messages.Fetch(box))))
    assert answer.item is not None
    return answer.item


def show(lock: Lock, phone: Phone, credential: str, carried: Carried) -> str:
    result = open_near(lock, phone, credential, carried)
    lock.body.bolt = "locked"
    return result
