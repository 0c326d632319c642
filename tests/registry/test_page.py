"""The registry's page for people, and its process."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.registry.__main__ import main
from backend.registry.app import create_registry_app
from backend.registry.holdings import mask_name
from backend.registry.pages import WORDS
from backend.registry.processor import Processor
from tests.registry.stage import Stage
from tests.wire.registry_makers import RECORD, TENANT_PAYLOAD, make_batch, make_changed_item, make_registration_item


@pytest.mark.parametrize(("query", "title"), [("", WORDS["title"][0]), ("?lang=en", WORDS["title"][1])])
def test_the_page_shows_what_is_held_and_no_person(stage: Stage, query: str, title: str) -> None:
    receipt_no = stage.file_one(make_registration_item()).receipt_no or ""
    stage.switch_on("busy")
    text = stage.http.get(f"/{query}").get_data(as_text=True)
    assert title in text and receipt_no in text and "<code>busy</code>" in text
    for secret in (TENANT_PAYLOAD["name"], TENANT_PAYLOAD["id_number"], TENANT_PAYLOAD["address"], "1992"):
        assert secret not in text


def test_an_empty_registry_says_so(stage: Stage) -> None:
    assert WORDS["none"][0] in stage.http.get("/").get_data(as_text=True)


@pytest.mark.parametrize("path", ["/", "/static/registry.css", "/v1/nothing", "/healthz"])
def test_every_answer_carries_the_strict_headers(stage: Stage, path: str) -> None:
    with stage.http.get(path) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_has_no_inline_script_or_style(stage: Stage) -> None:
    text = stage.http.get("/").get_data(as_text=True)
    assert "<script" not in text and "<style" not in text and "style=" not in text


@pytest.mark.parametrize(("name", "masked"), [("王", "王"), ("王五", "王＊"), ("欧阳样本人", "欧＊＊"), ("", "")])
def test_a_name_is_masked_to_its_first_character(name: str, masked: str) -> None:
    assert mask_name(name) == masked


ORIGIN = {"Origin": "http://localhost"}
CLERK = {"record_id": RECORD, "office": "省登记中心", "badge": "S-0042"}


def test_the_page_counts_batches_states_and_what_waits(stage: Stage) -> None:
    stage.file(make_registration_item(), make_changed_item(name="甲3"))
    answer = stage.http.post("/corrections", data={**CLERK, "field": "address", "value": "样本路2号"}, headers=ORIGIN)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/?done=corrected&lang=zh")
    text = stage.http.get("/?done=corrected&lang=en").get_data(as_text=True)
    assert "partly accepted" in text and WORDS["corrected"][1] in text
    assert "<dt>living there</dt><dd>1</dd>" in text and "<dt>Corrections waiting</dt><dd>1</dd>" in text
    (change,), _ = stage.client.changes("0")
    assert (dict(change.fields), change.revision) == ({"address": "样本路2号"}, 1)


def test_a_clerks_look_is_written_down_and_shows_nothing(stage: Stage) -> None:
    stage.file_one(make_registration_item())
    answer = stage.http.post("/reads", data={**CLERK, "purpose": "核对", "lang": "en"}, headers=ORIGIN)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/?done=noted&lang=en")
    assert [read.purpose for read in stage.client.list_reads(RECORD)] == ["核对"]


def test_a_refused_form_says_why_and_keeps_what_was_typed(stage: Stage) -> None:
    stage.file_one(make_registration_item())
    wrong = {**CLERK, "field": "reason", "value": "205", "lang": "en"}
    answer = stage.http.post("/corrections", data=wrong, headers=ORIGIN)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422 and "/reason: This code is not in the code table. (2101)" in text
    assert 'value="205"' in text and "<option selected>reason</option>" in text
    assert (
        stage.http.post("/reads", data={**wrong, "record_id": "x", "purpose": "核对"}, headers=ORIGIN).status_code
        == 404
    )
    assert stage.client.changes("0") == ([], "0")


@pytest.mark.parametrize("headers", [{}, {"Origin": "null"}, {"Origin": "http://elsewhere.test"}])
def test_a_form_of_another_page_changes_nothing(stage: Stage, headers: dict[str, str]) -> None:
    stage.file_one(make_registration_item())
    sent = {**CLERK, "field": "address", "value": "样本路2号"}
    assert stage.http.post("/corrections", data=sent, headers=headers).status_code == 403
    assert stage.client.changes("0") == ([], "0")


def test_without_switches_there_is_no_clerk_on_the_page(stage: Stage) -> None:
    stage.file_one(make_registration_item())
    closed = create_registry_app(replace(stage.settings, switches=False), start_processor=False).test_client()
    assert "<form" in stage.http.get("/").get_data(as_text=True)
    assert "<form" not in closed.get("/").get_data(as_text=True)
    assert closed.post("/reads", data={**CLERK, "purpose": "核对"}, headers=ORIGIN).status_code == 404


def test_the_judging_thread_judges_what_waits_and_ends_when_told(stage: Stage) -> None:
    batch_id = stage.client.submit(make_batch(make_registration_item()), "key-0123456789abcdef").batch_id
    processor = Processor(stage.registry)
    processor.start()
    processor.wake()
    states = (stage.client.batch_status(batch_id).state for _ in range(5000))
    assert "DONE" in states
    assert processor.is_alive
    processor.stop()
    assert not processor.is_alive


def test_preparing_twice_changes_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANJU_REGISTRY_VAR", str(stage.settings.folder.parent))
    kept = [path for path in stage.settings.folder.glob("*") if path.suffix in (".pem", ".json")]
    before = {path.name: path.read_bytes() for path in kept}
    assert main(["upgrade-database"]) == 0
    assert {name: (stage.settings.folder / name).read_bytes() for name in before} == before
    assert (stage.settings.folder / "signing-key.pem").stat().st_mode & 0o777 == 0o600
    assert stage.settings.folder.stat().st_mode & 0o777 == 0o700


def test_other_words_are_answered_with_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "upgrade-database" in capsys.readouterr().err
