"""`python -m backend.registry upgrade-database`: make or upgrade the registry's database, key and published key."""

from __future__ import annotations

import sys

from backend.registry.code_tables import fill_code_tables
from backend.registry.database import Database, upgrade_database
from backend.registry.people import fill_people
from backend.registry.settings import RegistrySettings
from backend.registry.signing import load_signing


def prepare(settings: RegistrySettings) -> None:
    """Everything the process needs before it starts; doing it again changes nothing."""
    upgrade_database(settings)
    load_signing(settings)
    database = Database(settings.url)
    with database.writing() as connection:
        fill_code_tables(connection)
        fill_people(connection)
    database.engine.dispose()


def main(arguments: list[str]) -> int:
    """Run the one command there is; 2 for anything else."""
    if arguments != ["upgrade-database"]:
        print("usage: python -m backend.registry upgrade-database", file=sys.stderr)
        return 2
    prepare(RegistrySettings.from_environment())
    print("The registry's database is ready.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
