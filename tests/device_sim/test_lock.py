"""The lock over MQTT: commands once and in time, lists newer only, events never lost, the clock honest."""

from __future__ import annotations

from typing import Any

import pytest

from backend.wire import codec, lock_messages, topics
from backend.wire.jwk import base64url, thumbprint
from backend.wire.lock_documents import Checkpoint, KeyList, Window, content_hash, document_from
from backend.wire.tokens import claims_unverified, verify
from device_sim import touches
from device_sim.flash import MemoryFlash
from device_sim.lock import Lock
from tests.device_sim.makers import (
    DAY,
    IDENTITY,
    KEY,
    OTHER_KEY,
    START,
    Host,
    Platform,
    acknowledge,
    connect,
    deliver,
    events,
    make_lock,
    results,
    take,
)

PLATFORM = Platform()


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def lock(host: Host) -> Lock:
    """Online, its birth answered, holding one key."""
    lock = make_lock(PLATFORM, host)
    connect(lock)
    deliver(lock, topics.KEY_LIST, PLATFORM.key_list(1, KEY))
    return lock


def test_a_birth_says_who_where_and_how_far(host: Host) -> None:
    lock = make_lock(PLATFORM, host)
    sent = connect(lock, answer=False)
    birth = sent[0][1]
    assert isinstance(birth, lock_messages.Birth)
    assert (birth.session, birth.last_seq, birth.list_version) == (f"{lock.boot}-1", 0, 0)
    assert [channel.path for channel, _ in sent] == ["up/conn", "up/keys", "up/time", "up/tel"]


def test_a_command_is_accepted_executed_and_recorded(lock: Lock) -> None:
    sent = deliver(lock, topics.COMMAND, PLATFORM.order(lock, "command-1", 1))
    assert results(sent) == [("accepted", None), ("executed", None)]
    assert lock.body.bolt == "unlocked"
    batch = next(message for channel, message in sent if channel is topics.EVENTS)
    event = lock_messages.read_event(batch.events[-1])
    assert isinstance(event, lock_messages.EventText)
    assert (event.kind, event.key, event.command, event.via) == ("lock.unlocked", KEY, "command-1", "mqtt")


def test_a_duplicate_gets_the_identical_answer_and_runs_once(lock: Lock, host: Host) -> None:
    order = codec.encode(lock_messages.Signed(PLATFORM.order(lock, "command-1", 1)))
    lock.session.on_message(topics.COMMAND, order)
    first = [raw for channel, raw in lock.session.take_outgoing() if channel is topics.RESULT][-1]
    host.at += 6
    lock.tick()
    take(lock)
    lock.session.on_message(topics.COMMAND, order)
    assert lock.session.take_outgoing() == [(topics.RESULT, first)]
    assert lock.body.bolt == "locked"
    assert [kind for kind, _, _ in events(lock)].count("lock.unlocked") == 1


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"boot": "00000000"}, "wrong_boot"),
        ({"exp": START}, "expired"),
        ({"iat": START + 60, "exp": START + 70}, "need_time"),
        ({"key": OTHER_KEY}, "unknown_key"),
        ({"occ": 0}, "old_epoch"),
        ({"occ": 2}, "unknown_key"),
        ({"key": None}, "unknown_key"),
    ],
)
def test_a_command_that_does_not_hold_is_refused_with_its_reason(
    lock: Lock, changes: dict[str, object], reason: str
) -> None:
    sent = deliver(lock, topics.COMMAND, PLATFORM.order(lock, "command-1", 1, **changes))
    assert results(sent) == [("refused", reason)]
    assert lock.body.bolt == "locked"


def test_an_expired_command_never_runs_even_when_the_broker_kept_it(lock: Lock, host: Host) -> None:
    order = PLATFORM.order(lock, "command-1", 1)
    lock.session.on_disconnected()
    host.at += 11
    connect(lock)
    assert results(deliver(lock, topics.COMMAND, order)) == [("refused", "expired")]
    assert lock.body.bolt == "locked"


def test_a_counter_that_does_not_rise_is_refused(lock: Lock) -> None:
    deliver(lock, topics.COMMAND, PLATFORM.order(lock, "command-5", 5))
    assert results(deliver(lock, topics.COMMAND, PLATFORM.order(lock, "command-4", 4))) == [
        ("refused", "stale_counter")
    ]


