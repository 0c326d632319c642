"""Messages, by the tables themselves: no kind lacks text, topic, place to open or, where it is sent, a short text."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.domain.duties import DUTIES, Step
from backend.domain.notice_kinds import KINDS, PLACES, TOPICS, is_silenced
from backend.domain.notices import INBOX
from backend.domain.short_messages import INVITATION, LANGUAGES, REMINDERS, SEVERAL, VISITOR_INVITATION, segments

SERVICES = Path(__file__).resolve().parents[2] / "backend" / "services"
STEPS = [(duty.code, step) for duty in DUTIES.values() for step in duty.steps if step.notice is not None]
BY_SMS = {step.notice for code, step in STEPS if DUTIES[code].goes_by_sms(step) and step.notice is not None}


def said_in_code() -> Iterator[str]:
    """Every string of the services, and every kind a duty's step says."""
    yield from (step.notice for _, step in STEPS if step.notice is not None)
    for path in SERVICES.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
            elif isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))


def told_kinds() -> Iterator[str]:
    """Every kind that stands as it is in a call that tells somebody."""
    for path in SERVICES.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "tell_account", "tell_person", "tell_occupants", "settlement.tell", "_tell_holder",
            ):  # fmt: skip
                yield from (
                    each.value
                    for argument in node.args
                    for each in ast.walk(argument)
                    if isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value.islower()
                    and "_" in each.value
                )  # fmt: skip


def test_every_kind_has_texts_a_topic_and_a_place_and_none_is_left_over() -> None:
    assert set(KINDS) == set(INBOX)
    assert {kind.topic for kind in KINDS.values()} == set(TOPICS)
    assert {kind.opens for kind in KINDS.values()} == set(PLACES)
    for text in INBOX.values():
        assert all((text.title_zh, text.title_en, text.text_zh, text.text_en))


def test_every_kind_that_is_told_is_in_the_tables_and_every_kind_of_the_tables_is_told() -> None:
    told = set(told_kinds())
    assert len(told) > 30, "the calls are found at all"
    assert told - {"member_"} <= set(KINDS)
    said = set(said_in_code())
    composed = {"member_check_out_confirmed"}  # put together out of "member_" and the kind behind it
    assert set(KINDS) - composed <= said, "a kind nobody tells"


def test_what_goes_by_short_message_has_its_words_and_nothing_else_does() -> None:
    assert set(REMINDERS) == BY_SMS


@pytest.mark.parametrize("kind", sorted(REMINDERS))
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reminder_is_one_segment_with_a_day_and_no_link_or_person(kind: str, language: str) -> None:
    words = REMINDERS[kind].spoken(language)
    assert [name for _, name, _, _ in string.Formatter().parse(words) if name] == ["due_on"]
    sent = words.format(due_on="2026-11-26")
    assert segments(sent) == 1 and len(sent) <= 70, len(sent)
    assert "http" not in sent and "/" not in sent and sent.startswith("【安居】")


@pytest.mark.parametrize("language", LANGUAGES)
def test_many_matters_are_one_segment_and_only_invitations_carry_a_link(language: str) -> None:
    assert segments(SEVERAL.spoken(language).format(n=200, due_on="2026-11-26")) == 1
    link = "https://anju.example/i/" + "x" * 43
    for text in (INVITATION, VISITOR_INVITATION):
        assert segments(text.spoken(language).format(link=link)) <= 2


def test_segments_are_counted_as_they_are_billed() -> None:
    assert [segments("字" * count) for count in (1, 70, 71, 134, 135)] == [1, 1, 2, 2, 3]


@pytest.mark.parametrize(("code", "step"), STEPS)
def test_what_the_law_asks_cannot_be_silenced(code: str, step: Step) -> None:
    assert step.notice is not None
    everything = list(TOPICS)
    if DUTIES[code].sort == "duty" or code == "answer_left":
        assert not is_silenced(step.notice, everything)
    elif DUTIES[code].sort == "information":
        assert is_silenced(step.notice, everything), "what is convenient may be"


def test_a_decision_about_a_person_and_a_question_to_them_cannot_be_silenced() -> None:
    for kind in ("identity_reviewed", "dispute_decided", "key_revoked", "key_ended_by_order", "visitor_consent_asked",
                 "visitor_emergency", "landlord_says_left", "registration_rejected", "codes_printed"):  # fmt: skip
        assert not is_silenced(kind, list(TOPICS)), kind
