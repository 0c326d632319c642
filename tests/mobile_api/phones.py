"""A phone as the API's tests use it: signs in with a real code, and holds every answer against the document."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask
from jsonschema import Draft202012Validator
from werkzeug.test import TestResponse

from backend.gateways.world import World
from backend.services.messages import send_due_messages
from mobile_api.api.documents import DOCUMENT

PREFIX = "/api/v1"


class ApiPhone:
    """One client of the API."""

    def __init__(self, app: Flask, world: World) -> None:
        self.app, self.world = app, world
        self.client = app.test_client()
        self.token: str | None = None
        self.tokens: dict[str, Any] = {}

    def sign_in(self, number: str) -> None:
        """Sign in with the code of the message."""
        assert self.post("/auth/codes", {"phone": number}).status_code == 202
        answer = self.post("/auth/sessions", {"phone": number, "code": self.code(number)})
        assert answer.status_code == 201, answer.json
        self.tokens = answer.json
        self.token = answer.json["access_token"]

    def code(self, number: str) -> str:
        """The newest code sent to a number, as the worker sends it."""
        with self.app.app_context():
            send_due_messages(self.world)
        text = next(message.text for message in self.world.sms.messages() if message.phone == number)
        found = re.search(r"\d{6}", text)
        assert found is not None
        return found[0]

    def get(self, path: str, **more: Any) -> TestResponse:
        """GET."""
        return self.call("GET", path, **more)

    def post(
        self, path: str, body: Any = None, key: str | None = None, prefer: str | None = None, **more: Any
    ) -> TestResponse:
        """POST a JSON body, under an Idempotency-Key and with a preference (RFC 7240) when given."""
        headers = {"Idempotency-Key": key} if key else {}
        headers |= {"Prefer": prefer} if prefer else {}
        return self.call("POST", path, json=body if body is not None else {}, headers=headers, **more)

    def put(self, path: str, body: Any) -> TestResponse:
        """PUT."""
        return self.call("PUT", path, json=body)

    def patch(self, path: str, body: Any, tag: str | None = None) -> TestResponse:
        """PATCH what was read under a tag."""
        return self.call("PATCH", path, json=body, headers={"If-Match": tag} if tag else {})

    def delete(self, path: str) -> TestResponse:
        """DELETE."""
        return self.call("DELETE", path)

    def call(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> TestResponse:
        """Call and compare the answer with what the document promises."""
        headers = dict(headers or {})
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        answer = self.client.open(PREFIX + path, method=method, headers=headers, **more)
        check_answer(self.app, method, path.partition("?")[0], answer)
        return answer


def check_answer(app: Flask, method: str, path: str, answer: TestResponse) -> None:
    """Fail unless the status, the content and the reason of an answer stand in the document."""
    document = app.extensions[DOCUMENT]
    operation = find_operation(document, method, path)
    if operation is None:
        assert answer.status_code in (404, 405), f"{method} {path} is not in the document"
        return
    where = f"{method} {path} → {answer.status_code}"
    promised = operation["responses"].get(str(answer.status_code))
    assert promised is not None, f"{where} is not in the document: {answer.get_data(as_text=True)[:500]}"
    if "$ref" in promised or "content" not in promised:
        assert not answer.data
        return
    media = promised["content"].get(answer.mimetype)
    assert media is not None, f"{where} has type {answer.mimetype}"
    validator = Draft202012Validator({**media["schema"], "components": document["components"]})
    said = answer.json if answer.is_json else answer.data.decode("latin-1")
    faults = [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in validator.iter_errors(said)]
    assert not faults, f"{where}: {faults}"
    if answer.status_code >= 400:
        code = answer.json["code"]
        assert code in operation["x-problem-codes"], f"{where}: {code} is not in the document"


def find_operation(document: dict[str, Any], method: str, path: str) -> dict[str, Any] | None:
    """The operation of the document that serves a path."""
    for template, item in document["paths"].items():
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
        if re.fullmatch(pattern, PREFIX + path) and method.lower() in item:
            found: dict[str, Any] = item[method.lower()]
            return found
    return None
