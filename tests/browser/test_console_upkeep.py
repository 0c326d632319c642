"""C5, C6, C7, C11 and C12 in a browser, and the pages on which agreements and local standards are kept."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import select, update

from backend.bootstrap import core_app
from backend.config import Settings
from backend.db import db, transaction
from backend.domain.cases import REASON_NAMES
from backend.gateways.registry_client import HttpRegistryClient
from backend.models.audit import AuditLeaf
from backend.models.officers import Officer
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services.appointments import choose_slot, offered_slots
from backend.services.audit_sealing import seal_leaves, sign_checkpoint
from backend.services.audit_verification import check_whole_log, keep_check
from backend.services.case_opening import open_case
from backend.services.inbox import list_notices
from backend.services.staff_notices import tell_officer
from backend.worker.loops import Loop, Step
from backend.worker.registry_loop import check_contact
from tests.browser.console_stage import Desk, Office, desks, office
from tests.browser.key_stage import Server
from tests.registry.stage import Stage, prepare_template
from tests.services import sharing, staff, stories

__all__ = ["desks", "office"]

pytestmark = pytest.mark.browser
Desks = Callable[..., Desk]


def look(desk: Desk, path: str, name: str, *words: str) -> None:
    """The page in both languages: its words are there, axe finds nothing, nothing hangs over the edge."""
    desk.page.goto(path)
    for each in words:
        desk.sees(each)
    desk.require_accessible()
    desk.look(f"{name}-zh")
    desk.set_mode("en", elder=False)
    desk.page.goto(path)
    desk.require_accessible()
    desk.look(f"{name}-en")
    desk.set_mode("zh", elder=False)
    desk.page.goto(path)


def book(world: Any, account: str) -> str:
    """A time at the window; answers the review's reference."""
    slot = offered_slots(world, account_id=account)[0]
    return str(choose_slot(world, account_id=account, way="window", starts_at=slot.starts_at).case_reference)


def another(world: Any, unit_id: str) -> str:
    """Another review of the same house, due later."""
    with transaction() as session:
        case = open_case(world, session, kind="identity_review", area="330522003900", unit_id=unit_id, rule="FACE-6",
                         opened_by="tenant", evidence={"way": "face"})  # fmt: skip
        return case.reference


def press(desk: Desk, words: str) -> None:
    desk.page.locator("main button:visible, main a:visible").filter(has_text=words).first.click()
    desk.page.wait_for_load_state()


def refused(desk: Desk) -> None:
    """The form came back with its faults on top, and nothing else went wrong."""
    desk.page.locator(".summary").wait_for()
    desk.require_accessible()
    desk.complaints.allow(422)
    desk.complaints.require_none()


def test_c5_c6_a_review_is_taken_gone_through_by_keys_and_decided_with_a_reason_the_tenant_reads(
    office: Office, desks: Desks
) -> None:
    story = office.make(stories.make_declared)
    first = office.make(book, story.tenant)
    second = office.make(another, story.unit_id)
    desk = desks("reviewer")
    desk.come_as("reviewer", purpose="review")
    look(desk, "/reviews", "reviews", first, second, "还有 3 天")
    row = desk.page.locator("tr", has_text=first)
    row.get_by_role("button", name="领取").click()
    desk.sees("作出决定")
    desk.page.goto("/reviews")
    press(desk, "退回待领取")
    desk.page.wait_for_url("**/reviews*")
    desk.page.locator("tr", has_text=first).get_by_role("button", name="领取").click()
    desk.sees("作出决定")
    desk.page.keyboard.press("j")
    desk.page.wait_for_url(f"**/cases/{second}")
    desk.page.keyboard.press("k")
    desk.page.wait_for_url(f"**/cases/{first}")
    desk.require_accessible()
    other = desks("other")
    other.come_as("supervisor", purpose="review")
    other.page.goto(f"/cases/{first}")
    other.sees("已领取")
    assert other.page.get_by_role("button", name="确认为本人").count() == 0, "one decider per item"
    form = desk.page.locator("form[action$='/decision']").first
    reason = form.locator("select[name=reason] option[value]:not([value=''])").first.get_attribute("value")
    form.locator("select[name=reason]").select_option(str(reason))
    form.locator("input[name=method][value=window]").check()
    form.locator("button").click()
    desk.sees("已处理")
    told = {notice.kind: notice for notice in office.make(list_notices, account_id=story.tenant)}
    assert REASON_NAMES[str(reason)][0] in told["identity_reviewed"].text_zh, "the tenant reads the reason"


