"""The end of a lock's life: replaced without anybody noticing at the door, retired with its chain closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.audit import AuditLeaf
from backend.models.commands import Command
from backend.models.keys import Key, KeyDoor
from backend.models.locks import Lock
from backend.services import commands, keys, lock_lives, lock_reports
from backend.services.inbox import list_notices
from backend.services.key_changes import finish_past_exposure
from backend.services.key_lists import key_list
from backend.services.lock_lives import acknowledge_alarm, replace_lock, retire_lock
from backend.services.lock_logs import record_events
from backend.services.lock_manifests import import_locks, list_broker_accounts
from backend.services.lock_reports import UnknownLock
from backend.services.registrations import check_out
from backend.services.tenancies import get_tenancy
from backend.services.units import claim_lock
from backend.wire.lock_documents import content_hash
from backend.wire.lock_messages import EventBatch, ReportedKeys
from device_sim.identities import Identity, make_identity
from tests.services import stories
from tests.services.reports import AT, make_batch, make_birth
from tests.services.stories import Story

NEW = make_identity(7, 2)
DOOR = ("door.opened", {})


@pytest.fixture
def story(core: Any, world: World) -> Story:
    """A tenant with an active key, a lock that is online and confirmed, and another lock that nobody has claimed."""
    story = stories.make_active(world)
    lock_reports.record_birth(world, story.identity.lock_id, make_birth(story.identity.lock_id))
    confirm(world, story.identity)
    import_locks(world, [NEW.public_part()])
    return story


@pytest.fixture
def empty(core: Any, world: World) -> Story:
    """A unit that nobody lives in, its lock online."""
    story = stories.make_let_unit(world)
    lock_reports.record_birth(world, story.identity.lock_id, make_birth(story.identity.lock_id))
    return story


def row(identity: Identity) -> Lock:
    db.session.rollback()
    return db.session.get_one(Lock, identity.lock_id)


def confirm(world: World, identity: Identity) -> None:
    """The lock reports that it holds its present list."""
    lock = row(identity)
    listed = key_list(world, db.session(), lock)
    report = ReportedKeys(lock.list_version, lock.epoch, lock.list_version, (), list_hash=content_hash(listed))
    lock_reports.record_reported_keys(world, identity.lock_id, report)


def listed(world: World, identity: Identity) -> list[str]:
    return [entry.id for entry in key_list(world, db.session(), row(identity)).keys]


def doors(story: Story) -> set[str]:
    db.session.rollback()
    return set(db.session.scalars(select(KeyDoor.lock_id).where(KeyDoor.key_id == story.key_id)))


def wipes(identity: Identity) -> int:
    db.session.rollback()
    asked = select(Command.id).where(Command.action == "wipe", Command.lock_id == identity.lock_id)
    return len(db.session.scalars(asked).all())


def leaves(action: str) -> Sequence[AuditLeaf]:
    db.session.rollback()
    return db.session.scalars(select(AuditLeaf).where(AuditLeaf.action == action)).all()


def say_wiped(world: World, identity: Identity, *, signed: bool = True, command: str | None = None) -> None:
    """The lock's last word: its reset as an event, with or without its signature over it."""
    told = [DOOR, ("factory_reset", {"command": command} if command else {})]
    record_events(world, [(identity.lock_id, make_batch(identity, told, signed=signed))])


def finish(world: World) -> None:
    with transaction() as session:
        finish_past_exposure(world, session)


def wipe_command(identity: Identity) -> str:
    db.session.rollback()
    return db.session.scalars(
        select(Command.id).where(Command.action == "wipe", Command.lock_id == identity.lock_id)
    ).one()


def refused(call: Any, *args: Any, **kwargs: Any) -> tuple[str, str | None]:
    with pytest.raises(Refused) as caught:
        call(*args, **kwargs)
    return caught.value.refusal.code, caught.value.refusal.field


def test_a_replacement_takes_over_unit_landlord_and_every_living_key(world: World, story: Story) -> None:
    landlord = row(story.identity).claimed_by
    life = replace_lock(world, old=story.identity.serial, new=NEW.serial, reason="broken")
    assert (life.id, life.state) == (story.identity.lock_id, "retiring")
    old, new = row(story.identity), row(NEW)
    assert (new.unit_id, new.claimed_by, new.epoch) == (story.unit_id, landlord, 1)
    assert (old.unit_id, old.replaced_by, old.retire_reason, old.epoch) == (None, NEW.lock_id, "broken", 2)
    assert listed(world, NEW) == [story.key_id] and listed(world, story.identity) == []
    assert stories.key_row(story.key_id).state == "active"


