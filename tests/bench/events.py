"""Lock events received, verified, committed and acknowledged to the lock, per second.

The bare side is a paho receiver that parses the same messages and puts the same columns into a table of its own in the
same database: no chain, no checkpoint, no lock to look at. It inserts by unnest and ON CONFLICT DO NOTHING, as whoever
receives at least once must; a second one, by COPY, stands beside it for information. All take turns on the same feed,
and only what is committed and told back counts.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import insert

from backend.bootstrap import world_of
from backend.db import transaction
from backend.domain.ids import new_id
from backend.models.commands import Command
from backend.services.lock_manifests import import_locks
from backend.wire import topics
from device_sim.identities import make_identities
from tests.bench import bare
from tests.bench.feeds import Message, make_feed
from tests.bench.figures import Row, at_least, compare
from tests.bench.stage import Place, Stage

LOCKS = 40
MESSAGES = 10  # of each lock and round: 25,600 events
QUICK_MESSAGES = 2
GOAL = 0.7
PATIENCE_SECONDS = 60.0


def measure_replay(stage: Stage) -> list[Row]:
    """Events per second when many locks send what they kept: 64 events and one checkpoint in a message."""
    return _measure(stage, "events stored per second", 64, QUICK_MESSAGES if stage.quick else MESSAGES, GOAL)


def measure_live(stage: Stage) -> list[Row]:
    """The same when each message holds a single event, as while all is well; for information."""
    return _measure(stage, "one event in a message", 1, 100, None)[:1]


def _measure(stage: Stage, name: str, events_each: int, messages: int, goal: float | None) -> list[Row]:
    rounds = stage.rounds + 1  # the first is a warm-up
    stage.say(f"{name}: making the feed")
    identities = make_identities(LOCKS, seed=100 + events_each)  # what the broker retains of others is not theirs
    feed = make_feed(identities, messages * rounds, events_each)
    with Place(stage, "postgresql") as place:
        with place.core() as app:
            import_locks(world_of(app), [identity.public_part() for identity in identities])
            _insert_commands(feed)
        bare.make_tables(place.url)
        place.start_bridge()
        for program in bare.EVENTS:
            place.start_bare(program)
        feeder = Feeder(stage.broker.port)
        ours: list[float] = []
        plain: dict[str, list[float]] = {program: [] for program in bare.EVENTS}
        portion = messages * LOCKS
        for number in range(rounds):
            stage.say(f"{name}: round {max(1, number)} of {stage.rounds}")
            part = feed[number * portion : (number + 1) * portion]
            ours.append(feeder.feed_anju(part))
            for program, figures in plain.items():
                figures.append(feeder.feed_bare(program, part))
        feeder.close()
    judge = None if goal is None else partial(at_least, goal)
    return [
        compare(name, "events/s", ours[1:], plain["receiver"][1:], judge),
        compare(f"{name}, against bare COPY", "events/s", ours[1:], plain["copier"][1:]),
    ]


def _insert_commands(feed: Sequence[Message]) -> None:
    """The commands the events tell of, answered long ago: an event mostly comes after its result."""
    now = datetime.now(UTC)
    rows: list[dict[str, Any]] = [
        {
            "id": command,
            "lock_id": message.lock_id,
            "idempotency_key": new_id(),
            "action": "unlock",
            "state": "executed",
            "counter": number,
            "created_at": now,
            "expires_at": now + timedelta(seconds=15),
        }
        for number, message in enumerate(feed, 1)
        for command in message.commands
    ]
    with transaction() as session:
        session.execute(insert(Command), rows)


class Feeder:
    """Publishes messages for all locks and hears what the receivers say is stored."""

    def __init__(self, port: int) -> None:
        self._changed = threading.Condition()
        self._heads: dict[str, int] = {}
        self._rows = 0
        self._client = bare.mqtt_client("bench-feeder", port)
        self._client.on_message = self._on_message
        self._client.subscribe([("anju/v1/+/+/dn/ack", 1), (bare.STORED, 1)])
        self._client.loop_start()

    def feed_anju(self, messages: Sequence[Message]) -> float:
        """Events per second of the bridge: until each lock has been told that its last event is stored."""
        wanted = {message.lock_id: message.last_seq for message in messages}
        return self._feed(
            [(topics.topic_of(message.lock_id, topics.EVENTS), message.payload) for message in messages],
            sum(message.events for message in messages),
            lambda: all(self._heads.get(lock_id, 0) >= seq for lock_id, seq in wanted.items()),
        )

    def feed_bare(self, program: str, messages: Sequence[Message]) -> float:
        """Events per second of a bare receiver: until it has said of each row that it is committed."""
        events = sum(message.events for message in messages)
        wanted = self._rows + events
        outgoing = [(f"{bare.EVENTS[program]}/{message.lock_id}", message.payload) for message in messages]
        return self._feed(outgoing, events, lambda: self._rows >= wanted)

    def close(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    def _feed(self, outgoing: Sequence[tuple[str, bytes]], events: int, is_done: Any) -> float:
        begun = time.perf_counter()
        for topic, payload in outgoing:
            self._client.publish(topic, payload, qos=1)
        with self._changed:
            if not self._changed.wait_for(is_done, PATIENCE_SECONDS):
                raise RuntimeError("not every event was stored")
        return events / (time.perf_counter() - begun)

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        with self._changed:
            if message.topic == bare.STORED:
                self._rows += int(message.payload)
            else:
                self._heads[message.topic.split("/")[3]] = json.loads(message.payload)["seq"]
            self._changed.notify()
