"""Backup and restore: both databases come back, keys stay apart, and a damaged backup changes nothing."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from backend.backups import BackupRefused, back_up, main, restore
from backend.broker import bridge_names
from backend.config import Settings, bridge_password_file
from backend.database_copies import Database, copy_database, put_database
from backend.ports import free_ports
from backend.processes import PORTS
from backend.supervisor import Supervisor
from tests.postgres import ThrowawayPostgres

Write = Callable[[str], None]


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small installation: two databases, keys, and what is rebuilt."""
    folder = tmp_path / "var"
    monkeypatch.setenv("ANJU_VAR", str(folder))
    monkeypatch.setenv("ANJU_DEMO", "1")
    monkeypatch.delenv("ANJU_DATABASE_URL", raising=False)
    for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True):
        monkeypatch.setenv(f"ANJU_{name.upper()}", str(port))
    for part in ("keys", "registry", "broker/store", "run"):
        (folder / part).mkdir(parents=True)
    (folder / "keys" / "ring.json").write_text("kek of day one")
    (folder / "keys" / "platform-signing.pem").write_text("platform of day one")
    (folder / "keys" / ".lock").touch()
    (folder / "registry" / "signing-key.pem").write_text("registry of day one")
    (folder / "broker" / "store" / "mosquitto.db").write_text("retained")
    write(folder / "anju.db", "day one")
    write(folder / "registry" / "registry.db", "day one there")
    return folder


@pytest.fixture
def settings(var: Path) -> Settings:
    """The installation's settings."""
    return Settings.from_environment(dict(os.environ))


