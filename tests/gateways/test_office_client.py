"""The client that delivers to offices: signed for one office and one address, and honest about what came back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from backend.gateways.office_client import Answer, HttpOfficeClient
from backend.gateways.tokens import FileTokens
from backend.wire.office_calls import ATTEMPT_HEADER, SIGNATURE_HEADER, SUBSCRIBER_HEADER, TIME_HEADER, verify_call

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def test_a_delivery_verifies_with_the_platforms_published_key(tmp_path: Path) -> None:
    tokens, came = FileTokens(tmp_path), []

    def take(request: httpx.Request) -> httpx.Response:
        came.append(request)
        return httpx.Response(204)

    client = HttpOfficeClient(tokens, now=lambda: NOW, transport=httpx.MockTransport(take))
    answer = client.deliver("housing-authority", "https://office.example/in?x=1", "application/json", b"{}", 3)
    assert answer == Answer(204, "http_204")
    (request,) = came
    assert request.headers[ATTEMPT_HEADER] == "3"
    verify_call(
        subscriber=request.headers[SUBSCRIBER_HEADER],
        method="POST",
        target="/in?x=1",
        time_text=request.headers[TIME_HEADER],
        signature=request.headers[SIGNATURE_HEADER],
        body=request.content,
        keys=tokens.public_keys(),
        now=NOW,
    )


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (httpx.Response(503, headers={"Retry-After": "120"}), Answer(503, "http_503", 120.0)),
        (httpx.Response(503, headers={"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}), Answer(503, "http_503")),
        (httpx.Response(302, headers={"Location": "https://elsewhere.example/"}), Answer(302, "http_302")),
        (httpx.ConnectError("no"), Answer(None, "connect")),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]"), Answer(None, "tls")),
        (httpx.ReadTimeout("slow"), Answer(None, "timeout")),
    ],
)
def test_what_comes_back_is_told_and_no_redirection_is_followed(
    tmp_path: Path, said: httpx.Response | Exception, answer: Answer
) -> None:
    asked = []

    def take(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if isinstance(said, Exception):
            raise said
        return said

    client = HttpOfficeClient(FileTokens(tmp_path), transport=httpx.MockTransport(take))
    assert client.deliver("housing-authority", "http://127.0.0.1:9/", "application/json", b"{}", 1) == answer
    assert len(asked) == 1
