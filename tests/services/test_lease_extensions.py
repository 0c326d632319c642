"""Extending is the landlord's later word: it takes back "left", and the registry reads it on both legs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from backend.db import db
from backend.gateways.clock import FixedClock
from backend.gateways.world import World
from backend.models.cases import Case
from backend.models.leases import Lease
from backend.models.outbox import OutboxRow
from backend.models.registrations import Registration, RegistrationChange
from backend.services.duties import keep_duties
from backend.services.leases import end_lease, extend_lease
from backend.services.own_duties import list_duties
from backend.services.registrations import answer_still_here
from backend.services.registry_items import build_item
from backend.services.tenancies import get_tenancy
from backend.wire.registry_messages import Item
from tests.services import stories
from tests.services.stories import Story

pytestmark = pytest.mark.usefixtures("core")


def say_left(world: World, story: Story) -> None:
    end_lease(world, account_id=story.landlord, lease_id=story.lease_id, ended_on=world.clock.today())


def extend(world: World, story: Story, lease_id: str | None = None) -> None:
    later = world.clock.today() + timedelta(days=800)
    extend_lease(world, account_id=story.landlord, lease_id=lease_id or story.lease_id, ends_on=later)


def registration(story: Story) -> Registration:
    db.session.rollback()
    return db.session.get_one(Registration, story.registration_id, populate_existing=True)


def asked(world: World, story: Story) -> bool:
    tenancy = get_tenancy(world, account_id=story.tenant, registration_id=story.registration_id)
    return tenancy.landlord_says_left_on is not None


def rows() -> list[tuple[str, str, int]]:
    """Operation, leg and version of what lies in the registry's outbox."""
    db.session.rollback()
    found = db.session.scalars(select(OutboxRow).where(OutboxRow.destination == "registry").order_by(OutboxRow.id))
    return [(row.kind, row.payload["leg"], row.payload["version"]) for row in found]


def test_extending_takes_back_that_the_tenant_has_left(world: World, clock: FixedClock) -> None:
    story = stories.make_active(world)
    say_left(world, story)
    assert asked(world, story)
    extend(world, story)
    assert not asked(world, story)
    assert db.session.get_one(Lease, story.lease_id).landlord_ended_on is None
    assert registration(story).landlord_end_reported_at is None
    change = db.session.scalars(select(RegistrationChange).order_by(RegistrationChange.version.desc()).limit(1)).one()
    assert (change.action, change.reason) == ("extend", "left_taken_back")
    for _ in range(10):
        clock.move(timedelta(days=1))
        while keep_duties(world):
            pass
    assert not registration(story).disputed
    assert db.session.scalar(select(Case.id).where(Case.kind == "dispute")) is None
    assert "answer_left" not in [duty.code for duty in list_duties(world, account_id=story.tenant)]


def test_a_dispute_stays_with_the_person_who_decides_it(world: World) -> None:
    story = stories.make_active(world)
    say_left(world, story)
    answer_still_here(world, account_id=story.tenant, registration_id=story.registration_id)
    extend(world, story)
    assert registration(story).disputed
    assert db.session.get_one(Lease, story.lease_id).landlord_ended_on is not None


def test_extending_for_a_co_tenant_says_nothing_of_the_one_who_left(world: World) -> None:
    story = stories.make_active(world)
    second = stories.make_occupant(world, story, joint_with=story.lease_id)
    say_left(world, story)
    extend(world, story, second.lease_id)
    assert asked(world, story), "the landlord has not taken that back"


def test_after_taking_it_back_the_landlord_may_say_left_again(world: World) -> None:
    story = stories.make_active(world)
    say_left(world, story)
    extend(world, story)
    say_left(world, story)
    assert asked(world, story)


def test_the_registry_reads_the_new_end_on_both_legs(world: World) -> None:
    story = stories.make_active(world)
    before = len(rows())
    extend(world, story)
    version = registration(story).version
    assert rows()[before:] == [("AMEND", "TENANT", version), ("UPSERT", "LANDLORD", version)]
    later = (world.clock.today() + timedelta(days=800)).isoformat()
    for leg in ("TENANT", "LANDLORD"):
        item = build_item(world, db.session(), registration(story), op="AMEND", leg=leg, version=version)
        assert isinstance(item, Item) and item.payload["planned_end_on"] == later


def test_a_report_that_was_never_made_is_not_sent_by_extending(world: World) -> None:
    story = stories.make_active(world, report_now=False)
    extend(world, story)
    assert [leg for _, leg, _ in rows()] == ["TENANT", "TENANT"]
