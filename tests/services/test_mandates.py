"""A manager's mandate: renewed by the same claim, told of before its end, and neither looking nor acting afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.gateways.clock import FixedClock
from backend.gateways.world import World
from backend.models.notices import Notice
from backend.models.units import UnitClaim
from backend.services import keys, landlord_views, unit_board, visitor_keys
from backend.services.landlord_reminders import list_late_tenants, remind_tenants
from backend.services.leases import record_lease
from backend.services.mandates import tell_mandate_ends
from backend.services.units import claim_lock, claim_unit
from tests.services import stories
from tests.services.test_journey_of_a_tenancy import refused

pytestmark = pytest.mark.usefixtures("core")
DAYS = 20


def make_managed(world: World, days: int = DAYS) -> stories.Story:
    """A manager's unit with its lock and a tenant who has accepted and not declared; the mandate runs `days`."""
    manager = stories.make_landlord(world)
    dwelling, rooms = stories.make_dwelling(world)
    story = stories.Story(manager, rooms[0], dwelling, stories.make_identity(7, 1))
    claim(world, story, world.clock.today() + timedelta(days=days))
    stories.import_locks(world, [story.identity.public_part()])
    claim_lock(world, account_id=manager, unit_id=rooms[0], claim_code=story.identity.claim_code)
    made = record_lease(world, account_id=manager, unit_id=rooms[0], kind="room", starts_on=world.clock.today(),
                        ends_on=None, alias="小周", tenant_name="周来福", tenant_id_type="111",
                        tenant_id_number=stories.TENANT_NUMBER, tenant_phone=stories.TENANT_PHONE)  # fmt: skip
    story.lease_id, story.registration_id, story.key_id = made.lease_id, made.registration_id, made.key_id or ""
    link = stories.invite_tenant(world, account_id=manager, lease_id=made.lease_id).link
    story.tenant = stories.make_account(world, stories.TENANT_PHONE)
    jwk = stories.jwk_of(stories.make_private_key().public_key())
    stories.accept_invitation(world, account_id=story.tenant, token=link.rsplit("/", 1)[1], phone_jwk=jwk)
    return story


def claim(world: World, story: stories.Story, ends_on: date, right_kind: str = "mandate", **more: Any) -> str:
    return claim_unit(world, account_id=story.landlord, unit_id=story.unit_id, right_kind=right_kind,
                      evidence="委托书", mandate_ends_on=ends_on, **more).state  # fmt: skip


def told(world: World) -> list[str]:
    with transaction() as session:
        tell_mandate_ends(world, session)
    db.session.rollback()
    kinds = select(Notice.kind).where(Notice.kind.startswith("mandate_")).order_by(Notice.at, Notice.id)
    return list(db.session.scalars(kinds))


@pytest.mark.parametrize("after", [3, DAYS + 9], ids=["before its end", "afterwards"])
def test_a_mandate_is_renewed_by_claiming_again_with_a_later_end(world: World, clock: FixedClock, after: int) -> None:
    story = make_managed(world)
    clock.move(timedelta(days=after))
    assert claim(world, story, world.clock.today() + timedelta(days=365)) == "accepted"
    states = db.session.scalars(select(UnitClaim.state).order_by(UnitClaim.created_at, UnitClaim.id)).all()
    assert list(states) == ["ended", "accepted"]
    card = landlord_views.get_unit(world, account_id=story.landlord, unit_id=story.unit_id, managing=True)
    assert card.mandate_ends_on == world.clock.today() + timedelta(days=365)
    assert card.lease is not None and card.state == "awaiting"


def test_only_a_later_mandate_takes_the_place_of_one(world: World) -> None:
    story = make_managed(world)
    ends_on = world.clock.today() + timedelta(days=DAYS)
    for day, kind in ((ends_on, "mandate"), (ends_on - timedelta(days=1), "mandate"), (ends_on, "owner")):
        with refused("unit.claimed"):
            claim(world, story, day, kind)
    owner = stories.make_let_unit(world, lock=2, door=2)
    with refused("unit.claimed"):
        claim(world, owner, ends_on)


def test_a_manager_whose_mandate_is_over_sees_the_units_name_and_nothing_else(world: World, clock: FixedClock) -> None:
    story = make_managed(world)
    clock.move(timedelta(days=DAYS + 1))
    me, unit = {"account_id": story.landlord}, {"unit_id": story.unit_id}
    card = landlord_views.get_unit(world, **me, **unit)
    assert (card.state, card.lock, card.lease, card.without_lease) == ("mandate_over", None, None, 0)
    board = unit_board.unit_board(world, **me)
    (line,) = board.units
    assert (line.state, line.presence, line.leases) == ("mandate_over", None, ())
    assert [todo.kind for todo in board.todos] == ["mandate_over"]
    assert [todo.kind for todo in landlord_views.landlord_home(world, **me).todos] == ["mandate_over"]
    looks: list[Callable[[], object]] = [
        lambda: landlord_views.get_unit(world, **me, **unit, managing=True),
        lambda: landlord_views.get_lease(world, **me, lease_id=story.lease_id),
        lambda: landlord_views.list_leases(world, **me, **unit),
        lambda: landlord_views.list_lock_health(world, **me, **unit),
        lambda: visitor_keys.list_visitor_keys(world, **me, **unit),
        lambda: keys.get_key(world, **me, key_id=story.key_id),
        lambda: keys.revoke_key(world, **me, key_id=story.key_id, ground="check_out"),
    ]
    for look in looks:
        with refused("right.mandate_over"):
            look()
    assert keys.get_key(world, account_id=story.tenant, key_id=story.key_id).id == story.key_id, "the holder still does"


def test_a_manager_whose_mandate_is_over_reminds_nobody(world: World, clock: FixedClock) -> None:
    story = make_managed(world)
    clock.move(timedelta(days=DAYS))
    assert len(list_late_tenants(world, account_id=story.landlord)) == 1, "on the last day it still runs"
    clock.move(timedelta(days=1))
    assert list_late_tenants(world, account_id=story.landlord) == ()
    with refused("right.mandate_over"):
        remind_tenants(world, account_id=story.landlord, lease_ids=[story.lease_id])


def test_a_manager_is_told_two_weeks_and_a_day_before_and_once_it_is_over(world: World, clock: FixedClock) -> None:
    make_managed(world)
    assert told(world) == []
    clock.move(timedelta(days=DAYS - 14))
    assert told(world) == told(world) == ["mandate_ends"]
    clock.move(timedelta(days=13))
    assert told(world) == told(world) == ["mandate_ends"] * 2
    clock.move(timedelta(days=2))
    assert told(world) == told(world) == [*["mandate_ends"] * 2, "mandate_over"]


def test_a_mandate_that_was_renewed_says_nothing_of_its_old_end(world: World, clock: FixedClock) -> None:
    story = make_managed(world)
    claim(world, story, world.clock.today() + timedelta(days=365))
    clock.move(timedelta(days=DAYS + 1))
    assert told(world) == []
