"""Bad messages of every kind: counted, named by a digest, alarmed where it matters, never in the way of good ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from structlog.testing import capture_logs

from backend.db import db
from backend.gateways.clock import FixedClock
from backend.gateways.world import World
from backend.models.commands import Command
from backend.models.lock_events import LockAnomaly
from backend.models.locks import Lock
from backend.mqtt.bridge import Bridge
from backend.mqtt.handlers import Handlers
from backend.queries.locks import list_anomalies
from backend.services import commands, lock_reports
from backend.services.key_lists import key_list
from backend.services.lock_manifests import import_locks
from backend.services.lock_reports import MOST_ANOMALIES, NOTED
from backend.wire import codec, topics
from backend.wire.jwk import base64url
from backend.wire.lock_documents import content_hash
from backend.wire.lock_messages import CommandResult, Departure, EventBatch, ReportedKeys, Telemetry, TimeRequest
from backend.wire.topics import Channel
from device_sim.identities import make_identity
from tests.mqtt.villages import MemoryLink
from tests.services.reports import AT, BOOT, checkpoint, head_after, make_batch, make_birth, make_texts
from tests.services.stories import Story, make_active

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
POSTGRESQL = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
OTHER = make_identity(7, 2)
DOOR = ("door.opened", {})
CHANNELS = (topics.PRESENCE, topics.RESULT, topics.REPORTED_KEYS, topics.EVENTS, topics.TELEMETRY, topics.TIME_REQUEST)
WHOLE_CLASSES = (  # good for no channel
    b"", b" ", b"\xff\xfe", b"\x00", b"null", b"true", b"1", b'"text"', b"[]", b"[[[", b"{", b"{}", b'{"v":1}',
    b'{"v":2}', b"not json at all", b"\xef\xbb\xbf{}", b"{'v':1}", b'{"v":1}{"v":1}', b"[" * 100_000, b"x" * 300_000,
)  # fmt: skip
VERSIONS = (0, 2, -1, "1", 1.5, True, None, [1], 10**30)


@dataclass
class Stand:
    """A bridge in front of one lock of a tenancy; every good message it is given is a new one."""

    app: Flask
    world: World
    clock: FixedClock
    story: Story
    link: MemoryLink
    bridge: Bridge
    number: int = 0
    told: tuple[str, ...] = ()

    @property
    def lock_id(self) -> str:
        return self.story.identity.lock_id

    def give(self, channel: Channel, raw: bytes, *, lock_id: str | None = None) -> int:
        mid = self.link.arrive(topics.topic_of(lock_id or self.lock_id, channel), raw)
        while not self.link.inbox.empty():
            self.bridge.step(0)
        self.bridge._store_held()
        return mid

    def row(self) -> Lock:
        db.session.rollback()
        return db.session.get_one(Lock, self.lock_id)

    def make_good(self, channel: Channel) -> tuple[bytes, Callable[[], bool]]:
        """The next good message of a channel, and the question whether it has been applied."""
        self.number += 1
        self.clock.move(timedelta(seconds=1))
        make = {
            topics.PRESENCE.path: self._birth,
            topics.RESULT.path: self._result,
            topics.REPORTED_KEYS.path: self._report,
            topics.EVENTS.path: self._events,
            topics.TELEMETRY.path: self._telemetry,
            topics.TIME_REQUEST.path: self._time_request,
        }[channel.path]
        message, applied = make()
        return codec.encode(message), applied

    def _birth(self) -> tuple[Any, Callable[[], bool]]:
        session = f"{BOOT}-{1000 + self.number}"
        return make_birth(self.lock_id, session=session), lambda: self.row().session_id == session

    def _result(self) -> tuple[Any, Callable[[], bool]]:
        asked = commands.request_unlock(
            self.world, account_id=self.story.tenant, key_id=self.story.key_id, idempotency_key=f"tap-{self.number}"
        ).id

        def applied() -> bool:
            db.session.rollback()
            return db.session.get_one(Command, asked).state == "executed"

        return CommandResult(asked, "executed", BOOT, AT, None, None), applied

    def _report(self) -> tuple[Any, Callable[[], bool]]:
        lock = self.row()
        hashed = content_hash(key_list(self.world, db.session(), lock))
        report = ReportedKeys(lock.list_version, lock.epoch, lock.list_version, (), hashed, None)
        return report, lambda: self.row().reported_at == self.clock.now()

    def _events(self) -> tuple[Any, Callable[[], bool]]:
        batch = make_batch(self.story.identity, [DOOR], after=self.told)
        self.told = (*self.told, *batch.events)
        return batch, lambda: self.row().stored_seq == len(self.told)

    def _telemetry(self) -> tuple[Any, Callable[[], bool]]:
        percent = self.number % 100
        told = Telemetry(AT + self.number, "ok", 2, percent, -60, 20, "locked")
        return told, lambda: self.row().battery_percent == percent

    def _time_request(self) -> tuple[Any, Callable[[], bool]]:
        self.link.published.clear()
        nonce = base64url(self.number.to_bytes(16, "big"))
        return TimeRequest(nonce), lambda: [channel for _, channel, _ in self.link.published] == [topics.TIME]


@pytest.fixture
def stand(core: Flask, world: World, clock: FixedClock) -> Stand:
    story = make_active(world)
    import_locks(world, [OTHER.public_part()])
    lock_reports.record_birth(world, story.identity.lock_id, make_birth(story.identity.lock_id))
    link = MemoryLink()
    bridge = Bridge(core, link, Handlers(world, link.publish))  # type: ignore[arg-type]
    NOTED.clear()
    return Stand(core, world, clock, story, link, bridge)


def spoil(channel: Channel, good: bytes) -> Iterator[bytes]:
    """Messages that are nearly good: every member missing, mistyped, out of range; versions, sizes, doubled names."""
    value = json.loads(good)
    yield from WHOLE_CLASSES
    for version in VERSIONS:
        yield json.dumps({**value, "v": version}).encode()
    yield json.dumps({**value, "surprise": 1}).encode()
    yield good.replace(b'"v":1', b'"v":1,"v":1', 1)
    yield good + b"}"
    yield good[:-1]
    yield good[:-1] + b',"at":NaN}'
    yield good[:-1] + b',"' + b"x" * channel.largest_bytes + b'":1}'
    for name in value:
        if name == "v":
            continue
        without = {key: each for key, each in value.items() if key != name}
        for wrong in ({"a": 1}, -(10**40)):
            yield json.dumps({**value, name: wrong}).encode()
        if name != "list_hash":  # the one that may be missing
            yield json.dumps(without).encode()


@SQLITE
@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.path)
def test_behind_every_bad_message_the_good_one_is_applied(stand: Stand, channel: Channel) -> None:
    pattern, _ = stand.make_good(channel)
    stand.told = ()
    bad = list(spoil(channel, pattern))
    assert len(bad) >= 30
    mids = []
    for raw in bad:
        before = sum(stand.bridge.counts[name] for name in stand.bridge.counts if name.startswith("rejected"))
        mids.append(stand.give(channel, raw))
        after = sum(stand.bridge.counts[name] for name in stand.bridge.counts if name.startswith("rejected"))
        assert after == before + 1, raw[:200]
        good, applied = stand.make_good(channel)
        stand.give(channel, good)
        assert applied(), raw[:200]
    assert set(mids) <= set(stand.link.acknowledged)
    assert stand.row().alarm is None
    rows = list_anomalies(limit=1000)
    assert sum(row.seen for row in rows) == len(bad)
    assert {row.topic for row in rows} == {channel.path} and {row.lock_id for row in rows} == {stand.lock_id}
    assert rows[0].digest == sha256(bad[-1]).hexdigest() and rows[0].size_bytes == len(bad[-1])


def told_wrongly(stand: Stand) -> dict[str, tuple[Channel, Any]]:
    """Messages that can be read and must not be believed."""
    lock = stand.row()
    texts, head = make_texts([DOOR] * 4), base64url(head_after(stand.lock_id, stand.told))
    forged = checkpoint(OTHER, 1, head_after(stand.lock_id, stand.told[:1]))
    return {
        "replayed": (topics.EVENTS, EventBatch(1, base64url(head_after(stand.lock_id, ())), stand.told[:1], (), False)),
        "out of order": (topics.EVENTS, EventBatch(1, base64url(bytes(32)), make_texts([DOOR], 900), (), False)),
        "other hash": (topics.EVENTS, EventBatch(1, base64url(bytes(32)), texts[1:2], (), False)),
        "wrongly signed": (topics.EVENTS, EventBatch(1, head, (), (forged,), False)),
        "unsigned": (topics.EVENTS, EventBatch(1, head, (), ("a.b.c",), False)),
        "far ahead": (topics.EVENTS, EventBatch(1, head, make_texts([DOOR], 2**62), (), False)),
        "surrogate": (topics.EVENTS, EventBatch(1, head, ("\ud800",), (), False)),
        "nul": (topics.EVENTS, EventBatch(1, head, ("\x00",), (), False)),
        "older birth": (topics.PRESENCE, make_birth(stand.lock_id, session=f"{BOOT}-0")),
        "will of another session": (topics.PRESENCE, Departure("offline", "99999999-1")),
        "result of no command": (topics.RESULT, CommandResult("nobody's", "executed", BOOT, AT, None, 2**62)),
        "list of the future": (topics.REPORTED_KEYS, ReportedKeys(2**62, 1, 1, (), None, None)),
        "list of other content": (
            topics.REPORTED_KEYS,
            ReportedKeys(lock.list_version, 1, 1, (), base64url(bytes(32)), None),
        ),
    }


WRONG = (
    *("replayed", "out of order", "other hash", "wrongly signed", "unsigned", "far ahead", "surrogate"),
    *("nul", "older birth", "will of another session", "result of no command", "list of the future"),
    "list of other content",
)


COUNTED_AS = {
    "replayed": "events_not_new",
    "out of order": "events_not_new",
    "far ahead": "events_not_new",
    "wrongly signed": "noted_checkpoint_bad_signature",
    "unsigned": "noted_checkpoint_bad_signature",
    "older birth": "older_birth",
    "will of another session": "older_departure",
    "list of the future": "noted_keys_version_ahead",
    "list of other content": "noted_keys_other_content",
}


@pytest.mark.parametrize("name", WRONG)
def test_behind_what_must_not_be_believed_every_channel_goes_on(stand: Stand, name: str) -> None:
    good, applied = stand.make_good(topics.EVENTS)
    stand.give(topics.EVENTS, good)
    wrong = told_wrongly(stand)
    assert set(wrong) == set(WRONG)
    channel, message = wrong[name]
    spelled = codec.dump({"v": 1, **codec.to_object(message)}).encode("utf-8", "surrogatepass")
    raw = json.dumps(json.loads(spelled)).encode()
    if name == "surrogate":
        raw = spelled.replace(b"\xed\xa0\x80", b"\\ud800")
    mid = stand.give(channel, raw)
    assert mid in stand.link.acknowledged
    stored_nul = name == "nul" and stand.row().stored_seq == len(stand.told) + 1
    for each in CHANNELS:
        if stored_nul and each is topics.EVENTS:
            continue  # SQLite keeps such a text, and the chain goes on behind it
        good, applied = stand.make_good(each)
        stand.give(each, good)
        assert applied(), (name, each.path)
    if name in ("wrongly signed", "unsigned", "other hash"):
        assert stand.row().alarm == "clone_or_tamper"
    counted = COUNTED_AS.get(name)
    assert counted is None or NOTED[counted] == 1, NOTED


@POSTGRESQL
def test_what_the_database_refuses_is_set_aside_with_its_digest(stand: Stand) -> None:
    """A text with a zero character: JSON can spell it, SQLite keeps it, PostgreSQL does not."""
    raw = codec.encode(make_batch(stand.story.identity, [DOOR]))
    raw = raw.replace(b"door.opened", b"door.opened" + b"\\" + b"u0000")
    good = codec.encode(make_batch(OTHER, [DOOR]))
    stand.link.arrive(topics.topic_of(stand.lock_id, topics.EVENTS), raw)
    stand.give(topics.EVENTS, good, lock_id=OTHER.lock_id)
    (row,) = list_anomalies()
    assert (row.kind, row.reason, row.seen) == ("message", "handler_failed", 1)
    assert (row.size_bytes, row.digest, row.serial) == (len(raw), sha256(raw).hexdigest(), stand.story.identity.serial)
    db.session.rollback()
    assert db.session.get_one(Lock, OTHER.lock_id).stored_seq == 1, "what came together with it is stored"


def test_a_flood_of_poison_is_one_row_an_hour(stand: Stand) -> None:
    for number in range(300):
        stand.give(topics.EVENTS, b"poison %d" % number)
    (row,) = list_anomalies()
    assert (row.seen, row.reason, row.digest) == (300, "not_json", sha256(b"poison 299").hexdigest())
    stand.clock.move(timedelta(minutes=61))
    stand.give(topics.EVENTS, b"poison")
    assert [each.seen for each in list_anomalies()] == [1, 300]


@SQLITE
def test_a_lock_that_invents_ever_new_faults_cannot_fill_the_table(stand: Stand) -> None:
    for number in range(200):
        report = ReportedKeys(0, 1, 0, (), None, f"fault{number}")
        stand.give(topics.REPORTED_KEYS, codec.encode(report))
    rows = list_anomalies(limit=1000)
    assert len(rows) == MOST_ANOMALIES + 1 and sum(row.seen for row in rows) == 200
    assert rows[0].reason == "too_many_kinds"


@SQLITE
def test_late_messages_of_a_retired_lock_are_counted_and_write_nothing(stand: Stand) -> None:
    stand.row().retired_at = stand.clock.now()
    db.session.commit()
    good = {each.path: stand.make_good(each)[0] for each in CHANNELS if each is not topics.RESULT}
    for path, raw in good.items():
        stand.give(topics.CHANNELS[path], raw)
    stand.give(topics.EVENTS, b"poison")
    assert stand.bridge.counts["unknown_lock"] == 5, "asking for the time needs no row of a lock"
    assert list_anomalies() == () and stand.row().stored_seq == 0


FOREIGN = (
    "elsewhere", "anju", "anju/v1", "anju/v2/0/L/up/evt", "anju/v1/99/L/up/evt", "anju/v1/x/L/up/evt", "anju/v1/1/L/up",
    "anju/v1/1/L/up/evt/more", "anju/v1/1/L/up/EVT", "anju/v1/1/+/up/evt", "anju/v1/1/#", "anju/v1/1/L/dn/cmd", "",
    "anju/v1/1//up/evt", "anju/v1/01/L/up/evt", "$SYS/broker", "anju/v1/1/" + "L" * 65 + "/up/evt",
    "anju/v1/1/L/up/unknown",
)  # fmt: skip


@SQLITE
def test_foreign_topics_are_counted_and_those_below_a_locks_own_name_are_its_own_fault(stand: Stand) -> None:
    for topic in FOREIGN:
        stand.link.arrive(topic, b"{}")
    own = topics.topic_of(stand.lock_id, topics.EVENTS)
    for topic in (own.replace("/up/evt", "/up/other"), own.replace("anju/v1/", "anju/v1/1")):
        stand.link.arrive(topic, b"{}")
    good, applied = stand.make_good(topics.EVENTS)
    stand.give(topics.EVENTS, good)
    assert applied()
    rejected = sum(count for name, count in stand.bridge.counts.items() if name.startswith("rejected"))
    assert rejected == len(FOREIGN) + 2
    assert {row.lock_id for row in list_anomalies()} == {stand.lock_id}
    assert sum(row.seen for row in list_anomalies()) == 2


@SQLITE
def test_what_is_logged_and_listed_of_poison_holds_nothing_of_it(stand: Stand) -> None:
    secret = "周来福 330522199001010001 pin 48151623"
    with capture_logs() as lines:
        for channel in CHANNELS:
            stand.give(channel, json.dumps({"v": 1, "name": secret}).encode())
            stand.give(channel, secret.encode())
        stand.link.arrive(f"anju/v1/1/{secret}/up/evt", b"{}")
        stand.bridge.step(0)
    said = json.dumps(lines, default=str, ensure_ascii=False) + str(list_anomalies()) + str(stand.bridge.counts)
    assert lines
    for word in (secret, "周来福", "3305221990", "48151623"):
        assert word not in said


def test_the_same_fault_of_two_locks_is_two_rows(stand: Stand) -> None:
    stand.give(topics.EVENTS, b"?")
    stand.give(topics.EVENTS, b"?", lock_id=OTHER.lock_id)
    db.session.rollback()
    assert set(db.session.scalars(select(LockAnomaly.lock_id))) == {stand.lock_id, OTHER.lock_id}
    one, other = (replace(row, lock_id="", serial=None) for row in list_anomalies())
    assert one == other
