"""Every code that a case page shows has words in both languages: none is shown as it stands in the database."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from backend.console.case_words import EVIDENCE, EVIDENCE_VALUES, STEP_ACTIONS, STEP_REASONS
from backend.db import db
from backend.domain import case_reports, look_questions, sharing, visits
from backend.domain.cases import ACTION_NAMES
from backend.domain.duties import DUTIES
from backend.domain.reconciliation import KIND_NAMES
from backend.domain.residence_paths import VOID_REASONS
from backend.models.cases import Case
from backend.services import voids
from backend.services.voids import request_void
from tests.services import stories

SERVICES = Path(voids.__file__).parent
# What evidence holds besides the words that stand in the code of the services.
TABLES: dict[str, Any] = {
    "reason": VOID_REASONS,
    "source": case_reports.SOURCES,
    "question": look_questions.QUESTIONS,
    "change": sharing.IN_KINDS,
    "kind": KIND_NAMES,
    "suggestion": {duty.escalation.answer for duty in DUTIES.values() if duty.escalation is not None},
}


def written_evidence() -> Iterator[tuple[str, str]]:
    """(name, value) of each constant that a service puts into a case's evidence."""
    for file in sorted(SERVICES.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            value = getattr(node, "value", None)
            names = [getattr(target, "id", "") for target in getattr(node, "targets", [])]
            is_evidence = isinstance(node, ast.keyword) and node.arg == "evidence" or "evidence" in names
            if is_evidence and isinstance(value, ast.Dict):
                for key, said in zip(value.keys, value.values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(said, ast.Constant) and isinstance(said.value, str):
                        yield str(key.value), said.value


def test_every_value_of_the_evidence_has_words() -> None:
    written = set(written_evidence())
    assert {("question", "lease_of_those_who_stay"), ("why", "gone")} <= written, "the reader of the code reads it"
    known = {(name, str(code)) for name, codes in TABLES.items() for code in codes}
    shown = {(name, value) for name, value in written | known if name in EVIDENCE}
    assert {value for _, value in shown if value not in EVIDENCE_VALUES} == set()


def test_every_step_and_reason_of_a_step_has_words() -> None:
    assert set(ACTION_NAMES) <= set(STEP_ACTIONS)
    assert set(visits.WITHDRAWN) | set(visits.OUTCOMES) | set(visits.GROUNDS) <= set(STEP_REASONS)


@pytest.mark.parametrize(("language", "words"), [("zh", "登记有误，从未在此居住"), ("en", "Entered in error")])
def test_a_void_request_says_in_words_why(
    make: Callable[..., Any], browser: Callable[..., FlaskClient], language: str, words: str
) -> None:
    story = make(stories.make_active)
    asked = {"account_id": story.tenant, "registration_id": story.registration_id, "reason": "entered_in_error"}
    make(request_void, **asked)
    reference = make(lambda world: db.session.scalars(select(Case.reference)).one())
    client = browser("officer", purpose="help_request")
    client.set_cookie("anju-lang", language, domain="localhost")
    page = client.get(f"/cases/{reference}", base_url="https://localhost").get_data(as_text=True)
    assert words in page and "entered_in_error" not in page
