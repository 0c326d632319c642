"""The sync with the registry: how soon a declaration is accepted, and how fast a backlog is drained.

The bare side posts the same number of records in batches of the same size and content to the same stand-in, one after
another, and then asks until each is judged: no outbox, no database, no receipt checked or stored. It has half its turn
before ours and half after, so that neither side has the emptier registry or the quieter machine.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from sqlalchemy import func, select

from backend.bootstrap import world_of
from backend.db import db, transaction
from backend.domain.ids import new_id
from backend.gateways.registry_client import RegistryUnavailable
from backend.gateways.world import World
from backend.models.outbox import OutboxRow
from backend.models.registrations import Registration
from backend.services import outbox
from backend.services.registry_items import build_item, preload
from backend.wire.jwk import from_base64url
from backend.wire.registry_messages import MOST_ITEMS, PURPOSE, Batch, Item, make_item
from tests.bench.figures import Row, at_least, at_most, percentile
from tests.bench.stage import Place, Stage
from tests.worker.backlogs import make_backlog, release

BACKLOG, QUICK_BACKLOG = 20_000, 1_200
SAMPLES, QUICK_SAMPLES = 40, 15
LATENCY_GOAL_MS = 1_500.0
DRAIN_GOAL = 0.7
FLAT_MB = 4.0  # growth over 10,000 records that is not told from a heap's own breathing
PATIENCE_SECONDS = 900.0
LOOK_SECONDS = 0.25
Answer = TypeVar("Answer")


def measurements(quick: bool) -> Sequence[object]:
    """What a run measures; a quick one the same with a smaller backlog."""
    return (measure_sync,)


def measure_sync(stage: Stage) -> list[Row]:
    """Latency while all is well, then a backlog against bare posts, with the memory of both processes meanwhile."""
    backlog = QUICK_BACKLOG if stage.quick else BACKLOG
    with Place(stage, "postgresql") as place, place.core() as app:
        world = world_of(app)
        place.start_registry()
        place.start_worker()
        stage.say("registry: one declaration after another")
        latency = [_accept_one(world) for _ in range(QUICK_SAMPLES if stage.quick else SAMPLES)]
        stage.say(f"registry: making a backlog of {backlog} records")
        made = make_backlog(world, backlog, held_back=True)
        batches = _batches(world, made)
        half = len(batches) // 2
        stage.say("registry: bare posts, first half")
        bare = _post(world, batches[:half])
        stage.say(f"registry: draining {backlog} records")
        ours, memory = _drain(place, world, backlog)
        stage.say("registry: bare posts, second half")
        bare += _post(world, batches[half:])
    rows = [_latency_row(latency), _drain_row(backlog, ours, bare)]
    return rows + [_memory_row(name, [sample[name] for sample in memory], backlog) for name in ("worker", "registry")]


def _accept_one(world: World) -> float:
    """Milliseconds from the commit of a declaration until its receipt is stored."""
    (record,) = make_backlog(world, 1, held_back=True)
    with transaction() as session:  # as declaring does it: the row and the wake-up with its commit
        session.query(OutboxRow).filter_by(aggregate_id=record).delete()
        outbox.put(world, session, "registry", record, "UPSERT", {"leg": "TENANT", "version": 2})
    began = time.perf_counter()
    state = select(Registration.registry_state).where(Registration.id == record)
    while db.session.scalar(state) != "accepted":
        db.session.rollback()
        if time.perf_counter() - began > 60:
            raise RuntimeError("a declaration is not accepted within a minute")
        time.sleep(0.005)
    db.session.rollback()
    return (time.perf_counter() - began) * 1_000


def _batches(world: World, records: Sequence[str]) -> list[Batch]:
    """Full batches with the content of these records, under record ids nobody has used."""
    batches = []
    for start in range(0, len(records), MOST_ITEMS):
        some = records[start : start + MOST_ITEMS]
        with transaction() as session:
            known = preload(session, some)
            found = [session.get_one(Registration, record) for record in some]
            built = [build_item(world, session, one, op="UPSERT", leg="TENANT", version=2) for one in found]
            del known
        batches.append(Batch(PURPOSE, tuple(_renamed(item) for item in built if isinstance(item, Item))))
    return batches


def _renamed(item: Item) -> Item:
    return make_item(
        item.op, new_id(), item.record_version, item.leg, effective_at=item.effective_at, declared_at=item.declared_at,
        payload=item.payload, nonce=from_base64url(item.nonce),
    )  # fmt: skip


def _post(world: World, batches: Sequence[Batch]) -> float:
    """Seconds until all of these are judged, posted one after another and asked for as our worker asks."""
    began = time.perf_counter()
    waiting = [_submit(world, batch) for batch in batches]
    for batch_id in waiting:
        while not (status := _insist(partial(world.registry.batch_status, batch_id))).is_finished:
            time.sleep(0.05)
        if status.state != "DONE":
            raise RuntimeError(f"the registry answers {status.state} to bare posts")
    return time.perf_counter() - began


def _submit(world: World, batch: Batch) -> str:
    key = hashlib.sha256(batch.to_bytes()).hexdigest()
    return _insist(partial(world.registry.submit, batch, key)).batch_id


def _insist(call: Callable[[], Answer]) -> Answer:
    """Call again while the stand-in is too busy to answer in time, as our worker does too."""
    for _ in range(30):
        try:
            return call()
        except RegistryUnavailable:
            time.sleep(0.5)
    return call()


def _drain(place: Place, world: World, backlog: int) -> tuple[float, list[dict[str, float]]]:
    """Seconds until the backlog is accepted and stored, and the memory of both processes along the way."""
    memory = []
    release(world)
    began = time.perf_counter()
    left = select(func.count()).where(OutboxRow.destination == "registry", OutboxRow.done_at.is_(None))
    while (waiting := db.session.scalar(left)) and time.perf_counter() - began < PATIENCE_SECONDS:
        db.session.rollback()
        sizes = {name: place.megabytes(name) for name in ("worker", "registry")}
        memory.append({"done": float(backlog - waiting), **sizes})
        time.sleep(LOOK_SECONDS)
    took = time.perf_counter() - began
    accepted = db.session.scalar(select(func.count()).where(Registration.registry_state == "accepted"))
    db.session.rollback()
    if waiting or (accepted or 0) < backlog:
        raise RuntimeError(f"{waiting} rows wait, {accepted} registrations are accepted")
    return took, memory


def _latency_row(latency: Sequence[float]) -> Row:
    middle = percentile(latency, 50)
    return Row("declared to accepted, p50", middle, "ms", None, None, *at_most(LATENCY_GOAL_MS, middle))


def _drain_row(backlog: int, ours: float, bare: float) -> Row:
    ratio = bare / ours
    goal, ok = partial(at_least, DRAIN_GOAL)(ratio)
    return Row(f"backlog of {backlog:,} drained", backlog / ours, "records/s", backlog / bare, ratio, goal, ok)


def _memory_row(name: str, megabytes: Sequence[float], backlog: int) -> Row:
    """The slope over the second half, by the means of its quarters, for 10,000 records."""
    half = megabytes[len(megabytes) // 2 :]
    middle = max(1, len(half) // 2)
    early, late = half[:middle], half[middle:] or half[-1:]
    grown = sum(late) / len(late) - sum(early) / len(early)
    slope = grown / (backlog / 4) * 10_000
    # a small backlog is over before the allocator has settled, so only the full run is judged
    goal, ok = at_most(FLAT_MB, slope) if backlog >= BACKLOG else (None, True)
    return Row(f"memory of the {name}, growth per 10,000 records", slope, "MB", None, None, goal, ok)
