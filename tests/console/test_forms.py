"""A5 for every form of the console: what is wrong stands on top with links and again at its field, and what was typed
is kept; what makes something makes it once, however often it is sent.

Which forms there are is found by walking: a form that nobody meets fails the test of the walk.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import template_rendered
from werkzeug.test import TestResponse

from backend.console.window_acts import CREATING, USE_CASES
from backend.domain.ids import is_id, new_id
from backend.domain.refusals import Refusal
from tests.console.form_walk import NOBODY, FormWalk, Met, ways_to_send
from tests.console.situations import make_situations
from tests.console.test_route_matrix import CELLS, VILLAGE, open_village
from tests.html_trees import Element, read_tree
from tests.services import sharing, staff, stories

STATIC = Path(__file__).parents[2] / "backend/console/static"
SECRETS = ("current-password", "new-password", "one-time-code")  # never given back to a page
# What is an answer to a text field or a choice, by its name; others are right as they stand.
RIGHT = {
    "password": staff.PASSWORD, "present": staff.PASSWORD, "wanted": "another horse battery",
    "again": "another horse battery", "case_number": "（2026）浙0522执123号", "reason": "浙政发〔2026〕1号",
    "value": "6", "link": "https://meeting.example/1", "login": "new-one", "display_name": "新来",
    "office": "太湖派出所", "area": VILLAGE, "by": "number", "text": stories.TENANT_NUMBER, "outcome": "nobody_there",
    "answer_text": "已处理", "name": "周来福", "id_number": stories.TENANT_NUMBER, "purpose": "visit",
}  # fmt: skip
# What is no answer to any field, by the kind of field; a browser would hold some of it back, another program would not.
WRONG = {"date": "2026-02-31", "url": "不是链接", "decimal": "十二", "numeric": "十二", "text": "留住 <b>&"}


KEYS, NOTE = sharing.jwks(), new_id()
ACTS = ("window.act", "field_desks.act")
TOLD_EACH_TIME = {"audit_leaves"}  # each look and each act is written down, also one that changes nothing
# What is asked for again is done again, and why.
DONE_AGAIN = {
    "audits.check": "each check is a fact of its own",
    "staff.act reset": "a lost paper is replaced: the code of the first dies with the second",
}
OF_ANOTHER_OFFICE = "office_change"  # what it is decided about comes over that office's interface (services/)


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
                troubles += _judge_kept(met, answers, found.page)
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


@dataclass(frozen=True)
class Sent:
    """The page that refuses a form, and the refusals it was made with."""

    page: Element
    refusals: tuple[Refusal, ...]


def _send(walk: FormWalk, met: Met, answers: dict[str, Any]) -> Sent | None:
    """The page that answers what was sent, or None where it was taken."""
    client, _ = walk.page_before(met)
    refusals: list[Refusal] = []

    def rendered(_: Any, context: dict[str, Any], **__: Any) -> None:
        refusals.extend(getattr(context.get("form"), "faults", ()))

    with template_rendered.connected_to(rendered, walk.village.app):
        answer = client.post(met.address, data=answers)
    assert answer.status_code < 500, met.name
    if answer.status_code < 400:
        return None
    assert answer.mimetype == "text/html", met.name
    return Sent(read_tree(answer.text), tuple(refusals))


def _judge(met: Met, answers: dict[str, Any], sent: Sent | None) -> list[str]:
    """What is wrong with a page that refuses a form."""
    if sent is None:
        return []
    page = sent.page
    summaries = page.find_all("div", class_="summary", role="alert", tabindex="-1")
    if len(summaries) != 1:
        return [f"{met.name}: {len(summaries)} summaries for {answers}: {page.find_all('h1')[0].words}"]
    said, links = summaries[0].words, summaries[0].find_all("a")
    troubles = []
    faulty = [each for each in page.walk() if each.get("aria-invalid") == "true"]
    if not links and not _is_general(met, sent):
        fields = [refusal.field for refusal in sent.refusals]
        troubles.append(f"{met.name}: no link in {said!r}, which is about {fields}")
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


def _is_general(met: Met, sent: Sent) -> bool:
    """Whether what is refused is about no field that somebody could fill: about none, or one the form says unseen."""
    beyond = {None, *met.form.hidden}
    return bool(sent.refusals) and all(refusal.field in beyond for refusal in sent.refusals)


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


def _form_on(met: Met, page: TestResponse) -> Element:
    found = [form for form in read_tree(page.text).find_all("form") if _is_same(met, form)]
    assert found, f"{met.name} is not on {page.request.path}, {page.status_code}"
    return found[0]


def _is_same(met: Met, form: Element) -> bool:
    def mark(one: Element) -> tuple[Any, ...]:
        path = urlsplit(one.get("action") or met.address).path
        parts = [part for part in path.split("/") if not is_id(part)]  # of a list's forms any
        return parts, {each.get("name") for each in one.controls}, one.hidden.get("decision")

    return mark(form) == mark(met.form)


def test_a5_a_form_sent_twice_makes_one_record(walk: FormWalk) -> None:
    troubles = []
    for met in walk.met.values():
        if met.endpoint in ACTS:  # by their key: the next test
            continue
        if met.sitting.role == NOBODY and met.form.controls:  # signing in: a code is good once (test_sign_in)
            continue
        if met.sitting.locked:  # a locked screen makes nothing
            continue
        client, page = walk.page_before(met)
        answer = _post_right(walk, client, met, page)
        if not _is_taken(answer) and _path_of(walk, OF_ANOTHER_OFFICE) in met.path:
            continue
        if not _is_taken(answer):
            said = read_tree(answer.text).find_all("main")[0]
            summaries = said.find_all(class_="summary") or [said]
            troubles.append(f"{met.name}: give RIGHT what it asks for: {summaries[0].words[:200]}")
            continue
        if {met.endpoint, f"{met.endpoint} {met.address.rsplit('/', 1)[1]}"} & set(DONE_AGAIN):
            continue
        once = walk.village.count_rows()
        assert _post_right(walk, client, met, page).status_code < 500, met.name
        more = {name for name, count in walk.village.count_rows().items() if count > once[name]} - TOLD_EACH_TIME
        troubles += [f"{met.name}: {more}"] if more else []
    assert not troubles, "\n".join(troubles)


def test_a5_an_act_that_makes_something_carries_a_key_that_its_page_keeps(walk: FormWalk) -> None:
    making = {act for act, (use_case, _) in USE_CASES.items() if "idempotency_key" in use_case.__annotations__}
    assert making == set(CREATING)
    acts = [met for met in walk.met.values() if met.endpoint in ACTS]
    assert {met.address.rsplit("/", 1)[1] for met in acts} == set(USE_CASES)
    for met in acts:
        client, page = walk.page_before(met)
        form = _form_on(met, page)
        once = form.hidden["once"]
        assert is_id(once), met.name
        again = read_tree(client.post(met.address, data={**form.hidden, "registration_id": new_id()}).text)
        kept = [form.hidden.get("once") for form in again.find_all("form") if _is_same(met, form)]
        assert kept in ([], [once]), met.name  # nothing where it was taken


def _path_of(walk: FormWalk, kind: str) -> str:
    return walk.village.things[f"{kind} assigned"]


def _post_right(walk: FormWalk, client: Any, met: Met, page: TestResponse) -> TestResponse:
    form = _form_on(met, page)
    address, answers = form.get("action") or met.address, _right_answers(walk, met, form)
    return client.post(address, data=answers, content_type="multipart/form-data")  # type: ignore[no-any-return]


def _is_taken(answer: TestResponse) -> bool:
    is_page = answer.mimetype == "text/html"
    return answer.status_code < 400 and not (is_page and read_tree(answer.text).find_all(class_="summary"))


def _right_answers(walk: FormWalk, met: Met, form: Element) -> dict[str, Any]:
    """What a careful person fills in."""
    given: dict[str, Any] = {}
    for each in form.controls:
        name, kind = each.get("name"), each.get("type")
        stands = form.value_of(name)
        if each.tag == "select":
            given[name] = stands or each.options[0]
        elif kind == "radio":
            given[name] = RIGHT.get(name) or stands or given.get(name) or each.get("value")
        elif kind == "checkbox":
            given[name] = each.get("value")
        elif kind == "file":
            given[name] = (BytesIO(_agreement(walk)), "agreement.json")
        elif kind == "date":
            given[name] = stands or walk.village.world.clock.today().isoformat()
        else:
            given[name] = RIGHT.get(name) or stands or ""
    if met.endpoint == "field.visit":
        given["note_id"] = NOTE
    return ways_to_send(form, **given)[0]


def _agreement(walk: FormWalk) -> bytes:
    return json.dumps(sharing.written(walk.village.world, subscriber="another", keys=KEYS)).encode()
