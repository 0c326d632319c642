"""The office's upkeep at the console: agreements with four eyes, standards, the log's filters and its last check."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update

from backend.db import db, transaction
from backend.domain.sharing import PARKED_AFTER
from backend.gateways.office_client import Answer
from backend.models.audit import AuditCheckpoint, AuditLeaf
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.queries.audit_lists import PAGE, list_leaves
from backend.services.agreements import list_agreements
from backend.services.audit_sealing import seal_leaves, sign_checkpoint
from backend.services.audit_verification import check_whole_log, keep_check
from backend.services.change_feed import number_events
from backend.worker.office_loop import send_once
from tests.services import sharing, staff, stories

Browser = Callable[..., FlaskClient]
Make = Callable[..., Any]


def upload(client: FlaskClient, written: dict[str, Any]) -> Any:
    file = (BytesIO(json.dumps(written).encode()), "agreement.json")
    return client.post("/agreements", data={"file": file}, content_type="multipart/form-data", follow_redirects=True)


def agreements(make: Make) -> Any:
    return make(lambda world: list_agreements())


def leaves(make: Make, *actions: str) -> list[tuple[str, str | None, str | None]]:
    def read(world: Any) -> list[tuple[str, str | None, str | None]]:
        found = select(AuditLeaf).where(AuditLeaf.action.in_(actions)).order_by(AuditLeaf.id)
        return [(leaf.action, leaf.role, leaf.decision) for leaf in db.session.scalars(found)]

    rows: list[tuple[str, str | None, str | None]] = make(read)
    return rows


def test_a_draft_needs_two_different_supervisors_and_then_ends_with_a_confirmation(
    browser: Browser, make: Make, world: Any
) -> None:
    first, second = browser("supervisor"), browser("supervisor", area="330522")
    page = upload(first, make(sharing.written))
    assert "待批准" in page.text and "长兴县住房和城乡建设局" in page.text and "承租人姓名" in page.text
    [draft] = agreements(make)
    address = f"/agreements/{draft.id}"
    assert "密码" in first.post(f"{address}/approval", data={"password": "wrong"}).text
    assert agreements(make)[0].approvals == 0
    first.post(f"{address}/approval", data={"password": staff.PASSWORD})
    assert "等另一位负责人" in first.get(address).text
    assert "另一位负责人" in first.post(f"{address}/approval", data={"password": staff.PASSWORD}).text
    assert agreements(make)[0].state == "draft"
    second.post(f"{address}/approval", data={"password": staff.PASSWORD})
    assert agreements(make)[0].state == "active"
    refused = second.post(f"{address}/end", data={"reason": "合作结束"})
    assert refused.status_code == 422 and "请先勾选" in refused.text and 'value="合作结束"' in refused.text
    assert agreements(make)[0].state == "active"
    second.post(f"{address}/suspend", data={"reason": "接口检修三天"})
    assert agreements(make)[0].state == "suspended"
    second.post(f"{address}/resume")
    second.post(f"{address}/end", data={"reason": "合作结束", "confirmed": "yes"})
    assert (agreements(make)[0].state, agreements(make)[0].state_reason) == ("ended", "合作结束")
    told = leaves(make, "agreement_added", "agreement_approved", "agreement_suspended", "agreement_resumed",
                  "agreement_ended")  # fmt: skip
    assert {role for _, role, _ in told} == {"supervisor"} and len(told) == 6


def test_a_file_with_faults_is_not_taken_in_and_says_each(browser: Browser, make: Make) -> None:
    client, written = browser("supervisor"), make(sharing.written)
    answer = upload(client, {**written, "legal_basis": "ZJ-2", "fields": ["door_events"]})
    assert answer.status_code == 422 and "这项用途的法律依据" in answer.text
    assert upload(client, ["no", "object"]).status_code == 422  # type: ignore[arg-type]
    assert client.post("/agreements", data={}).status_code == 422
    assert agreements(make) == ()


def test_outside_the_area_a_supervisor_neither_hands_in_nor_approves(browser: Browser, make: Make) -> None:
    far = browser("supervisor", area=staff.OTHER_STREET)
    assert upload(far, make(sharing.written)).status_code == 403
    agreement = make(lambda world: sharing.make_agreement(world, sharing.make_supervisors(world)))
    page = far.get(f"/agreements/{agreement.id}")
    assert page.status_code == 200 and "终止后" not in page.text
    for act in ("approval", "suspend", "end", "retry"):
        assert far.post(f"/agreements/{agreement.id}/{act}", data={"reason": "试一试"}).status_code == 403, act
    assert [decision for _, _, decision in leaves(make, "refused")] == ["area.foreign"] * 5


def test_an_auditor_reads_agreements_and_changes_none(browser: Browser, make: Make) -> None:
    agreement = make(lambda world: sharing.make_agreement(world, sharing.make_supervisors(world)))
    auditor = browser("auditor")
    page = auditor.get(f"/agreements/{agreement.id}").text
    assert "生效中" in page and "<button" not in page.split('<main id="content">')[1].split("</main>")[0]
    assert "设定新标准" not in browser("officer").get("/standards").text
    one = f"/agreements/{agreement.id}"
    for address in ("/agreements", f"{one}/end", f"{one}/retry", f"{one}/approval", "/standards"):
        assert auditor.post(address, data={"confirmed": "yes", "reason": "试一试"}).status_code == 403, address


def park_delivery(world: Any) -> Any:
    """An agreement under which one lease could not be told for a week."""
    agreement = sharing.make_agreement(world, sharing.make_supervisors(world), kinds=["cn.anju.lease.recorded"])
    stories.make_invited(world)
    number_events(world)
    world.clock.move(PARKED_AFTER)
    sharing.office(world).answers = [Answer(500, "http_500")]
    send_once(world)
    return agreement


def test_a_parked_delivery_is_shown_and_taken_up_again_from_the_page(browser: Browser, make: Make) -> None:
    agreement = make(park_delivery)
    client = browser("supervisor")
    page = client.get(f"/agreements/{agreement.id}").text
    assert "全部重新推送" in page and "租约登记" in page
    client.post(f"/agreements/{agreement.id}/retry")
    assert "全部重新推送" not in client.get(f"/agreements/{agreement.id}").text
    assert leaves(make, "deliveries_taken_up")[0][1] == "supervisor"


def test_a_standard_is_set_by_the_form_and_judges_the_board(browser: Browser, make: Make, world: Any) -> None:
    story = make(stories.make_active)
    make(stories.make_occupant, story, joint_with=story.lease_id)
    client = browser("supervisor")
    assert "0" in client.get("/discrepancies?kind=over_capacity").text
    wrong = client.post("/standards", data={"name": "persons_per_room", "value": "x", "starts_on": "", "reason": ""})
    assert wrong.status_code == 422
    today = world.clock.today().isoformat()
    sent = {"name": "persons_per_room", "value": "1", "starts_on": today, "reason": "长建〔2026〕12号"}
    page = client.post("/standards", data=sent, follow_redirects=True).text
    assert "长建〔2026〕12号" in page
    assert "2 / 1" in client.get("/discrepancies?kind=over_capacity").text
    assert "超员" in client.get(f"/ledger?dwelling={story.dwelling_id}").text


def test_discrepancies_name_the_unit_the_rule_and_nobody(browser: Browser, make: Make, clock: Any) -> None:
    story = make(stories.make_active)

    def bend(world: Any) -> None:
        with transaction() as session:
            row = session.get_one(Registration, story.registration_id)
            row.landlord_leg, row.disputed = "due", True

    make(bend)
    client = browser("grid_worker")
    for kind, rule in (("unreported", "ZJ-9-1"), ("disputed", "HR-12")):
        page = client.get(f"/discrepancies?kind={kind}").text
        assert "101室" in page and rule in page and "周来福" not in page and "沈安一" not in page
    assert "没有这类差异" in client.get("/discrepancies?kind=lease_over").text
    assert client.get("/discrepancies?kind=persons").status_code == 404
    assert "101室" not in browser("officer", area=staff.OTHER_STREET).get("/discrepancies").text


def test_the_log_is_filtered_by_role_office_and_door_and_goes_on_by_pages(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    number = make(lambda world: db.session.get_one(Unit, story.unit_id).public_number)
    officer = browser("officer", purpose="visit")
    officer.get(f"/units/{story.unit_id}")
    auditor = browser("auditor")

    def shown(query: str) -> str:
        return auditor.get(f"/audit?{query}").text.partition("<tbody>")[2].partition("</tbody>")[0]

    assert "查看单元" in shown(f"unit={number}") and "登录" not in shown(f"unit={number}")
    assert shown("unit=U-NOSUCH00") == ""
    assert "查看单元" in shown("role=officer") and "查看单元" not in shown("role=auditor")
    assert "查看单元" in shown("office=太湖派出所") and shown("office=别处") == ""
    for _ in range(55):
        officer.get(f"/units/{story.unit_id}")
    page = auditor.get("/audit").text
    assert "更早的记录" in page
    first = make(lambda world: list_leaves())
    after = page.split("before=")[1].split('"')[0]
    second = make(lambda world: list_leaves(before=after))
    assert after == first[-1].id and len(first) == PAGE and second
    assert all(leaf.id < after for leaf in second)
    assert auditor.get(f"/audit?before={after}").text.count("<tr>") == len(second) + 1


def test_the_last_check_stays_on_the_page_with_its_time(browser: Browser, make: Make, world: Any) -> None:
    make(stories.make_active)
    make(seal_leaves)
    make(sign_checkpoint)
    supervisor = browser("supervisor")
    assert "全部相符" not in supervisor.get("/audit").text
    assert "全部相符" in supervisor.post("/audit/check", follow_redirects=True).text
    again = browser("auditor").get("/audit").text
    assert "全部相符" in again and "核对 · 2026-11-23 10:00:00" in again
    assert leaves(make, "audit_checked") == [("audit_checked", "supervisor", "fits")]


def test_a_broken_log_meets_its_readers_at_the_start_and_stays_on_the_page(
    browser: Browser, make: Make, clock: Any
) -> None:
    make(stories.make_active)
    make(seal_leaves)
    auditor, officer = browser("auditor"), browser("officer")
    never = auditor.get("/audit").text
    assert "已超过两天没有核对" in never, "a log that nobody has checked yet is no quiet thing"

    def lose(world: Any) -> None:
        with transaction() as session:
            session.execute(update(AuditLeaf).where(AuditLeaf.seq == 2).values(decision="other"))
        keep_check(world, check_whole_log(world))

    make(lose)
    start = auditor.get("/", follow_redirects=True).text
    assert "发现 1 处不符" in start and 'href="/audit"' in start.partition("发现 1 处不符")[2]
    assert "处不符" not in officer.get("/", follow_redirects=True).text
    page = auditor.get("/audit").text
    assert "第 2 条记录被改动" in page and "系统自动核对" in page and "已超过两天" not in page
    auditor.set_cookie("anju-lang", "en", domain="localhost")
    assert "leaf 2 was changed" in auditor.get("/audit").text and "Checked by the system" in auditor.get("/audit").text

    def mend(world: Any) -> None:
        with transaction() as session:
            session.execute(delete(AuditLeaf))
            session.execute(delete(AuditCheckpoint))

    make(mend)
    clock.move(timedelta(minutes=1))
    after = browser("supervisor").post("/audit/check", follow_redirects=True).text
    assert "全部相符" in after and "以前发现过的不符（1 次）" in after and "第 2 条记录被改动" in after


def test_no_route_changes_or_removes_a_leaf(console: Flask) -> None:
    """The log's own routes: one to read, one to recompute; nothing in the code writes to a leaf but the sealing."""
    own = {(rule.endpoint, tuple(sorted(rule.methods - {"HEAD", "OPTIONS"}))) for rule in console.url_map.iter_rules()
           if rule.rule.startswith("/audit") and rule.methods}  # fmt: skip
    assert own == {("audits.index", ("GET",)), ("audits.check", ("POST",))}
    backend = Path(__file__).resolve().parents[2] / "backend"
    writing = sorted(
        path.relative_to(backend).as_posix()
        for room in ("console", "services", "queries", "worker", "mqtt")
        for path in (backend / room).rglob("*.py")
        if any(words in path.read_text(encoding="utf-8") for words in ("update(AuditLeaf", "delete(AuditLeaf"))
    )
    assert writing == ["services/audit_sealing.py"]


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_the_log_answers_no_other_method(browser: Browser, method: str) -> None:
    assert getattr(browser("auditor"), method)("/audit").status_code == 405


def test_only_a_supervisor_sends_a_parked_row_again(browser: Browser, make: Make) -> None:
    from tests.services.test_sync_health import park_one

    make(park_one)
    assert "重新报送" in browser("supervisor").get("/sync").text
    officer = browser("officer")
    assert "重新报送" not in officer.get("/sync").text and "3002" in officer.get("/sync").text
    assert officer.post("/sync/1/retry").status_code == 403