def test_the_counter_survives_a_reboot_and_a_command_for_the_boot_before_is_refused(lock: Lock) -> None:
    deliver(lock, topics.COMMAND, PLATFORM.order(lock, "command-5", 5))
    before = PLATFORM.order(lock, "command-6", 6)
    lock.reboot()
    connect(lock)
    assert results(deliver(lock, topics.COMMAND, before)) == [("refused", "wrong_boot")]
    assert results(deliver(lock, topics.COMMAND, PLATFORM.order(lock, "command-3", 3))) == [
        ("refused", "stale_counter")
    ]


def test_a_command_of_another_signer_lock_or_kind_is_counted_and_not_answered(lock: Lock) -> None:
    for token in (
        Platform().order(lock, "c", 1),
        PLATFORM.order(lock, "c", 1, aud="another-lock"),
        PLATFORM.order(lock, "c", 1, iss="somebody"),
        PLATFORM.key_list(9),
    ):
        assert deliver(lock, topics.COMMAND, token) == []
    assert sum(lock.rejected.values()) == 4 and lock.body.bolt == "locked"


def test_a_lock_whose_clock_is_worth_nothing_asks_for_time_first(lock: Lock) -> None:
    touches.lose_power(lock)
    connect(lock)
    sent = deliver(lock, topics.COMMAND, PLATFORM.order(lock, "command-1", 1))
    assert results(sent) == [("refused", "need_time")]
    nonce = next(message.nonce for channel, message in sent if channel is topics.TIME_REQUEST)
    deliver(lock, topics.TIME, PLATFORM.time(START, "B" * 22))
    assert lock.clock.quality() == "unknown", "a time for somebody else's question"
    deliver(lock, topics.TIME, PLATFORM.time(START, nonce))
    assert lock.clock.quality() == "ok"
    assert results(deliver(lock, topics.COMMAND, PLATFORM.order(lock, "command-2", 2)))[-1] == ("executed", None)


def test_a_newer_list_is_applied_whole_and_reported(lock: Lock) -> None:
    token = PLATFORM.key_list(2, KEY, OTHER_KEY)
    report = next(m for c, m in deliver(lock, topics.KEY_LIST, token) if c is topics.REPORTED_KEYS)
    expected = content_hash(document_from(KeyList, claims_unverified(token)))
    assert (report.version, report.epoch, report.list_hash, report.refused) == (2, 1, expected, None)


@pytest.mark.parametrize(
    "version, epoch, reason",
    [(1, 3, "older_list"), (2, 3, "other_list"), (3, 1, "older_epoch")],
)
def test_older_key_list_or_epoch_never_applied(lock: Lock, version: int, epoch: int, reason: str) -> None:
    deliver(lock, topics.KEY_LIST, PLATFORM.key_list(2, KEY, epoch=2))
    sent = deliver(lock, topics.KEY_LIST, PLATFORM.key_list(version, OTHER_KEY, epoch=epoch))
    report = next(message for channel, message in sent if channel is topics.REPORTED_KEYS)
    assert (report.version, report.epoch, report.refused) == (2, 2, reason)
    assert set(lock.keys.entries) == {KEY}


def test_the_same_list_signed_anew_is_no_other_list(lock: Lock) -> None:
    sent = deliver(lock, topics.KEY_LIST, PLATFORM.key_list(1, KEY))
    assert sent[-1][1].refused is None
    assert [kind for kind, _, _ in events(lock)].count("keys.changed") == 1


def test_a_list_with_a_key_twice_or_too_many_changes_nothing(lock: Lock) -> None:
    for token, reason in (
        (PLATFORM.key_list(2, KEY, KEY), "bad_list"),
        (PLATFORM.key_list(2, *(f"k{number}" for number in range(201))), "too_many_keys"),
    ):
        assert deliver(lock, topics.KEY_LIST, token)[-1][1].refused == reason
    assert lock.keys.list_version == 1


def test_events_wait_until_the_platform_has_answered_the_birth(host: Host) -> None:
    lock = make_lock(PLATFORM, host)
    touches.force_door(lock)
    sent = connect(lock, answer=False)
    assert topics.EVENTS not in [channel for channel, _ in sent]
    acknowledge(lock, 0, base64url(lock.log.acked_head), session="00000000-1")
    assert take(lock) == [], "an answer to another session"
    acknowledge(lock, 0, base64url(lock.log.acked_head), session=lock.session.id)
    (batch,) = take(lock, topics.EVENTS)
    assert batch.late and len(batch.events) == 1