def test_the_tenant_opens_the_new_lock_as_before_and_the_old_one_no_more(world: World, story: Story) -> None:
    replace_lock(world, old=story.identity.lock_id, new=NEW.lock_id)
    lock_reports.record_birth(world, NEW.lock_id, make_birth(NEW.lock_id))
    asked = commands.request_unlock(world, account_id=story.tenant, key_id=story.key_id, idempotency_key="tap")
    assert asked.lock_id == NEW.lock_id
    credential = keys.fetch_credential(world, account_id=story.tenant, key_id=story.key_id)
    assert [door.lock_id for door in credential.doors] == [NEW.lock_id]
    shown = get_tenancy(world, account_id=story.tenant, registration_id=story.registration_id).key
    assert shown is not None and [door.lock_id for door in shown.doors] == [NEW.lock_id]


def test_the_higher_epoch_of_both_locks_goes_on(world: World, story: Story) -> None:
    row(NEW).epoch = 5
    db.session.commit()
    replace_lock(world, old=story.identity.serial, new=NEW.serial)
    assert row(NEW).epoch == 5 and stories.key_row(story.key_id).epoch == 5
    assert listed(world, NEW) == [story.key_id]


def test_a_suspended_key_goes_over_suspended_and_can_be_resumed(world: World, story: Story) -> None:
    keys.suspend_key(world, account_id=story.tenant, key_id=story.key_id)
    replace_lock(world, old=story.identity.serial, new=NEW.serial)
    assert listed(world, NEW) == []
    assert key_list(world, db.session(), row(NEW)).rev == (story.key_id,)
    keys.resume_key(world, account_id=story.tenant, key_id=story.key_id)
    assert listed(world, NEW) == [story.key_id] and listed(world, story.identity) == []


def test_tenant_and_landlord_are_told_once_of_the_new_lock(world: World, story: Story) -> None:
    for _ in range(2):
        replace_lock(world, old=story.identity.serial, new=NEW.serial)
    tenant = [notice.kind for notice in list_notices(world, account_id=story.tenant)]
    landlord = [notice.kind for notice in list_notices(world, account_id=story.landlord)]
    assert tenant.count("lock_replaced") == 1 and landlord.count("lock_replaced_landlord") == 1
    assert NEW.serial in list_notices(world, account_id=story.tenant)[0].text_en
    assert len(leaves("lock_replaced")) == 1 and leaves("lock_replaced")[0].fields == [NEW.lock_id]


def test_replacing_again_changes_nothing_and_another_heir_is_refused(world: World, story: Story) -> None:
    import_locks(world, [make_identity(7, 3).public_part()])
    replace_lock(world, old=story.identity.serial, new=NEW.serial)
    before = (row(NEW).list_version, row(story.identity).epoch)
    replace_lock(world, old=story.identity.serial, new=NEW.serial)
    assert (row(NEW).list_version, row(story.identity).epoch) == before
    third = make_identity(7, 3).serial
    assert refused(replace_lock, world, old=story.identity.serial, new=third) == ("lock.gone", "old")


def test_only_a_free_lock_can_take_the_place_of_one_that_has_a_place(world: World, story: Story) -> None:
    old = story.identity.serial
    assert refused(replace_lock, world, old=old, new=old) == ("lock.not_free", "new")
    assert refused(replace_lock, world, old=old, new="S9") == ("lock.unknown", "new")
    assert refused(replace_lock, world, old="S9", new=old) == ("lock.unknown", "old")
    assert refused(replace_lock, world, old=NEW.serial, new=old) == ("lock.unclaimed", "old")
    retire_lock(world, lock=NEW.serial)
    assert refused(replace_lock, world, old=old, new=NEW.serial) == ("lock.not_free", "new")
    assert refused(replace_lock, world, old=NEW.serial, new=old) == ("lock.gone", "old")


def test_an_occupied_units_lock_is_not_retired_but_only_replaced(world: World, story: Story) -> None:
    for at_once in (False, True):
        assert refused(retire_lock, world, lock=story.identity.serial, at_once=at_once) == ("lock.occupied", "lock")
    keys.suspend_key(world, account_id=story.tenant, key_id=story.key_id)
    assert refused(retire_lock, world, lock=story.identity.serial)[0] == "lock.occupied"
    assert row(story.identity).retiring_at is None and leaves("lock_retiring") == []


