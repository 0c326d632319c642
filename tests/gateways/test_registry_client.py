"""One contract, two clients: the real one against the real registry, and the fake, must behave the same."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import httpx
import pytest

from backend.gateways.fake_registry import FakeRegistryClient
from backend.gateways.registry_client import (
    HttpRegistryClient,
    RegistryClient,
    RegistryRefused,
    RegistryUnavailable,
)
from backend.wire.receipts import verify_receipt
from backend.wire.registry_answers import BatchStatus, ItemResult, digest_root
from backend.wire.registry_messages import Item
from tests.registry.stage import Signer, Stage, prepare_template
from tests.wire.registry_makers import (
    LANDLORD_PAYLOAD,
    OTHER_RECORD,
    RECORD,
    make_batch,
    make_changed_item,
    make_check_out,
    make_registration_item,
    make_void,
)

KEY = "key-0123456789abcdef"


class Subject:
    """A client under test, and the way to let its registry do its work."""

    def __init__(self, client: RegistryClient, work: Callable[[], object]) -> None:
        self.client, self.work = client, work
        self._filed = 0

    def file(self, *items: Item, key: str | None = None) -> BatchStatus:
        self._filed += 1
        batch_id = self.client.submit(make_batch(*items), key or f"key-{self._filed:016d}").batch_id
        self.work()
        return self.client.batch_status(batch_id)

    def file_one(self, item: Item) -> ItemResult:
        (result,) = self.file(item).items
        return result


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_template(tmp_path_factory.mktemp("registry-template"))


@pytest.fixture(params=["fake", "in_process", "over_http"])
def subject(request: pytest.FixtureRequest, template: Path, tmp_path: Path) -> Iterator[Subject]:
    if request.param == "fake":
        yield Subject(FakeRegistryClient(), lambda: None)
        return
    shutil.copytree(template, tmp_path / "var")
    with Stage(tmp_path / "var") as stage:
        if request.param == "in_process":
            yield Subject(stage.client, stage.judge)
            return
        with serving(stage) as url:
            yield Subject(HttpRegistryClient(url, stage.signer, stage.settings.public_keys), stage.judge)


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Tests are quiet."""


