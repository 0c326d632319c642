"""The failures the registry shows when told to, and that it never loses or doubles anything while showing them."""

from __future__ import annotations

import socket
from datetime import date
from pathlib import Path

import pytest
from markupsafe import escape

from backend.gateways.registry_client import RegistryRefused, RegistryUnavailable
from backend.registry.app import create_registry_app
from backend.registry.faults import FAULTS, Faults
from backend.registry.settings import RegistrySettings
from backend.wire.receipts import ReceiptInvalid, claims_of, verify_receipt
from tests.registry.stage import Stage
from tests.wire.registry_makers import OTHER_RECORD, RECORD, make_batch, make_registration_item

KEY = "key-0123456789abcdef"
BATCH = make_batch(make_registration_item(), make_registration_item(record_id=OTHER_RECORD))


@pytest.mark.parametrize(
    ("name", "reason"),
    [("http_502", "http_502"), ("busy", "http_503"), ("maintenance", "http_503"), ("timeout", "http_504")],
)
def test_a_failure_before_the_call_leaves_nothing_behind(stage: Stage, name: str, reason: str) -> None:
    stage.switch_on(name, times=1)
    with pytest.raises(RegistryUnavailable) as caught:
        stage.client.submit(BATCH, KEY)
    assert caught.value.reason == reason
    assert stage.judge() == 0
    stage.client.submit(BATCH, KEY)
    assert stage.judge() == 2


def test_a_busy_registry_says_when_to_come_back(stage: Stage) -> None:
    stage.switch_on("busy")
    with pytest.raises(RegistryUnavailable) as caught:
        stage.client.submit(BATCH, KEY)
    assert caught.value.retry_after_seconds == 5


def test_a_timeout_takes_its_time(stage: Stage) -> None:
    stage.switch_on("timeout", seconds=12)
    with pytest.raises(RegistryUnavailable):
        stage.client.find_record(RECORD)
    assert stage.slept == [12.0]


def test_a_lost_answer_is_the_same_answer_when_asked_again(stage: Stage) -> None:
    stage.switch_on("lost_answer", times=1)
    with pytest.raises(RegistryUnavailable) as caught:
        stage.client.submit(BATCH, KEY)
    assert caught.value.reason == "http_502"
    assert stage.judge() == 2
    batch_id = stage.client.submit(BATCH, KEY).batch_id
    assert stage.judge() == 0
    assert stage.client.batch_status(batch_id).state == "DONE"


def test_a_slow_registry_judges_days_later(stage: Stage) -> None:
    stage.switch_on("slow", seconds=3 * 24 * 3600)
    batch_id = stage.client.submit(BATCH, KEY).batch_id
    stage.move(days=2, hours=23)
    assert stage.judge() == 0
    assert stage.client.batch_status(batch_id).state == "RECEIVED"
    stage.move(hours=1)
    assert stage.judge() == 2


def test_a_partial_batch_says_so_and_refuses_every_second_item_for_now(stage: Stage) -> None:
    stage.switch_on("partial")
    status = stage.file(*BATCH.items)
    assert status.state == "PARTIAL"
    assert [item.state for item in status.items] == ["ACCEPTED", "REJECTED"]
    (error,) = status.items[1].errors
    assert (error.code, error.retryable, error.owner) == ("9002", True, "REGISTRY")


def test_a_partial_batch_may_leave_items_pending(stage: Stage) -> None:
    stage.switch_on("partial", state="PENDING")
    assert [item.state for item in stage.file(*BATCH.items).items] == ["ACCEPTED", "PENDING"]


def test_answers_can_carry_an_unknown_word_come_reordered_or_twice(stage: Stage) -> None:
    batch_id = stage.file(*BATCH.items, key=KEY).batch_id
    in_order = [item.record_id for item in stage.client.batch_status(batch_id).items]
    stage.switch_on("unknown_state", times=1)
    assert {item.state for item in stage.client.batch_status(batch_id).items} == {"ACEPTED"}
    stage.switch_on("reordered", times=1)
    assert [item.record_id for item in stage.client.batch_status(batch_id).items] == in_order[::-1]
    stage.switch_on("duplicated", times=1)
    assert len(stage.client.batch_status(batch_id).items) == 4
    assert [item.record_id for item in stage.client.batch_status(batch_id).items] == in_order


def test_a_code_table_can_change_in_the_middle_of_a_batch(stage: Stage) -> None:
    stage.switch_on("code_changed", place=1)
    results = stage.file(*BATCH.items).items
    assert [item.state for item in results] == ["ACCEPTED", "REJECTED"]
    assert results[1].errors[0].code == "2102"


def test_a_receipt_of_an_unpublished_key_does_not_verify(stage: Stage) -> None:
    stage.switch_on("bad_receipt", times=1)
    spoilt = stage.file_one(make_registration_item())
    with pytest.raises(ReceiptInvalid, match="unknown_key"):
        stage.receipt_of(spoilt)
    held = stage.client.find_record(RECORD)
    assert held is not None
    receipt = verify_receipt(held.legs[0].receipt_sig, stage.registry.signing.public_keys())
    assert receipt == claims_of(spoilt.receipt_sig or ""), "asked for again it is signed anew, and is the same receipt"