def test_whoever_has_claimed_a_key_and_waits_for_the_identity_counts_as_an_occupant(core: Any, world: World) -> None:
    story = stories.make_claimed(world)
    assert refused(retire_lock, world, lock=story.identity.serial)[0] == "lock.occupied"


def test_after_the_check_out_the_lock_can_go_and_the_landlord_is_told(world: World, story: Story) -> None:
    check_out(
        world, account_id=story.tenant, registration_id=story.registration_id, moved_out_on=world.clock.today(),
        reason="lease_end",
    )  # fmt: skip
    life = retire_lock(world, lock=story.identity.serial, reason="sold")
    assert life.state == "retiring" and row(story.identity).unit_id is None
    assert "lock_retired" in [notice.kind for notice in list_notices(world, account_id=story.landlord)]


def test_a_retiring_lock_holds_an_empty_list_at_a_higher_epoch_and_is_told_to_wipe_itself(
    world: World, empty: Story
) -> None:
    before = row(empty.identity)
    epoch, version = before.epoch, before.list_version
    retire_lock(world, lock=empty.identity.lock_id, reason="moved")
    lock = row(empty.identity)
    assert (lock.epoch, lock.list_version, lock.retire_reason) == (epoch + 1, version + 1, "moved")
    assert listed(world, empty.identity) == [] and wipes(empty.identity) == 1
    assert [leaf.object_id for leaf in leaves("lock_retiring")] == [lock.id]


def test_an_offline_lock_is_told_to_wipe_itself_when_it_comes_online_and_not_before(
    core: Any, world: World
) -> None:
    story = stories.make_let_unit(world)
    retire_lock(world, lock=story.identity.serial)
    assert wipes(story.identity) == 0, "a command is never kept for an offline lock"
    lock_reports.record_birth(world, story.identity.lock_id, make_birth(story.identity.lock_id))
    assert wipes(story.identity) == 1
    retire_lock(world, lock=story.identity.serial)
    assert wipes(story.identity) == 2, "asked again by the operator"


def test_nobody_can_claim_a_lock_that_goes_and_the_unit_is_free_for_another(world: World, empty: Story) -> None:
    retire_lock(world, lock=empty.identity.serial)
    code = empty.identity.claim_code
    again = refused(claim_lock, world, account_id=empty.landlord, unit_id=empty.unit_id, claim_code=code)
    assert again == ("lock.claim_code", "claim_code")
    import_locks(world, [NEW.public_part()])
    claim_lock(world, account_id=empty.landlord, unit_id=empty.unit_id, claim_code=NEW.claim_code)
    assert row(NEW).unit_id == empty.unit_id


def test_the_signed_reset_closes_the_chain_and_takes_the_account_from_the_broker(world: World, empty: Story) -> None:
    retire_lock(world, lock=empty.identity.serial)
    assert len(list_broker_accounts()) == 1
    say_wiped(world, empty.identity, command=wipe_command(empty.identity))
    lock = row(empty.identity)
    assert lock.retired_at is not None and lock.closed_seq == 2
    assert list_broker_accounts() == ()
    assert [leaf.decision for leaf in leaves("lock_retired")] == ["wiped"]
    assert db.session.get_one(Command, wipe_command(empty.identity)).state == "executed"


def test_an_unsigned_reset_closes_nothing_until_the_lock_has_signed_it(world: World, empty: Story) -> None:
    retire_lock(world, lock=empty.identity.serial)
    batch = make_batch(empty.identity, [("factory_reset", {"command": wipe_command(empty.identity)})], signed=True)
    record_events(
        world, [(empty.identity.lock_id, EventBatch(1, batch.previous, batch.events, (), False))]
    )
    assert row(empty.identity).retired_at is None
    record_events(world, [(empty.identity.lock_id, batch)])
    assert row(empty.identity).closed_seq == 1


def test_a_reset_of_before_told_late_closes_nothing(world: World, empty: Story) -> None:
    retire_lock(world, lock=empty.identity.serial)
    say_wiped(world, empty.identity)
    assert AT < world.clock.now().timestamp() and row(empty.identity).retired_at is None


