"""The migrations make the tables that the models describe, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text

from backend.bootstrap import alembic_config, check_revision
from backend.db import db
from backend.migrations.scope import is_described
from backend.models import Base
from backend.wire.topics import shard_of


def test_the_migrated_database_is_the_one_the_models_describe(core: Any) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": is_described})
        assert compare_metadata(context, Base.metadata) == []
    check_revision(core)


def test_no_column_holds_what_the_boundary_excludes() -> None:
    forbidden = (
        "ethnic", "religio", "politic", "health", "family_plan", "criminal", "remark", "score_exact", "portrait",
        "photo", "embedding", "template", "risk", "watch",
    )  # fmt: skip
    columns = [f"{table.name}.{column.name}" for table in Base.metadata.tables.values() for column in table.columns]
    assert [name for name in columns if any(word in name.split(".")[1] for word in forbidden)] == []


def test_door_events_refer_to_no_person_and_no_other_table() -> None:
    events = Base.metadata.tables["lock_events"]
    assert events.foreign_keys == set()
    assert not {"person_id", "account_id", "holder_id"} & set(events.columns.keys())


def test_events_and_intents_of_an_older_database_find_their_month_and_their_shard(empty_database_url: str) -> None:
    """Up from 0002 with rows in the tables, down again, and up: nothing is lost on the way."""
    engine = create_engine(empty_database_url)
    months = ("2026-09-30 23:59:59", "2026-11-02 08:00:00", "2031-01-01 00:00:00")
    lock_id = "0198c0de-0000-7000-8000-000000000001"

    def move(step: Callable[[Config, str], None], revision: str) -> None:
        with engine.connect() as connection:
            config = alembic_config()
            config.attributes["connection"] = connection
            step(config, revision)
            connection.commit()

    def events() -> list[int]:
        with engine.connect() as connection:
            return list(connection.scalars(text("SELECT seq FROM lock_events ORDER BY seq")))

    move(command.upgrade, "0002")
    with engine.begin() as connection:
        for seq, at in enumerate(months, 1):
            connection.execute(
                text(
                    "INSERT INTO lock_events (lock_id, seq, at, kind, text, hash, late, received_at)"
                    " VALUES (:lock_id, :seq, :at, 'door.opened', '{}', :hash, :late, :at)"
                ),
                {"lock_id": lock_id, "seq": seq, "at": at + "+00", "hash": b"h" * 32, "late": False}
                if engine.dialect.name == "postgresql"
                else {"lock_id": lock_id, "seq": seq, "at": at, "hash": b"h" * 32, "late": False},
            )
        for destination in ("lock", "registry"):
            connection.execute(
                text(
                    "INSERT INTO outbox (destination, aggregate_id, kind, payload, created_at, available_at, fence,"
                    " attempts) VALUES (:destination, :lock_id, 'key_list', '{}', :at, :at, 0, 0)"
                ),
                {"destination": destination, "lock_id": lock_id, "at": months[1]},
            )
    move(command.upgrade, "head")
    assert events() == [1, 2, 3]
    with engine.connect() as connection:
        shards = connection.execute(text("SELECT destination, shard FROM outbox ORDER BY id")).all()
        assert [tuple(row) for row in shards] == [("lock", shard_of(lock_id)), ("registry", None)]
        assert connection.scalar(text("SELECT count(*) FROM bridge_shards")) == 16
        if engine.dialect.name == "postgresql":
            assert connection.scalar(text("SELECT count(*) FROM lock_events_y2026m09")) == 1
            assert connection.scalar(text("SELECT count(*) FROM lock_events_rest")) == 0
    move(command.downgrade, "0002")
    assert events() == [1, 2, 3]
    move(command.upgrade, "head")
    assert events() == [1, 2, 3]
    engine.dispose()
