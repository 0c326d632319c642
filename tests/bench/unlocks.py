"""The unlock round trip: the app's request, until the app can read that the lock has executed it.

The bare side is one request to a Flask endpoint that inserts a row, publishes, waits for an echo, updates the row and
answers; Anju's side asks as the app does, in one request that waits too. Same gunicorn settings, broker and database.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from functools import partial
from threading import Event

from sqlalchemy import select

from backend.bootstrap import world_of
from backend.db import db, transaction
from backend.domain.ids import new_id
from backend.models.locks import Lock
from backend.processes import web
from backend.services import sign_ins
from tests.bench import bare
from tests.bench.figures import Row, at_most, compare, percentile
from tests.bench.stage import Place, Stage, cpu_milliseconds
from tests.services.stories import Story, make_active

SAMPLES = 100
QUICK_SAMPLES = 25
WARM_UP = 5  # of each turn: what the other side has left to do is done by then
GOAL = 2.5


def measure_on_postgres(stage: Stage) -> list[Row]:
    """Round trip on PostgreSQL: p50 and p99 against the bare endpoint, and the broker's own ping-pong beside it."""
    return _measure(stage, "postgresql", partial(at_most, GOAL)) + [_ping_pong(stage)]


def measure_on_sqlite(stage: Stage) -> list[Row]:
    """The same on SQLite, for information: five processes share its one writer."""
    return _measure(stage, "sqlite", None)


def _measure(stage: Stage, kind: str, judge: Callable[[float], tuple[str, bool]] | None) -> list[Row]:
    name = "PostgreSQL" if kind == "postgresql" else "SQLite"
    with Place(stage, kind) as place:
        stage.say(f"unlock round trip on {name}: starting")
        client = _start(place)
        samples = QUICK_SAMPLES if stage.quick else SAMPLES
        ours: list[list[float]] = []
        plain: list[list[float]] = []
        work: list[list[float]] = [[], []]
        for number in range(stage.rounds):
            stage.say(f"unlock round trip on {name}: round {number + 1} of {stage.rounds}")
            client.connect_anew()
            for act, turns, used in ((client.unlock, ours, work[0]), (client.unlock_bare, plain, work[1])):
                before = cpu_milliseconds()
                turns.append(_turn(act, samples))
                used.append((cpu_milliseconds() - before) / (samples + WARM_UP))
    rows = [compare(f"processor time of it, all processes, {name}", "ms", *work)]
    for percent in (50, 99):
        mine, other = ([percentile(turn, percent) for turn in turns] for turns in (ours, plain))
        rows.insert(-1, compare(f"unlock round trip p{percent}, {name}", "ms", mine, other, judge))
    return rows


def _start(place: Place) -> _Client:
    with place.core() as app:
        world = world_of(app)
        story = make_active(world)
        with transaction() as session:
            signed_in = sign_ins.open_session(world, session, story.tenant, "api", "bench")
        token = sign_ins.access_token(world, signed_in)
        identity = story.identity.public_part()
        place.stage.broker.add_hashes({story.identity.lock_id: identity["mqtt_password_hash"]})
        place.start_bridge()
        place.start_locks(1)
        place.start_mobile()
        _prepare_bare(place)
        place.until(lambda: _is_confirmed(story.identity.lock_id), "the lock to confirm its keys")
    return _Client(place, story, token)


def _prepare_bare(place: Place) -> None:
    bare.make_tables(place.url)
    place.start_bare("echo")
    port = place.ports["bare_port"]
    place.start("bare", web("tests.bench.bare:bare_app()", port), f"http://127.0.0.1:{port}/healthz")


def _is_confirmed(lock_id: str) -> bool:
    db.session.rollback()
    lock = db.session.scalars(select(Lock).where(Lock.id == lock_id)).one()
    return lock.presence == "online" and lock.reported_list_version == lock.list_version


class _Client:
    """A phone's two kept connections: one to Anju, one to the bare endpoint."""

    def __init__(self, place: Place, story: Story, token: str) -> None:
        self._path = f"/api/v1/keys/{story.key_id}/unlocks"
        self._headers = {"Authorization": f"Bearer {token}", "Prefer": "wait=3"}
        self._anju = http.client.HTTPConnection("127.0.0.1", place.ports["mobile_port"], timeout=10)
        self._bare = http.client.HTTPConnection("127.0.0.1", place.ports["bare_port"], timeout=10)

    def connect_anew(self) -> None:
        """Let go of both connections: one that idled through the other's turn may be closed by the server."""
        self._anju.close()
        self._bare.close()

    def unlock(self) -> None:
        """Ask, and wait for the result in the same request; raises RuntimeError when the lock has not executed it."""
        self._anju.request("POST", self._path, headers={**self._headers, "Idempotency-Key": new_id()})
        asked = self._anju.getresponse()
        body = json.loads(asked.read())
        if asked.status != 202:
            raise RuntimeError(f"the unlock was refused: {body}")
        if body["state"] != "executed":
            raise RuntimeError(f"the command ended as {body['state']}")

    def unlock_bare(self) -> None:
        """The bare endpoint's one request."""
        self._bare.request("POST", "/unlock")
        state = json.loads(self._bare.getresponse().read())["state"]
        if state != "executed":
            raise RuntimeError(f"the bare command ended as {state}")


def _turn(act: Callable[[], None], samples: int) -> list[float]:
    """Milliseconds of each of `samples` calls, after a few that do not count."""
    times = []
    for number in range(WARM_UP + samples):
        begun = time.perf_counter()
        act()
        if number >= WARM_UP:
            times.append((time.perf_counter() - begun) * 1_000)
    return times


def _ping_pong(stage: Stage) -> Row:
    """The broker alone: one message there and one back between two bare clients."""
    with Place(stage, "sqlite") as place:
        place.start_bare("pong")
        came = Event()
        client = bare.mqtt_client("bare-ping", stage.broker.port)
        client.on_message = lambda _client, _data, _message: came.set()
        client.subscribe("bare/pong", qos=1)
        client.loop_start()

        def ping() -> None:
            came.clear()
            client.publish("bare/ping", b"ping", qos=1)
            if not came.wait(3):
                raise RuntimeError("the broker carries nothing back")

        times = _turn(ping, 300)
        client.disconnect()
        client.loop_stop()
    return Row("broker alone, there and back, p50", percentile(times, 50), "ms")
