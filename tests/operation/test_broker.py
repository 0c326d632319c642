"""The broker's files: what Mosquitto itself makes of them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from backend.broker import (
    ACL,
    BRIDGE_USER,
    bridge_names,
    bridge_password,
    hash_password,
    reload_broker,
    write_broker_files,
    write_configuration,
    write_passwords,
)
from backend.config import Settings, bridge_password_file
from tests.mosquitto import TestBroker, can_log_in

LOCK, OTHER = "0198c0de-0000-7000-8000-000000000001", "0198c0de-0000-7000-8000-000000000002"


def test_the_hash_is_the_one_that_mosquittos_own_tool_makes(tmp_path: Path) -> None:
    tool = shutil.which("mosquitto_passwd")
    assert tool, "mosquitto_passwd comes with Mosquitto"
    path = tmp_path / "passwords"
    subprocess.run([tool, "-b", "-c", str(path), "anna", "open sesame"], check=True, capture_output=True)
    theirs = path.read_text().strip().partition(":")[2]
    import base64

    assert hash_password("open sesame", base64.b64decode(theirs.split("$")[3])) == theirs


def test_a_lock_and_the_bridge_log_in_with_their_own_password_only(broker: TestBroker) -> None:
    broker.add_lock(LOCK, "lock's own")
    assert can_log_in(broker.port, LOCK, "lock's own")
    assert can_log_in(broker.port, BRIDGE_USER, broker.password)
    assert not can_log_in(broker.port, LOCK, broker.password)
    assert not can_log_in(broker.port, BRIDGE_USER, "lock's own")
    assert not can_log_in(broker.port, OTHER, "lock's own")


def test_a_lock_added_later_logs_in_without_a_restart(broker: TestBroker) -> None:
    assert not can_log_in(broker.port, OTHER, "later")
    broker.add_lock(OTHER, "later")
    assert can_log_in(broker.port, OTHER, "later")


@pytest.mark.parametrize("name", ["+", "#", "a/b", "a\nuser root", "", "a:b", "a b", BRIDGE_USER, "anju-bridge-9"])
def test_a_lock_whose_id_could_reach_foreign_topics_gets_no_account(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be a lock's account"):
        write_passwords(tmp_path, bridges={BRIDGE_USER: "x"}, locks=[(name, hash_password("y"))])
    assert not (tmp_path / "passwords").exists()


@pytest.mark.parametrize("hashed", ["", "plain text", "$6$abc$def", "$7$101$a$b\nroot:x"])
def test_what_is_not_a_hash_is_not_written(tmp_path: Path, hashed: str) -> None:
    with pytest.raises(ValueError, match=r"not in Mosquitto's \$7\$ form"):
        write_passwords(tmp_path, bridges={BRIDGE_USER: "x"}, locks=[(LOCK, hashed)])


def test_the_files_are_closed_to_others_and_name_no_password(tmp_path: Path) -> None:
    settings = Settings.from_environment({"ANJU_DEMO": "1", "ANJU_VAR": str(tmp_path)})
    write_broker_files(settings, [(LOCK, hash_password("secret"))])
    for name in ("mosquitto.conf", "passwords", "acl"):
        path = tmp_path / "broker" / name
        assert path.stat().st_mode & 0o077 == 0
        assert "secret" not in path.read_text()
        assert bridge_password(tmp_path / "keys") not in path.read_text()


def test_the_configuration_keeps_what_loses_messages_or_time_switched_off(tmp_path: Path) -> None:
    lines = write_configuration(tmp_path, 18830).read_text().splitlines()
    for needed in (
        "listener 18830 127.0.0.1",
        "allow_anonymous false",
        "use_username_as_clientid true",
        "max_queued_messages 0",
        "max_inflight_messages 1000",
        "set_tcp_nodelay true",
        "persistence true",
    ):
        assert needed in lines


def test_the_acl_gives_a_lock_its_own_subtree_in_one_direction_each() -> None:
    assert "pattern write anju/v1/+/%u/up/#" in ACL
    assert "pattern read anju/v1/+/%u/dn/#" in ACL
    assert ACL.count("pattern") == 2
    assert "readwrite" not in ACL


def test_the_bridges_password_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    first = bridge_password(tmp_path / "keys")
    assert bridge_password(tmp_path / "keys") == first
    assert len(first) >= 32
    assert (tmp_path / "keys" / "bridge-mqtt-password").stat().st_mode & 0o077 == 0


def test_each_bridge_has_an_account_and_a_password_of_its_own(tmp_path: Path) -> None:
    settings = Settings.from_environment({"ANJU_DEMO": "1", "ANJU_VAR": str(tmp_path), "ANJU_BRIDGES": "3"})
    write_broker_files(settings, [(LOCK, hash_password("secret"))])
    names = bridge_names(3)
    assert names == ["anju-bridge-1", "anju-bridge-2", "anju-bridge-3"]
    files = [bridge_password_file(settings.keys_folder, name) for name in names]
    assert files[0].name == "bridge-mqtt-password", "as an installation with one bridge has it"
    assert len({path.read_text() for path in files}) == 3
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)
    accounts = [line.partition(":")[0] for line in (tmp_path / "broker" / "passwords").read_text().splitlines()]
    assert accounts == [*names, LOCK]
    acl = (tmp_path / "broker" / "acl").read_text()
    assert [line for line in acl.splitlines() if line.startswith("user ")] == [f"user {name}" for name in names]


def test_every_bridge_of_the_broker_logs_in_under_its_own_name(broker: TestBroker) -> None:
    one, two = broker.bridges
    assert can_log_in(broker.port, two, broker.bridges[two])
    assert not can_log_in(broker.port, two, broker.bridges[one])


def test_reloading_where_no_broker_runs_is_no_error(tmp_path: Path) -> None:
    assert reload_broker(tmp_path) is False


def test_a_pid_file_left_behind_reaches_no_other_program(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "600"]) as other:
        (tmp_path / "mosquitto.pid").write_text(f"{other.pid}\n")
        assert reload_broker(tmp_path) is False
        assert other.poll() is None
        other.kill()