def test_a_birth_nobody_answers_is_told_again_until_somebody_does(host: Host) -> None:
    lock = make_lock(PLATFORM, host)
    connect(lock, answer=False)
    told_at = []
    for second in range(1, 200):
        host.at += 1
        lock.tick()
        if take(lock, topics.PRESENCE):
            told_at.append(second)
    assert told_at == [10, 30, 70, 130, 190]
    acknowledge(lock, 0, base64url(lock.log.acked_head), session=lock.session.id)
    host.at += 120
    lock.tick()
    assert take(lock, topics.PRESENCE) == []


def test_an_event_is_kept_until_its_own_hash_is_acknowledged(lock: Lock) -> None:
    touches.force_door(lock)
    seq, head = lock.log.seq, base64url(lock.log.head)
    acknowledge(lock, seq, base64url(bytes(32)))
    assert lock.log.acked_seq == 0 and lock.rejected["foreign_head"] == 1
    acknowledge(lock, seq + 1, head)
    assert lock.log.acked_seq == 0, "nobody can have stored what was never written"
    acknowledge(lock, seq, head)
    assert (lock.log.acked_seq, len(lock.log)) == (seq, 0)


def test_unacknowledged_events_are_sent_again_with_growing_patience(lock: Lock, host: Host) -> None:
    touches.force_door(lock)
    take(lock)
    sent_at = []
    for _ in range(200):
        host.at += 1
        lock.tick()
        if take(lock, topics.EVENTS):
            sent_at.append(int(host.at) - START)
    assert sent_at[:4] == [10, 30, 70, 130]


def test_no_more_than_the_window_is_under_way(host: Host) -> None:
    lock = make_lock(PLATFORM, host)
    for _ in range(600):
        touches.lift_cover(lock)
    batches = [message for channel, message in connect(lock) if channel is topics.EVENTS]
    assert sum(len(batch.events) for batch in batches) == 512
    acknowledge(lock, 64, base64url(lock.log.hash_at(64)))
    assert sum(len(batch.events) for batch in take(lock, topics.EVENTS)) == 64


def test_signed_checkpoints_come_at_session_start_every_64_events_and_at_once_when_forced(lock: Lock) -> None:
    key = IDENTITY.private_key.public_key()

    def sent_checkpoints() -> list[int]:
        tokens = [token for batch in take(lock, topics.EVENTS) for token in batch.checkpoints]
        read = [document_from(Checkpoint, verify("lockchk", token, {thumbprint(key): key})) for token in tokens]
        assert all(point.head == base64url(lock.log.hash_at(point.seq)) for point in read)
        return [point.seq for point in read]

    touches.force_door(lock)
    assert sent_checkpoints() == [2]
    for number in range(62):
        touches.move_door(lock, ("closed", "open")[number % 2])
    assert sent_checkpoints() == [64]
    acknowledge(lock, 64, base64url(lock.log.head))
    lock.session.on_disconnected()
    connect(lock, answer=False)
    acknowledge(lock, 64, base64url(lock.log.head), session=lock.session.id)
    assert sent_checkpoints() == [64], "signed again: a session begins"


def test_a_hundred_hours_of_silence_still_sign_the_head_hourly(lock: Lock, host: Host) -> None:
    touches.move_door(lock, "open")
    host.at += 3_601
    lock.tick()
    assert [seq for seq, _ in lock.checkpoints][-1] == lock.log.seq


def test_a_reboot_loses_no_event_and_goes_on_with_the_chain(lock: Lock) -> None:
    touches.force_door(lock)
    head, seq = lock.log.head, lock.log.seq
    lock.reboot()
    assert (lock.log.head, lock.log.seq) == (head, seq)
    assert lock.keys.entries.keys() == {KEY}


