"""The main journey with everything real: processes, HTTP, MQTT, near link, face engine, registry, two databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from device_sim.faces import second_person
from tests.journeys.village import Played, Village
from tests.postgres import ThrowawayPostgres


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Village]:
    started = Village(tmp_path_factory.mktemp("village") / "var")
    yield started
    started.close()


def assert_done(played: Played, village: Village) -> None:
    assert played.status == 0, "\n".join(played.lines) + str(played.told.get("reason"))
    assert len(played.told["steps"]) >= 20
    assert played.told["checkout_receipt_no"].startswith("R-330522003-")
    verified = village.command("receipt", "verify", played.told["receipt"])
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_the_journey_ends_with_a_receipt_that_verifies(village: Village) -> None:
    played = village.play()
    assert_done(played, village)
    assert played.told["face"] == "match"
    assert any("made from the selfie by warps" in line for line in played.lines), "nobody takes it for a recording"


def test_two_different_people_stop_at_the_identity_step_with_the_other_ways(village: Village, tmp_path: Path) -> None:
    other = tmp_path / "other.jpg"
    other.write_bytes(second_person())
    played = village.play("--document", str(other))
    assert played.status == 3, played.lines
    assert played.told["reason"] and len(played.told["other_ways"]) >= 2
    assert played.told["steps"][-1]["en"] == "name and document are entered"


def test_a_picture_without_a_face_stops_with_the_tip(village: Village, tmp_path: Path) -> None:
    empty = tmp_path / "empty.jpg"
    Image.new("RGB", (900, 700), (110, 150, 90)).save(empty)
    played = village.play("--document", str(empty))
    assert played.status == 4, played.lines
    assert "document" in played.told["reason"]


def test_a_picture_that_is_not_there_is_one_sentence(village: Village, tmp_path: Path) -> None:
    played = village.play("--selfie", str(tmp_path / "nothing.jpg"))
    assert played.status == 1
    assert "nothing.jpg" in played.told["reason"]


def test_killing_every_process_in_turn_leaves_one_key_one_registration_one_receipt(village: Village) -> None:
    # Each is killed at the moment in which it has work: the step named has just been told as done.
    plan = {
        "invited": ("locks", "console"),
        "name and document": ("bridge",),
        "is declared": ("worker", "registry"),
        "without a network": ("mobile",),
        "sees who looked": ("broker",),
        "checks out": ("bridge", "worker"),
    }

    def strike(line: str) -> None:
        for words in [words for words in plan if words in line and "✓" in line]:
            for name in plan.pop(words):
                village.kill(name)

    played = village.play(on_line=strike)
    assert not plan
    assert_done(played, village)
    told = {"id": played.told["registration_id"]}
    lease = "(SELECT lease_id FROM registrations WHERE id = replace(:id, '-', ''))"  # SQLite keeps UUIDs as bare hex
    assert village.count("anju.db", f"SELECT count(*) FROM registrations WHERE lease_id = {lease}", told) == 1
    assert village.count("anju.db", f"SELECT count(*) FROM keys WHERE lease_id = {lease}", told) == 1
    assert village.count("registry/registry.db", "SELECT count(*) FROM records WHERE id = :id", told) == 1
    twice = "SELECT count(*) - count(DISTINCT leg || op || payload_hash) FROM versions WHERE record_id = :id"
    assert village.count("registry/registry.db", twice, told) == 0


def test_the_journey_runs_on_postgresql_too(postgres: ThrowawayPostgres, tmp_path: Path) -> None:
    name = postgres.create()
    village = Village(tmp_path / "var", postgres.url(name))
    try:
        assert_done(village.play(), village)
    finally:
        village.close()
        postgres.drop(name)
