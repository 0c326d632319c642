"""Who opened a door, and when, is the tenant's alone: held on code, import graph, routes and the broker's list."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from backend.broker import BRIDGE_USER, access_list
from backend.wire import topics
from tests.architecture.test_imports import MODULES, imports_of

TOP = Path(__file__).resolve().parents[2]
TABLE = re.compile(r"\bLockEvent\b|\block_events\b")
# Every function that touches the table of door events, and for whom. A new one must be thought about here.
READERS = {
    ("backend.services.access_records", "my_door_events"): "the tenant: openings with one's own key",
    ("backend.services.visitor_keys", "_is_used_up"): "the visitor and the occupants: whether openings are left",
    ("backend.queries.locks", "list_health"): "the landlord: HEALTH_KINDS only",
    ("backend.queries.live_marks", "_unit"): "the landlord: HEALTH_KINDS only, as a digest",
    ("backend.services.lock_logs", "record_events"): "the bridge stores",
    ("backend.services.lock_logs", "_hash_at"): "the bridge compares a hash, and answers it to nobody",
    ("backend.services.lock_lives", "close_if_wiped"): "the bridge looks for a reset, which is no opening",
    ("backend.services.lock_evidence", "_events"): "evidence, on the tenant's request or a court's order",
    ("backend.services.lock_evidence", "_holders"): "the same: whom it must be shown to",
    ("backend.queries.locks", "find_lock_card"): "the operator: the oldest sequence kept, no event",
    ("backend.services.event_months", "forget_door_events"): "retention deletes",
    ("backend.services.event_months", "_make"): "retention makes a month's table",
}
MODELS_ONLY = {"backend.models.lock_events", "backend.models", "backend.migrations.scope"}
TOUCHING = {module for module, _ in READERS}


def functions_that_touch(path: Path) -> Iterator[str]:
    """The top-level functions and methods of a file in whose code the table is named; docstrings do not count."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            plain = [part for part in node.body if not _is_docstring(part)]
            if any(TABLE.search(ast.unparse(part)) for part in plain):
                yield node.name


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def test_every_function_that_reads_door_events_is_known_with_its_reader() -> None:
    found = {
        (module, name)
        for module, path in MODULES.items()
        if "versions" not in path.parts and module not in MODELS_ONLY
        for name in functions_that_touch(path)
    }
    # a SQL text names the table in a constant of its module
    assert found - set(READERS) - {("mobile_api.api.units", "list_lock_events")} == set(), "who reads this, and why?"
    assert {entry for entry in READERS if entry not in found} <= {("backend.services.event_months", "_make")}


@cache
def reached(module: str) -> frozenset[str]:
    """Every module of ours that importing `module` brings along, wherever in a file the import stands."""
    seen: set[str] = set()
    open_ones = [module]
    while open_ones:
        name = open_ones.pop()
        if name in seen or name not in MODULES:
            continue
        seen.add(name)
        open_ones += [target for _, target in imports_of(MODULES[name])]
    return frozenset(seen)


def named_in(path: Path) -> set[tuple[str, str]]:
    """(module, function) pairs that a file takes from modules that touch the table."""
    found = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                if node.module in TOUCHING:
                    found.add((node.module, alias.name))
                elif full in TOUCHING:
                    modules[alias.asname or alias.name] = full
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            found.add((modules[node.value.id], node.attr))
    return found


def users_of(module: str, name: str) -> set[str]:
    """The modules that take a function by name from where it is defined."""
    return {user for user, path in MODULES.items() if (module, name) in named_in(path)}


OPENINGS_SHOWN_BY = {"mobile_api.api.keys", "mobile_api.pages.unlocks"}  # both doors of the tenant


def test_openings_are_asked_for_by_the_tenants_pages_and_api_only() -> None:
    assert users_of("backend.services.access_records", "my_door_events") == OPENINGS_SHOWN_BY


def test_the_landlords_view_of_a_lock_knows_health_kinds_only() -> None:
    from backend.queries.locks import HEALTH_KINDS
    from backend.services.access_records import OPENINGS

    assert not set(HEALTH_KINDS) & set(OPENINGS)
    comings = re.compile(r"opened|closed|unlocked|locked$|denied|inside|duress")
    assert not [kind for kind in HEALTH_KINDS if comings.search(kind)]


