"""The JSON API can do what the pages can: derived from the code of both, so that a new page cannot leave it behind."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from mobile_api.api.documents import DOCUMENT

TOP = Path(__file__).resolve().parents[2] / "mobile_api"
ROOMS = ("backend.services", "backend.queries")

# What pages call and the API does not, each with its reason.
PAGES_ONLY = {
    "openness.get_open_figures": "sums for anybody, on a page of its own address that needs no sign-in and no app",
    "kept_forms.open_form_of_account": "puts a form back into its page; an app keeps what is typed in it by itself",
    "sign_ins.find_session": "reads the cookie's session; the API reads its bearer token in mobile_api.app",
}
# Pages that change something without a service, each with its reason.
WITHOUT_A_SERVICE: dict[str, str] = {
    "kept_forms.show_form": "shows a form again and changes nothing; sent since what was typed is in no address",
}

# Calls that change a resource in place without If-Match, each with its reason. Whatever else is PUT, PATCH or DELETE
# needs the version it was read at.
SAME_AGAIN = (
    "what is put is the whole new state and is decided by its own state machine; the same again changes nothing"
)
ONE_WAY = "one direction only: the second call finds it done"
VERSION_IN_BODY = "carries the version it was read at in the body"
WITHOUT_IF_MATCH = {
    "sign_ins_end_session": ONE_WAY,
    "me_change_preferences": "two switches of one's own; each names the value it is set to",
    "me_enter_identity": SAME_AGAIN,
    "me_ask_erasure": SAME_AGAIN,
    "me_withdraw_erasure": ONE_WAY,
    "children_consent_for_child": SAME_AGAIN,
    "children_withdraw_for_child": ONE_WAY,
    "consents_answer_consent": SAME_AGAIN,
    "consents_withdraw_consent": ONE_WAY,
    "units_claim_lock": SAME_AGAIN,
    "leases_correct_named": SAME_AGAIN,
    "leases_move_start": SAME_AGAIN,
    "leases_cancel_invitation": ONE_WAY,
    "registrations_amend": VERSION_IN_BODY,
    "registrations_answer_correction": ONE_WAY,
    "households_amend_for": SAME_AGAIN,
    "households_withdraw_for": ONE_WAY,
    "residence_paths_mark_done": ONE_WAY,
    "residence_paths_mark_done_as_host": ONE_WAY,
    "identity_ways_choose_slot": SAME_AGAIN,
    "identity_ways_cancel_appointment": ONE_WAY,
    "key_phones_end_delegate": ONE_WAY,
    "visitor_keys_end_visitor_key": ONE_WAY,
    "visitor_keys_answer_visitor_key": ONE_WAY,
    "access_records_mark_read": ONE_WAY,
    "access_records_mark_all_read": ONE_WAY,
    "access_records_silence_topics": SAME_AGAIN,
    "imports_stop": ONE_WAY,
    "reported_answer_reported": ONE_WAY,
    "reports_rate_report": SAME_AGAIN,
    "reports_choose_help_contact": SAME_AGAIN,
    "reports_forget_help_contact": ONE_WAY,
}
# Lists without pages, each with what keeps them short.
BOUNDED = {
    "sign_ins_list_sessions": "signed-in devices of one person; ended ones are not listed",
    "access_records_list_topics": "a table of the code",
    "me_list_duties": "what one owes at present",
    "children_list_children": "one guardian's children under 16",
    "consents_list_texts": "a table of the code",
    "consents_list_consents": "one per purpose",
    "dwellings_search_dwellings": "has a limit; one narrows the search",
    "units_list_lock_events": "the newest 50: a cursor by the lock's own numbers would tell how often the door opened",
    "units_list_leases": "leases of one unit",
    "registrations_list_tenancies": "homes of one person",
    "registrations_list_corrections": "corrections of one registration",
    "households_list_declared_for": "those one person answers for",
    "households_list_childrens_leases": "those that wait for one guardian",
    "residence_paths_list_sources": "one per field",
    "identity_ways_list_slots": "the next working days",
    "key_phones_list_delegates": "delegates of one unit",
    "visitor_keys_list_my_visits": "keys one phone holds now",
    "imports_list_imports": "the latest ones; what became of the rows has pages",
    "reported_list_reported": "what offices reported about one person",
    "unit_board_list_late_tenants": "those who are late at present",
    "invitations_list_mine": "open invitations to one phone",
    "reports_list_places": "the dwellings one person lives in or lets, 200 at most; of more, the number is typed",
    "proofs_list_door_sheets": "units of one landlord, all on one print",
}


# What may change and is asked for without If-None-Match, each with its reason. All else can be polled.
FILE, FIXED = "a file or a paper, fetched when it is wanted", "changes with the code or the address base alone"
SEARCH, SELDOM = "an answer to a question just asked", "looked at now and then, never kept open"
WITHOUT_IF_NONE_MATCH = {
    "sign_ins_list_sessions": SELDOM,
    "me_export_my_data": FILE,
    "me_print_my_data": FILE,
    "consents_list_texts": FIXED,
    "dwellings_search_dwellings": SEARCH,
    "dwellings_get_dwelling": FIXED,
    "dwellings_list_codes": FIXED,
    "unit_board_list_late_tenants": SELDOM,
    "leases_print_receipt": FILE,
    "imports_list_imports": SELDOM,
    "imports_get_template": FILE,
    "imports_list_rows": SELDOM,
    "registrations_print_receipt": FILE,
    "registrations_print_check_out_receipt": FILE,
    "residence_paths_get_form": FILE,
    "residence_paths_list_sources": SELDOM,
    "identity_ways_list_slots": SEARCH,
    "keys_list_door_events": "a growing list with pages: its newest page is asked for with a cursor",
    "proofs_get_landlord_receipt": FILE,
    "proofs_list_door_sheets": FILE,
    "proofs_get_door": SEARCH,
}


@cache
def views(room: str) -> dict[str, tuple[set[str], bool]]:
    """By view (module.function): which functions of services and queries it reaches in its module, and if it POSTs."""
    found = {}
    for path in sorted((TOP / room).glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = dict(imported(tree))
        local = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        for name, node in local.items():
            routes = [ast.unparse(each) for each in node.decorator_list]
            routes = [each for each in routes if ".route(" in each or ".get(" in each or ".post(" in each
                      or ".put(" in each or ".delete(" in each or ".patch(" in each]  # fmt: skip
            if routes:
                changes = any(".post(" in each or "'POST'" in each for each in routes)
                found[f"{path.stem}.{name}"] = (set(reached(node, local, names, {name})), changes)
    return found


def imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names of our rooms' modules and functions as a file knows them."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or node.module is None:
            continue
        for alias in node.names:
            known = alias.asname or alias.name
            if node.module in ROOMS:
                yield known, f"{alias.name}."
            elif node.module.rpartition(".")[0] in ROOMS and alias.name[0].islower():
                yield known, f"{node.module.rpartition('.')[2]}.{alias.name}"


def reached(node: ast.AST, local: dict[str, Any], names: dict[str, str], seen: set[str]) -> Iterator[str]:
    """Functions of services and queries a piece of code names, also through helpers of its own file."""
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.attr[0].islower():
            if names.get(part.value.id, "").endswith("."):
                yield names[part.value.id] + part.attr
        elif isinstance(part, ast.Name) and part.id in names and not names[part.id].endswith("."):
            yield names[part.id]
        elif isinstance(part, ast.Name) and part.id in local and part.id not in seen:
            yield from reached(local[part.id], local, names, seen | {part.id})


def test_whatever_a_page_asks_or_does_the_api_can_ask_or_do() -> None:
    offered = set().union(*(used for used, _ in views("api").values()))
    lacking = {
        page: sorted(used - offered - set(PAGES_ONLY)) for page, (used, _) in views("pages").items()
    }  # fmt: skip
    lacking = {page: names for page, names in lacking.items() if names}
    assert not lacking, f"no call of /api/v1 does what these pages do: {lacking}"


def test_every_page_that_changes_something_has_its_call() -> None:
    by_function: dict[str, set[str]] = {}
    for call, (used, _) in views("api").items():
        for name in used:
            by_function.setdefault(name, set()).add(call)
    pages = {page: used for page, (used, changes) in views("pages").items() if changes}
    assert len(pages) > 60, "the pages are found at all"
    alone = {page for page, used in pages.items() if not used & set(by_function)} - set(WITHOUT_A_SERVICE)
    assert not alone, f"pages that change something and share no service with a call: {alone}"


def test_every_reason_is_still_needed() -> None:
    used = set().union(*(names for names, _ in views("pages").values()))
    offered = set().union(*(names for names, _ in views("api").values()))
    assert set(PAGES_ONLY) <= used - offered


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for item in document["paths"].values():
        for method, operation in item.items():
            if method != "parameters":
                yield method, operation["operationId"], operation


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_changes_name_their_version_and_lists_that_grow_have_pages(mobile: Flask) -> None:
    document = mobile.extensions[DOCUMENT]
    unversioned, unpaged, paged, unpolled = set(), set(), set(), set()
    for method, name, operation in operations(document):
        parameters = {
            each.get("$ref", "").rpartition("/")[2] or each["name"] for each in operation.get("parameters", ())
        }
        if method in ("put", "patch", "delete") and "IF_MATCH" not in parameters:
            unversioned.add(name)
        elif method in ("put", "patch", "delete"):
            assert {"412", "428"} <= set(operation["responses"]), name
        if method == "get" and "IF_NONE_MATCH" not in parameters:
            unpolled.add(name)
        if "IF_NONE_MATCH" in parameters:
            assert "304" in operation["responses"] and "ETag" in operation["responses"]["200"]["headers"], name
        schema = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
        if method == "get" and schema.get("type") == "array":
            (paged if "before" in parameters else unpaged).add(name)
    assert unversioned == set(WITHOUT_IF_MATCH)
    assert unpolled == set(WITHOUT_IF_NONE_MATCH)
    assert unpaged == set(BOUNDED)
    assert paged == {"access_records_list_notices", "keys_list_door_events", "reports_list_reports",
                     "visitor_keys_list_visitor_keys"}  # fmt: skip