def test_a_wiped_lock_goes_on_with_the_platforms_chain(lock: Lock) -> None:
    touches.force_door(lock)
    seq, head = lock.log.seq, lock.log.head
    acknowledge(lock, seq, base64url(head))
    lock.wipe()
    connect(lock, answer=False)
    acknowledge(lock, seq, base64url(head), session=lock.session.id)
    (batch,) = take(lock, topics.EVENTS)
    first = lock_messages.read_event(batch.events[0])
    assert (batch.previous, first.seq) == (base64url(head), seq + 1)
    assert isinstance(first, lock_messages.EventText) and first.kind == "factory_reset"


def test_a_full_buffer_gives_up_comings_and_goings_but_never_access_or_tamper(host: Host) -> None:
    lock = make_lock(PLATFORM, host, MemoryFlash())
    lock.log._capacity = 100
    for number in range(300):
        touches.move_door(lock, ("open", "closed")[number % 2])
        if number % 10 == 0:
            touches.lift_cover(lock)
    kinds = [kind for kind, _, _ in events(lock)]
    assert kinds.count("tamper.cover") == 30 and kinds.count("log.overflow") == 1
    head = lock_messages.first_hash(IDENTITY.lock_id)
    for stored in lock.log.kept():
        event = lock_messages.read_event(stored.text)
        whole = isinstance(event, lock_messages.EventText)
        assert stored.hash == (lock_messages.next_hash(head, stored.text) if whole else stored.hash)
        head = stored.hash
    assert len(kinds) - kinds.count("hole") <= 101


def test_the_bolt_closes_by_itself_after_the_configured_time(lock: Lock, host: Host) -> None:
    deliver(lock, topics.CONFIG, PLATFORM.config(2, auto_lock_s=30))
    deliver(lock, topics.CONFIG, PLATFORM.config(1, auto_lock_s=5))
    deliver(lock, topics.COMMAND, PLATFORM.order(lock, "command-1", 1))
    host.at += 29
    lock.tick()
    assert lock.body.bolt == "unlocked"
    host.at += 1
    lock.tick()
    assert lock.body.bolt == "locked" and lock.due_at() > host.at


def test_a_new_platform_key_is_trusted_once_a_trusted_one_has_listed_it(lock: Lock) -> None:
    newer = Platform()
    assert deliver(lock, topics.KEY_LIST, newer.key_list(2, OTHER_KEY)) == []
    deliver(lock, topics.CONFIG, PLATFORM.config(1, trust={**PLATFORM.trust, **newer.trust}))
    deliver(lock, topics.KEY_LIST, newer.key_list(2, OTHER_KEY))
    assert set(lock.keys.entries) == {OTHER_KEY}
    lock.reboot()
    connect(lock)
    deliver(lock, topics.KEY_LIST, newer.key_list(3, KEY))
    assert set(lock.keys.entries) == {KEY}


@pytest.mark.parametrize("channel", [c for c in topics.CHANNELS.values() if c.is_down], ids=lambda c: c.path)
@pytest.mark.parametrize("raw", [b"", b"\xff", b"{}", b"[]", b'{"v":1}', b"x" * 200_000, b'{"v":1,"token":"a.b.c"}'])
def test_garbage_is_counted_and_changes_nothing(lock: Lock, channel: topics.Channel, raw: bytes) -> None:
    before = lock.keys.to_state()
    lock.session.on_message(channel, raw)
    assert take(lock) == [] and lock.keys.to_state() == before
    if channel is not topics.TIME or raw != b'{"v":1,"token":"a.b.c"}':
        assert sum(lock.rejected.values()) == 1


def test_the_same_seed_tells_the_same_story() -> None:
    def story() -> list[str]:
        lock = make_lock(PLATFORM, Host(), MemoryFlash())
        touches.force_door(lock)
        touches.set_battery(lock, 5)
        return [stored.text for stored in lock.log.kept()]

    assert story() == story()


