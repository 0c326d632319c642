"""The calls of the contract: signatures, keys, forms, and nothing but one's own records."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from backend.gateways.registry_client import RegistryRefused
from backend.registry.app import create_registry_app
from backend.registry.database import WrongRevision
from backend.wire.jwk import keys_from_jwks
from backend.wire.registry_messages import LARGEST_BODY_BYTES, canonical_json, signing_input, write_time
from tests.registry.stage import Signer, Stage, settings_in
from tests.wire.registry_makers import (
    OTHER_RECORD,
    RECORD,
    make_batch,
    make_changed_item,
    make_registration_item,
    make_void,
)

KEY = "key-0123456789abcdef"
BODY = make_batch(make_registration_item()).to_bytes()
SIGNED_CALLS = [
    ("POST", "/v1/validate"),
    ("POST", "/v1/batches"),
    ("GET", "/v1/batches/b-1"),
    ("GET", f"/v1/records/{RECORD}"),
    ("POST", f"/v1/records/{RECORD}/void"),
    ("GET", "/v1/changes?cursor=0"),
    ("GET", "/v1/digest?day=2026-11-23&town=330522003"),
    ("GET", "/v1/codes/reason"),
    ("GET", f"/v1/access?record={RECORD}"),
]


@pytest.mark.parametrize(("method", "target"), SIGNED_CALLS)
def test_no_call_is_answered_without_a_known_senders_signature(stage: Stage, method: str, target: str) -> None:
    for answer in (
        stage.call(method, target, BODY, key=KEY, signer=Signer()),
        stage.call(method, target, BODY, key=KEY, signed=b"something else"),
        stage.call(method, target, BODY, key=KEY, headers={"X-Body-Signature": ""}),
        stage.call(method, target, BODY, key=KEY, headers={"X-Body-Signature": "a..b"}),
    ):
        assert answer.status_code == 401
        assert answer.mimetype == "application/problem+json"
        assert answer.get_json()["code"] == "1001"


def test_a_signed_dry_run_cannot_be_replayed_as_a_filing(stage: Stage) -> None:
    dry_run = signing_input("POST", "/v1/validate", KEY, BODY, write_time(datetime.now(UTC)))
    assert stage.call("POST", "/v1/batches", BODY, key=KEY, signed=dry_run).status_code == 401


def test_a_signed_body_cannot_be_filed_under_another_key(stage: Stage) -> None:
    under_one = signing_input("POST", "/v1/batches", KEY, BODY, write_time(datetime.now(UTC)))
    assert stage.call("POST", "/v1/batches", BODY, key=KEY + "x", signed=under_one).status_code == 401


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_signed_call_is_a_replay_five_minutes_later_and_no_prophecy_before(stage: Stage, minutes: int) -> None:
    stage.wall = lambda: datetime.now(UTC) + timedelta(minutes=minutes)
    answer = stage.call("GET", "/v1/changes")
    assert (answer.status_code, answer.get_json()["code"]) == (401, "1001")
    assert answer.get_json()["errors"][0]["pointer"] == "/X-Signed-At"
    stage.wall = lambda: datetime.now(UTC) + timedelta(minutes=4 if minutes > 0 else -4)
    assert stage.call("GET", "/v1/changes").status_code == 200


def test_the_moment_of_a_signature_is_signed_too(stage: Stage) -> None:
    stage.wall = lambda: datetime.now(UTC) + timedelta(minutes=6)
    later = write_time(datetime.now(UTC) + timedelta(minutes=6))
    answer = stage.call("GET", "/v1/changes", headers={"X-Signed-At": later})
    assert answer.get_json()["errors"][0]["pointer"] == "/X-Body-Signature"
    for moment in ("", "now", "2026-11-23T02:00:00"):
        assert stage.call("GET", "/v1/changes", headers={"X-Signed-At": moment}).status_code == 401


def test_a_new_sender_is_known_as_soon_as_the_key_list_names_it(stage: Stage) -> None:
    newcomer = Signer()
    assert stage.call("GET", "/v1/changes", signer=newcomer).status_code == 401
    stage.trust(stage.signer.jwk(), newcomer.jwk())
    assert stage.call("GET", "/v1/changes", signer=newcomer).status_code == 200


def test_a_spoilt_key_list_leaves_the_senders_known_so_far(stage: Stage) -> None:
    assert stage.call("GET", "/v1/changes").status_code == 200
    stage.settings.senders.write_text("{")
    assert stage.call("GET", "/v1/changes", signer=Signer()).status_code == 401
    assert stage.call("GET", "/v1/changes").status_code == 200


def test_another_schema_version_is_refused(stage: Stage) -> None:
    answer = stage.call("GET", "/v1/changes", headers={"X-Schema": "rr/2.0"})
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (400, "/X-Schema")


def test_a_filing_needs_a_key_that_names_it(stage: Stage) -> None:
    for key in ("", "short"):
        answer = stage.call("POST", "/v1/batches", BODY, key=key)
        assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (400, "/Idempotency-Key")


def test_the_same_key_and_body_get_the_same_answer(stage: Stage) -> None:
    first = stage.call("POST", "/v1/batches", BODY, key=KEY)
    stage.move(minutes=5)
    again = stage.call("POST", "/v1/batches", BODY, key=KEY)
    assert first.status_code == again.status_code == 202
    assert first.get_json() == again.get_json()
    assert stage.judge() == 1


def test_the_same_key_with_another_body_is_refused(stage: Stage) -> None:
    stage.call("POST", "/v1/batches", BODY, key=KEY)
    other = make_batch(make_registration_item(record_version=2)).to_bytes()
    answer = stage.call("POST", "/v1/batches", other, key=KEY)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "4092")


def test_keys_of_two_senders_do_not_meet(stage: Stage) -> None:
    other = Signer()
    stage.trust(stage.signer.jwk(), other.jwk(sender="elsewhere"))
    mine = stage.call("POST", "/v1/batches", BODY, key=KEY).get_json()["batch_id"]
    theirs = stage.call("POST", "/v1/batches", BODY, key=KEY, signer=other).get_json()["batch_id"]
    assert mine != theirs
    assert stage.call("GET", f"/v1/batches/{mine}", signer=other).status_code == 404


def test_received_is_not_accepted(stage: Stage) -> None:
    batch_id = stage.call("POST", "/v1/batches", BODY, key=KEY).get_json()["batch_id"]
    status = stage.client.batch_status(batch_id)
    assert status.state == "RECEIVED"
    assert [item.state for item in status.items] == ["PENDING"]
    assert stage.client.find_record(RECORD) is None


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "1102"),
        (b"[]", 400, "1102"),
        (b'{"schema":"rr/1.0","items":[]}', 422, "5002"),
        (b" " * (LARGEST_BODY_BYTES + 2), 413, "1101"),
        (make_batch(*[make_registration_item()] * 201).to_bytes(), 413, "1101"),
    ],
)
def test_a_body_of_the_wrong_form_is_refused_at_once(stage: Stage, body: bytes, status: int, code: str) -> None:
    for target in ("/v1/batches", "/v1/validate"):
        answer = stage.call("POST", target, body, key=KEY)
        assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert stage.judge() == 0


def test_a_dry_run_says_what_a_filing_would_and_stores_nothing(stage: Stage) -> None:
    good, bad = make_registration_item(), make_changed_item(id_number="340122199202290004")
    results = stage.client.validate([good, bad])
    assert [result.state for result in results] == ["ACCEPTED", "REJECTED"]
    assert results[1].errors[0].code == "3001"
    assert stage.client.find_record(RECORD) is None
    assert stage.judge() == 0


def test_a_sender_sees_only_its_own_records(stage: Stage) -> None:
    stage.file_one(make_registration_item())
    other = Signer()
    stage.trust(stage.signer.jwk(), other.jwk(sender="elsewhere"))
    for target in (f"/v1/records/{RECORD}", f"/v1/access?record={RECORD}"):
        assert stage.call("GET", target).status_code == 200
        assert stage.call("GET", target, signer=other).status_code == 404
    stranger = stage.client_of(other)
    assert stranger.digest(date(2026, 11, 23), "330522003").count == 0
    assert stranger.validate([make_registration_item(record_version=2)])[0].errors[0].code == "5001"


def test_what_a_record_call_tells_holds_no_personal_data(stage: Stage) -> None:
    item = make_registration_item()
    stage.file_one(item)
    text = stage.call("GET", f"/v1/records/{RECORD}").get_data(as_text=True)
    for value in (item.payload["name"], item.payload["id_number"], item.payload["address"], item.payload["birth_on"]):
        assert value not in text


def test_voiding_at_once_needs_the_item_of_that_record(stage: Stage) -> None:
    accepted = stage.file_one(make_registration_item())
    void = make_void(accepted.receipt_no or "")
    wrong = stage.call("POST", f"/v1/records/{OTHER_RECORD}/void", canonical_json(void.as_json()), key=KEY)
    assert (wrong.status_code, wrong.get_json()["errors"][0]["pointer"]) == (422, "/record_id")
    result = stage.client.void(void, KEY)
    assert result.state == "ACCEPTED"
    assert stage.receipt_of(result).op == "VOID"
    held = stage.client.find_record(RECORD)
    assert held is not None and held.state == "VOIDED"
    assert stage.client.void(void, KEY) == result
    again = stage.client.void(void, KEY + "x")
    assert (again.state, again.receipt_sig) == ("DUPLICATE", result.receipt_sig)
    with pytest.raises(RegistryRefused, match="4092"):
        stage.client.void(make_void(accepted.receipt_no or "", record_version=3), KEY)


def test_corrections_made_at_the_registry_come_back_in_order(stage: Stage) -> None:
    stage.file_one(make_registration_item())
    for address in ("样本路2号", "样本路3号"):
        answer = stage.http.post(f"/_sim/records/{RECORD}/corrections", json={"address": address})
        assert answer.status_code == 200
    changes, cursor = stage.client.changes("0")
    assert [change.fields["address"] for change in changes] == ["样本路2号", "样本路3号"]
    assert stage.client.changes(cursor) == ([], cursor)


def test_who_read_a_record_there_can_be_told_to_the_person(stage: Stage) -> None:
    stage.file_one(make_registration_item())
    read = {"office": "省登记中心", "badge": "S-0042", "purpose": "核对"}
    assert stage.http.post(f"/_sim/records/{RECORD}/reads", json=read).status_code == 200
    (told,) = stage.client.list_reads(RECORD)
    assert (told.office, told.badge, told.purpose) == ("省登记中心", "S-0042", "核对")


def test_code_tables_have_versions(stage: Stage) -> None:
    table = stage.client.codes("reason")
    assert table["version"] == 1
    assert {entry["code"] for entry in table["entries"]} == {"131", "204", "206", "207", "999"}
    assert stage.client.codes("reason", since=1)["entries"] == []
    assert stage.call("GET", "/v1/codes/beliefs").status_code == 404


def test_a_new_edition_of_a_code_is_found_by_what_is_asked_since(stage: Stage) -> None:
    answer = stage.http.put("/_sim/codes/reason/204", json={"valid_until": "2026-11-22"})
    assert answer.get_json() == {"table": "reason", "version": 2}
    assert stage.http.put("/_sim/codes/reason/210", json={"zh": "照料", "en": "care"}).get_json()["version"] == 3
    told = stage.client.codes("reason", since=1)
    assert (told["version"], [entry["code"] for entry in told["entries"]]) == (3, ["204", "210"])
    assert told["entries"][0]["valid_until"] == "2026-11-22"
    assert stage.client.codes("reason", since=2**31)["entries"] == []  # how a worker asks whether anyone is there
    (result,) = stage.client.validate([make_registration_item()])
    assert [error.code for error in result.errors] == ["2102"]
    (result,) = stage.client.validate([make_changed_item(reason="210")])
    assert result.errors == ()


@pytest.mark.parametrize(
    ("path", "entry"),
    [
        ("beliefs/1", {"zh": "x", "en": "x"}),
        ("reason/2%2F0", {"zh": "x", "en": "x"}),
        ("reason/300", {"zh": "x"}),
        ("reason/204", {"valid_until": "2026-11-31"}),
        ("reason/204", {"valid_from": None}),
        ("reason/204", {"traits": {}}),
    ],
)
def test_an_edition_of_the_wrong_form_is_refused(stage: Stage, path: str, entry: dict[str, object]) -> None:
    assert stage.http.put(f"/_sim/codes/{path}", json=entry).status_code in (404, 422)
    assert stage.client.codes("reason")["version"] == 1


@pytest.mark.parametrize(
    "query", ["day=2026-11-23", "day=2026-11-31&town=330522003", "day=x&town=330522003", "day=2026-11-23&town=3305"]
)
def test_a_digest_needs_a_day_and_a_town(stage: Stage, query: str) -> None:
    assert stage.call("GET", f"/v1/digest?{query}").status_code == 400


@pytest.mark.parametrize("cursor", ["-1", "x", "9" * 16, "%EF%BC%91"])
def test_a_cursor_is_a_number(stage: Stage, cursor: str) -> None:
    assert stage.call("GET", f"/v1/changes?cursor={cursor}").status_code == 400


def test_the_published_keys_are_the_file_and_the_call(stage: Stage) -> None:
    published = json.loads(stage.settings.public_keys.read_text())
    assert stage.http.get("/v1/keys").get_json() == published
    assert list(keys_from_jwks(published)) == list(stage.client.receipt_keys())


def test_what_is_not_there_is_a_problem_too(stage: Stage) -> None:
    for method, path, status in (("GET", "/v1/nothing", 404), ("DELETE", "/v1/batches", 405)):
        answer = stage.http.open(path, method=method)
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")


def test_the_process_refuses_a_database_of_another_revision(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    settings.folder.mkdir()
    with pytest.raises(WrongRevision, match="upgrade-database"):
        create_registry_app(settings, start_processor=False)


def test_what_breaks_inside_is_9002_and_tells_nothing_of_what_was_sent(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    with stage.registry.database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE codes")
    answer = stage.call("POST", "/v1/validate", BODY)
    assert (answer.status_code, answer.get_json()["code"]) == (500, "9002")
    assert answer.get_json()["errors"][0]["retryable"] is True
    for text in (answer.get_data(as_text=True), caplog.text):
        assert make_registration_item().payload["name"] not in text and "340122" not in text
