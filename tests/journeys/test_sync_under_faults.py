"""Everything goes wrong at once between us and the registry; in the end every record is there exactly once.

Real processes: the registry, several workers that are killed and started again, and a PostgreSQL of our own that
crashes and comes back. Leases are let run out early, so that workers also take rows from each other that are still in
hand. The seed is printed; a run is repeated with ANJU_TEST_SEED.
"""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import OperationalError

from backend.bootstrap import core_app, world_of
from backend.config import Settings
from backend.db import db, transaction
from backend.gateways.world import World
from backend.models.outbox import OutboxRow
from backend.models.registrations import Registration
from backend.models.registry_attempts import RegistryAttempt
from backend.ports import free_ports
from backend.processes import python, web
from backend.queries.reconciliations import list_pairs
from backend.services.audit import Actor
from backend.services.registry_reconciliation import reconcile
from backend.services.registry_upkeep import retry_all_parked
from backend.wire.receipts import verify_receipt
from tests.conftest import TOP, migrate
from tests.postgres import ThrowawayPostgres
from tests.worker.backlogs import make_backlog

# Each is switched on for a number of calls and must have been used up, or stays on until the next disturbance
TIMED: dict[str, dict[str, Any]] = {
    "http_502": {"times": 2}, "busy": {"times": 2}, "maintenance": {"times": 1}, "timeout": {"times": 1, "seconds": 1},
    "lost_answer": {"times": 1}, "unknown_state": {"times": 1}, "reordered": {"times": 1}, "duplicated": {"times": 1},
}  # fmt: skip
SPOILT = "bad_receipt"  # rows that meet it end with the operator, who takes them up again once it is over
LASTING: dict[str, dict[str, Any]] = {
    "partial": {"state": "PENDING"}, "slow": {"seconds": 1}, SPOILT: {},
}  # fmt: skip
OPERATOR = Actor("operator")
KILL, CRASH = "worker killed", "database crashed"
PATIENCE_SECONDS = 240.0