def test_a_wiped_by_order_lock_forgets_keys_and_uses_and_nothing_that_is_dead_revives(lock: Lock) -> None:
    deliver(lock, topics.KEY_LIST, PLATFORM.key_list(2, KEY, epoch=2, revoked=(OTHER_KEY,)))
    deliver(lock, topics.COMMAND, PLATFORM.order(lock, "command-1", 1, occ=2))
    seq = lock.log.seq
    sent = deliver(lock, topics.COMMAND, PLATFORM.order(lock, "command-2", 2, act="wipe", key=None, occ=None))
    (result,) = [message for channel, message in sent if channel is topics.RESULT]
    assert (result.state, result.seq) == ("executed", seq + 1)
    (batch,) = [message for channel, message in sent if channel is topics.EVENTS]
    assert "factory_reset" in batch.events[-1] and len(batch.checkpoints) == 1, "signed at once"
    report = [message for channel, message in sent if channel is topics.REPORTED_KEYS][-1]
    assert (report.version, report.epoch, report.revocation_version, report.list_hash) == (2, 2, 2, None)
    assert lock.keys.entries == {} and lock.keys.uses == {} and lock.keys.revoked == {OTHER_KEY}
    lock.reboot()
    connect(lock)
    older = PLATFORM.key_list(1, KEY, epoch=2)
    assert deliver(lock, topics.KEY_LIST, older)[-1][1].refused == "older_list"
    again = PLATFORM.key_list(2, KEY, epoch=2, revoked=(OTHER_KEY,))
    report = [message for channel, message in deliver(lock, topics.KEY_LIST, again) if channel is topics.REPORTED_KEYS]
    assert report[-1].refused is None and set(lock.keys.entries) == {KEY}


def test_a_command_that_would_live_longer_than_fifteen_seconds_is_refused(lock: Lock) -> None:
    for command, (life, answer) in enumerate([(16, ("refused", "too_long_lived")), (15, ("executed", None))], 1):
        order = PLATFORM.order(lock, f"command-{command}", command, exp=START + life)
        assert results(deliver(lock, topics.COMMAND, order))[-1] == answer


def test_the_last_64_commands_are_remembered_over_a_reboot_and_an_older_one_is_stale(lock: Lock) -> None:
    orders = [PLATFORM.order(lock, f"command-{number}", number, act="identify") for number in range(1, 66)]
    answers = [results(deliver(lock, topics.COMMAND, order)) for order in orders]
    assert answers == [[("executed", None)]] * 65
    assert results(deliver(lock, topics.COMMAND, orders[1])) == [("executed", None)]
    assert results(deliver(lock, topics.COMMAND, orders[0])) == [("refused", "stale_counter")]


def test_a_command_opens_with_a_key_that_is_bound_to_a_phone(lock: Lock) -> None:
    deliver(lock, topics.KEY_LIST, PLATFORM.key_list(2, KEY, jkt=thumbprint(PLATFORM.key.public_key())))
    assert results(deliver(lock, topics.COMMAND, PLATFORM.order(lock, "command-1", 1)))[-1] == ("executed", None)


@pytest.mark.parametrize(
    "entry, reason",
    [
        ({"rights": ("lock",)}, "no_right"),
        ({"nbf": START + 3_600}, "not_yet_valid"),
        ({"exp": START}, "expired"),
        ({"sched": (Window("6", 0, 1),)}, "outside_schedule"),
    ],
)
def test_a_listed_key_that_does_not_hold_opens_by_no_command(lock: Lock, entry: dict[str, Any], reason: str) -> None:
    deliver(lock, topics.KEY_LIST, PLATFORM.key_list(2, KEY, **entry))
    order = PLATFORM.order(lock, "command-1", 1)
    assert results(deliver(lock, topics.COMMAND, order)) == [("refused", reason)]
    assert events(lock)[-1] == ("access.denied", KEY, reason)


def test_a_listed_key_that_wants_the_time_verified_needs_a_good_clock(lock: Lock, host: Host) -> None:
    deliver(lock, topics.KEY_LIST, PLATFORM.key_list(2, KEY, tvr=True))
    host.at += 5 * DAY
    assert lock.clock.quality() == "drifting"
    order = PLATFORM.order(lock, "command-1", 1)
    assert results(deliver(lock, topics.COMMAND, order)) == [("refused", "need_time")]
    lock.clock.sync(int(host.at))
    order = PLATFORM.order(lock, "command-2", 2)
    assert results(deliver(lock, topics.COMMAND, order))[-1] == ("executed", None)


def test_a_time_that_was_long_under_way_is_not_taken(lock: Lock, host: Host) -> None:
    lock.session.ask_time()
    asked = next(message for channel, message in take(lock) if channel is topics.TIME_REQUEST)
    host.at += 30
    deliver(lock, topics.TIME, PLATFORM.time(START, asked.nonce))
    assert lock.clock.now() == START + 30 and lock.rejected["expired"] == 1
