"""The real adapters of the SMS gateway and the population base, against a local server; and their stand-ins."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from backend.gateways.identity_authority import (
    UNMATCHED_NAME,
    AuthorityUnavailable,
    FakeAuthority,
    HttpAuthority,
    IdentityAuthority,
    StandInAuthority,
)
from backend.gateways.sms import DemoSms, HttpSms, SmsFailed

NUMBER = "330522199001010001"


class Office:
    """A local HTTP server that answers each POST as `answer` says and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[dict[str, str], Any]] = []
        self.answer: Callable[[Any], tuple[int, bytes]] = lambda body: (200, b"{}")
        office = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                office.asked.append((dict(self.headers), body))
                status, content = office.answer(body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing is logged."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def office() -> Iterator[Office]:
    server = Office()
    yield server
    server.close()


@pytest.fixture
def http_authority(office: Office) -> Iterator[HttpAuthority]:
    authority = HttpAuthority(office.url, "secret")
    yield authority
    authority.close()


@pytest.mark.parametrize("kind", ["http", "stand-in", "fake"])
@pytest.mark.parametrize("matched", [True, False])
def test_every_authority_answers_matched_or_not_and_nothing_else(
    kind: str, matched: bool, office: Office, http_authority: HttpAuthority
) -> None:
    office.answer = lambda body: (200, json.dumps({"matched": matched, "reference": "q-1", "more": 1}).encode())
    authorities: dict[str, IdentityAuthority] = {
        "http": http_authority,
        "stand-in": StandInAuthority(),
        "fake": FakeAuthority(matched=matched),
    }
    answer = authorities[kind].check("111", NUMBER, "王小满" if matched else UNMATCHED_NAME)
    assert answer.matched is matched
    assert set(vars(answer)) == {"matched", "reference"}


@pytest.mark.parametrize("bad", [(500, b""), (200, b"not json"), (200, b"{}"), (200, b'["matched"]')])
def test_an_authority_that_does_not_answer_is_unavailable_and_never_a_match(
    bad: tuple[int, bytes], office: Office, http_authority: HttpAuthority
) -> None:
    office.answer = lambda body: bad
    with pytest.raises(AuthorityUnavailable) as caught:
        http_authority.check("111", NUMBER, "王小满")
    assert NUMBER not in str(caught.value)


def test_the_question_carries_three_fields_and_our_token(office: Office, http_authority: HttpAuthority) -> None:
    office.answer = lambda body: (200, b'{"matched": true, "reference": "r"}')
    http_authority.check("111", NUMBER, "王小满")
    [(headers, body)] = office.asked
    assert body == {"id_type": "111", "id_number": NUMBER, "name": "王小满"}
    assert headers["Authorization"] == "Bearer secret"


def test_a_message_is_posted_once_with_its_reference_and_a_refusal_is_told(office: Office) -> None:
    HttpSms(office.url, "token").send("+8619900010001", "【安居】1", "login_code-1")
    [(_headers, body)] = office.asked
    assert body == {"to": "+8619900010001", "text": "【安居】1", "reference": "login_code-1"}
    office.answer = lambda body: (503, b"")
    with pytest.raises(SmsFailed) as caught:
        HttpSms(office.url, "token").send("+8619900010001", "x", "login_code-2")
    assert "19900010001" not in str(caught.value)


def test_the_demo_keeps_a_repeated_message_once_newest_first(tmp_path: Any) -> None:
    sms = DemoSms(tmp_path / "demo" / "messages.jsonl")
    assert sms.messages() == []
    for reference, text in (("a", "1"), ("b", "2"), ("b", "2")):
        sms.send("+8619900010001", text, reference)
    assert [message.text for message in sms.messages()] == ["2", "1"]
