"""The registry's migrations make exactly the tables its code knows."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from backend.registry.database import Database, upgrade_database
from backend.registry.tables import metadata
from tests.registry.stage import Stage, settings_in


def test_migrations_and_tables_are_equal(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    upgrade_database(settings)
    database = Database(settings.url)
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    database.engine.dispose()


def test_a_write_unit_holds_the_database_from_its_first_word(stage: Stage) -> None:
    with stage.registry.database.writing() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        with stage.registry.database.reading() as other:
            assert other.execute(text("SELECT count(*) FROM records")).scalar_one() == 0
