"""Many at once: the order per record, one filing per key, numbers without a gap, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from backend.registry.app import create_registry_app
from backend.registry.judging import process_once
from backend.registry.tables import batches, versions
from backend.wire.receipts import read_receipt_number
from tests.registry.stage import BOTH, Stage
from tests.wire.registry_makers import OTHER_RECORD, RECORD, make_batch, make_registration_item, make_void

pytestmark = pytest.mark.parametrize("registry_kind", BOTH, indirect=True)
KEY = "key-0123456789abcdef"


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Let all begin at the same moment; answers what each returned."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        gate.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_an_item_told_to_wait_is_not_overtaken_by_a_later_one_of_its_record(stage: Stage) -> None:
    stage.switch_on("slow", seconds=3600)
    first = stage.client.submit(make_batch(make_registration_item()), KEY + "1").batch_id
    stage.registry.faults.switch_off()
    later = make_batch(make_registration_item(record_version=2), make_registration_item(record_id=OTHER_RECORD))
    second = stage.client.submit(later, KEY + "2").batch_id
    assert stage.judge() == 1
    status = stage.client.batch_status(second)
    assert (status.state, [item.state for item in status.items]) == ("PROCESSING", ["PENDING", "ACCEPTED"])
    stage.move(hours=1)
    assert stage.judge() == 2
    assert stage.client.batch_status(first).items[0].state == "ACCEPTED"
    assert stage.client.batch_status(second).state == "DONE"


def test_a_void_takes_its_turn_behind_what_waits_of_its_record(stage: Stage) -> None:
    receipt_no = stage.file_one(make_registration_item()).receipt_no or ""
    stage.client.submit(make_batch(make_registration_item(op="AMEND", record_version=2)), KEY + "1")
    void = make_void(receipt_no, record_version=3)
    assert stage.client.void(void, KEY + "2").state == "PENDING"
    assert stage.judge() == 2
    result = stage.client.void(void, KEY + "2")
    assert stage.receipt_of(result).op == "VOID"
    held = stage.client.find_record(RECORD)
    assert held is not None and held.state == "VOIDED"


def test_one_key_sent_many_times_at_once_is_one_batch(stage: Stage) -> None:
    batch = make_batch(make_registration_item())
    answers = at_once(*[lambda: stage.client.submit(batch, KEY)] * 6)
    assert len(set(answers)) == 1
    with stage.registry.database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(batches)) == 1


def test_several_processes_judge_each_item_once_and_number_receipts_without_a_gap(stage: Stage) -> None:
    ids = [f"0193a001-0000-7000-8000-{n:012d}" for n in range(60)]
    for number, start in enumerate(range(0, 60, 10)):
        items = [make_registration_item(record_id=record_id) for record_id in ids[start : start + 10]]
        stage.client.submit(make_batch(*items), f"{KEY}{number}")
    # an app of its own is what another process is: another engine on the same database
    others = [create_registry_app(stage.settings, clock=lambda: stage.now, start_processor=False) for _ in range(2)]
    registries = [stage.registry, *(app.extensions["registry"] for app in others)]

    def drain(registry: object) -> int:
        judged = 0
        while count := process_once(registry):  # type: ignore[arg-type]
            judged += count
        return judged

    counts = at_once(*[lambda registry=registry: drain(registry) for registry in registries])  # type: ignore[misc]
    for app in others:
        app.extensions["registry"].database.engine.dispose()
    assert sum(map(int, map(str, counts))) == 60
    with stage.registry.database.reading() as connection:
        numbers = connection.scalars(select(versions.c.receipt_no)).all()
    assert sorted(read_receipt_number(number).sequence for number in numbers) == list(range(1, 61))
