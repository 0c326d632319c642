"""The stand-in of network identity: signed in, a person's answer, one bare word out, once, for minutes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Flask

from backend.domain.ids import new_id
from backend.gateways.network_identity import (
    FakeNetworkIdentity,
    HttpNetworkIdentity,
    NetworkIdentity,
    NetworkIdentityUnavailable,
    NetworkTicketRefused,
)
from backend.gateways.tokens import FileTokens
from backend.netid.app import create_netid_app
from backend.netid.calls import requests
from backend.netid.requests import UNKNOWN_NAME
from backend.netid.settings import NetidSettings
from backend.wire.network_identity import (
    REQUEST_HEADER,
    SIGNATURE_HEADER,
    NetworkMessageRefused,
    NetworkRequest,
    decode_request,
    decode_result,
    decode_ticket,
)
from backend.wire.registry_messages import signing_input

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
NUMBER, NAME = "330522199001010001", "周来福"
URL = "http://netid.test"


class Service:
    """The real app in this process, its clock, and a client that signs."""

    def __init__(self, folder: Path) -> None:
        self.now = NOW
        self.slept: list[float] = []
        self.tokens = FileTokens(folder)
        settings = NetidSettings(folder / "platform.jwks.json", URL, switches=True)
        self.app: Flask = create_netid_app(settings, clock=lambda: self.now, sleep=self.slept.append)
        self.client = HttpNetworkIdentity(URL, self.tokens, transport=httpx.WSGITransport(app=self.app))
        self.browser = self.app.test_client()

    def answer(self, page: str, answer: str = "confirm") -> str:
        """Press a button of the page; gives the ticket of the way back."""
        shown = self.browser.post(page.removeprefix(URL), data={"answer": answer}).text
        found = re.search(r"ticket=([\w-]+)", shown)
        assert found is not None, shown
        return found[1]

    def fault(self, name: str, **params: Any) -> None:
        """Switch a failure on."""
        assert self.browser.put(f"/_sim/faults/{name}", json=params).status_code == 200


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    yield Service(tmp_path)


def asked(**changes: Any) -> NetworkRequest:
    return replace(
        NetworkRequest(new_id(), "111", NUMBER, NAME, "http://anju.test/t/network-identity/x?state=s", NOW), **changes
    )


def test_a_person_who_confirms_is_verified_once_and_nothing_else_comes_back(service: Service) -> None:
    request = asked()
    begun = service.client.begin(request)
    assert begun.expires_at == NOW + timedelta(minutes=5)
    shown = service.browser.get(begun.page.removeprefix(URL))
    assert "用我的网号确认" in shown.text and "anju.test" in shown.text
    assert NUMBER not in shown.text and NAME not in shown.text
    ticket = service.answer(begun.page)
    assert service.client.redeem(request.request_id, ticket) == "verified"
    with pytest.raises(NetworkTicketRefused):
        service.client.redeem(request.request_id, ticket)


@pytest.mark.parametrize(("answer", "changes"), [("refuse", {}), ("confirm", {"name": UNKNOWN_NAME})])
def test_a_refusal_and_a_name_that_does_not_fit_come_back_as_the_same_word(
    service: Service, answer: str, changes: dict[str, str]
) -> None:
    request = asked(**changes)
    ticket = service.answer(service.client.begin(request).page, answer)
    assert service.client.redeem(request.request_id, ticket) == "refused"


def test_time_runs_out_at_the_page_and_before_the_ticket_is_redeemed(service: Service) -> None:
    late, slow = asked(), asked()
    page, other = service.client.begin(late).page, service.client.begin(slow).page
    quick = service.answer(other)
    service.now += timedelta(minutes=5)
    assert service.client.redeem(late.request_id, service.answer(page)) == "expired"
    assert service.client.redeem(slow.request_id, quick) == "expired"
    service.now += timedelta(minutes=2)
    assert service.browser.get(page.removeprefix(URL)).status_code == 410


def test_a_ticket_belongs_to_its_request_and_a_page_takes_one_answer(service: Service) -> None:
    request, other = asked(), asked()
    page = service.client.begin(request).page
    service.client.begin(other)
    ticket = service.answer(page)
    assert service.browser.post(page.removeprefix(URL), data={"answer": "refuse"}).status_code == 410
    with pytest.raises(NetworkTicketRefused):
        service.client.redeem(other.request_id, ticket)
    assert service.client.redeem(request.request_id, ticket) == "verified"


def test_what_must_be_compared_is_not_kept_and_everything_is_gone_after_minutes(service: Service) -> None:
    service.client.begin(asked())
    with service.app.app_context():
        kept = requests()
        assert NUMBER not in repr(vars(kept)) and NAME not in repr(vars(kept)) and kept.count() == 1
        service.now += timedelta(minutes=6)
        kept.find("anything")
        assert kept.count() == 0


def test_only_a_known_sender_who_signed_exactly_this_call_is_heard(service: Service, tmp_path: Path) -> None:
    body = asked().to_bytes()
    stranger = FileTokens(tmp_path / "stranger")
    for signer, target, path in (
        (stranger, "/v1/requests", "/v1/requests"), (service.tokens, "/v1/tickets", "/v1/requests"),
    ):  # fmt: skip
        headers = {SIGNATURE_HEADER: signer.sign_body(signing_input("POST", target, "id", body)), REQUEST_HEADER: "id"}
        assert service.browser.post(path, data=body, headers=headers).status_code == 401
    assert service.browser.post("/v1/requests", data=body).status_code == 401


def test_an_old_or_a_repeated_request_is_refused(service: Service) -> None:
    request = asked()
    service.client.begin(request)
    with pytest.raises(NetworkTicketRefused):
        service.client.begin(request)
    with pytest.raises(NetworkTicketRefused):
        service.client.begin(asked(sent_at=NOW - timedelta(seconds=61)))


def test_failures_are_switched_on_and_off_while_it_runs(service: Service) -> None:
    request = asked()
    service.fault("outage", times=1)
    with pytest.raises(NetworkIdentityUnavailable, match="http_503"):
        service.client.begin(request)
    page = service.client.begin(request).page
    ticket = service.answer(page)
    service.fault("slow", seconds=3, times=1)
    service.fault("lost_answer")
    with pytest.raises(NetworkIdentityUnavailable, match="http_502"):
        service.client.redeem(request.request_id, ticket)
    assert service.slept == [3.0]
    assert service.browser.delete("/_sim/faults").json == {"on": {}}
    with pytest.raises(NetworkTicketRefused):
        service.client.redeem(request.request_id, ticket)
    for name, word in (("refuse", "refused"), ("expire", "expired")):
        request = asked()
        ticket = service.answer(service.client.begin(request).page)
        service.fault(name, times=1)
        assert service.client.redeem(request.request_id, ticket) == word
    assert service.browser.put("/_sim/faults/melt", json={}).status_code == 422
    assert service.browser.put("/_sim/faults/slow", data="seconds=1").status_code == 415


def test_an_answer_that_says_more_than_a_word_is_not_read(service: Service) -> None:
    request = asked()
    ticket = service.answer(service.client.begin(request).page)
    service.fault("chatty")
    with pytest.raises(NetworkIdentityUnavailable, match="unreadable"):
        service.client.redeem(request.request_id, ticket)


def test_the_switches_are_closed_outside_the_demo(tmp_path: Path) -> None:
    settings = NetidSettings.from_environment({"ANJU_VAR": str(tmp_path), "ANJU_NETID_PORT": "9"})
    assert (settings.switches, settings.public_url) == (False, "http://127.0.0.1:9")
    app = create_netid_app(settings)
    assert app.test_client().get("/_sim/faults").status_code == 404
    assert app.test_client().get("/healthz").json == {"status": "ok"}


@pytest.mark.parametrize("path", ["/", "/?lang=en"])
def test_its_pages_speak_both_languages_under_a_strict_policy(service: Service, path: str) -> None:
    answer = service.browser.get(path)
    assert "script" not in answer.text and "style=" not in answer.text
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert bool(re.search(r"[\u4e00-\u9fff]", answer.text.split("<main>")[1])) == (path == "/")


class FakePerson:
    """The fake beside the real service, with the person who answers."""

    def __init__(self) -> None:
        self.client: NetworkIdentity = FakeNetworkIdentity()

    def answer(self, page: str, answer: str = "confirm") -> str:
        assert isinstance(self.client, FakeNetworkIdentity)
        return self.client.confirm(page.rsplit("/", 1)[1], "verified" if answer == "confirm" else "refused")


@pytest.mark.parametrize("kind", ["real", "fake"])
def test_the_real_client_and_the_fake_keep_the_same_contract(kind: str, service: Service) -> None:
    subject: Any = service if kind == "real" else FakePerson()
    first, second = asked(), asked()
    begun = subject.client.begin(first)
    assert begun.expires_at == NOW + timedelta(minutes=5)
    ticket = subject.answer(begun.page)
    with pytest.raises(NetworkTicketRefused):
        subject.client.redeem(second.request_id, ticket)
    with pytest.raises(NetworkTicketRefused):
        subject.client.redeem(first.request_id, "ticket-that-is-not-known")
    assert subject.client.redeem(first.request_id, ticket) == "verified"
    with pytest.raises(NetworkTicketRefused):
        subject.client.redeem(first.request_id, ticket)
    refusing = subject.answer(subject.client.begin(second).page, "refuse")
    assert subject.client.redeem(second.request_id, refusing) == "refused"


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"\xff", b'{"request_id":"x","ticket":"y"}', b'{"result":"verified"}', b'{"result":1}'],
)
def test_what_is_no_message_is_refused_with_its_field(body: bytes) -> None:
    for decode in (decode_request, decode_ticket):
        with pytest.raises(NetworkMessageRefused):
            decode(body)
    if body != b'{"result":"verified"}':
        with pytest.raises(NetworkMessageRefused):
            decode_result(body)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "ftp://x/", "https://", "//x", "https://[x"])
def test_the_way_back_must_be_a_page(address: str) -> None:
    body = json.loads(asked().to_bytes()) | {"return_to": address}
    with pytest.raises(NetworkMessageRefused, match="return_to"):
        decode_request(json.dumps(body).encode())