@pytest.mark.parametrize("module", sorted(name for name in MODULES if name.startswith("backend.registry.")))
def test_the_registry_reaches_no_table_of_ours(module: str) -> None:
    ours = {name for name in reached(module) if not name.startswith(("backend.registry.", "backend.wire."))}
    assert ours <= {"backend.wire", "backend.registry"}, "it imports the wire and nothing else"


@pytest.mark.parametrize("module", sorted(name for name in MODULES if name.startswith("backend.console")))
def test_the_console_takes_nothing_from_where_door_events_are(module: str) -> None:
    assert named_in(MODULES[module]) == set()


TO_THE_REGISTRY = ["registry_sync", "registry_items", "registry_outcomes", "registry_upkeep"]
TO_OFFICES = ["change_feed", "shared_fields", "office_sending", "office_pulls", "agreements"]


@pytest.mark.parametrize("name", sorted(name for name in MODULES if name.startswith("backend.offices")))
def test_the_offices_door_takes_nothing_from_where_door_events_are(name: str) -> None:
    assert named_in(MODULES[name]) == set()


@pytest.mark.parametrize("name", TO_THE_REGISTRY + TO_OFFICES)
def test_what_is_told_to_the_registry_or_an_office_takes_nothing_from_where_door_events_are(name: str) -> None:
    path = MODULES[f"backend.services.{name}"]
    assert named_in(path) == set()
    assert not re.search(r"lock_event|lock_log|door_event|models\.commands|models\.locks", path.read_text("utf-8"))


def test_a_route_about_events_is_for_the_holder_of_the_key_or_for_the_landlord_about_health() -> None:
    policy = tomllib.loads((TOP / "backend" / "policy.toml").read_text(encoding="utf-8"))
    rows = {name: row for name, methods in policy.items() if "event" in name for row in methods.values()}
    assert {name: (row["who"], row["relation"]) for name, row in rows.items()} == {
        "mobile.api.keys.list_door_events": (["resident"], "holder"),
        "mobile.tenant.door_events": (["resident"], "holder"),
        "mobile.api.units.list_lock_events": (["resident"], "landlord"),
    }


def rules_of(acl: str) -> dict[str, list[tuple[str, str]]]:
    """User (or `pattern`, which is every account) → (access, topic filter)."""
    rules: dict[str, list[tuple[str, str]]] = {}
    user = None
    for line in acl.splitlines():
        words = line.split()
        if not words or words[0] == "#":
            continue
        if words[0] == "user":
            user = words[1]
        elif words[0] == "topic":
            rules.setdefault(str(user), []).append((words[1], words[2]))
        else:
            rules.setdefault(words[0], []).append((words[1], words[2]))
    return rules


def matches(pattern: str, topic: str) -> bool:
    """Whether an MQTT topic filter covers a topic."""
    expression = re.escape(pattern).replace(r"\+", "[^/]+").replace(r"\#", ".*").replace("#", ".*")
    return re.fullmatch(expression, topic) is not None


def test_the_broker_lets_events_be_heard_by_bridges_alone() -> None:
    acl = access_list([BRIDGE_USER, "anju-bridge-2"])
    rules = rules_of(acl)
    assert set(rules) == {BRIDGE_USER, "anju-bridge-2", "pattern"}, "no other account has any right"
    events = topics.topic_of("lock-a", topics.EVENTS)
    lines = [(user, access, at) for user, granted in rules.items() for access, at in granted]
    hearing = {user for user, access, at in lines if access != "write" and matches(at, events)}
    assert hearing == {BRIDGE_USER, "anju-bridge-2"}
    own = [(access, at.replace("%u", "lock-b")) for access, at in rules["pattern"]]
    for channel in topics.CHANNELS.values():
        foreign = topics.topic_of("lock-a", channel)
        assert not any(matches(at, foreign) for _, at in own), f"another lock touches {foreign}"
        granted = {access for access, at in own if matches(at, topics.topic_of("lock-b", channel))}
        assert granted == {"read" if channel.is_down else "write"}
    for user in (BRIDGE_USER, "anju-bridge-2"):
        for channel in topics.CHANNELS.values():
            granted = {access for access, at in rules[user] if matches(at, topics.topic_of("lock-a", channel))}
            assert granted == {"write" if channel.is_down else "read"}, "a bridge invents no word of a lock"