def test_a_digest_can_be_wrong(stage: Stage) -> None:
    stage.file_one(make_registration_item())
    right = stage.client.digest(date(2026, 11, 23), "330522003")
    stage.switch_on("digest_skew", times=1)
    assert stage.client.digest(date(2026, 11, 23), "330522003").root != right.root
    assert stage.client.digest(date(2026, 11, 23), "330522003") == right


def test_the_registry_has_a_clock_of_its_own(stage: Stage) -> None:
    stage.switch_on("clock", seconds=-3600)
    receipt = stage.receipt_of(stage.file_one(make_registration_item()))
    assert receipt.accepted_at.hour == 1


def test_switches_are_listed_counted_down_and_survive_a_restart(stage: Stage) -> None:
    assert stage.http.put("/_sim/faults/busy", json={"times": 2}).status_code == 200
    with pytest.raises(RegistryUnavailable):
        stage.client.find_record(RECORD)
    assert Faults(stage.registry.database).all() == {"busy": {"times": 1}}
    listed = stage.http.get("/_sim/faults").get_json()
    assert listed["known"] == {name: fault.en for name, fault in FAULTS.items()}
    assert (listed["params"]["slow"], listed["on"]) == ("seconds=60", {"busy": {"times": 1}})
    assert stage.http.delete("/_sim/faults").get_json() == {"on": {}}


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("earthquake", {}, "Known: slow, http_502"),
        ("busy", {"times": 0}, "`times` is a whole number"),
        ("busy", {"times": True}, "`times` is a whole number"),
        ("slow", {"seconds": "x"}, "`seconds` of `slow` must be a number of seconds, at most 3456000"),
        ("slow", {"minutes": 3}, "`slow` has no parameter 'minutes'. It has: seconds, times."),
        ("clock", {}, "`seconds` of `clock` must be"),
        ("partial", {"state": "ACCEPTED"}, "must be REJECTED or PENDING"),
        ("code_changed", {"place": 200}, "a place in a batch, 0 to 199"),
        ("unknown_units", {"units": []}, "`units` of `unknown_units` must be"),
    ],
)
def test_a_switch_that_is_not_usable_is_refused_in_a_sentence(
    stage: Stage, name: str, params: dict[str, object], words: str
) -> None:
    answer = stage.http.put(f"/_sim/faults/{name}", json=params)
    assert answer.status_code == 422
    assert words in answer.get_json()["error"]
    assert stage.registry.faults.all() == {}


@pytest.mark.parametrize("name", list(FAULTS))
def test_every_failure_can_be_switched_on_with_what_its_usage_names(stage: Stage, name: str) -> None:
    given = {param: default if default is not None else _GIVEN[param] for param, default in _params(name).items()}
    assert stage.http.put(f"/_sim/faults/{name}", json={**given, "times": 3}).status_code == 200
    page = stage.http.get("/").get_data(as_text=True) + stage.http.get("/?lang=en").get_data(as_text=True)
    for words in (FAULTS[name].zh, FAULTS[name].en):
        assert f"<code>{name}</code> {escape(words)}" in page
    assert stage.http.delete(f"/_sim/faults/{name}").get_json() == {"on": {}}
    assert stage.http.delete("/_sim/faults/earthquake").status_code == 422


_GIVEN = {"seconds": 60, "units": "U-7H2K9MPQ"}


def _params(name: str) -> dict[str, object]:
    return {param: default for param, (_, default) in FAULTS[name].params.items()}


def test_a_line_that_is_cut_is_no_answer_and_leaves_nothing(stage: Stage) -> None:
    ends, others = socket.socketpair()
    with ends, others:
        stage.switch_on("broken_chain", times=1)
        stage.http.get("/v1/changes", environ_overrides={"gunicorn.socket": ends})
        assert others.recv(1) == b""  # the end of the line, before any answer
    stage.switch_on("broken_chain", times=1)
    with pytest.raises(RegistryUnavailable):
        stage.client.submit(BATCH, KEY)
    assert stage.judge() == 0


def test_a_form_of_another_site_switches_nothing(stage: Stage) -> None:
    answer = stage.http.put("/_sim/faults/busy", data="{}", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415


def test_without_its_setting_there_are_no_switches(stage: Stage) -> None:
    closed = RegistrySettings(stage.settings.folder, stage.settings.senders)
    app = create_registry_app(closed, start_processor=False)
    assert app.test_client().get("/_sim/faults").status_code == 404


def test_switches_follow_the_demo_unless_they_are_set(tmp_path: Path) -> None:
    def switches(**environment: str) -> bool:
        return RegistrySettings.from_environment({"ANJU_VAR": str(tmp_path), **environment}).switches

    assert not switches()
    assert switches(ANJU_DEMO="1")
    assert not switches(ANJU_DEMO="1", ANJU_REGISTRY_SWITCHES="0")


def test_health_stays_answerable_while_calls_fail(stage: Stage) -> None:
    stage.switch_on("http_502")
    assert stage.http.get("/v1/keys").status_code == 200
    assert stage.http.get("/healthz").get_json()["reason"] == "the judging thread is not running"
    with pytest.raises(RegistryUnavailable):
        stage.client.changes("0")


def test_a_refused_call_keeps_its_codes(stage: Stage) -> None:
    with pytest.raises(RegistryRefused) as caught:
        stage.client.submit(BATCH, "short")
    assert (caught.value.status, caught.value.code) == (400, "1102")
