"""The operator's commands about locks and the evidence of their events."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from backend import locks_cli
from backend.cli import main
from backend.db import db
from backend.models.audit import AuditLeaf
from backend.models.locks import Lock
from backend.services import lock_reports
from backend.services.lock_logs import record_events
from backend.services.lock_manifests import import_locks
from backend.wire.jwk import make_private_key, thumbprint
from backend.wire.lock_messages import Telemetry
from device_sim.identities import make_identities, make_identity, write_manifest
from tests.services import stories
from tests.services.reports import AT, make_batch, make_birth
from tests.services.stories import Story

NEW = make_identity(7, 2)
TOP = Path(__file__).resolve().parents[1]
CASE = "AJ-20261123-0007"


class Shell:
    """The operator's commands, on this test's installation; answers exit status, output and complaints."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str) -> tuple[int, str, str]:
        db.session.remove()
        self._capsys.readouterr()
        status = main(["lock", *words])
        shown = self._capsys.readouterr()
        return status, shown.out, shown.err


@pytest.fixture
def shell(
    core: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Shell:
    # The commands open an installation of their own; here it is the test's, whose clock and outside parts are fakes.
    monkeypatch.setattr(locks_cli, "core_app", lambda _settings: core)
    for name, value in (("DEMO", "1"), ("VAR", settings.var), ("DATABASE_URL", settings.database_url)):
        monkeypatch.setenv(f"ANJU_{name}", str(value))
    monkeypatch.chdir(tmp_path)
    return Shell(capsys)


@pytest.fixture
def story(core: Any, world: Any) -> Story:
    """A tenant with an active key whose lock has told and signed three events, and a lock that nobody has claimed."""
    story = stories.make_active(world)
    lock_id = story.identity.lock_id
    lock_reports.record_birth(world, lock_id, make_birth(lock_id))
    lock_reports.record_telemetry(world, lock_id, Telemetry(AT, "ok", 2, 81, -60, 20, "locked"))
    opened = ("lock.unlocked", {"key": story.key_id, "via": "near"})
    batch = make_batch(story.identity, [opened, ("door.opened", {}), ("door.forced", {})], signed=True)
    record_events(world, [(lock_id, batch)])
    import_locks(world, [NEW.public_part()])
    return story


@pytest.fixture
def evidence(shell: Shell, story: Story) -> Path:
    """A file of evidence, exported."""
    status, _, err = shell(
        "export-events", story.identity.serial, "--ground", "tenant_request", "--case", CASE, "--out", "e.jsonl"
    )
    assert status == 0, err
    return Path("e.jsonl")


def lock_of(lock_id: str) -> Lock:
    db.session.remove()
    return db.session.get_one(Lock, lock_id)


def accounts(settings: Any) -> str:
    return str((settings.var / "broker" / "passwords").read_text())


def test_a_manifest_is_tried_then_imported_and_the_broker_learns_the_accounts(shell: Shell, settings: Any) -> None:
    write_manifest(make_identities(3, 7), Path("factory"))
    status, out, _ = shell("add", "factory/manifest.json", "--check")
    assert (status, out) == (0, "3 locks would be imported, 0 are known; nothing was changed\n")
    assert not (settings.var / "broker" / "passwords").exists()
    assert shell("add", "factory/manifest.json")[:2] == (0, "3 locks imported, 0 were known\n")
    assert shell("add", "factory/manifest.json")[:2] == (0, "0 locks imported, 3 were known\n")
    assert NEW.lock_id in accounts(settings)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_bad_manifest_is_told_row_by_row_and_changes_nothing(shell: Shell) -> None:
    rows = [make_identity(7, number).public_part() for number in (1, 2)]
    rows[1]["serial"], rows[1]["public_key"] = "a b", None
    for check in ([], ["--check"]):
        for text, words in (
            (json.dumps({"locks": rows}), ("locks/1/serial: Row 2 (?)", "locks/1/public_key", "nothing was imported")),
            ("{", ("not JSON: Expecting property name", "line 1 column 2")),
            ("[" * 100_000, ("not JSON",)),
            ("[]", ("This is no manifest",)),
        ):
            Path("m.json").write_text(text)
            status, out, err = shell("add", "m.json", *check)
            assert status == 1 and out == "" and all(word in err for word in words), err
    assert shell("add", "none.json")[0] == 1
    assert shell("list")[1].count("\n") == 1


def test_the_list_shows_each_lock_and_its_filters_narrow_it(shell: Shell, story: Story) -> None:
    status, out, _ = shell("list")
    assert status == 0
    ours, other = out.splitlines()[1:]
    assert ours.split() == [story.identity.serial, "online", *ours.split()[2:]]
    version = lock_of(story.identity.lock_id).list_version
    for word in ("81 %", "forced", f"0/{version} !", "陈塘路1号 101室", "2026-11-23T02:00:00Z"):
        assert word in ours
    assert other.startswith(f"{NEW.serial:<20} never     -")
    assert [len(shell("list", flag)[1].splitlines()) for flag in ("--offline", "--alarm", "--unclaimed")] == [2, 2, 2]
    assert story.identity.serial in shell("list", "--alarm")[1]
    assert NEW.serial in shell("list", "--offline")[1] and NEW.serial in shell("list", "--unclaimed")[1]
    assert shell("list", "--alarm", "--unclaimed")[1].count("\n") == 1
    shown = json.loads(shell("list", "--json")[1])
    assert [(row["serial"], row["alarm"], row["reported"]) for row in shown] == [
        (story.identity.serial, "forced", 0),
        (NEW.serial, None, 0),
    ]


def test_one_lock_is_shown_with_everything_but_openings_and_persons(shell: Shell, world: Any, story: Story) -> None:
    lock_reports.record_rejected_message(world, story.identity.lock_id, "up/evt", "malformed")
    version = lock_of(story.identity.lock_id).list_version
    for name in (story.identity.serial, story.identity.lock_id):
        status, out, _ = shell("show", name)
        assert status == 0
        for word in (f"desired {version}, reported 0", "stored to 3, signed to 3, kept from 1", "sim-1.0", "81 %"):
            assert word in out
        assert "malformed  ×1" in out
        for secret in (story.key_id, "周来福", "沈安一", "unlocked", "小周", stories.TENANT_PHONE):
            assert secret not in out
    assert shell("show", "S9") == (1, "", "anju: lock: There is no such lock. See `lock list` for serials and ids.\n")


def test_what_was_refused_is_listed_for_all_locks_or_one(shell: Shell, world: Any, story: Story) -> None:
    assert shell("anomalies")[1] == "no message was refused\n"
    for _ in range(3):
        lock_reports.record_rejected_message(world, story.identity.lock_id, "up/tel", "too_large")
    assert "message: too_large  ×3" in shell("anomalies")[1]
    assert "too_large" in shell("anomalies", story.identity.serial)[1]
    assert shell("anomalies", NEW.serial)[1] == "no message was refused\n"


def test_an_alarm_is_acknowledged_once(shell: Shell, story: Story) -> None:
    assert "forced" in shell("acknowledge", story.identity.serial)[1]
    assert shell("acknowledge", story.identity.serial)[0] == 1


def test_replacing_asks_first_and_tells_what_it_did(shell: Shell, settings: Any, story: Story) -> None:
    words = ("replace", story.identity.serial, NEW.serial, "--reason", "broken", "--now")
    status, _, err = shell(*words)
    assert status == 1 and "Say --yes" in err and "not online" in err
    assert lock_of(NEW.lock_id).unit_id is None, "nothing was changed"
    status, out, _ = shell(*words, "--yes")
    assert status == 0 and "its event chain is closed at 3, its broker account is gone" in out
    assert lock_of(NEW.lock_id).unit_id == story.unit_id
    assert NEW.lock_id in accounts(settings) and story.identity.lock_id not in accounts(settings)
    assert f"replaced by   {NEW.lock_id}" in shell("show", story.identity.serial)[1]


@pytest.mark.parametrize(("answer", "status"), [("yes", 0), ("no", 1), ("", 1)])
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_on_a_terminal_the_operator_is_asked(
    shell: Shell, story: Story, monkeypatch: pytest.MonkeyPatch, answer: str, status: int
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _question: answer)
    assert shell("retire", NEW.serial, "--now")[0] == status
    assert (lock_of(NEW.lock_id).retired_at is not None) == (status == 0)


def test_a_lock_behind_which_somebody_lives_is_not_retired_and_the_way_is_named(shell: Shell, story: Story) -> None:
    status, _, err = shell("retire", story.identity.serial, "--now", "--yes", "--reason", "stolen")
    assert status == 1 and "lock replace OLD NEW" in err and "occupant" in err
    assert lock_of(story.identity.lock_id).retiring_at is None


def test_a_lock_that_is_away_is_retiring_until_it_has_said_its_last_word(
    shell: Shell, settings: Any, world: Any, story: Story
) -> None:
    status, out, _ = shell("retire", NEW.serial, "--yes")
    assert status == 0 and "told to wipe itself when it comes online" in out
    assert NEW.lock_id in accounts(settings), "it must still be able to say its last word"
    assert "(going)" in shell("list")[1]
    assert "is retired" in shell("retire", NEW.serial, "--yes", "--now")[1]
    assert NEW.lock_id not in accounts(settings) and NEW.serial not in shell("list")[1]


def test_exported_evidence_verifies_with_nothing_but_the_file(
    shell: Shell, settings: Any, evidence: Path, tmp_path: Path
) -> None:
    assert evidence.stat().st_mode & 0o777 == 0o600
    bare = {"PATH": os.environ["PATH"], "ANJU_VAR": str(tmp_path / "nothing")}
    command = [sys.executable, "-m", "backend.cli", "lock", "verify-events", str(evidence.resolve())]
    done = subprocess.run(command, cwd=TOP, env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not (tmp_path / "nothing").exists()
    out = done.stdout
    assert "As it was written" in out and "named by the file" in out
    for word in ("1 to 3, none missing, none changed", "门锁签名: 1 to 3", CASE):
        assert word in out
    pinned = shell("verify-events", "e.jsonl", "--keys", str(settings.keys_folder / "platform.jwks.json"))
    assert pinned[0] == 0 and "given with --keys" in pinned[1]


def test_a_flipped_byte_is_named_by_place_line_and_event(shell: Shell, evidence: Path) -> None:
    raw = bytearray(evidence.read_bytes())
    place = raw.index(b"door.opened") + 5
    raw[place] ^= 1
    evidence.write_bytes(raw)
    status, out, err = shell("verify-events", "e.jsonl")
    assert (status, out) == (1, "")
    assert f"first changed byte: {place} (counted from 0), line 5, event 2" in err
    evidence.write_bytes(raw[:400])
    assert "between bytes" in shell("verify-events", "e.jsonl")[2]


def test_a_file_by_another_platform_is_refused_when_keys_are_given(shell: Shell, evidence: Path) -> None:
    from backend.wire.jwk import keys_to_jwks

    key = make_private_key().public_key()
    Path("other.json").write_text(json.dumps(keys_to_jwks({thumbprint(key): key})))
    status, _, err = shell("verify-events", "e.jsonl", "--keys", "other.json")
    assert status == 1 and "given keys" in err
    Path("broken.json").write_text("{}")
    assert "no public keys" in shell("verify-events", "e.jsonl", "--keys", "broken.json")[2]
    assert shell("verify-events", "none.jsonl")[0] == 1


def test_an_export_never_writes_over_a_file_and_then_leaves_no_trace(
    shell: Shell, evidence: Path, story: Story
) -> None:
    words = ("export-events", story.identity.serial, "--ground", "court_order", "--case", CASE)
    assert shell(*words, "--out", "e.jsonl")[0] == 1
    assert shell(*words, "--out", "nowhere/e.jsonl")[0] == 1
    db.session.remove()
    assert db.session.query(AuditLeaf).filter_by(action="door_events_exported").count() == 1
    assert shell(*words)[0] == 0 and Path(f"events-{story.identity.serial}.jsonl").exists()


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_an_export_needs_a_ground_and_a_case(shell: Shell, story: Story) -> None:
    for words in (("--case", CASE), ("--ground", "court_order"), ("--ground", "landlord", "--case", CASE)):
        with pytest.raises(SystemExit) as ended:
            shell("export-events", story.identity.serial, *words)
        assert ended.value.code == 2
    status, _, err = shell("export-events", story.identity.serial, "--ground", "court_order", "--case", "?")
    assert status == 1 and "4–40 letters" in err
