"""Co-tenants: a lease, a registration and a key each; one term and one epoch for all."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.gateways.world import World
from backend.models.leases import Lease
from backend.models.registrations import Registration
from backend.seeding import sample_number
from backend.services.inbox import list_notices
from backend.services.keys import fetch_credential
from backend.services.landlord_views import get_lease, list_leases
from backend.services.leases import end_lease, extend_lease, record_lease
from backend.services.registrations import check_out
from backend.services.tenancies import get_tenancy
from tests.services import stories
from tests.services.stories import Occupant, Story

pytestmark = pytest.mark.usefixtures("core")

THIRD_PHONE, THIRD_NUMBER = "+8619900009103", sample_number("341822", date(1997, 8, 3))


def join(world: World, story: Story, **changes: Any) -> Occupant:
    return stories.make_occupant(world, story, **{"joint_with": story.lease_id, **changes})


def leave(world: World, account: str, registration_id: str) -> None:
    check_out(world, account_id=account, registration_id=registration_id, moved_out_on=world.clock.today(),
              reason="lease_end")  # fmt: skip


def test_a_co_tenant_takes_over_kind_and_dates_and_has_everything_else_alone(world: World) -> None:
    story = stories.make_active(world, kind="whole")
    first = db.session.get_one(Lease, story.lease_id)
    second = join(world, story, kind="bed", ends_on=world.clock.today() + timedelta(days=9))
    lease = db.session.get_one(Lease, second.lease_id)
    assert (lease.joint_id, lease.kind, lease.starts_on, lease.ends_on) == (
        first.id, "whole", first.starts_on, first.ends_on,
    )  # fmt: skip
    assert {second.registration_id, second.key_id}.isdisjoint({story.registration_id, story.key_id})
    keys = [stories.key_row(key_id) for key_id in (story.key_id, second.key_id)]
    assert [(key.state, key.epoch) for key in keys] == [("active", 1), ("active", 1)]
    assert get_lease(world, account_id=story.landlord, lease_id=second.lease_id).joint_id == story.lease_id
    assert len(list_leases(world, account_id=story.landlord, unit_id=story.unit_id)) == 2
    assert "co_tenant_added" in [notice.kind for notice in list_notices(world, account_id=story.tenant)]


def test_who_joins_a_joint_tenancy_through_any_of_its_leases_joins_the_first(world: World) -> None:
    story = stories.make_active(world)
    second = join(world, story)
    with pytest.raises(Refused, match="unit.full") as caught:
        join(world, story, phone=THIRD_PHONE, number=THIRD_NUMBER, joint_with=second.lease_id)
    assert (caught.value.refusal.reason.rule, caught.value.refusal.params["most"]) == ("HR-7", 2)
    leave(world, second.account, second.registration_id)
    third = join(world, story, phone=THIRD_PHONE, number=THIRD_NUMBER)
    assert db.session.get_one(Lease, third.lease_id).joint_id == story.lease_id


def test_a_co_tenant_who_joins_later_has_the_own_deadlines(world: World, clock: FixedClock) -> None:
    story = stories.make_active(world)
    clock.move(timedelta(days=60))
    second = join(world, story)
    registration = db.session.get_one(Registration, second.registration_id)
    assert registration.move_in_on == world.clock.today()
    assert registration.landlord_due_on is not None and registration.landlord_due_on >= world.clock.today()


def test_nobody_joins_a_lease_that_is_over_another_landlords_or_of_another_unit(
    world: World, clock: FixedClock
) -> None:
    story = stories.make_active(world, ends_on=world.clock.today() + timedelta(days=30))
    _, rooms = stories.make_dwelling(world, door=2)
    for unknown in (rooms[0], "no-id"):
        with pytest.raises(Refused, match="not_found"):
            join(world, story, joint_with=unknown)
    clock.move(timedelta(days=31))
    with pytest.raises(Refused, match="lease.not_joint"):
        join(world, story)


def test_the_same_person_is_not_their_own_co_tenant(world: World) -> None:
    story = stories.make_active(world)
    with pytest.raises(Refused, match="lease.same_tenant"):
        join(world, story, number=stories.TENANT_NUMBER)


def test_a_lease_outside_the_group_still_overlaps_it(world: World) -> None:
    story = stories.make_active(world)
    join(world, story)
    with pytest.raises(Refused, match="lease.overlap"):
        stories.make_occupant(world, story, phone=THIRD_PHONE, number=THIRD_NUMBER)


def test_one_who_leaves_ends_neither_the_others_nor_the_epoch(world: World) -> None:
    story = stories.make_active(world)
    second = join(world, story)
    leave(world, story.tenant, story.registration_id)
    assert stories.key_row(story.key_id).state == "revoking"
    staying = stories.key_row(second.key_id)
    assert (staying.state, staying.epoch, stories.lock_row(story.identity.lock_id).epoch) == ("active", 1, 1)
    assert db.session.get_one(Lease, second.lease_id).state == "active"
    assert fetch_credential(world, account_id=second.account, key_id=second.key_id).doors
    tenancy = get_tenancy(world, account_id=second.account, registration_id=second.registration_id)
    assert tenancy.registration.residence == "living"


def test_the_landlords_word_on_one_co_tenant_asks_that_one_alone(world: World) -> None:
    story = stories.make_active(world)
    second = join(world, story)
    end_lease(world, account_id=story.landlord, lease_id=story.lease_id, ended_on=world.clock.today())
    assert "landlord_says_left" in [notice.kind for notice in list_notices(world, account_id=story.tenant)]
    assert "landlord_says_left" not in [notice.kind for notice in list_notices(world, account_id=second.account)]


@pytest.mark.parametrize("named", ["first", "second"])
def test_extending_one_extends_the_group(world: World, named: str) -> None:
    story = stories.make_active(world)
    second = join(world, story)
    later = world.clock.today() + timedelta(days=700)
    lease_id = story.lease_id if named == "first" else second.lease_id
    extend_lease(world, account_id=story.landlord, lease_id=lease_id, ends_on=later)
    leases = db.session.scalars(select(Lease).where(Lease.state == "active")).all()
    assert [lease.ends_on for lease in leases] == [later, later]
    assert [stories.key_row(key_id).ends_on for key_id in (story.key_id, second.key_id)] == [later, later]
    with pytest.raises(Refused, match="lease.shorten"):
        extend_lease(world, account_id=story.landlord, lease_id=lease_id, ends_on=world.clock.today())


def test_the_epoch_rises_when_nobody_of_the_old_ones_lives_there_any_more(world: World) -> None:
    story = stories.make_active(world)
    second = join(world, story)
    leave(world, story.tenant, story.registration_id)
    third = join(world, story, phone=THIRD_PHONE, number=THIRD_NUMBER, joint_with=second.lease_id)
    assert stories.key_row(third.key_id).epoch == 1, "one of the old ones still lives there"
    leave(world, second.account, second.registration_id)
    leave(world, third.account, third.registration_id)
    number = sample_number("341822", date(1998, 9, 4))
    fourth = stories.make_occupant(world, story, phone="+8619900009104", number=number)
    assert (stories.key_row(fourth.key_id).epoch, stories.lock_row(story.identity.lock_id).epoch) == (2, 2)


def test_a_co_tenant_whose_key_becomes_active_after_the_first_has_left_is_of_the_same_occupancy(world: World) -> None:
    story = stories.make_active(world)
    values: dict[str, Any] = {"kind": "room", "starts_on": world.clock.today(), "ends_on": None, "alias": "小吴",
                              "tenant_name": "吴友", "tenant_id_type": "111", "tenant_id_number": THIRD_NUMBER,
                              "tenant_phone": THIRD_PHONE, "joint_with": story.lease_id}  # fmt: skip
    made = record_lease(world, account_id=story.landlord, unit_id=story.unit_id, **values)
    leave(world, story.tenant, story.registration_id)
    late = stories.move_in(world, story, made.lease_id, made.registration_id, THIRD_PHONE, THIRD_NUMBER)
    assert stories.key_row(late.key_id).epoch == 1


def test_joining_twice_by_the_same_request_makes_one_lease(world: World) -> None:
    story = stories.make_active(world)
    values: dict[str, Any] = {"kind": "room", "starts_on": world.clock.today(), "ends_on": None, "alias": "小吴",
                              "tenant_name": "吴友", "tenant_id_type": "111", "tenant_id_number": THIRD_NUMBER,
                              "tenant_phone": THIRD_PHONE, "joint_with": story.lease_id,
                              "idempotency_key": "join-0001"}  # fmt: skip
    first = record_lease(world, account_id=story.landlord, unit_id=story.unit_id, **values)
    assert record_lease(world, account_id=story.landlord, unit_id=story.unit_id, **values) == first
    assert len(db.session.scalars(select(Lease)).all()) == 2
