"""Unlock commands: who may ask, what is written, what is honestly not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.audit import AuditLeaf
from backend.models.commands import Command
from backend.models.locks import Lock
from backend.models.outbox import OutboxRow
from backend.services import commands, lock_logs, lock_reports, lock_sending
from backend.services.keys import revoke_key, suspend_key
from backend.wire.lock_documents import Order, document_from
from backend.wire.lock_messages import Birth, CommandResult, Departure
from backend.wire.tokens import verify
from tests.services.reports import BOOT, SESSION, make_batch, make_birth
from tests.services.stories import Story, make_active, make_declared

pytestmark = pytest.mark.usefixtures("core")


def bring_online(world: World, story: Story) -> None:
    assert lock_reports.record_birth(world, story.identity.lock_id, make_birth(story.identity.lock_id)) is not None


def ask(world: World, story: Story, once: str = "tap-1") -> commands.CommandView:
    return commands.request_unlock(world, account_id=story.tenant, key_id=story.key_id, idempotency_key=once)


def look(world: World, story: Story, command_id: str) -> commands.CommandView:
    return commands.get_command(world, account_id=story.tenant, command_id=command_id)


def send(world: World, kind: str = "command") -> list[Any]:
    """Send what is due as the bridge does; answers the messages of `kind`."""
    sent = []
    while items := lock_sending.claim(world, limit=50):
        prepared = [(item, lock_sending.prepare(world, item)) for item in items]
        sent += [message for item, message in prepared if message is not None and item.kind == kind]
        commands.record_sent(world, items)
    return sent


def result(command_id: str, state: str, reason: str | None = None) -> CommandResult:
    return CommandResult(command_id, state, BOOT, 1_790_000_000, reason=reason)


@pytest.fixture
def story(world: World) -> Story:
    story = make_active(world)
    bring_online(world, story)
    return story


def test_a_command_is_written_with_its_intent_and_a_leaf_that_names_nobody(world: World, story: Story) -> None:
    view = ask(world, story)
    assert (view.state, view.action, view.key_id) == ("queued", "unlock", story.key_id)
    row = db.session.scalars(select(OutboxRow).where(OutboxRow.kind == "command")).one()
    assert row.payload == {"command_id": view.id} and row.aggregate_id == story.identity.lock_id
    leaf = db.session.scalars(select(AuditLeaf).where(AuditLeaf.action == "command_asked")).one()
    assert (leaf.object_id, leaf.actor_id, leaf.subject_id) == (view.id, None, None)


def test_the_same_key_of_a_request_is_the_same_command_and_another_use_of_it_is_refused(
    world: World, story: Story
) -> None:
    assert ask(world, story).id == ask(world, story).id
    assert ask(world, story, "tap-2").id != ask(world, story).id
    command = db.session.scalars(select(Command).where(Command.idempotency_key == "tap-2")).one()
    command.action = "lock"
    db.session.commit()
    with pytest.raises(Refused, match="input.key_reused"):
        ask(world, story, "tap-2")


def test_a_lock_that_is_not_online_refuses_at_once_and_nothing_is_kept(world: World) -> None:
    story = make_active(world)
    for departure in (None, Departure("offline", SESSION), Departure("sleeping", SESSION)):
        if departure is not None:
            bring_online(world, story)
            lock_reports.record_departure(world, story.identity.lock_id, departure)
        with pytest.raises(Refused, match="lock_offline"):
            ask(world, story)
    assert db.session.scalars(select(Command)).all() == []


def test_a_database_restored_behind_its_locks_still_counts_upward(world: World, story: Story) -> None:
    seen = [db.session.get_one(Command, ask(world, story, f"tap-{n}").id).counter for n in range(3)]
    assert seen == sorted(set(seen))
    with transaction() as session:  # as a backup from before these commands would have it
        session.get_one(Lock, story.identity.lock_id).command_counter = 0
    world.clock.move(timedelta(seconds=5))  # type: ignore[attr-defined]
    restored = db.session.get_one(Command, ask(world, story, "tap-later").id)
    assert restored.counter > seen[-1]


def test_only_the_holder_of_an_active_key_may_ask(world: World, story: Story) -> None:
    for account_id, key_id in ((story.landlord, story.key_id), (story.tenant, story.unit_id), (story.tenant, "x")):
        with pytest.raises(Refused, match="not_found"):
            commands.request_unlock(world, account_id=account_id, key_id=key_id, idempotency_key="a")
    suspend_key(world, account_id=story.tenant, key_id=story.key_id)
    with pytest.raises(Refused, match="key.not_active"):
        ask(world, story)


def test_a_key_whose_first_day_has_not_come_is_refused(world: World) -> None:
    story = make_active(world, starts_on=world.clock.today() + timedelta(days=2))
    bring_online(world, story)
    with pytest.raises(Refused, match="key.not_yet"):
        ask(world, story)


def test_a_key_that_waits_for_the_identity_is_refused(world: World) -> None:
    story = make_declared(world)
    bring_online(world, story)
    with pytest.raises(Refused, match="key.not_active"):
        ask(world, story)


def test_the_signed_order_binds_lock_boot_counter_key_and_epoch(world: World, story: Story) -> None:
    first, second = ask(world, story), ask(world, story, "tap-2")
    sent = send(world)
    claims = [verify("lockcmd", message.token, world.tokens.public_keys()) for message in sent]
    orders = [document_from(Order, each) for each in claims]
    assert [order.jti for order in orders] == [first.id, second.id]
    assert orders[0].ctr < orders[1].ctr
    lock = db.session.get_one(Lock, story.identity.lock_id)
    expected = (lock.id, BOOT, story.key_id, lock.epoch, "unlock")
    assert all((o.aud, o.boot, o.key, o.occ, o.act) == expected for o in orders)
    assert orders[0].exp - orders[0].iat == 15
    assert look(world, story, first.id).state == "sent"


def test_the_answers_of_the_lock_move_the_command_and_wake_those_who_wait(world: World, story: Story) -> None:
    view = ask(world, story)
    send(world)
    lock_id = story.identity.lock_id
    assert lock_reports.record_command_result(world, lock_id, result(view.id, "accepted"))
    assert look(world, story, view.id).state == "accepted"
    lock_reports.record_command_result(world, lock_id, result(view.id, "executed"))
    lock_reports.record_command_result(world, lock_id, result(view.id, "executed"))
    seen = look(world, story, view.id)
    assert seen.state == "executed" and seen.answered_at == world.clock.now()
    assert world.wake_up.woken[-1] == "command"  # type: ignore[attr-defined]


def test_a_refusal_carries_the_locks_reason(world: World, story: Story) -> None:
    view = ask(world, story)
    send(world)
    lock_reports.record_command_result(world, story.identity.lock_id, result(view.id, "refused", "privacy"))
    seen = look(world, story, view.id)
    assert (seen.state, seen.reason) == ("refused", "privacy")


def test_a_lock_cannot_answer_for_another_lock(world: World, story: Story) -> None:
    view = ask(world, story)
    other = replace(story.identity, lock_id="another")
    lock_reports_lock = Lock(
        id=other.lock_id, serial="other", model="m", shard=0, public_key={}, claim_code_hash=bytes(32),
        mqtt_password_hash="",
    )  # fmt: skip
    db.session.add(lock_reports_lock)
    db.session.commit()
    assert not lock_reports.record_command_result(world, other.lock_id, result(view.id, "executed"))
    assert not lock_reports.record_command_result(world, other.lock_id, result("garbage", "executed"))
    assert look(world, story, view.id).state == "queued"


def test_a_command_that_never_left_expires_and_is_never_signed_again(world: World, story: Story, clock: Any) -> None:
    view = ask(world, story)
    clock.move(timedelta(seconds=17))
    assert look(world, story, view.id).state == "expired", "named honestly before any sweep"
    assert commands.settle_silent_commands(world) == 1
    assert send(world) == []
    assert look(world, story, view.id).state == "expired"
    assert commands.settle_silent_commands(world) == 0


def test_a_command_claimed_by_a_sender_that_died_is_unknown_and_not_expired(
    world: World, story: Story, clock: Any
) -> None:
    view = ask(world, story)
    while items := lock_sending.claim(world, limit=1):
        if items[0].kind == "command":
            break  # claimed, perhaps sent: then the sender is gone
        commands.record_sent(world, items)
    clock.move(timedelta(seconds=17))
    assert look(world, story, view.id).state == "unknown"
    assert send(world) == []
    assert look(world, story, view.id).state == "unknown"


def test_a_sender_that_died_before_sending_is_replaced_in_time(world: World, story: Story, clock: Any) -> None:
    view = ask(world, story)
    claimed = []
    while items := lock_sending.claim(world, limit=10):
        claimed += items
        commands.record_sent(world, [item for item in items if item.kind != "command"])
    clock.move(timedelta(seconds=6))
    again = send(world)
    assert len(again) == 1
    assert look(world, story, view.id).state == "sent"


def test_unknown_is_resolved_by_the_locks_own_event_however_late(world: World, story: Story, clock: Any) -> None:
    view = ask(world, story)
    send(world)
    clock.move(timedelta(seconds=17))
    assert commands.settle_silent_commands(world) == 1
    assert look(world, story, view.id).state == "unknown"
    clock.move(timedelta(hours=3))
    lock_id = story.identity.lock_id
    batch = make_batch(story.identity, [("lock.unlocked", {"key": story.key_id, "command": view.id, "via": "mqtt"})])
    lock_logs.record_events(world, [(lock_id, batch)])
    seen = look(world, story, view.id)
    assert seen.state == "executed"


def test_an_event_of_refusal_resolves_it_too(world: World, story: Story) -> None:
    view = ask(world, story)
    send(world)
    fields = {"key": story.key_id, "command": view.id, "via": "mqtt", "reason": "revoked"}
    batch = make_batch(story.identity, [("access.denied", fields)])
    lock_logs.record_events(world, [(story.identity.lock_id, batch)])
    assert look(world, story, view.id).reason == "revoked"


def test_waiting_ends_with_the_answer_or_after_the_time_given(world: World, story: Story) -> None:
    view = ask(world, story)
    wait: dict[str, Any] = {"account_id": story.tenant, "command_id": view.id}
    assert commands.wait_for_command(world, **wait, seconds=0.01).state == "queued"
    send(world)
    lock_reports.record_command_result(world, story.identity.lock_id, result(view.id, "executed"))
    assert commands.wait_for_command(world, **wait, seconds=3).state == "executed"
    with pytest.raises(Refused, match="not_found"):
        commands.wait_for_command(world, account_id=story.landlord, command_id=view.id, seconds=3)


def test_the_answer_that_comes_while_waiting_ends_the_wait(world: World, story: Story) -> None:
    view = ask(world, story)
    send(world)

    class Ear:
        def wait(self, seconds: float) -> bool:
            db.session.rollback()
            lock_reports.record_command_result(world, story.identity.lock_id, result(view.id, "executed"))
            return True

        def close(self) -> None:
            closed.append(True)

    class WakeUp:
        def notify(self, channel: str) -> None:
            pass

        def listen(self, channel: str) -> Ear:
            return Ear()

    closed: list[bool] = []
    waiting = replace(world, wake_up=WakeUp())
    seen = commands.wait_for_command(waiting, account_id=story.tenant, command_id=view.id, seconds=3)
    assert seen.state == "executed" and closed == [True]


def test_no_more_than_the_allowed_number_wait_at_once(world: World, story: Story) -> None:
    view = ask(world, story)
    for _ in range(commands.MOST_WAITERS):
        assert commands._waiters.acquire(blocking=False)
    try:
        seen = commands.wait_for_command(world, account_id=story.tenant, command_id=view.id, seconds=3)
        assert seen.state == "queued"
    finally:
        for _ in range(commands.MOST_WAITERS):
            commands._waiters.release()


def test_an_answer_of_the_boot_before_still_counts(world: World, story: Story) -> None:
    view = ask(world, story)
    send(world)
    birth: Birth = make_birth(story.identity.lock_id, boot="ffffffff", session="ffffffff-1")
    lock_reports.record_birth(world, story.identity.lock_id, birth)
    lock_reports.record_command_result(world, story.identity.lock_id, result(view.id, "executed"))
    assert look(world, story, view.id).state == "executed"


def test_what_goes_to_a_lock_names_the_shard_whose_bridge_sends_it(world: World, story: Story) -> None:
    ask(world, story)
    lock = db.session.get_one(Lock, story.identity.lock_id)
    rows = db.session.scalars(select(OutboxRow)).all()
    assert {row.shard for row in rows if row.destination == "lock"} == {lock.shard}
    assert {row.shard for row in rows if row.destination != "lock"} == {None}


def test_a_commit_nobody_was_woken_for_is_sent_by_the_next_sweep_or_expires(
    world: World, story: Story, clock: Any
) -> None:
    sent, late = ask(world, story), ask(world, story, "tap-2")  # the process dies here: committed, nobody told
    assert look(world, story, sent.id).state == "queued"
    clock.move(timedelta(seconds=10))
    assert [verify("lockcmd", message.token, world.tokens.public_keys())["jti"] for message in send(world)] == [
        sent.id, late.id,
    ]  # fmt: skip
    third = ask(world, story, "tap-3")
    clock.move(timedelta(seconds=18))
    assert send(world) == []
    assert look(world, story, third.id).state == "unknown", "claimed, so it is not for us to say that it never left"
    fourth = ask(world, story, "tap-4")
    clock.move(timedelta(seconds=18))
    commands.settle_silent_commands(world)
    assert look(world, story, fourth.id).state == "expired"


@pytest.mark.parametrize("restrict", [suspend_key, revoke_key])
def test_a_queued_command_dies_with_its_key(world: World, story: Story, restrict: Any) -> None:
    view = ask(world, story)
    restrict(world, account_id=story.tenant, key_id=story.key_id)
    assert look(world, story, view.id).state == "expired"
    assert send(world) == []


def test_a_command_claimed_when_its_key_ended_is_not_signed_and_honestly_unknown(
    world: World, story: Story, clock: Any
) -> None:
    view = ask(world, story)
    claimed = []
    while items := lock_sending.claim(world, limit=10):
        claimed += [item for item in items if item.kind == "command"]
        commands.record_sent(world, [item for item in items if item.kind != "command"])
    suspend_key(world, account_id=story.tenant, key_id=story.key_id)
    assert [lock_sending.prepare(world, item) for item in claimed] == [None]
    clock.move(timedelta(seconds=17))
    assert look(world, story, view.id).state == "unknown"
