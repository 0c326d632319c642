"""The import table: which room may use which. A door that reaches around a service is found here, not in a review."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
ROOMS_WITH_CODE = ("backend", "mobile_api", "device_sim")

# room -> rooms of ours it may import from (itself always). The longest matching name of a module is its room.
MAY: dict[str, set[str]] = {
    "backend.wire": set(),
    "backend.domain": set(),
    "backend.config": set(),
    "backend.models": {"backend.domain"},
    "backend.db": {"backend.models"},
    "backend.gateways": {"backend.domain", "backend.wire"},
    "backend.printing": {"backend.domain", "backend.wire"},
    "backend.queries": {"backend.db", "backend.models", "backend.domain"},
    "backend.services": {
        "backend.db",
        "backend.models",
        "backend.domain",
        "backend.queries",
        "backend.gateways",
        "backend.printing",
        "backend.wire",
    },
    "backend.web": {"backend.domain", "backend.config", "backend.db"},
    "backend.filled_forms": {"backend.domain"},
    "backend.mqtt": {
        "backend.wire",
        "backend.services",
        "backend.queries",
        "backend.domain",
        "backend.gateways",
        "backend.bootstrap",
        "backend.config",
    },
    "backend.worker": {
        "backend.wire",
        "backend.services",
        "backend.queries",
        "backend.domain",
        "backend.gateways",
        "backend.bootstrap",
        "backend.config",
    },
    "backend.console": {
        "backend.services",
        "backend.printing",
        "backend.queries",
        "backend.domain",
        "backend.web",
        "backend.filled_forms",
        "backend.bootstrap",
        "backend.config",
    },
    "backend.offices": {
        "backend.wire",
        "backend.services",
        "backend.queries",
        "backend.domain",
        "backend.gateways",
        "backend.web",
        "backend.bootstrap",
        "backend.config",
    },
    "backend.registry": {"backend.wire"},
    "backend.netid": {"backend.wire"},
    "backend.subscribers": {"backend.wire"},
    "backend.lan_site": set(),
    "backend.migrations": {"backend.models", "backend.db", "backend.bootstrap", "backend.config"},
    "mobile_api": {
        "backend.services",
        "backend.printing",
        "backend.queries",
        "backend.domain",
        "backend.web",
        "backend.filled_forms",
        "backend.bootstrap",
        "backend.config",
    },
    "device_sim": {"backend.wire"},
}
# Run the installation by command lines; know settings and each other, and no room.
OPERATION = {
    f"backend.{name}"
    for name in (
        *("supervisor", "child", "health", "log_files", "ports", "open_files", "processes", "preparation"),
        *("demo", "lan", "journey", "status", "broker", "backups", "database_copies"),
    )
}
MAY |= {name: OPERATION | {"backend.config"} for name in OPERATION}
# Assemble everything in backend, never the other top-level rooms.
ASSEMBLERS = {
    "backend.bootstrap",
    "backend.cli",
    "backend.app",
    "backend.seeding",
    "backend.seeding_loop",
    "backend.seeding_offices",
    "backend.faces_cli",
    "backend.locks_cli",
    "backend.registry_cli",
    "backend.reconcile_cli",
    "backend.operator_world",
    "backend.identity_cli",
    "backend.address_cli",
    "backend.imports_cli",
    "backend.agreements_cli",
    "backend.secrets_cli",
    "backend.fault_switches",
}

NEVER_THIRD_PARTY: dict[str, set[str]] = {
    "backend.wire": {"flask", "sqlalchemy", "paho", "httpx", "marshmallow", "alembic"},
    "backend.domain": {"flask", "sqlalchemy", "paho", "httpx", "marshmallow", "alembic", "jwt", "requests"},
    "backend.models": {"flask", "flask_sqlalchemy"},
    "backend.gateways": {"flask", "sqlalchemy", "flask_sqlalchemy"},
    "backend.printing": {"flask", "sqlalchemy", "flask_sqlalchemy", "httpx"},
    "backend.queries": {"flask"},
    "backend.services": {"flask"},
}
PAHO_AT = {"backend.mqtt.link"}
STANDARD_ONLY = OPERATION  # the supervisor must not fail for the reasons its children fail


def modules() -> dict[str, Path]:
    """Every module of ours by its dotted name."""
    found = {}
    for room in ROOMS_WITH_CODE:
        for path in sorted((TOP / room).rglob("*.py")):
            parts = path.relative_to(TOP).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of each import of a file, wherever in the file it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are written in full"
            base = node.module or ""
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield node.lineno, full if full in MODULES else base


def room_of(module: str) -> str:
    """The room a module lies in: the longest room name that its own name begins with."""
    rooms = [room for room in (*MAY, *ASSEMBLERS) if module == room or module.startswith(room + ".")]
    return max(rooms, key=len, default="backend" if module == "backend" else "")


def is_ours(name: str) -> bool:
    """Whether an imported name is a module of this repository."""
    return name.split(".")[0] in (*ROOMS_WITH_CODE, "tests")


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_room_may(module: str) -> None:
    if module in ROOMS_WITH_CODE and MODULES[module].name == "__init__.py":
        assert not list(imports_of(MODULES[module])), "importing a top-level package starts nothing"
        return
    room = room_of(module)
    assert room, f"{module} lies in no room of the import table"
    wrong = []
    for line, name in imports_of(MODULES[module]):
        if not is_ours(name):
            continue
        target = room_of(name)
        if room in ASSEMBLERS:
            allowed = name.split(".")[0] == "backend"
        else:
            allowed = target == room or target in MAY[room]
        if not allowed:
            wrong.append(f"{MODULES[module].relative_to(TOP)}:{line} imports {name}")
    assert not wrong, f"{room} may not: " + "; ".join(wrong)


@pytest.mark.parametrize("module", [name for name in MODULES if room_of(name) in NEVER_THIRD_PARTY])
def test_a_room_keeps_clear_of_libraries_that_are_not_its_business(module: str) -> None:
    never = NEVER_THIRD_PARTY[room_of(module)]
    wrong = [f"line {line}: {name}" for line, name in imports_of(MODULES[module]) if name.split(".")[0] in never]
    assert not wrong, f"{module}: {wrong}"


def test_only_the_link_and_the_simulator_speak_paho() -> None:
    users = {name for name, path in MODULES.items() if any(n.split(".")[0] == "paho" for _, n in imports_of(path))}
    assert {name for name in users if not name.startswith("device_sim.")} <= PAHO_AT


def test_the_supervisor_needs_the_standard_library_alone() -> None:
    import sys

    for module in sorted(STANDARD_ONLY & set(MODULES)):
        foreign = [
            name
            for _, name in imports_of(MODULES[module])
            if not is_ours(name) and name.split(".")[0] not in sys.stdlib_module_names
        ]
        assert not foreign, f"{module} imports {foreign}"


def test_the_table_names_rooms_that_exist() -> None:
    for room in MAY:
        if room not in MODULES:
            assert (TOP / room.replace(".", "/")).is_dir(), f"{room} is in the table and not in the tree"
