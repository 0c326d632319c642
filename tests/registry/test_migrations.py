"""The registry's migrations make exactly the tables its code knows."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from backend.registry.database import MIGRATIONS, Database, upgrade_database
from backend.registry.settings import RegistrySettings
from backend.registry.tables import metadata
from tests.registry.stage import Stage, settings_in


def test_migrations_and_tables_are_equal_up_and_down(tmp_path: Path, empty_database_url: str) -> None:
    settings = settings_in(tmp_path, empty_database_url)
    database = Database(settings.url)
    for _ in range(2):
        upgrade_database(settings)
        with database.reading() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        downgrade_database(settings)
        with database.reading() as connection:
            assert set(inspect(connection).get_table_names()) == {"alembic_version"}
    database.engine.dispose()


def downgrade_database(settings: RegistrySettings) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    database = Database(settings.url)
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    database.engine.dispose()


def test_a_write_unit_holds_the_database_from_its_first_word(stage: Stage) -> None:
    with stage.registry.database.writing() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        with stage.registry.database.reading() as other:
            assert other.execute(text("SELECT count(*) FROM records")).scalar_one() == 0