def test_c7_each_discrepancy_names_the_dwelling_the_rule_and_its_case(office: Office, desks: Desks) -> None:
    story = office.make(stories.make_active)
    office.make(stories.make_occupant, story, joint_with=story.lease_id)

    def bend(world: Any) -> None:
        with transaction() as session:
            session.get_one(Registration, story.registration_id).disputed = True

    office.make(bend)
    desk = desks("grid")
    desk.come_as("supervisor")
    look(desk, "/discrepancies?kind=disputed", "disputed", "101室", "HR-12", "还没有事项")
    press(desk, "安排走访")
    expect(desk.page.locator("[name=ground]:checked")).to_have_value("disputed")
    desk.page.goto("/standards")
    desk.page.locator("select[name=name]").select_option("persons_per_room")
    press(desk, "设定")
    refused(desk)
    desk.page.locator("input[name=value]").fill("1")
    desk.page.locator("input[name=starts_on]").fill("2026-11-23")
    desk.page.locator("input[name=reason]").fill("长建〔2026〕12号")
    desk.page.locator("main form button").click()
    desk.sees("长建〔2026〕12号")
    look(desk, "/standards", "standards", "今天生效", "安装时的设置")
    look(desk, "/discrepancies?kind=over_capacity", "crowded", "2 / 1", "HR-7")
    look(desk, "/deadlines", "deadlines", "没有逾期")


def test_an_agreement_goes_from_its_file_over_two_supervisors_to_its_end(
    office: Office, desks: Desks, tmp_path: Path
) -> None:
    file = tmp_path / "agreement.json"
    file.write_text(json.dumps(office.make(sharing.written)), encoding="utf-8")
    first, second = desks("first"), desks("second")
    first.come_as("supervisor")
    second.come_as("supervisor", area="330522")
    first.page.goto("/agreements")
    first.page.locator("input[type=file]").set_input_files(str(file))
    press(first, "上传")
    first.sees("约定内容")
    address = first.page.url
    for desk in (first, second):
        desk.page.goto(address)
        desk.page.locator("main input[name=password]").fill(staff.PASSWORD)
        press(desk, "批准")
    second.sees("生效中")
    look(second, address, "agreement", "终止后什么也不再送出")
    look(second, "/agreements", "agreements", "第 1 版")
    second.page.goto(address)
    end = second.page.locator("form[action$='/end']")
    end.locator("input[name=reason]").fill("合作结束了")
    end.locator("button").click()
    refused(second)
    assert second.page.locator("form[action$='/end'] input[name=reason]").input_value() == "合作结束了"
    second.page.locator("input[name=confirmed]").check()
    second.page.locator("form[action$='/end'] button").click()
    second.sees("已终止")
    auditor = desks("auditor")
    auditor.come_as("auditor")
    look(auditor, address, "agreement-read", "已终止")
    assert auditor.page.locator("main button").count() == 0


def test_c12_the_log_is_filtered_paged_and_checked(office: Office, desks: Desks) -> None:
    story = office.make(stories.make_active)
    number = office.make(lambda world: db.session.scalar(select(Unit.public_number).where(Unit.id == story.unit_id)))
    officer, auditor = desks("officer"), desks("auditor")
    officer.come_as("officer", purpose="visit")
    officer.page.goto(f"/units/{story.unit_id}")
    office.make(seal_leaves)
    office.make(sign_checkpoint)
    auditor.come_as("auditor")
    auditor.page.goto("/audit")
    auditor.page.locator("input[name=unit]").fill(number)
    auditor.page.locator("select[name=role]").select_option("officer")
    press(auditor, "筛选")
    auditor.page.locator("tbody").get_by_text("查看单元").first.wait_for()
    assert auditor.page.locator("tbody tr").count() == 2, "one leaf for each person the page named"
    press(auditor, "立即核对")
    auditor.sees("全部相符")
    look(auditor, "/audit", "audit", "核对 · 2026-11-23 10:00:00")

    def tamper(world: Any) -> None:
        for number in (2, 4):
            with transaction() as session:
                session.execute(update(AuditLeaf).where(AuditLeaf.seq == number).values(decision="other"))
            keep_check(world, check_whole_log(world))
            world.clock.move(timedelta(minutes=1))

    office.make(tamper)
    auditor.page.goto("/")
    auditor.page.locator(".notices").get_by_role("link", name="看访问审计").click()
    auditor.sees("发现 2 处不符")
    auditor.page.locator("summary", has_text="以前发现过的不符（1 次）").click()
    auditor.sees("第 2 条记录被改动")
    auditor.look("audit-differs-opened")
    look(auditor, "/audit", "audit-differs", "第 4 条记录被改动", "系统自动核对")


