"""What the protocol promises of doors, shown with the real platform and the real firmware between them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from backend.services import keys
from backend.services.keys import get_key
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
