"""What the console must never have: door events, exports, persons on nameless pages, words without a translation."""

from __future__ import annotations

import ast
import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po
from flask import Flask
from jinja2.ext import babel_extract

from backend.queries.statistics import SHEETS
from backend.services.age_counts import count_ages
from backend.web import load_policy
from tests.services import stories

BACKEND = Path(__file__).resolve().parents[2] / "backend"
ROOM = BACKEND / "console"
QUERIES = ("ledger", "unit_states", "doors", "unit_facts", "case_lists", "audit_lists", "sync_health",
           "identity_figures", "staff", "statistics", "openness", "discrepancies", "local_standards",
           "sharing")  # fmt: skip
SERVICES = ("officers", "officer_sessions", "disclosures", "person_search", "cases", "case_files", "case_effects",
            "appointments", "appointment_days", "appointment_changes", "review_queue", "officer_keys",
            "officer_accounts", "officer_enrolment", "officer_passkeys", "staff_notices", "standings",
            "emergencies", "age_counts", "name_tokens", "agreements", "agreement_acts", "audit_verification",
            "crowding", "local_standards")  # fmt: skip
BEHIND = (
    *sorted(ROOM.rglob("*.py")),
    *sorted(ROOM.rglob("*.html")),
    *(BACKEND / "queries" / f"{name}.py" for name in QUERIES),
    *(BACKEND / "services" / f"{name}.py" for name in SERVICES),
)
DOOR_EVENTS = re.compile(
    r"lock_event|LockEvent|lock_log|lock_report|door_event|access_records|opened_at_door|OPENINGS|models\.locks"
    r"|models\.commands|queries\.locks|services\.keys\b|unlock",
    re.IGNORECASE,
)


@pytest.mark.parametrize("path", BEHIND, ids=lambda path: path.name)
def test_nothing_behind_the_console_mentions_door_events(path: Path) -> None:
    assert not DOOR_EVENTS.search(path.read_text(encoding="utf-8"))


def test_what_the_console_imports_never_leads_to_a_table_of_door_events() -> None:
    for path in BEHIND:
        if path.suffix != ".py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert node.module not in (
                    "backend.models.lock_events",
                    "backend.models.locks",
                    "backend.models.commands",
                )


def test_no_route_exports_persons(console: Flask) -> None:
    numbers_only = {"/loop.csv", "/statistics/<sheet>.csv"}  # counts of cases, and sums without small ones
    for rule in console.url_map.iter_rules():
        if rule.rule in numbers_only:
            assert load_policy()[f"console.{rule.endpoint}", "GET"].fields == ()
            continue
        assert not re.search(r"csv|xls|json|export|download|api", rule.rule), rule.rule


def test_the_files_of_the_statistics_hold_sums_and_no_small_one(
    browser: Callable[..., Any], make: Callable[..., Any]
) -> None:
    make(stories.make_active)
    make(count_ages)
    client = browser("supervisor")
    for key in SHEETS:
        answer = client.get(f"/statistics/{key}.csv")
        assert answer.mimetype == "text/csv" and answer.text.startswith("\ufeff")
        for row in csv.reader(io.StringIO(answer.text)):
            assert all(cell == "0" or int(cell) >= 5 for cell in row[1:] if cell.isdigit()), (key, row)
        for secret in ("周来福", "周*", "沈安一", stories.TENANT_NUMBER, stories.TENANT_NUMBER[-6:]):
            assert secret not in answer.text, key
    assert client.get("/statistics/persons.csv").status_code == 404


def test_pages_without_a_purpose_hold_no_name_number_or_phone(
    browser: Callable[..., Any], make: Callable[..., Any]
) -> None:
    story = make(stories.make_active)
    client = browser("supervisor")
    board = f"/ledger?dwelling={story.dwelling_id}"
    others = ("/cases", "/reviews", "/deadlines", "/sync", "/figures", "/statistics", "/audit", "/discrepancies",
              "/agreements", "/standards")
    for path in ("/ledger", board, "/ledger/map", "/ledger/shapes", *others):
        text = client.get(path).text
        for secret in ("周来福", "沈安一", stories.TENANT_NUMBER, stories.TENANT_NUMBER[-6:], stories.TENANT_PHONE[3:]):
            assert secret not in text, path


def test_no_template_holds_inline_script_style_or_a_foreign_address() -> None:
    for path in ROOM.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<style|style=|\son[a-z]+=|<script(?![^>]*src=)|https?://", text), path.name


def messages() -> Iterator[str]:
    for path in sorted(ROOM.rglob("*.html")):
        with path.open("rb") as source:
            for _, _, message, _ in babel_extract(source, ["_"], [], {}):
                yield message if isinstance(message, str) else message[0]
    for path in sorted(ROOM.rglob("*.py")):
        for _, message, _, _ in extract_from_file(
            "python", str(path), keywords={"gettext": None, "lazy_gettext": None}
        ):
            yield message if isinstance(message, str) else message[0]


def test_every_word_of_the_pages_has_its_english_one() -> None:
    with (ROOM / "translations" / "en.po").open("rb") as source:
        catalogue = {str(message.id): str(message.string) for message in read_po(source) if message.id}
    wanted = set(messages())
    assert {word for word in wanted if not catalogue.get(word)} == set()
    assert set(catalogue) - wanted == set(), "no longer used"


def test_no_template_holds_a_chinese_word_outside_the_catalogue() -> None:
    for path in sorted(ROOM.rglob("*.html")):
        text = re.sub(r"_\('[^']*'", "", path.read_text(encoding="utf-8"))
        left = set(re.findall(r"[\u4e00-\u9fff]+", text)) - {"中文"}
        assert not left, (path.name, left)


def test_an_english_page_holds_no_chinese_sentence(browser: Callable[..., Any], make: Callable[..., Any]) -> None:
    story = make(stories.make_active)
    client = browser("supervisor", purpose="help_request")
    client.set_cookie("anju-lang", "en")
    identity = ("/ledger/map", "/reviews", "/appointments", "/figures")
    upkeep = ("/sync", "/audit", "/discrepancies", "/standards", "/agreements")
    others = ("/ledger", "/cases", "/deadlines", *upkeep, "/search", "/task", f"/units/{story.unit_id}")
    for path in (*identity, *others):
        text = re.sub(r"(?s)<head>.*?</head>", "", client.get(path).text)
        for proper in ("中文", "陈塘村", "安徽省", "陈塘路", "号", "室", "周来福", "沈安一", "测试", "太湖派出所"):
            text = text.replace(proper, "")
        assert not re.findall(r"[\u4e00-\u9fff]+", text), path
