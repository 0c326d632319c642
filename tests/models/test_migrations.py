"""The migrations make the tables that the models describe, on both databases."""

from __future__ import annotations

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from backend.bootstrap import check_revision
from backend.db import db
from backend.models import Base


def test_the_migrated_database_is_the_one_the_models_describe(core: Any) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
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
