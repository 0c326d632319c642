"""The pages of keys beside the one big button: codes, a new phone, visitors' keys, and what is kept for no network."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest

from backend.db import transaction
from backend.gateways.face_matcher import FakeFaceMatcher
from backend.models.keys import Key
from backend.models.locks import Lock
from backend.services.keys import suspend_key
from backend.wire.jwk import jwk_of, make_private_key, public_key_from_jwk, thumbprint
from device_sim.errands import Errand
from tests.mobile_api.near_stories import lock_of
from tests.mobile_api.page_phones import ORIGIN, Page, PagePhone
from tests.services import stories
from tests.services.stories import LANDLORD_PHONE, TENANT_PHONE, Story

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

Browser = Callable[..., PagePhone]
Make = Callable[..., Any]
VISITOR = "+8619900009555"
CODE = re.compile(r"\b\d{4} \d{4}\b")
VISIT = {"purpose": "cleaning", "phone": VISITOR[3:], "uses": "2"}


def new_jwk() -> dict[str, str]:
    return jwk_of(make_private_key().public_key())


def make_home(world: Any) -> Story:
    """An active key at a lock with a keypad."""
    story = stories.make_active(world)
    with transaction() as session:
        session.get_one(Lock, story.identity.lock_id).agreement_key = new_jwk()
    return story


def of_key(story: Story, rest: str) -> str:
    return f"/t/homes/{story.registration_id}/{rest}"


def json_of(phone: PagePhone, path: str, page: str, **sent: str) -> Any:
    csrf = phone.get(page).form("English").values["csrf_token"]
    return phone.client.post(path, data={"csrf_token": csrf, **sent}, base_url=ORIGIN)


def link_of(page: Page) -> str:
    found = re.search(r"/i/[A-Za-z0-9_-]{20,}", page.html)
    assert found is not None
    return found[0]


def accept(phone: PagePhone, link: str) -> Page:
    return phone.press(phone.get(link), "接受邀请", phone_jwk=json.dumps(new_jwk()))


def check_face_again(phone: PagePhone, story: Story, world: Any) -> Page:
    world.faces.__init__(FakeFaceMatcher.verdict("match"))
    document = b"document"
    csrf = phone.get(of_key(story, "face/check?rebind=1")).form("English").values["csrf_token"]
    asked = {"csrf_token": csrf, "document_sha256": hashlib.sha256(document).hexdigest()}
    challenge = phone.client.post("/t/face/challenge", data=asked, base_url=ORIGIN,
                                  headers={"Accept": "application/json"}).json  # fmt: skip
    body = {"csrf_token": csrf, "challenge_id": challenge["id"], "nonce": challenge["nonce"],
            "document": (BytesIO(document), "document.jpg"),
            "frames": [(BytesIO(b"frame"), "frame.jpg") for _ in range(36)],
            "at_ms": [str(number * 250) for number in range(36)]}  # fmt: skip
    return Page(phone.client.post(of_key(story, "face/check?rebind=1"), data=body, base_url=ORIGIN))


def test_the_codes_of_today_and_the_next_days_stand_large_and_can_be_printed(browser: Browser, make: Make) -> None:
    story = make(make_home)
    phone = browser(TENANT_PHONE)
    assert of_key(story, "codes") in phone.get(of_key(story, "key")).reader.links
    page = phone.get(of_key(story, "codes"))
    assert "今天的密码" in page.text and len(set(CODE.findall(page.text))) == 8
    assert "data-print" in page.html and "离线可看" in page.text
    assert CODE.findall(phone.get(of_key(story, "codes")).text) == CODE.findall(page.text)


def test_a_one_time_code_is_shown_in_its_own_answer_and_never_again(browser: Browser, make: Make) -> None:
    story = make(make_home)
    phone = browser(TENANT_PHONE)
    before = phone.get(of_key(story, "codes"))
    page = phone.press(before, "给我一个一次性密码")
    once = set(CODE.findall(page.text)) - set(CODE.findall(before.text))
    assert len(once) == 1 and "今天有效，只能开一次门" in page.text
    assert once.isdisjoint(CODE.findall(phone.get(of_key(story, "codes")).text))
    assert once != set(CODE.findall(phone.press(page, "给我一个一次性密码").text)) - set(CODE.findall(before.text))


def test_when_todays_one_time_codes_are_used_up_the_page_says_so_and_still_shows_the_days(
    browser: Browser, make: Make
) -> None:
    story = make(make_home)
    phone = browser(TENANT_PHONE)
    page = before = phone.get(of_key(story, "codes"))
    for _ in range(11):
        page = phone.press(page, "给我一个一次性密码")
    assert "今天的一次性密码已用完（每天 10 个）" in page.text and "临时钥匙" in page.text
    assert CODE.findall(page.text) == CODE.findall(before.text)


def test_a_lock_without_keypad_and_a_suspended_key_say_why_there_is_no_code(browser: Browser, make: Make) -> None:
    story = make(make_home)
    phone = browser(TENANT_PHONE)
    make(suspend_key, account_id=story.tenant, key_id=story.key_id)
    assert "这把钥匙现在不能开门" in phone.get(of_key(story, "codes")).text
    make(without_keypad, story)
    phone.press(phone.get(of_key(story, "key/resume")), "恢复钥匙")
    page = phone.get(of_key(story, "codes"))
    assert "没有密码键盘" in page.text and not CODE.search(page.text)


def without_keypad(world: Any, story: Story) -> None:
    with transaction() as session:
        session.get_one(Lock, story.identity.lock_id).agreement_key = None


def test_the_phone_fetches_all_that_opens_without_a_network(browser: Browser, make: Make, world: Any) -> None:
    story = make(make_home)
    phone = browser(TENANT_PHONE)
    key_page = of_key(story, "key")
    kept = json_of(phone, f"/t/keys/{story.key_id}/near", key_page).json
    assert public_key_from_jwk(kept["doors"][0]["lock_key"]) == story.identity.private_key.public_key()
    assert {"credential", "revocations", "lock_id"} <= set(kept["doors"][0]) and kept["activation"]
    assert kept["codes"]["days"][0]["day"] == world.clock.today().isoformat() and len(kept["codes"]["days"]) > 30
    time = json_of(phone, f"/t/keys/{story.key_id}/time", key_page, lock_id=story.identity.lock_id, nonce="A" * 22)
    assert time.json["time"].count(".") == 2
    make(without_keypad, story)
    assert json_of(phone, f"/t/keys/{story.key_id}/near", key_page).json["codes"] is None


def with_its_own_agreement(world: Any, story: Story) -> None:
    with transaction() as session:
        agreement_key = story.identity.public_part()["agreement_key"]
        session.get_one(Lock, story.identity.lock_id).agreement_key = agreement_key


def test_the_phone_brings_what_it_has_collected_at_the_door(browser: Browser, make: Make, world: Any) -> None:
    story = make(make_home)
    make(with_its_own_agreement, story)
    lock = lock_of(world, story)
    lock.move_bolt("unlock", key=story.key_id, command=None, via="near")
    item = Errand(lock).next().item
    phone, path = browser(TENANT_PHONE), f"/t/keys/{story.key_id}/lock-report"
    sent = {"lock_id": story.identity.lock_id, "items": item or ""}
    lock.take_acknowledgement(json_of(phone, path, of_key(story, "key"), **sent).json["ack"])
    assert len(lock.log) == 0
    assert json_of(phone, path, of_key(story, "key"), **{**sent, "items": "AAAA"}).status_code == 422


def test_the_page_for_no_network_and_its_worker_hold_nothing_personal(browser: Browser, make: Make) -> None:
    story = make(make_home)
    kept = {"headers": {"X-Anju-Keep": "1"}, "base_url": ORIGIN}  # as the page that keeps it asks for it
    page = Page(browser(TENANT_PHONE).client.get("/t/offline", **kept))
    assert "现在没有网络" in page.text
    for secret in (story.key_id, story.tenant, "陈塘路", TENANT_PHONE[3:], "周来福"):
        assert secret not in page.html
    with browser().client.get("/t/worker.js", base_url=ORIGIN) as worker:
        assert worker.status_code == 200 and "javascript" in worker.headers["Content-Type"]


def test_a_key_goes_to_a_new_phone_only_after_a_fresh_face_check(browser: Browser, make: Make, world: Any) -> None:
    story = make(make_home)
    phone = browser(TENANT_PHONE)
    make(stories.read_notice, story.tenant, "face_check")
    page = phone.get(of_key(story, "phone"))
    jwk = new_jwk()
    refused = phone.press(page, "钥匙装进这部手机", phone_jwk=json.dumps(jwk))
    assert refused.status == 403 and "换手机前请先重新核验身份" in refused.text
    assert of_key(story, "face/check?rebind=1") in page.reader.links
    outcome = check_face_again(phone, story, world)
    assert "身份已核验" in outcome.text and of_key(story, "phone") in outcome.reader.links
    bound = phone.press(phone.get(of_key(story, "phone")), "钥匙装进这部手机", phone_jwk=json.dumps(jwk))
    assert bound.path == of_key(story, "key")
    assert thumbprint(public_key_from_jwk(jwk)) in bound.html
    assert "钥匙已换到新手机" in phone.get("/me/messages").text


def test_an_identified_tenant_meets_the_camera_again_only_for_a_new_phone(browser: Browser, make: Make) -> None:
    story = make(make_home)
    phone = browser(TENANT_PHONE)
    make(stories.read_notice, story.tenant, "face_check")
    assert phone.get(of_key(story, "face/check")).path == f"/t/homes/{story.registration_id}"
    assert phone.get(of_key(story, "face/check?rebind=1")).path == of_key(story, "face/check")


def test_a_person_can_be_asked_instead_and_the_request_is_one(browser: Browser, make: Make) -> None:
    story = make(make_home)
    phone = browser(TENANT_PHONE)
    page = phone.press(phone.get(of_key(story, "phone")), "请工作人员确认")
    reference = re.search(r"AJ-[0-9A-Z-]+", page.html)
    assert reference is not None and "72 小时" in page.text
    again = phone.press(phone.get(of_key(story, "phone")), "请工作人员确认")
    assert reference[0] in again.html


def test_an_occupant_issues_a_key_and_the_visitor_gets_in_with_a_phone_and_nothing_else(
    browser: Browser, make: Make
) -> None:
    story = make(make_home)
    tenant = browser(TENANT_PHONE)
    page = tenant.press(tenant.get(of_key(story, "visitors/new")), "发出", **VISIT)
    assert "打扫" in page.text and "<svg" in page.html and "已邀请" in page.text
    link = link_of(page)
    face = browser().get(link)
    assert "有人请您领取一把临时钥匙" in face.text and "打扫" in face.text and "沈" not in face.html
    visitor = browser(VISITOR)
    visit = accept(visitor, link)
    assert visit.path.startswith("/t/visits/") and "门锁密码" in visit.text and len(CODE.findall(visit.text)) == 1
    assert visit.path in visitor.get("/t/").reader.links
    landlord = browser(LANDLORD_PHONE)
    seen = landlord.get(f"/l/units/{story.unit_id}/visitors")
    assert "住户发出" in seen.text and VISITOR[3:] not in seen.html
    assert "住户发出了临时钥匙" in landlord.get("/me/messages").text
    ended = tenant.press(tenant.get(page.path), "停用这把临时钥匙")
    assert "停用" in ended.text and "停用这把临时钥匙" not in ended.text
    over = visitor.get(visit.path)  # an ended key says why it opens no more
    assert over.status == 200 and "停用" in over.text and not CODE.findall(over.text)


def test_the_landlords_key_waits_for_an_occupants_word(browser: Browser, make: Make) -> None:
    story = make(make_home)
    landlord, tenant, visitor = browser(LANDLORD_PHONE), browser(TENANT_PHONE), browser(VISITOR)
    page = landlord.press(landlord.get(f"/l/units/{story.unit_id}/visitors/new"), "发出", **VISIT, day3="yes",
                          begins="09:00", ends="11:30")  # fmt: skip
    assert "等待住户同意" in page.text and "周三 09:00–11:30" in page.text
    visit = accept(visitor, link_of(page))
    assert "要等住户同意" in visit.text and not CODE.search(visit.text)
    asked = tenant.get(of_key(story, "visitors"))
    assert "请您答复" in asked.text
    key_id = page.path.rsplit("/", 1)[1]
    question = tenant.get(of_key(story, f"visitors/{key_id}"))
    assert "不需要理由" in question.text
    answered = Page(tenant.client.post(question.path, data={**question.form("不同意").values, "answer": "yes"},
                                       base_url=ORIGIN, follow_redirects=True))  # fmt: skip
    assert "住户已同意" in answered.text
    assert CODE.search(visitor.get(visit.path).text)
    assert "停用" in landlord.press(landlord.get(page.path), "停用这把临时钥匙").text


def test_an_occupant_refuses_and_the_key_is_dead(browser: Browser, make: Make) -> None:
    story = make(make_home)
    landlord, tenant = browser(LANDLORD_PHONE), browser(TENANT_PHONE)
    page = landlord.press(landlord.get(f"/l/units/{story.unit_id}/visitors/new"), "发出", **VISIT)
    link = link_of(page)
    question = tenant.get(of_key(story, f"visitors/{page.path.rsplit('/', 1)[1]}"))
    refused = tenant.press(question, "不同意")
    assert "住户已拒绝" in refused.text
    assert browser().get(link).status == 410
    assert "住户已拒绝" in landlord.get(page.path).text


def test_an_emergency_is_stated_with_its_ground_and_everyone_who_lives_there_is_told(
    browser: Browser, make: Make
) -> None:
    story = make(make_home)
    landlord, tenant, visitor = browser(LANDLORD_PHONE), browser(TENANT_PHONE), browser(VISITOR)
    form = landlord.get(f"/l/units/{story.unit_id}/visitors/emergency")
    assert "checked" not in form.html and "120" in form.text
    unsure = landlord.press(form, "发出紧急钥匙", emergency="water", phone=VISITOR[3:])
    assert unsure.status == 422 and "sure-fault" in unsure.reader.ids
    page = landlord.press(unsure, "发出紧急钥匙", emergency="water", phone=VISITOR[3:], sure="yes")
    assert "漏水" in page.text and "4 小时内" in page.text
    assert CODE.search(accept(visitor, link_of(page)).text)
    assert "紧急情况：临时钥匙已生效" in tenant.get("/me/messages").text
    own = tenant.get(of_key(story, f"visitors/{page.path.rsplit('/', 1)[1]}"))
    assert "停用" in tenant.press(own, "停用这把临时钥匙").text


def test_a_visitors_key_without_limits_or_with_wrong_hours_is_said_at_the_field(browser: Browser, make: Make) -> None:
    story = make(make_home)
    tenant = browser(TENANT_PHONE)
    form = tenant.get(of_key(story, "visitors/new"))
    unlimited = tenant.press(form, "发出", **{**VISIT, "uses": ""})
    assert unlimited.status == 422 and "sched-fault" in unlimited.reader.ids
    assert unlimited.form("发出").values["phone"] == VISIT["phone"]
    night = tenant.press(form, "发出", **VISIT, day1="yes", begins="23:00", ends="23:30")
    assert night.status == 422 and "06:00–22:00" in night.text
    garbled = tenant.press(form, "发出", **VISIT, day1="yes", begins="soon", ends="")
    assert {"begins-fault", "ends-fault"} <= set(garbled.reader.ids)
    nothing = tenant.press(form, "发出", purpose="", phone="", uses="many", starts_on="", ends_on="")
    assert {"purpose-fault", "phone-fault", "uses-fault", "starts_on-fault"} <= set(nothing.reader.ids)


def test_a_double_submit_makes_one_key(browser: Browser, make: Make, world: Any) -> None:
    story = make(make_home)
    tenant = browser(TENANT_PHONE)
    form = tenant.get(of_key(story, "visitors/new"))
    first, second = (tenant.press(form, "发出", **VISIT) for _ in range(2))
    assert first.path == second.path


def test_anothers_visitors_codes_and_phone_pages_are_not_found(browser: Browser, make: Make, world: Any) -> None:
    story = make(make_home)
    tenant, stranger = browser(TENANT_PHONE), browser("+8619900009777")
    made = tenant.press(tenant.get(of_key(story, "visitors/new")), "发出", **VISIT)
    key_id = made.path.rsplit("/", 1)[1]
    own = (of_key(story, rest) for rest in ("codes", "phone", "visitors", "visitors/new"))
    for path in (*own, made.path, f"/t/visits/{key_id}", f"/l/units/{story.unit_id}/visitors"):
        assert stranger.get(path).status == 404, path
    of_phone = (f"/t/keys/{story.key_id}/{rest}" for rest in ("near", "time", "lock-report"))
    for path in (*of_phone, f"/t/visits/{key_id}/unlock"):
        assert json_of(stranger, path, "/t/").status_code == 404, path


def test_a_visit_that_is_over_leaves_the_list(browser: Browser, make: Make, clock: Any) -> None:
    story = make(make_home)
    tenant, visitor = browser(TENANT_PHONE), browser(VISITOR)
    made = tenant.press(tenant.get(of_key(story, "visitors/new")), "发出", **VISIT)
    visit = accept(visitor, link_of(made))
    assert json_of(visitor, f"{visit.path}/unlock", visit.path).status_code == 409  # the lock is not online
    clock.move(timedelta(days=2))
    assert not CODE.search(browser(VISITOR).get(visit.path).text)


def test_the_state_of_every_visitors_key_is_told_without_saying_who(browser: Browser, make: Make, world: Any) -> None:
    story = make(make_home)
    tenant = browser(TENANT_PHONE)
    made = tenant.press(tenant.get(of_key(story, "visitors/new")), "发出", **VISIT)
    shown = tenant.get(made.path)
    assert VISITOR[3:] not in shown.html and "199******55" in shown.html
    assert make(kind_of_key, made.path.rsplit("/", 1)[1]) == ("visitor", None)


def kind_of_key(world: Any, key_id: str) -> tuple[str, str | None]:
    with transaction() as session:
        key = session.get_one(Key, key_id)
        return key.kind, key.holder_id