class PatientEar:
    """Waits as long as it is asked to; nobody wakes it early."""

    def __init__(self) -> None:
        self._closed = threading.Event()

    def wait(self, seconds: float) -> bool:
        """False: nothing came."""
        return self._closed.wait(seconds)

    def close(self) -> None:
        """Stop waiting."""
        self._closed.set()


@pytest.fixture
def registry(office: Office, tmp_path: Path) -> Iterator[Server]:
    """The stand-in registry on a port of its own, and the worker's loop that asks whether it is there."""
    stage = Stage(prepare_template(tmp_path / "registry"))
    server = Server(stage.app)
    client = HttpRegistryClient(server.base, stage.signer, stage.settings.public_keys)
    world = replace(office.world, registry=client)
    app = core_app(Settings.from_environment({"ANJU_DEMO": "1", "ANJU_VAR": str(tmp_path)}), world)
    loop = Loop("registry", app, PatientEar(), [Step("contact", 15, lambda: check_contact(world))])
    loop.start()
    yield server
    server.stop()
    loop.stop()
    stage.registry.database.engine.dispose()
    with app.app_context():
        db.engine.dispose()


def test_c11_the_page_turns_red_by_itself_within_a_minute_of_the_registry_stopping(
    office: Office, desks: Desks, registry: Server
) -> None:
    story = office.make(stories.make_declared)
    desk = desks("sync")
    desk.come_as("supervisor")
    desk.page.goto("/sync")
    desk.page.get_by_text("与登记机关连通正常").wait_for(timeout=30_000)
    desk.sees("等待报送")
    registry.stop()
    desk.page.locator(".note-bad").get_by_text("联系不上登记机关").wait_for(timeout=60_000)
    desk.require_accessible()
    desk.look("sync-red")
    assert story.unit_id


def test_c11_a_parked_row_names_its_error_and_owner_and_is_sent_again(office: Office, desks: Desks) -> None:
    from tests.services.test_sync_health import park_one

    office.make(park_one)
    desk = desks("parked")
    desk.come_as("supervisor")
    look(desk, "/sync", "sync-parked", "3002 name and number do not match", "租客", "最早一条已等")
    press(desk, "重新报送")
    desk.sees("没有搁置的报送")
    office.world.clock.move(timedelta(minutes=5))
    desk.page.goto("/sync")
    desk.sees("5 分钟")


# A place that is cut off or lies on two lines too many, or the list when it scrolls.
CROWDED = """() => [...document.querySelectorAll('.places, .places a, .who a, .who button, .brand')]
  .filter((each) => each.scrollHeight > each.clientHeight + 1 || each.scrollWidth > each.clientWidth + 1
    || each.getBoundingClientRect().bottom > innerHeight)
  .map((each) => each.outerHTML.slice(0, 90))"""


@pytest.mark.parametrize("role", ["supervisor", "officer", "auditor"])
def test_the_rail_shows_every_place_on_a_low_screen_without_scrolling(office: Office, desks: Desks, role: str) -> None:
    desk = desks(f"rail-{role}")
    desk.come_as(role)

    def notify(world: Any) -> None:
        with transaction() as session:
            for officer_id in session.scalars(select(Officer.id)):
                tell_officer(world, session, officer_id, "session_ended", once="rail", badge="P-2345")

    office.make(notify)
    for language in ("zh", "en"):
        desk.set_mode(language, elder=False)
        for height in (768, 640):
            desk.page.set_viewport_size({"width": 1366, "height": height})
            desk.page.goto("/me")
            desk.page.locator(".rail .told").wait_for()
            assert desk.page.evaluate(CROWDED) == [], (language, height)
            desk.require_accessible()
            desk.look(f"{language}-{height}")
            places = desk.page.locator(".places a")
            assert all(places.nth(each).bounding_box()["height"] >= 44 for each in range(places.count()))
