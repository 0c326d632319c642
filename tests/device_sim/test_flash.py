"""Flash keeps what was written, in memory and in the fleet's file alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device_sim.flash import Flash, FlashFile, MemoryFlash, Stored

EVENTS = [Stored(seq, f"text {seq}", bytes([seq]) * 32) for seq in range(1, 6)]


@pytest.fixture(params=["memory", "file"])
def flash(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flash]:
    if request.param == "memory":
        yield MemoryFlash()
        return
    file = FlashFile(tmp_path / "sim" / "flash.db")
    other = file.of("another lock")
    other.save({"other": True})
    yield file.of("lock")
    assert other.load() == {"other": True}, "one lock's chip is not another's"
    file.close()


def test_state_is_replaced_whole_and_events_stay_until_forgotten(flash: Flash) -> None:
    assert flash.load() is None and flash.load_events() == []
    flash.save({"a": 1})
    flash.save({"b": [2]})
    assert flash.load() == {"b": [2]}
    for event in EVENTS:
        flash.put_event(event)
    flash.put_event(Stored(3, "hole", EVENTS[2].hash))
    flash.forget_events(2)
    assert flash.load_events() == [Stored(3, "hole", EVENTS[2].hash), *EVENTS[3:]]
    flash.wipe()
    assert flash.load() is None and flash.load_events() == []


def test_the_file_survives_its_process_and_is_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "flash.db"
    first = FlashFile(path)
    first.of("lock").save({"epoch": 3})
    again = FlashFile(path)
    assert again.of("lock").load() == {"epoch": 3}
    assert path.stat().st_mode & 0o777 == 0o600
    first.close()
    again.close()