def write(path: Path, word: str) -> None:
    """Add a word to a database, in WAL mode as the product's are."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE IF NOT EXISTS words (word TEXT)")
        connection.execute("INSERT INTO words VALUES (?)", (word,))


def words(path: Path) -> list[str]:
    """The words in a database."""
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT word FROM words ORDER BY rowid")]


def made(folder: Path) -> tuple[Path, Path]:
    """The two folders of the only backup in `folder`."""
    keys = next(path for path in folder.iterdir() if path.name.endswith("-keys"))
    return folder / keys.name.removesuffix("-keys"), keys


def test_a_backup_comes_back_whole(settings: Settings, var: Path, tmp_path: Path) -> None:
    lines = back_up(settings, tmp_path / "out", tmp_path / "out")
    assert any("apart" in line for line in lines) and any("rebuilt" in line for line in lines)
    write(var / "anju.db", "day two")
    write(var / "registry" / "registry.db", "day two there")
    (var / "keys" / "ring.json").write_text("kek of day two")
    (var / "registry" / "signing-key.pem").write_text("registry of day two")
    data, _ = made(tmp_path / "out")
    restore(settings, data, None)
    assert words(var / "anju.db") == ["day one"]
    assert words(var / "registry" / "registry.db") == ["day one there"]
    assert (var / "keys" / "ring.json").read_text() == "kek of day one"
    assert (var / "registry" / "signing-key.pem").read_text() == "registry of day one"


def test_the_passwords_of_all_bridges_come_back_and_the_brokers_files_are_made_anew(
    settings: Settings, var: Path, tmp_path: Path
) -> None:
    first, second = (bridge_password_file(var / "keys", name) for name in bridge_names(2))
    first.write_text("one of day one")
    second.write_text("two of day one")
    (var / "run" / "prepared").write_text("as it was")
    back_up(settings, tmp_path / "out", tmp_path / "out")
    first.write_text("one of day two")
    second.unlink()
    restore(settings, made(tmp_path / "out")[0], None)
    assert (first.read_text(), second.read_text()) == ("one of day one", "two of day one")
    assert second.stat().st_mode & 0o077 == 0
    assert not (var / "run" / "prepared").exists(), "the next start gives the broker these passwords again"


def test_what_a_restore_replaces_is_kept_aside(settings: Settings, var: Path, tmp_path: Path) -> None:
    back_up(settings, tmp_path / "out", tmp_path / "out")
    write(var / "anju.db", "day two")
    (var / "keys" / "ring.json").write_text("kek of day two")
    restore(settings, made(tmp_path / "out")[0], None)
    (aside,) = var.glob("replaced-*")
    assert words(aside / "anju.db") == ["day one", "day two"]
    assert (aside / "keys" / "ring.json").read_text() == "kek of day two"


def test_a_copy_is_of_one_moment_while_another_process_writes(settings: Settings, var: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(var / "anju.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO words VALUES ('not yet committed')")
        back_up(settings, tmp_path / "out", tmp_path / "out")
        writer.execute("COMMIT")
    assert words(made(tmp_path / "out")[0] / "anju.db") == ["day one"]


def test_keys_and_databases_lie_in_different_folders_closed_to_others(settings: Settings, tmp_path: Path) -> None:
    back_up(settings, tmp_path / "data", tmp_path / "safe")
    (data,), (keys,) = (tmp_path / "data").iterdir(), (tmp_path / "safe").iterdir()
    assert {path.name for path in data.iterdir()} == {"anju.db", "registry.db", "manifest.json"}
    assert (keys / "keys" / "ring.json").stat().st_mode & 0o077 == 0
    assert keys.stat().st_mode & 0o077 == 0 and data.stat().st_mode & 0o077 == 0
    assert not any(b"kek of day one" in path.read_bytes() for path in data.iterdir())


@pytest.mark.parametrize("damage", ["flip", "missing", "extra", "manifest"])
@pytest.mark.parametrize("side", ["data", "keys"])
def test_a_damaged_backup_changes_nothing(
    settings: Settings, var: Path, tmp_path: Path, damage: str, side: str
) -> None:
    back_up(settings, tmp_path / "out", tmp_path / "out")
    data, keys = made(tmp_path / "out")
    folder, name = (data, "anju.db") if side == "data" else (keys, "keys/ring.json")
    if damage == "flip":
        content = bytearray((folder / name).read_bytes())
        content[-1] ^= 1
        (folder / name).write_bytes(content)
    elif damage == "missing":
        (folder / name).unlink()
    elif damage == "extra":
        (folder / "extra.db").write_text("who put this here")
    else:
        (folder / "manifest.json").write_text("{")
    with pytest.raises(BackupRefused):
        restore(settings, data, None)
    assert words(var / "anju.db") == ["day one"]
    assert not list(var.glob("replaced-*"))


def test_keys_of_another_backup_are_refused(settings: Settings, var: Path, tmp_path: Path) -> None:
    back_up(settings, tmp_path / "one", tmp_path / "one")
    (var / "keys" / "ring.json").write_text("another ring")
    back_up(settings, tmp_path / "two", tmp_path / "two")
    with pytest.raises(BackupRefused, match="belong to another backup"):
        restore(settings, made(tmp_path / "one")[0], made(tmp_path / "two")[1])


def test_without_its_keys_a_backup_is_not_put_in_place(settings: Settings, tmp_path: Path) -> None:
    back_up(settings, tmp_path / "data", tmp_path / "safe")
    (data,) = (tmp_path / "data").iterdir()
    with pytest.raises(BackupRefused, match="--keys"):
        restore(settings, data, None)
    restore(settings, data, tmp_path / "safe" / f"{data.name}-keys")


def test_a_restore_waits_for_all_processes_to_be_stopped(settings: Settings, var: Path, tmp_path: Path) -> None:
    back_up(settings, tmp_path / "out", tmp_path / "out")
    with Supervisor([], var=var, environment={}, folder=tmp_path, say=print):
        with pytest.raises(BackupRefused, match="is running"):
            restore(settings, made(tmp_path / "out")[0], None)


def test_a_restore_waits_for_whoever_has_a_database_open(settings: Settings, var: Path, tmp_path: Path) -> None:
    back_up(settings, tmp_path / "out", tmp_path / "out")
    with closing(sqlite3.connect(var / "anju.db")) as holder:
        holder.execute("SELECT 1 FROM words")
        with pytest.raises(BackupRefused, match=f"in use by .*{os.getpid()}"):
            restore(settings, made(tmp_path / "out")[0], None)


def test_a_failed_backup_leaves_nothing_half_done(settings: Settings, var: Path, tmp_path: Path) -> None:
    (var / "anju.db").write_bytes(b"this was a database once" * 99)
    assert main(["backup", "--to", str(tmp_path / "out")]) == 1
    assert list((tmp_path / "out").iterdir()) == []


def test_the_command_says_what_it_made_and_refuses_in_a_sentence(
    var: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backup", "--to", str(tmp_path / "out")]) == 0
    assert "Keep the two folders apart" in capsys.readouterr().out
    assert main(["restore", str(made(tmp_path / "out")[0])]) == 0
    assert main(["restore", str(tmp_path / "nowhere")]) == 1
    assert "is not a backup made by Anju" in capsys.readouterr().err


def test_postgresql_comes_back_too(postgres: ThrowawayPostgres, tmp_path: Path) -> None:
    name = postgres.create()
    database = Database("anju", postgres.url(name))
    postgres_words(postgres, name, "CREATE TABLE words (word text)", "INSERT INTO words VALUES ('day one')")
    copies, aside = tmp_path / "copies", tmp_path / "aside"
    copies.mkdir()
    aside.mkdir()
    assert copy_database(database, copies) == "anju.pgdump"
    postgres_words(postgres, name, "INSERT INTO words VALUES ('day two')")
    put_database(database, copies / "anju.pgdump", aside)
    assert postgres_words(postgres, name) == ["day one"]
    assert (aside / "anju.pgdump").stat().st_mode & 0o077 == 0
    postgres.drop(name)


def test_the_months_of_events_come_back_too(
    postgres: ThrowawayPostgres, migrated_postgres: str, tmp_path: Path
) -> None:
    """A partitioned table, put back where another month has been made and one has been dropped since."""
    import psycopg

    name = postgres.create(migrated_postgres)
    database = Database("anju", postgres.url(name))
    copies, aside = tmp_path / "copies", tmp_path / "aside"
    copies.mkdir()
    aside.mkdir()
    event = "('x', {}, '2031-05-05', 'door.opened', '{{}}', 'h', false, '2031-05-05')"
    insert = "INSERT INTO lock_events (lock_id, seq, at, kind, text, hash, late, received_at) VALUES " + event
    month = "CREATE TABLE lock_events_y2031m{0} PARTITION OF lock_events "
    month += "FOR VALUES FROM ('2031-{0}-01') TO ('2031-{1}-01')"
    with psycopg.connect(postgres.url(name).replace("+psycopg", ""), autocommit=True) as connection:

        def run(statement: str) -> None:
            connection.execute(statement.encode())

        run(month.format("05", "06"))
        run(insert.format(1))
        copy_database(database, copies)
        run("DROP TABLE lock_events_y2031m05")
        run(month.format("07", "08"))
        put_database(database, copies / "anju.pgdump", aside)
        rows = connection.execute("SELECT tableoid::regclass::text, seq FROM lock_events").fetchall()
        assert rows == [("lock_events_y2031m05", 1)]
        run(insert.format(2))
    postgres.drop(name)


def postgres_words(postgres: ThrowawayPostgres, name: str, *statements: str) -> list[str]:
    """Run statements on a database and read its words."""
    import psycopg

    with psycopg.connect(postgres.url(name).replace("+psycopg", ""), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())
        return [row[0] for row in connection.execute("SELECT word FROM words")]
