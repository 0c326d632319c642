"""`python -m backend.registry upgrade-database | serve`: make or upgrade its database and keys; serve it."""

from __future__ import annotations

import os
import sys

from backend.registry.code_tables import fill_code_tables
from backend.registry.database import Database, upgrade_database
from backend.registry.people import fill_people
from backend.registry.serving import gunicorn_command
from backend.registry.settings import RegistrySettings, SettingsRefused
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
    """Run one of the two commands; 2 for anything else and for settings it must not run with."""
    if arguments not in (["upgrade-database"], ["serve"]):
        print("usage: python -m backend.registry upgrade-database | serve", file=sys.stderr)
        return 2
    try:
        settings = RegistrySettings.from_environment()
        if arguments == ["serve"]:
            command = gunicorn_command(settings)
            os.execv(command[0], command)  # the same process: a supervisor's signals reach gunicorn itself
    except SettingsRefused as refused:
        print(f"The registry does not start: {refused}", file=sys.stderr)
        return 2
    prepare(settings)
    print("The registry's database is ready.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
