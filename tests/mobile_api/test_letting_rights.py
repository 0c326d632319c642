"""What landlord and tenant are told of the right to let, on pages and by the API: seen by staff, or not yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from backend.services.office_names import name_office
from tests.mobile_api.page_phones import PagePhone
from tests.mobile_api.phones import ApiPhone
from tests.services import letting, stories
from tests.services.stories import LANDLORD_PHONE, TENANT_PHONE, VISITOR_PHONE

Browser, Make, Phones = Callable[..., PagePhone], Callable[..., Any], Callable[..., ApiPhone]
CAUTION = "付款前请先核实"


@pytest.fixture
def database_kind() -> str:
    """Pages and answers alone; what touches the database is tested on both in tests/services."""
    return "sqlite"


def test_the_landlord_reads_what_to_do_and_then_that_it_was_seen(browser: Browser, make: Make) -> None:
    story = make(stories.make_let_unit)
    phone = browser(LANDLORD_PHONE)
    page = phone.get(f"/l/units/{story.unit_id}")
    assert "尚未核看" in page.text and "房屋所有人" in page.text and "带上证明原件到窗口即可" in page.text
    assert "HR-9" in page.text and "不影响出租" in page.text
    make(letting.make_seen, story.unit_id)
    page = phone.get(f"/l/units/{story.unit_id}")
    assert "尚未核看" not in page.text and "2026年11月23日 · 太湖派出所 · 在窗口" in page.text
    assert "出租权已核看" in phone.get("/me/messages").text
    assert "核看了您的出租权证明" in phone.get("/me/access").text


def test_the_landlord_reads_it_in_english_with_the_offices_name(browser: Browser, make: Make) -> None:
    story = make(stories.make_let_unit)
    make(name_office, zh="太湖派出所", en="Taihu police station")
    phone = browser(LANDLORD_PHONE, "en")
    assert "Bring the original to the window" in phone.get(f"/l/units/{story.unit_id}").text
    make(letting.make_seen, story.unit_id)
    assert "Taihu police station · at the window" in phone.get(f"/l/units/{story.unit_id}").text


def test_a_mandate_renewed_on_the_units_page_is_not_seen_yet(
    browser: Browser, make: Make
) -> None:
    unit_id = make(letting.make_over)
    phone = browser(LANDLORD_PHONE)
    page = phone.get(f"/l/units/{unit_id}")
    assert "委托已到期" in page.text and "核看" not in page.text
    [again] = [link for link in page.reader.links if link.endswith("/claim")]
    page = phone.press(phone.get(again), "续签", right_kind="mandate", evidence="委托书", mandate_ends_on="2027-11-22")
    assert page.path == f"/l/units/{unit_id}" and "尚未核看" in page.text


@pytest.mark.parametrize("who", [None, TENANT_PHONE])
def test_the_invitation_says_it_before_and_after_signing_in_and_cautions_kindly(
    browser: Browser, make: Make, who: str | None
) -> None:
    story = make(stories.make_invited)
    phone = browser(who)
    page = phone.get(f"/i/{story.link_token}")
    assert "尚未核看" in page.text and CAUTION in page.text and "HR-9" in page.text
    assert "这不等于有问题" in page.text and "沈安一" not in page.html
    make(letting.make_seen, story.unit_id)
    page = phone.get(f"/i/{story.link_token}")
    assert "工作人员已核看" in page.text and CAUTION not in page.text and "太湖派出所" not in page.text


def test_a_visitors_invitation_says_nothing_of_it(browser: Browser, make: Make) -> None:
    story = make(stories.make_let_unit)

    def invite(world: Any) -> str:
        from backend.services.visitor_keys import issue_visitor_key

        made = issue_visitor_key(world, account_id=story.landlord, unit_id=story.unit_id, purpose="viewing",
                                 phone=VISITOR_PHONE, ends_on=world.clock.today(), uses=1)  # fmt: skip
        assert made.invitation is not None
        return made.invitation.link.rsplit("/", 1)[1]

    page = browser().get(f"/i/{make(invite)}")
    assert page.status == 200 and "核看" not in page.text and CAUTION not in page.text


def test_the_home_says_it_while_somebody_lives_there(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    phone = browser(TENANT_PHONE)
    path = f"/t/homes/{story.registration_id}"
    assert CAUTION in phone.get(path).text
    make(letting.make_seen, story.unit_id)
    page = phone.get(path)
    assert "房东的出租权：工作人员已核看" in page.text and CAUTION not in page.text


def test_the_api_says_the_same(phone: Phones, make: Make) -> None:
    story = make(stories.make_claimed)
    landlord, tenant = phone(LANDLORD_PHONE), phone(TENANT_PHONE)
    unit, home = f"/units/{story.unit_id}", f"/registrations/{story.registration_id}"
    before = landlord.get(unit)
    assert before.json["right"] == {"kind": "owner", "seen_at": None, "seen_kind": None, "office": None,
                                    "office_en": None}  # fmt: skip
    assert tenant.get(home).json["right_seen"] is False
    make(letting.make_seen, story.unit_id)
    after = landlord.get(unit)
    assert after.headers["ETag"] != before.headers["ETag"]
    right = after.json["right"]
    assert (right["seen_kind"], right["office"]) == ("at_window", "太湖派出所") and right["seen_at"]
    assert landlord.get("/units").json["units"][0]["right"] == right
    assert tenant.get(home).json["right_seen"] is True


def test_the_api_says_it_of_an_invitation_to_anybody_with_the_link(phone: Phones, make: Make) -> None:
    story = make(stories.make_invited)
    look = {"token": story.link_token}
    assert phone().post("/invitations/look", look).json["right_seen"] is False
    assert phone(TENANT_PHONE).get("/invitations").json[0]["face"]["right_seen"] is False
    make(letting.make_seen, story.unit_id)
    assert phone().post("/invitations/look", look).json["right_seen"] is True


def test_no_phone_can_say_that_it_was_seen(phone: Phones, make: Make) -> None:
    make(stories.make_landlord)
    _, rooms = make(stories.make_dwelling)
    body = {"right_kind": "owner", "evidence": "不动产权证书", "seen": True}
    assert phone(LANDLORD_PHONE).post(f"/units/{rooms[0]}/claims", body).status_code == 422