class Chaos:
    """The processes, and what is done to them."""

    def __init__(self, folder: Path, postgres: ThrowawayPostgres, seed: int, workers: int) -> None:
        self.postgres, self.source = postgres, random.Random(seed)
        self.happened: Counter[str] = Counter()
        registry, *healths = free_ports(workers + 1)
        self.registry_url = f"http://127.0.0.1:{registry}"
        self.environment = {
            **os.environ, "ANJU_DEMO": "1", "ANJU_VAR": str(folder), "ANJU_REGISTRY_URL": self.registry_url,
            "ANJU_DATABASE_URL": postgres.url(postgres.create()), "ANJU_LOG_LEVEL": "ERROR",
        }  # fmt: skip
        migrate(self.environment["ANJU_DATABASE_URL"], folder)
        self.folder, self._healths = folder, healths
        subprocess.run(
            python("backend.registry", "upgrade-database"), cwd=TOP, env=self.environment, check=True,
            capture_output=True,
        )  # fmt: skip
        self._registry = self._start(web("backend.registry.app:create_registry_app()", registry), "registry")
        self._switches = httpx.Client(base_url=self.registry_url, timeout=PATIENCE_SECONDS)  # it may be busy hanging
        self._workers: list[subprocess.Popen[bytes]] = []

    def start_workers(self) -> None:
        """All workers, and the registry answers."""
        self._workers = [self._start_worker(number) for number in range(len(self._healths))]
        self.until(lambda: _answers(self.registry_url), "the registry to answer")

    def disturb(self, kind: str) -> None:
        """Let one thing go wrong."""
        if kind == KILL:
            number = self.source.randrange(len(self._workers))
            self._workers[number].kill()
            self._workers[number].wait(10)
            self._workers[number] = self._start_worker(number)
            self.happened[kind] += 1
        elif kind == CRASH:
            self.postgres.restart()
            self.happened[kind] += 1
        else:
            params = {**TIMED, **LASTING}[kind]
            self._switches.put(f"/_sim/faults/{kind}", json=params).raise_for_status()

    def settle(self, kind: str) -> None:
        """Wait until a timed fault is used up, or end a lasting one once something was judged under it."""
        if kind in TIMED:
            self.until(lambda: kind not in self._faults(), f"{kind} to show")
            self.happened[kind] += 1
        elif kind in LASTING:
            moved, often = (self.progress, 20) if kind != SPOILT else (self.parked, 8)  # parked after many tries
            before = moved()
            self.until(lambda: moved() != before, f"anything to move under {kind}", often)
            self._switches.delete(f"/_sim/faults/{kind}").raise_for_status()
            self.happened[kind] += 1

    def progress(self) -> tuple[Any, ...]:
        """What moves: rows done and attempts made."""
        return self.look(
            lambda: tuple(
                db.session.execute(
                    select(
                        select(func.count()).where(OutboxRow.done_at.is_not(None)).scalar_subquery(),
                        select(func.count()).select_from(RegistryAttempt).scalar_subquery(),
                    )
                ).one()
            )
        )

    def parked(self) -> int:
        """How many rows wait for the operator."""
        waiting = select(func.count()).where(OutboxRow.parked_at.is_not(None), OutboxRow.done_at.is_(None))
        return int(self.look(lambda: db.session.scalar(waiting)) or 0)

    def hurry(self) -> None:
        """Time passes for what waits or is leased, also for what a living worker has in hand."""

        def now_due() -> None:
            with transaction() as session:
                waiting = (OutboxRow.done_at.is_(None), OutboxRow.parked_at.is_(None))
                ago = func.now()
                session.execute(update(OutboxRow).where(*waiting).values(available_at=ago, lease_until=None))

        self.look(now_due)

    def look(self, ask: Callable[[], Any]) -> Any:
        """Ask the database, again after a crash of it."""
        for _ in range(100):
            try:
                return ask()
            except OperationalError:
                time.sleep(0.1)
            finally:
                db.session.remove()
        raise AssertionError("the database does not come back")

    def until(self, condition: Callable[[], bool], what: str, hurry_every: int = 20) -> None:
        """Wait until it holds; what waits is hurried on the way, once in so many looks."""
        end = time.monotonic() + PATIENCE_SECONDS
        for turn in range(1_000_000):
            if condition():
                return
            ended = [process.args for process in self._workers if process.poll() is not None]
            assert not ended, f"a worker has ended by itself: {self._log()}"
            assert time.monotonic() < end, f"waited in vain for {what}: {self._log()}"
            if turn % hurry_every == hurry_every - 1:
                self.hurry()
            time.sleep(0.05)

    def close(self) -> None:
        """End every process."""
        self._switches.close()
        for process in (*self._workers, self._registry):
            process.kill()
            process.wait(10)

    def _faults(self) -> dict[str, Any]:
        found: dict[str, Any] = self._switches.get("/_sim/faults").json()
        return found.get("on", found)

    def _start_worker(self, number: int) -> subprocess.Popen[bytes]:
        return self._start(python("backend.worker"), "worker", ANJU_WORKER_HEALTH_PORT=str(self._healths[number]))

    def _start(self, command: tuple[str, ...], name: str, **more: str) -> subprocess.Popen[bytes]:
        with open(self.folder / f"{name}.log", "ab") as log:
            return subprocess.Popen(command, cwd=TOP, env={**self.environment, **more}, stdout=log, stderr=log)

    def _log(self) -> str:
        return (self.folder / "worker.log").read_text(errors="replace")[-1500:]


@pytest.fixture
def own_postgres() -> Iterator[ThrowawayPostgres]:
    """A server that may crash without harm to other tests; what it has confirmed it keeps."""
    server = ThrowawayPostgres(synchronous_commit="on")
    yield server
    server.close()


