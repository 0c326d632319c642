"""What is no text is refused once, before any view: in the address, the query, a form or a body."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from backend.web import Caller, Rule, is_text, open_door

ANYONE = Rule(("anyone",))


@pytest.fixture
def client() -> Iterator[FlaskClient]:
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 2000
    app.add_url_rule("/said/<text>", "said", lambda text: "heard")
    app.add_url_rule("/api/said", "told", lambda: "heard", methods=["GET", "POST"])
    app.add_url_rule("/sent", "sent", lambda: "heard", methods=["POST"])
    calls = ("said", "GET"), ("sent", "POST"), ("told", "GET"), ("told", "POST"), ("static", "GET")
    rows = {(f"test.{name}", method): ANYONE for name, method in calls}
    open_door(app, "test", Caller, lambda status, refusals, _: f"{status} {request.form}", rows)
    yield app.test_client()


@pytest.mark.parametrize(
    "sent",
    [
        {"data": {"name": "a\0b"}},
        {"json": {"name": "a\0b"}},
        {"json": {"name": [{"deep": "\0"}]}},
        {"json": {"name": "\ud800"}},
        {"json": {"name": {"\0": 1}}},
        {"query_string": {"name": "\0"}},
    ],
)
def test_it_is_refused_at_its_field(client: FlaskClient, sent: dict[str, object]) -> None:
    answer = client.post("/api/said", **sent)  # type: ignore[arg-type]
    assert answer.json is not None
    assert (answer.status_code, answer.json["code"], answer.json["field"]) == (422, "input.no_text", "name")


@pytest.mark.parametrize("sent", [{"json": {"a": "\\u0000", "b": "龙😀"}}, {"data": {"a": "𠮷"}}, {"json": [None, 1]}])
def test_texts_are_heard(client: FlaskClient, sent: dict[str, object]) -> None:
    assert client.post("/api/said", **sent).text == "heard"  # type: ignore[arg-type]


def test_a_body_too_deep_to_look_through_is_malformed(client: FlaskClient) -> None:
    deep = "[" * 900 + '"\\u0000"' + "]" * 900
    answer = client.post("/api/said", data=deep, content_type="application/json")
    assert answer.status_code == 422


def test_an_address_with_one_names_nothing(client: FlaskClient) -> None:
    assert client.get("/said/a%00b").status_code == 404
    assert client.get("/said/%ED%A0%80").status_code == 200, "bytes that are no text are replaced before they come here"


def test_a_form_too_large_is_said_to_be_on_a_page_that_does_not_read_it_again(client: FlaskClient) -> None:
    answer = client.post("/sent", data={"name": "x" * 3000})
    assert (answer.status_code, answer.text) == (413, "413 ImmutableMultiDict([])")


@pytest.mark.parametrize(("text", "fits"), [("", True), ("a", True), ("𠮷", True), ("\0", False), ("\udfff", False)])
def test_what_is_text(text: str, fits: bool) -> None:
    assert is_text(text) is fits
