"""Role WakeUp: one promise, kept by sockets of one machine and by PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from backend.gateways.wake_up import PostgresWakeUp, SocketWakeUp

PATIENCE_SECONDS = 20.0
AT_ONCE = 0.0


@pytest.fixture
def wake_up(database_kind: str, database_url: str, tmp_path: Path) -> Iterator[PostgresWakeUp | SocketWakeUp]:
    wake_up = PostgresWakeUp(database_url) if database_kind == "postgresql" else SocketWakeUp(tmp_path)
    yield wake_up
    wake_up.close()


def test_all_listeners_of_a_channel_are_woken_and_nobody_else(wake_up: PostgresWakeUp | SocketWakeUp) -> None:
    first, second, other = wake_up.listen("command"), wake_up.listen("command"), wake_up.listen("lock")
    wake_up.notify("command")
    assert first.wait(PATIENCE_SECONDS) and second.wait(PATIENCE_SECONDS)
    assert not other.wait(AT_ONCE)
    for listener in (first, second, other):
        listener.close()


def test_what_was_told_before_the_wait_is_not_missed(wake_up: PostgresWakeUp | SocketWakeUp) -> None:
    listener = wake_up.listen("lock")
    for _ in range(3):
        wake_up.notify("lock")
        assert listener.wait(PATIENCE_SECONDS)
    listener.close()


def test_a_listener_may_leave_while_others_stay(wake_up: PostgresWakeUp | SocketWakeUp) -> None:
    leaving, staying = wake_up.listen("command"), wake_up.listen("command")
    leaving.close()
    wake_up.notify("command")
    assert staying.wait(PATIENCE_SECONDS)
    staying.close()


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_many_listeners_of_a_process_share_one_connection(database_url: str) -> None:
    wake_up = PostgresWakeUp(database_url)
    listeners = [wake_up.listen("command") for _ in range(20)]
    with connect(database_url) as connection:
        assert len(listening(connection)) == 1
    for listener in listeners:
        listener.close()
    wake_up.close()


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_an_ear_whose_connection_was_cut_wakes_everyone_and_hears_again(database_url: str) -> None:
    wake_up = PostgresWakeUp(database_url)
    listener = wake_up.listen("command")
    with connect(database_url) as connection:
        for pid in listening(connection):
            connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
        assert listener.wait(PATIENCE_SECONDS), "what was told meanwhile is lost, so it looks"
        wake_up.notify("command")
        assert listener.wait(PATIENCE_SECONDS)
    listener.close()
    wake_up.close()


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True)


def listening(connection: psycopg.Connection) -> list[int]:
    """The server's processes that wait for a channel of this database."""
    found = connection.execute(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'"
    )
    return [pid for (pid,) in found]
