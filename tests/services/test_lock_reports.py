"""Presence, reported keys and telemetry: idempotent, and an old message changes nothing back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.gateways.world import World
from backend.models.keys import KeyDoor
from backend.models.lock_events import LockAnomaly
from backend.models.locks import Lock
from backend.models.outbox import OutboxRow
from backend.services import commands, lock_reports, lock_sending
from backend.services.key_lists import enqueue_key_list, key_list
from backend.services.keys import resume_key, revoke_key, suspend_key
from backend.wire.jwk import base64url
from backend.wire.lock_documents import KeyList, Revocation, content_hash, document_from
from backend.wire.lock_messages import Acknowledge, Departure, ReportedKeys, Telemetry, first_hash
from backend.wire.tokens import verify
from tests.services.reports import AT, BOOT, SESSION, make_birth
from tests.services.stories import Story, key_row, make_active

pytestmark = pytest.mark.usefixtures("core")


@pytest.fixture
def story(world: World) -> Story:
    return make_active(world)


def lock_row(story: Story) -> Lock:
    db.session.rollback()
    return db.session.get_one(Lock, story.identity.lock_id)


def drain(world: World) -> list[KeyList]:
    """Send what is due as the bridge does; answers the key lists."""
    lists = []
    while items := lock_sending.claim(world, limit=50):
        for item in items:
            message = lock_sending.prepare(world, item)
            if message is not None and item.kind == "key_list":
                lists.append(document_from(KeyList, verify("keylist", message.token, world.tokens.public_keys())))
        commands.record_sent(world, items)
    return lists


def confirm(world: World, story: Story, **changes: Any) -> None:
    """Report what a lock that took the desired list would report."""
    lock = lock_row(story)
    document = key_list(world, db.session(), lock)
    values: dict[str, Any] = {
        "version": lock.list_version,
        "epoch": lock.epoch,
        "revocation_version": lock.list_version,
        "rejects": (),
        "list_hash": content_hash(document),
        "refused": None,
    }
    lock_reports.record_reported_keys(world, lock.id, ReportedKeys(**{**values, **changes}))


def test_a_birth_is_noted_and_answered_with_where_the_log_stands(world: World, story: Story) -> None:
    lock_id = story.identity.lock_id
    answer = lock_reports.record_birth(world, lock_id, make_birth(lock_id))
    assert answer == Acknowledge(0, base64url(first_hash(lock_id)), SESSION)
    lock = lock_row(story)
    assert (lock.presence, lock.session_id, lock.boot_id, lock.firmware) == ("online", SESSION, BOOT, "sim-1.0")


def test_a_will_arriving_after_rebirth_does_not_mark_offline(world: World, story: Story) -> None:
    lock_id = story.identity.lock_id
    lock_reports.record_birth(world, lock_id, make_birth(lock_id))
    lock_reports.record_birth(world, lock_id, make_birth(lock_id, session=f"{BOOT}-2"))
    assert not lock_reports.record_departure(world, lock_id, Departure("offline", SESSION))
    assert lock_row(story).presence == "online"
    assert lock_reports.record_departure(world, lock_id, Departure("offline", f"{BOOT}-2"))
    assert lock_row(story).presence == "offline"


def test_the_brokers_last_word_counts_for_a_session_nobody_saw_begin(world: World, story: Story) -> None:
    lock_id = story.identity.lock_id
    lock_reports.record_birth(world, lock_id, make_birth(lock_id))
    other_boot = Departure("offline", "99999999-1")
    assert not lock_reports.record_departure(world, lock_id, other_boot)
    assert lock_reports.record_departure(world, lock_id, other_boot, last_word=True)
    assert lock_row(story).presence == "offline"
    lock_reports.record_telemetry(world, lock_id, Telemetry(AT, "ok", 2, 90, -60, 20, "locked"))
    assert lock_row(story).presence == "online", "who sends telemetry is there"
    assert lock_reports.record_departure(world, lock_id, Departure("offline", f"{BOOT}-7"))
    assert lock_row(story).presence == "offline"


def test_an_older_birth_of_the_same_boot_changes_nothing(world: World, story: Story) -> None:
    lock_id = story.identity.lock_id
    lock_reports.record_birth(world, lock_id, make_birth(lock_id, session=f"{BOOT}-10"))
    assert lock_reports.record_birth(world, lock_id, make_birth(lock_id, session=f"{BOOT}-9")) is None
    assert lock_row(story).session_id == f"{BOOT}-10"
    assert lock_reports.record_birth(world, lock_id, make_birth(lock_id, boot="11111111", session="11111111-1"))


def test_a_lock_that_is_unknown_or_retired_is_no_lock(world: World, story: Story) -> None:
    lock_row(story).retired_at = world.clock.now()
    db.session.commit()
    for lock_id in (story.identity.lock_id, "nobody"):
        with pytest.raises(lock_reports.UnknownLock):
            lock_reports.record_birth(world, lock_id, make_birth(lock_id))


def test_the_list_names_active_keys_and_blocks_the_others_of_the_epoch(world: World, story: Story) -> None:
    (document,) = drain(world)
    lock = lock_row(story)
    assert (document.ver, document.occ, document.aud) == (lock.list_version, lock.epoch, lock.id)
    assert [entry.id for entry in document.keys] == [story.key_id] and document.rev == ()
    assert document.keys[0].exp is None, "the planned end of a lease ends no key"
    suspend_key(world, account_id=story.tenant, key_id=story.key_id)
    (document,) = drain(world)
    assert document.keys == () and document.rev == (story.key_id,)
    resume_key(world, account_id=story.tenant, key_id=story.key_id)
    (document,) = drain(world)
    assert [entry.id for entry in document.keys] == [story.key_id] and document.rev == ()


def test_only_the_newest_of_several_waiting_lists_is_sent(world: World, story: Story) -> None:
    for _ in range(5):
        with transaction() as session:
            enqueue_key_list(world, session, story.identity.lock_id)
    lists = drain(world)
    assert [document.ver for document in lists] == [lock_row(story).list_version]


def test_a_revocation_is_confirmed_only_by_the_locks_own_report_of_the_desired_content(
    world: World, story: Story
) -> None:
    drain(world)
    confirm(world, story)
    revoke_key(world, account_id=story.tenant, key_id=story.key_id)
    assert key_row(story.key_id).state == "revoking"
    confirm(world, story, version=lock_row(story).list_version - 1)
    assert key_row(story.key_id).state == "revoking", "an older list is no confirmation"
    confirm(world, story, list_hash=base64url(bytes(32)))
    assert key_row(story.key_id).state == "revoking", "another content under the same version is none either"
    drain(world)
    confirm(world, story)
    assert key_row(story.key_id).state == "revoked"
    door = db.session.scalars(select(KeyDoor).where(KeyDoor.key_id == story.key_id)).one()
    assert door.confirmed_at is not None and door.exposure_until is None
    assert db.session.scalars(select(LockAnomaly.reason)).all() == ["other_content"]


def test_a_birth_with_an_older_list_has_the_list_sent_again(world: World, story: Story) -> None:
    drain(world)
    version = lock_row(story).list_version
    lock_reports.record_birth(world, story.identity.lock_id, make_birth("x", list_version=version))
    assert drain(world) == []
    lock_reports.record_birth(world, story.identity.lock_id, make_birth("x", list_version=version - 1))
    assert [document.ver for document in drain(world)] == [version]


def test_an_unconfirmed_list_is_sent_again_with_growing_pauses_and_then_alarms(
    world: World, story: Story, clock: Any
) -> None:
    lock_id = story.identity.lock_id
    lock_reports.record_birth(world, lock_id, make_birth(lock_id, list_version=lock_row(story).list_version))
    drain(world)
    sent_after = []
    for minute in range(1, 121):
        clock.move(timedelta(minutes=1))
        if lock_reports.republish_unconfirmed(world):
            assert len(drain(world)) == 1
            sent_after.append(minute)
    assert sent_after[:6] == [1, 3, 7, 15, 31, 61]
    assert lock_row(story).alarm == "keys_unconfirmed"
    confirm(world, story)
    assert lock_row(story).alarm is None and lock_reports.republish_unconfirmed(world) == 0


def test_a_lock_ahead_of_a_restored_database_is_given_a_list_newer_than_its_own(world: World, story: Story) -> None:
    drain(world)
    confirm(world, story, version=40, list_hash=base64url(bytes(32)))
    assert [document.ver for document in drain(world)] == [41]
    confirm(world, story)
    assert lock_row(story).reported_list_version == 41
    confirm(world, story, version=10**9)
    assert lock_row(story).list_version == 41, "no lock may push the number anywhere"


def test_the_revocation_list_for_phones_has_the_version_of_the_key_list(world: World, story: Story) -> None:
    from backend.services.key_lists import sign_revocation

    suspend_key(world, account_id=story.tenant, key_id=story.key_id)
    token = sign_revocation(world, db.session(), lock_row(story))
    document = document_from(Revocation, verify("revocation", token, world.tokens.public_keys()))
    assert (document.ver, document.rev) == (lock_row(story).list_version, (story.key_id,))


def test_telemetry_is_health_and_nothing_else(world: World, story: Story) -> None:
    told = Telemetry(AT, "drifting", 40, 55, -70, 18, "unlocked")
    lock_reports.record_telemetry(world, story.identity.lock_id, told)
    lock = lock_row(story)
    assert (lock.battery_percent, lock.signal_dbm, lock.clock_quality) == (55, -70, "drifting")
    assert lock.door_state is None, "whether it is open just now is nobody's business"


def test_a_rejected_message_is_noted_without_its_content(world: World, story: Story) -> None:
    for _ in range(3):
        lock_reports.record_rejected_message(world, story.identity.lock_id, "up/evt", "not_json")
    row = db.session.scalars(select(LockAnomaly)).one()
    assert (row.kind, row.reason, row.topic) == ("message", "not_json", "up/evt")


def test_a_document_for_a_lock_that_knows_every_key_is_not_sent(world: World, story: Story) -> None:
    assert lock_sending.sign_config(world, "lock", 0) is not None
    assert lock_sending.sign_config(world, "lock", len(world.tokens.public_keys()) + 1) is None


def test_a_row_of_an_unknown_kind_cannot_be_prepared(world: World, story: Story) -> None:
    drain(world)
    row = OutboxRow(
        destination="lock", aggregate_id="x", kind="sing", created_at=world.clock.now(), available_at=world.clock.now()
    )
    db.session.add(row)
    db.session.commit()
    (item,) = lock_sending.claim(world, limit=1)
    with pytest.raises(lock_sending.UnknownKind):
        lock_sending.prepare(world, item)
