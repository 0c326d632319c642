"""Tables of reasons, rules and texts are whole in both languages."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest

from backend.domain.house_rules import Handler
from backend.domain.notices import INBOX, NOTICES
from backend.domain.reasons import KINDS, REASONS
from backend.domain.refusals import Refusal, Refused
from backend.domain.rules import RULES

TOP = Path(__file__).parents[2]
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize("code", sorted(REASONS))
def test_a_reason_speaks_both_languages_with_a_remedy(code: str) -> None:
    reason = REASONS[code]
    assert reason.kind in KINDS
    assert reason.rule is None or reason.rule in RULES
    for zh, en in ((reason.zh, reason.en), (reason.remedy_zh, reason.remedy_en)):
        assert CHINESE.search(zh)
        assert en
        assert not CHINESE.search(en)


def test_every_refusal_in_the_code_is_a_row_of_the_table() -> None:
    used = set()
    for folder in ("backend", "mobile_api"):
        for path in (TOP / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                    first = node.args[0]
                    if node.func.id in ("Refused", "Refusal") and isinstance(first, ast.Constant):
                        used.add(first.value)
    assert used <= set(REASONS)


def test_a_sentence_is_filled_from_its_params() -> None:
    refusal = Refused("code.wrong", "code", left=3).refusal
    assert refusal.sentence("en") == "Wrong code; 3 tries left."
    assert "3" in refusal.sentence("zh")
    listed = Refusal("input.not_one_of", "kind", allowed=("a", "b"))
    assert listed.sentence("en").endswith("a, b.")


@pytest.mark.parametrize("purpose", sorted(NOTICES))
def test_a_notice_has_the_same_paragraphs_in_both_languages(purpose: str) -> None:
    text = NOTICES[purpose]
    assert len(text.paragraphs_zh) == len(text.paragraphs_en) > 3
    assert len(text.fingerprint) == 64


@pytest.mark.parametrize("kind", sorted(INBOX))
def test_an_inbox_text_fills_the_same_blanks_in_both_languages(kind: str) -> None:
    def blanks(text: str) -> set[str]:
        names = [name for _, name, _, _ in string.Formatter().parse(text) if name]
        return {name.removesuffix("_zh").removesuffix("_en") for name in names}

    assert blanks(INBOX[kind].text_zh) == blanks(INBOX[kind].text_en)


@pytest.mark.parametrize("purpose", sorted(NOTICES))
def test_a_notice_fills_its_blanks_with_the_office_that_answers(purpose: str) -> None:
    handler = Handler("某街道办事处", "A subdistrict office", "0572-0000001")
    named = NOTICES[purpose].named(handler)
    assert not any(mark in line for mark in "{}" for line in named.paragraphs_zh + named.paragraphs_en)
    if purpose == "registration_notice":  # PIPL-17: name and contact, before anything is asked
        assert all(handler.contact in first for first in (named.paragraphs_zh[0], named.paragraphs_en[0]))
        assert handler.zh in named.paragraphs_zh[0] and handler.en in named.paragraphs_en[0]
        assert named.fingerprint != NOTICES[purpose].fingerprint


@pytest.mark.parametrize("rule_id", sorted(RULES))
def test_where_a_rule_stands_is_said_in_both_languages(rule_id: str) -> None:
    rule = RULES[rule_id]
    assert rule.source and rule.source_en and not CHINESE.search(rule.source_en)
