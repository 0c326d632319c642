"""A5 for every form of the console: what is wrong stands on top with links and again at its field, and what was typed
is kept; what makes something makes it once, however often it is sent.

Which forms there are is found by walking: a form that nobody meets fails the test of the walk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.console.form_walk import FormWalk, Met, ways_to_send
from tests.console.situations import make_situations
from tests.console.test_route_matrix import CELLS, open_village
from tests.html_trees import Element, read_tree

STATIC = Path(__file__).parents[2] / "backend/console/static"
SECRETS = ("current-password", "new-password", "one-time-code")  # never given back to a page
# What is no answer to any field, by the kind of field; a browser would hold some of it back, another program would not.
WRONG = {"date": "2026-02-31", "url": "不是链接", "decimal": "十二", "numeric": "十二", "text": "留住 <b>&"}


@pytest.fixture(scope="module")
def walk(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FormWalk]:
    """All forms of the console."""
    with open_village(migrated_sqlite, tmp_path_factory.mktemp("forms"), make_situations) as village:
        found = FormWalk(village)
        found.walk()
        yield found


def test_every_route_that_takes_a_form_is_met_on_a_page_or_called_by_a_script(walk: FormWalk) -> None:
    scripts = "".join(file.read_text(encoding="utf-8") for file in STATIC.glob("*.js"))
    paths = {walk.village.arguments[endpoint][0]: endpoint for endpoint, method in CELLS if method == "POST"}
    called = {endpoint for path, endpoint in paths.items() if f'"{path}"' in scripts}
    met = {each.endpoint for each in walk.met.values()}
    assert set(paths.values()) - met - called - walk.asked_by_scripts == set()


def test_a5_an_empty_form_is_answered_by_its_page_with_what_is_missing_on_top_and_at_its_field(walk: FormWalk) -> None:
    troubles, refused = [], 0
    for met in _with_fields(walk):
        for answers in _answers(met.form, empty=True):
            found = _send(walk, met, answers)
            refused += found is not None
            troubles += _judge(met, answers, found)
    assert not troubles, "\n".join(troubles)
    assert refused > 50, refused


def test_a5_a_form_with_wrong_answers_keeps_what_was_typed(walk: FormWalk) -> None:
    troubles, refused = [], 0
    for met in _with_fields(walk):
        for answers in _answers(met.form, empty=False):
            found = _send(walk, met, answers)
            refused += found is not None
            troubles += _judge(met, answers, found)
            if found is not None:
                troubles += _judge_kept(met, answers, found)
    assert not troubles, "\n".join(troubles)
    assert refused > 50, refused


def _with_fields(walk: FormWalk) -> list[Met]:
    """A form of buttons alone has nothing to be wrong."""
    return [met for met in walk.met.values() if met.form.controls]


def _answers(form: Element, empty: bool) -> list[dict[str, Any]]:
    """What is sent by each button: every field empty, or each with something that is no answer to it."""
    given = {}
    for each in form.controls:
        name, kind = each.get("name"), each.get("type")
        if empty:
            if kind not in ("radio", "checkbox", "file"):
                given[name] = ""
        elif each.tag == "select":
            given[name] = each.options[-1] if each.options else ""
        elif kind in ("radio", "checkbox"):
            given[name] = each.get("value")
        elif kind != "file":
            given[name] = WRONG.get(kind) or WRONG.get(each.get("inputmode")) or WRONG["text"]
    return ways_to_send(form, **given)


def _send(walk: FormWalk, met: Met, answers: dict[str, Any]) -> Element | None:
    """The page that answers what was sent, or None where it was taken."""
    client, _ = walk.page_before(met)
    answer = client.post(met.address, data=answers)
    assert answer.status_code < 500, met.name
    if answer.status_code < 400:
        return None
    assert answer.mimetype == "text/html", met.name
    return read_tree(answer.text)


def _judge(met: Met, answers: dict[str, Any], page: Element | None) -> list[str]:
    """What is wrong with a page that refuses a form."""
    if page is None:
        return []
    summaries = page.find_all("div", class_="summary", role="alert", tabindex="-1")
    if len(summaries) != 1:
        return [f"{met.name}: {len(summaries)} summaries for {answers}: {page.find_all('h1')[0].words}"]
    said, links = summaries[0].words, summaries[0].find_all("a")
    troubles = []
    faulty = [each for each in page.walk() if each.get("aria-invalid") == "true"]
    if not links and not _is_general(page):
        troubles.append(f"{met.name}: no link in {said!r}")
    targets = []
    for link in links:
        target = next((each for each in page.walk() if each.get("id") == link.get("href")[1:]), None)
        if target is None:
            troubles.append(f"{met.name}: {link.get('href')} leads nowhere")
            continue
        inside = [each for each in faulty if any(each is one for one in target.walk())]
        if len(inside) < 1:
            troubles.append(f"{met.name}: nothing in {link.get('href')} is marked as wrong")
        targets += inside
    for each in faulty:
        words = [_words_of(page, name) for name in each.get("aria-describedby").split()]
        if not any(each is one for one in targets):
            troubles.append(f"{met.name}: no link to {each.get('name') or each.tag}")
        if not any(_sentence(part) in said for part in words if part):
            troubles.append(f"{met.name}: {each.get('name')} says {words}, the summary {said!r}")
    return troubles


def _is_general(page: Element) -> bool:
    """Whether a refusal is about no field: nothing on the page says it but the summary."""
    return all("hidden" in each.attributes for each in page.find_all(class_="fault"))


def _words_of(page: Element, name: str) -> str:
    found = [each for each in page.walk() if each.get("id") == name]
    return found[0].words if found else ""


def _sentence(words: str) -> str:
    """A fault's first sentence: its remedy stands at the field alone."""
    return re.split(r"(?<=[。.!?？])\s*", words, maxsplit=1)[0]


def _judge_kept(met: Met, answers: dict[str, Any], page: Element) -> list[str]:
    """What was typed and is not there any more."""
    same = [form for form in page.find_all("form") if _is_same(met, form)]
    if not same:
        return [f"{met.name}: the form is gone"]
    fields = {each.get("name"): each for each in met.form.controls if each.get("autocomplete") not in SECRETS}
    return [
        f"{met.name}: {name} was {answers.get(name)!r} and is {same[0].value_of(name)!r}"
        for name, field in fields.items()
        if field.get("type") != "file" and answers.get(name) != same[0].value_of(name)
    ]


def _is_same(met: Met, form: Element) -> bool:
    def mark(one: Element) -> tuple[Any, ...]:
        address = one.get("action") or met.address
        return urlsplit(address).path, {each.get("name") for each in one.controls}, one.hidden.get("decision")

    return mark(form) == mark(met.form)