class serving:
    """Serve a stage's app on a free port of this machine."""

    def __init__(self, stage: Stage) -> None:
        self._server: WSGIServer = make_server("127.0.0.1", 0, stage.app, handler_class=_Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def test_an_accepted_item_comes_with_a_receipt_that_verifies(subject: Subject) -> None:
    item = make_registration_item()
    status = subject.file(item)
    (result,) = status.items
    assert (status.state, result.state) == ("DONE", "ACCEPTED")
    receipt = verify_receipt(result.receipt_sig or "", subject.client.receipt_keys())
    assert receipt.number == result.receipt_no
    assert (receipt.record_id, receipt.record_version, receipt.payload_hash) == (RECORD, 1, item.payload_hash)


def test_the_same_key_and_body_are_the_same_request(subject: Subject) -> None:
    first = subject.client.submit(make_batch(make_registration_item()), KEY)
    assert subject.client.submit(make_batch(make_registration_item()), KEY) == first


def test_the_same_key_with_another_body_is_refused(subject: Subject) -> None:
    subject.client.submit(make_batch(make_registration_item()), KEY)
    with pytest.raises(RegistryRefused) as caught:
        subject.client.submit(make_batch(make_registration_item(record_version=2)), KEY)
    assert (caught.value.status, caught.value.code) == (409, "4092")


def test_the_same_content_under_a_new_key_is_stale(subject: Subject) -> None:
    subject.file_one(make_registration_item())
    again = subject.file_one(make_registration_item())
    assert (again.state, again.errors[0].code) == ("STALE", "4091")


def test_what_is_held_can_be_asked_after_a_lost_answer(subject: Subject) -> None:
    assert subject.client.find_record(RECORD) is None
    result = subject.file_one(make_registration_item())
    held = subject.client.find_record(RECORD)
    assert held is not None and held.state == "ACTIVE"
    (leg,) = held.legs
    assert (leg.op, leg.leg, leg.version) == ("UPSERT", "TENANT", 1)
    assert (leg.receipt_no, leg.receipt_sig) == (result.receipt_no, result.receipt_sig)
    assert leg.payload_hash == make_registration_item().payload_hash


def test_a_field_that_may_not_be_sent_is_refused(subject: Subject) -> None:
    result = subject.file_one(make_changed_item(phone="13800000000"))
    assert (result.state, result.errors[0].code, result.errors[0].pointer) == ("REJECTED", "5003", "/payload/phone")


def test_a_dry_run_stores_nothing(subject: Subject) -> None:
    results = subject.client.validate([make_registration_item(), make_changed_item(name="甲3")])
    assert [(result.state, result.receipt_no) for result in results] == [("ACCEPTED", None), ("REJECTED", None)]
    assert subject.client.find_record(RECORD) is None


def test_legs_have_their_own_versions(subject: Subject) -> None:
    subject.file_one(make_registration_item(record_version=5))
    late = make_registration_item(leg="LANDLORD", payload=LANDLORD_PAYLOAD, record_version=2)
    assert subject.file_one(late).state == "ACCEPTED"
    assert subject.file_one(make_registration_item(op="AMEND", record_version=6)).state == "ACCEPTED"
    assert subject.file_one(make_registration_item(record_version=4)).state == "STALE"


def test_an_amendment_or_end_of_something_unknown_is_refused(subject: Subject) -> None:
    assert subject.file_one(make_registration_item(op="AMEND")).errors[0].code == "4004"
    assert subject.file_one(make_check_out("R-330522003-20261123-000001-6")).errors[0].code == "4004"


def test_a_check_out_needs_a_receipt_of_that_record(subject: Subject) -> None:
    subject.file_one(make_registration_item())
    other = subject.file_one(make_registration_item(record_id=OTHER_RECORD))
    result = subject.file_one(make_check_out(other.receipt_no or ""))
    assert (result.errors[0].code, result.errors[0].pointer) == ("4004", "/payload/receipt_no")


def test_a_repeated_check_out_is_a_duplicate_with_the_first_receipt(subject: Subject) -> None:
    accepted = subject.file_one(make_registration_item())
    first = subject.file_one(make_check_out(accepted.receipt_no or ""))
    again = subject.file_one(make_check_out(accepted.receipt_no or "", record_version=3))
    assert (first.state, again.state) == ("ACCEPTED", "DUPLICATE")
    assert again.receipt_sig == first.receipt_sig
    held = subject.client.find_record(RECORD)
    assert held is not None and held.state == "MOVED_OUT"


def test_nothing_follows_a_void(subject: Subject) -> None:
    accepted = subject.file_one(make_registration_item())
    assert subject.client.void(make_void(accepted.receipt_no or ""), KEY).state == "ACCEPTED"
    assert subject.file_one(make_registration_item(record_version=9)).state == "STALE"


def test_a_mixed_batch_is_partial_and_a_hopeless_one_failed(subject: Subject) -> None:
    bad = make_registration_item(record_id=OTHER_RECORD, payload={})
    assert subject.file(make_registration_item(), bad).state == "PARTIAL"
    assert subject.file(bad).state == "FAILED"


def test_a_digest_can_be_recomputed_from_its_entries(subject: Subject) -> None:
    subject.file(make_registration_item(), make_registration_item(leg="LANDLORD", payload=LANDLORD_PAYLOAD))
    digest = subject.client.digest(date(2026, 11, 23), "330522003", listed=True)
    assert digest.count == len(digest.entries) == 2
    assert digest.root == digest_root(digest.entries)
    assert subject.client.digest(date(2026, 11, 23), "330522003").entries == ()


def test_there_is_nothing_new_where_nothing_was_corrected(subject: Subject) -> None:
    assert subject.client.changes("0") == ([], "0")
    subject.file_one(make_registration_item())
    assert subject.client.list_reads(RECORD) == []
    assert subject.client.codes("reason")["table"] == "reason"


def test_an_unknown_batch_or_record_is_refused(subject: Subject) -> None:
    for ask in (lambda: subject.client.batch_status("b-unknown"), lambda: subject.client.list_reads(RECORD)):
        with pytest.raises(RegistryRefused) as caught:
            ask()
        assert (caught.value.status, caught.value.code) == (404, "4004")


def http_client(tmp_path: Path, answer: Callable[[httpx.Request], httpx.Response]) -> HttpRegistryClient:
    return HttpRegistryClient(
        "http://registry.test", Signer(), tmp_path / "none.json", transport=httpx.MockTransport(answer)
    )


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (httpx.ConnectError("refused"), "connect"),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] unable to get local issuer"), "tls_untrusted"),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate has expired"), "tls_expired"),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] Hostname mismatch, not valid for"), "tls_wrong_host"),
        (httpx.ReadError("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] alert"), "tls_refused"),
        (httpx.ConnectError("[SSL: WRONG_VERSION_NUMBER] wrong version number"), "tls"),
        (httpx.ReadTimeout("slow"), "timeout"),
        (httpx.ReadError("reset"), "connect"),
        (httpx.RemoteProtocolError("half an answer"), "connect"),
    ],
)
def test_a_broken_line_is_unavailable_with_its_reason(tmp_path: Path, error: Exception, reason: str) -> None:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(RegistryUnavailable) as caught:
        http_client(tmp_path, fail).changes("0")
    assert caught.value.reason == reason


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"changes":[{}],"cursor":"1"}', b"\xff"])
def test_an_answer_nobody_understands_is_no_answer(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(RegistryUnavailable) as caught:
        http_client(tmp_path, lambda _: httpx.Response(200, content=body)).changes("0")
    assert caught.value.reason == "unreadable"


def test_a_refusal_by_something_on_the_way_has_no_code_of_the_registry(tmp_path: Path) -> None:
    with pytest.raises(RegistryRefused) as caught:
        http_client(tmp_path, lambda _: httpx.Response(403, content=b"<html>")).changes("0")
    assert caught.value.code == "http_403"


def test_a_redirect_is_not_followed_with_what_was_declared(tmp_path: Path) -> None:
    asked = []

    def redirect(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(307, headers={"Location": "http://elsewhere.test/"})

    with pytest.raises(RegistryRefused):
        http_client(tmp_path, redirect).submit(make_batch(make_registration_item()), KEY)
    assert asked == ["http://registry.test/v1/batches"]


def test_missing_or_spoilt_keys_verify_nothing(tmp_path: Path) -> None:
    client = http_client(tmp_path, lambda _: httpx.Response(200))
    assert client.receipt_keys() == {}
    (tmp_path / "none.json").write_text("{")
    assert client.receipt_keys() == {}


@pytest.mark.parametrize(
    ("call", "body"),
    [
        (lambda client: client.validate([make_registration_item()]), b'{"items":null}'),
        (lambda client: client.list_reads(RECORD), b"{}"),
        (lambda client: client.list_reads(RECORD), b'{"reads":[{"at":"2026-11-23T02:00:00Z","office":1}]}'),
        (lambda client: client.codes("reason"), b'{"table":"reason","version":"1","entries":[]}'),
        (lambda client: client.codes("reason"), b'{"table":"reason","version":1,"entries":[{"code":1}]}'),
    ],
)
def test_an_answer_of_another_form_is_no_answer(
    tmp_path: Path, call: Callable[[HttpRegistryClient], object], body: bytes
) -> None:
    with pytest.raises(RegistryUnavailable, match="unreadable"):
        call(http_client(tmp_path, lambda _: httpx.Response(200, content=body)))