@pytest.mark.parametrize(
    ("count", "workers", "rounds"),
    [(40, 2, 1), pytest.param(2_000, 3, 4, marks=pytest.mark.release)],
    ids=["40", "2000"],
)
def test_every_record_is_at_the_registry_exactly_once_whatever_goes_wrong(
    own_postgres: ThrowawayPostgres, tmp_path: Path, count: int, workers: int, rounds: int
) -> None:
    seed = int(os.environ.get("ANJU_TEST_SEED") or random.SystemRandom().randrange(10**6))
    print(f"ANJU_TEST_SEED={seed}")
    chaos = Chaos(tmp_path, own_postgres, seed, workers)
    app = core_app(Settings.from_environment(chaos.environment))
    try:
        with app.app_context():
            world = world_of(app)
            kinds = [*TIMED, *LASTING, KILL, CRASH] * rounds
            chaos.source.shuffle(kinds)
            chaos.start_workers()
            made: list[str] = []
            for place, kind in enumerate(kinds):
                chaos.disturb(kind)
                share = count * (place + 1) // len(kinds) - len(made)
                made += chaos.look(lambda share=share: make_versions(world, share))
                world.wake_up.notify("registry")
                chaos.settle(kind)
            assert chaos.look(lambda: retry_all_parked(world, actor=OPERATOR)), "under a bad receipt rows were parked"
            chaos.until(lambda: chaos.look(_all_done), "everything to be accepted")
            assert set(chaos.happened) == {*TIMED, *LASTING, KILL, CRASH}
            assert len(made) == count
            check_ours(world, made)
            check_theirs(tmp_path, made)
            for day, town in list_pairs():
                assert reconcile(world, day=day, town=town, actor=OPERATOR).outcome == "equal"
    finally:
        chaos.close()
        with app.app_context():
            world_of(app).wake_up.close()  # type: ignore[attr-defined]  # the real one has it
            world_of(app).registry._client().close()  # type: ignore[attr-defined]  # its sockets end with the test
            db.session.remove()
            db.engine.dispose()


def make_versions(world: World, count: int) -> list[str]:
    """Declared registrations, each with an amendment behind it."""
    made = make_backlog(world, count)
    now = world.clock.now()
    rows = [
        {"destination": "registry", "aggregate_id": record, "kind": "AMEND", "created_at": now, "available_at": now,
         "payload": {"leg": "TENANT", "version": 3}}
        for record in made
    ]  # fmt: skip
    with transaction() as session:
        session.execute(update(Registration).where(Registration.id.in_(made)).values(version=3))
        if rows:
            session.execute(insert(OutboxRow), rows)
    return made


def _all_done() -> bool:
    return not db.session.scalar(select(func.count()).where(OutboxRow.done_at.is_(None)))


def check_ours(world: World, made: list[str]) -> None:
    """Each has the receipt of its last version, which verifies, and no row was accepted twice.

    A row whose receipts were spoilt may have been overtaken by the later version: that one alone is accepted then.
    """
    keys = world.registry.receipt_keys()
    rows = db.session.scalars(select(Registration)).all()
    assert {row.id for row in rows} == set(made)
    for row in rows:
        receipt = verify_receipt(row.receipt_token or "", keys)
        assert (receipt.record_id, receipt.record_version, receipt.declared_at) == (
            row.id, 3, row.declared_at.replace(microsecond=row.declared_at.microsecond // 1000 * 1000),
        )  # fmt: skip
        assert (row.registry_state, row.registry_version, row.receipt_no) == ("accepted", 3, receipt.number)
    accepted, overtaken, spoilt = (
        db.session.scalars(select(RegistryAttempt.outbox_id).where(condition)).all()
        for condition in (
            RegistryAttempt.outcome == "accepted",
            RegistryAttempt.outcome == "superseded",
            (RegistryAttempt.outcome == "alarm") & RegistryAttempt.reason.endswith(":unknown_key"),
        )
    )
    assert len(accepted) + len(overtaken) == len({*accepted, *overtaken}) == 2 * len(made)
    assert set(overtaken) <= set(spoilt)


def check_theirs(folder: Path, made: list[str]) -> None:
    """Both versions of each record once, the first before the second, and no record that we do not know."""
    with closing(sqlite3.connect(folder / "registry" / "registry.db")) as registry:
        rows = registry.execute("SELECT record_id, version, receipt_no FROM versions").fetchall()
        held = registry.execute("SELECT record_id, version FROM legs").fetchall()
    assert Counter((record, version) for record, version, _ in rows) == Counter(
        (record, version) for record in made for version in (2, 3)
    )
    order = {(record, version): receipt_no.split("-")[2:4] for record, version, receipt_no in rows}
    assert all(order[record, 2] < order[record, 3] for record in made)
    assert sorted(held) == sorted((record, 3) for record in made)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").status_code == 200
    except httpx.HTTPError:
        return False
