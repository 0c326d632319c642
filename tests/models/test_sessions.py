"""The database's front door: rows that go in together, and connections whose server has gone away."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from backend.db import db, insert_together, reading, transaction
from backend.models.lock_events import LockEvent

COLUMNS = ("lock_id", "seq", "at", "kind", "key_id", "command_id", "text", "hash", "late", "received_at")
AT = datetime(2026, 11, 23, 2, 0, 0, 123456, tzinfo=UTC)
KEY = "01936f0c-7a10-7cc3-8d21-5f2b6a4c9e01"


def row(seq: int, words: str = "开门\t\\N\n\"'") -> tuple[Any, ...]:
    return "lock-1", seq, AT, "door.opened", KEY if seq % 2 else None, None, words, bytes(range(32)), seq > 1, AT


def test_rows_that_go_in_together_come_out_as_they_were(core: Any) -> None:
    with transaction() as session:
        insert_together(session, LockEvent, COLUMNS, [row(1), row(2)])
    found = db.session.scalars(select(LockEvent).order_by(LockEvent.seq)).all()
    assert [tuple(getattr(each, name) for name in COLUMNS) for each in found] == [row(1), row(2)]


def test_rows_that_go_in_together_go_out_together(core: Any) -> None:
    with pytest.raises(RuntimeError, match="no"), transaction() as session:
        insert_together(session, LockEvent, COLUMNS, [row(1), row(2)])
        raise RuntimeError("no")
    assert db.session.scalars(select(LockEvent)).all() == []


def cut_all_connections(url: str) -> None:
    """End every other connection to this database; answers when they are gone."""
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_pooled_connection_that_was_cut_is_replaced_before_it_is_used(core: Any, database_url: str) -> None:
    for _ in range(3):
        with reading() as session:
            assert session.scalar(text("SELECT 1")) == 1
        cut_all_connections(database_url)
        with transaction() as session:
            assert session.scalar(text("SELECT 2")) == 2


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_connection_lost_under_many_rows_is_told_as_any_other_loss(core: Any, database_url: str) -> None:
    with pytest.raises(OperationalError), transaction() as session:
        session.execute(text("SELECT 1"))
        cut_all_connections(database_url)
        insert_together(session, LockEvent, COLUMNS, [row(1)])
    with transaction() as session:
        insert_together(session, LockEvent, COLUMNS, [row(1)])