def test_a_reset_of_a_lock_in_use_is_no_retirement(world: World, empty: Story) -> None:
    say_wiped(world, empty.identity)
    assert row(empty.identity).retired_at is None and row(empty.identity).unit_id == empty.unit_id


def test_what_a_retired_lock_says_later_is_of_an_unknown_lock(world: World, empty: Story) -> None:
    life = retire_lock(world, lock=empty.identity.serial, reason="stolen", at_once=True)
    assert (life.state, life.closed_seq) == ("retired", 0) and list_broker_accounts() == ()
    with pytest.raises(UnknownLock):
        lock_reports.record_birth(world, empty.identity.lock_id, make_birth(empty.identity.lock_id))
    assert record_events(world, [(empty.identity.lock_id, make_batch(empty.identity, [DOOR]))]) == []
    assert [leaf.decision for leaf in leaves("lock_retired")] == ["at_once"]


def test_retiring_a_retired_lock_changes_nothing(world: World, empty: Story) -> None:
    first = retire_lock(world, lock=empty.identity.serial, at_once=True)
    before = row(empty.identity).list_version
    assert retire_lock(world, lock=empty.identity.serial, at_once=True) == first
    assert row(empty.identity).list_version == before and len(leaves("lock_retired")) == 1


def test_a_lock_that_never_says_its_last_word_can_still_be_closed_at_once(world: World, story: Story) -> None:
    replace_lock(world, old=story.identity.serial, new=NEW.serial)
    assert replace_lock(world, old=story.identity.serial, new=NEW.serial, at_once=True).state == "retired"


def test_a_replaced_lock_that_was_never_heard_of_counts_as_open_until_its_credentials_end(
    world: World, story: Story, clock: Any
) -> None:
    credential = keys.fetch_credential(world, account_id=story.tenant, key_id=story.key_id)
    replace_lock(world, old=story.identity.serial, new=NEW.serial, at_once=True)
    clock.move(timedelta(days=5))
    keys.fetch_credential(world, account_id=story.tenant, key_id=story.key_id)  # for the new lock alone
    keys.revoke_key(world, account_id=story.tenant, key_id=story.key_id)
    confirm(world, NEW)
    assert stories.key_row(story.key_id).state == "revoking", "the old lock, wherever it is, may still open"
    clock.set(credential.expires_at + world.house.outage_grace + timedelta(minutes=6))
    finish(world)
    assert stories.key_row(story.key_id).state == "revoked"


def test_a_replaced_lock_that_has_wiped_itself_keeps_no_revocation_waiting(world: World, story: Story) -> None:
    keys.fetch_credential(world, account_id=story.tenant, key_id=story.key_id)
    replace_lock(world, old=story.identity.serial, new=NEW.serial)
    say_wiped(world, story.identity, command=wipe_command(story.identity))
    assert doors(story) == {NEW.lock_id}
    keys.revoke_key(world, account_id=story.tenant, key_id=story.key_id)
    confirm(world, NEW)
    assert stories.key_row(story.key_id).state == "revoked"


def test_an_alarm_is_taken_down_with_a_leaf_that_says_which(world: World, story: Story) -> None:
    assert refused(acknowledge_alarm, world, lock=story.identity.serial) == ("lock.no_alarm", "lock")
    record_events(world, [(story.identity.lock_id, make_batch(story.identity, [("door.forced", {})]))])
    assert acknowledge_alarm(world, lock=story.identity.serial) == "forced"
    assert row(story.identity).alarm is None
    assert [leaf.decision for leaf in leaves("lock_alarm_acknowledged")] == ["forced"]


def test_waiting_ends_when_the_lock_is_closed_or_the_time_is_over(world: World, empty: Story) -> None:
    retire_lock(world, lock=empty.identity.serial)
    assert lock_lives.wait_until_retired(world, lock=empty.identity.serial, seconds=0).state == "retiring"
    say_wiped(world, empty.identity, command=wipe_command(empty.identity))
    assert lock_lives.wait_until_retired(world, lock=empty.identity.serial, seconds=60).state == "retired"


def test_a_key_issued_for_an_earlier_occupancy_does_not_come_back_to_life(world: World, story: Story) -> None:
    lock = row(story.identity)
    lock.epoch = 3
    db.session.commit()
    replace_lock(world, old=story.identity.serial, new=NEW.serial)
    assert row(NEW).epoch == 3 and listed(world, NEW) == []
    assert db.session.get_one(Key, story.key_id).epoch == 1
