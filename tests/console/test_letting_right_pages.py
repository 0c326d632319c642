"""The right to let on the console: the unit's page and its act, the list, the window, the round, the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from backend.console import discrepancies
from backend.db import db
from backend.domain.officers import ROLES
from backend.models.units import UnitClaim
from backend.services.cases import claim_case, decide_case
from backend.web import load_policy
from tests.console.test_window_fields import serve
from tests.html_trees import Element, read_tree
from tests.services import letting, staff, stories
from tests.services.test_cases import make_contest
from tests.services.test_letting_rights import let

Browser = Callable[..., Any]
Make = Callable[..., Any]
SEERS = {"officer", "grid_worker", "window_clerk"}


def right_on(text: str) -> Element:
    """The card about the right to let."""
    [card] = [each for each in read_tree(text).find_all("section") if each.get("id") == "right"]
    return card


def kind_seen(make: Make, unit_id: str) -> str | None:
    found: str | None = make(lambda world: letting.claim_of(unit_id).seen_kind)
    return found


def claim_id(make: Make, unit_id: str) -> str:
    return str(make(lambda world: letting.claim_of(unit_id).id))


def test_the_unit_says_not_seen_then_by_whom_when_and_how_then_not_seen_again(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    path = f"/units/{story.unit_id}"
    client = browser("window_clerk", purpose="help_request")
    card = right_on(client.get(path).text)
    assert "产权人" in card.words and "尚未核看" in card.words and "不留复印件" in card.words
    [form] = card.find_all("form")
    assert [each.get("value") for each in form.find_all("button")] == ["at_window", "on_visit"]
    page = client.post(form.get("action"), data={**form.hidden, "how": "at_window"}, follow_redirects=True)
    assert page.request.path == path
    card = right_on(page.text)
    assert "已核看" in card.words and "2026-11-23 · 太湖派出所 · 在窗口" in card.words
    [form] = card.find_all("form")
    page = client.post(form.get("action"), data=form.hidden, follow_redirects=True)
    assert "尚未核看" in right_on(page.text).words and kind_seen(make, story.unit_id) is None


def test_the_page_speaks_english_about_it(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    client = browser("officer", purpose="visit")
    client.set_cookie("anju-lang", "en", domain="localhost")
    words = right_on(client.get(f"/units/{story.unit_id}").text).words
    assert "Not seen yet" in words and "Original seen (at the window)" in words and "no copy" in words


def test_only_who_may_see_it_has_the_act_and_the_others_read_how_it_stands(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    path, sent = f"/units/{story.unit_id}", {"claim_id": claim_id(make, story.unit_id), "how": "at_window"}
    for act in ("see_right", "unsee_right"):
        assert set(load_policy()[f"console.units.{act}", "POST"].who) == SEERS
    others = {role: browser(role, purpose=None if role == "auditor" else "visit") for role in set(ROLES) - SEERS}
    card = right_on(others["supervisor"].get(path).text)
    assert "尚未核看" in card.words and card.find_all("form") == []
    for role, client in others.items():
        for address in (f"{path}/right", f"{path}/right/undo"):
            assert client.post(address, data=sent).status_code == 403, role
    checking = browser("officer", purpose="address_check")
    assert right_on(checking.get(path).text).find_all("form") == [], "this purpose is for who is registered alone"
    assert kind_seen(make, story.unit_id) is None


def test_a_page_that_is_out_of_date_notes_nothing_of_the_next_landlord(browser: Browser, make: Make) -> None:
    _first, _second, unit_id, case = make(make_contest)
    client = browser("window_clerk", purpose="help_request")
    [form] = right_on(client.get(f"/units/{unit_id}").text).find_all("form")

    def hand_over(world: Any) -> None:
        decider = staff.make_session(world, area=staff.STREET + "900", purpose="visit")
        claim_case(world, session_id=decider, reference=case.reference)
        decide_case(world, session_id=decider, reference=case.reference, decision="accepted", reason="papers_seen")

    make(hand_over)
    late = client.post(form.get("action"), data={**form.hidden, "how": "at_window"})
    assert late.status_code == 409 and "别人刚刚修改过" in late.text
    assert kind_seen(make, unit_id) == "in_case"
    assert "认定争议时" in right_on(client.get(f"/units/{unit_id}").text).words


def test_a_mandate_that_is_over_says_so_and_offers_no_act(browser: Browser, make: Make) -> None:
    unit_id = make(letting.make_over)
    card = right_on(browser("officer", purpose="visit").get(f"/units/{unit_id}").text)
    assert "委托已到期" in card.words and "2026-11-22" in card.words and card.find_all("form") == []


def test_the_list_names_the_units_with_rule_and_way_to_a_visit_and_nobody(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    client = browser("grid_worker")
    page = client.get("/discrepancies?kind=right_unseen").text
    assert "101室" in page and "HR-9" in page and "周来福" not in page and "沈安一" not in page
    assert f"/units/{story.unit_id}/visit?ground=right_unseen" in page
    plan = client.get(f"/units/{story.unit_id}/visit?ground=right_unseen").text
    assert 'value="right_unseen" required checked' in plan
    make(letting.make_seen, story.unit_id)
    assert "没有这类差异" in client.get("/discrepancies?kind=right_unseen").text


def test_a_long_list_goes_on_by_pages(browser: Browser, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def make_let(world: Any) -> list[str]:
        units = []
        for door in (1, 2, 3):
            story = stories.make_let_unit(world, lock=door, door=door)
            let(world, story.landlord, story.unit_id)
            units.append(story.unit_id)
        return sorted(units)

    units = make(make_let)
    monkeypatch.setattr(discrepancies, "MOST", 2)
    client = browser("officer")

    def shown(path: str) -> tuple[list[str], list[str], str]:
        """Units listed, where the next page is, the words."""
        page = read_tree(client.get(path).text)
        links = page.find_all("a")
        listed = [each.get("href").removeprefix("/units/") for each in links if each.get("href").startswith("/units/")]
        onward = [each.get("href") for each in links if each.get("rel") == "next"]
        return [each for each in listed if "/" not in each], onward, page.words

    listed, [onward], words = shown("/discrepancies?kind=right_unseen")
    assert listed == units[:2] and "共 3 处" in words and "回到第一页" not in words
    listed, after, words = shown(onward)
    assert listed == units[2:] and after == [] and "回到第一页" in words


def test_at_the_window_the_box_is_there_unticked_and_counts_when_it_is_ticked(browser: Browser, make: Make) -> None:
    _, (unit_id, other_id) = make(stories.make_dwelling)
    client = browser("window_clerk", purpose="help_request")
    file = serve(client, name="沈安一", id_number=stories.LANDLORD_NUMBER)
    client.post(f"{file}/acts/answer_consent", data={"given": "yes"})
    form = f"{file}/acts/claim_unit"
    page = client.get(f"{form}?unit_id={unit_id}").text
    [box] = [each for each in read_tree(page).find_all("input") if each.get("name") == "seen"]
    assert box.get("type") == "checkbox" and "checked" not in box.attributes
    sent = {"right_kind": "owner", "evidence": "不动产权证书"}
    assert client.post(form, data={**sent, "unit_id": unit_id, "seen": "yes"}).status_code == 302
    assert client.post(form, data={**sent, "unit_id": other_id}).status_code == 302
    assert (kind_seen(make, unit_id), kind_seen(make, other_id)) == ("at_window", None)


def test_a_form_on_paper_asks_for_no_such_box(browser: Browser, make: Make) -> None:
    _, (unit_id, _) = make(stories.make_dwelling)
    make(stories.make_landlord)
    client = browser("window_clerk", purpose="help_request")
    file = serve(client, name="沈安一", id_number=stories.LANDLORD_NUMBER, channel="paper")
    assert 'name="seen"' not in client.get(f"{file}/acts/claim_unit?unit_id={unit_id}").text


def test_a_clerk_who_bears_the_landlords_name_is_told_at_the_box(browser: Browser, make: Make, world: Any) -> None:
    _, (unit_id, _) = make(stories.make_dwelling)
    client = browser("window_clerk", purpose="help_request")
    file = serve(client, name="测试", id_number=stories.LANDLORD_NUMBER)
    client.post(f"{file}/acts/answer_consent", data={"given": "yes"})
    sent = {"right_kind": "owner", "evidence": "不动产权证书", "unit_id": unit_id, "seen": "yes"}
    answer = client.post(f"{file}/acts/claim_unit", data=sent)
    assert answer.status_code == 403 and 'href="#field-seen"' in answer.text and "另一位同事" in answer.text
    assert make(lambda world: db.session.query(UnitClaim).count()) == 0


def test_on_a_round_it_is_seen_at_the_door_and_the_visitor_comes_back_to_the_visit(
    browser: Browser, make: Make
) -> None:
    story = make(stories.make_active)
    client = browser("grid_worker", purpose="visit")
    visit = client.post(f"/g/units/{story.unit_id}", data={"ground": "right_unseen"}).headers["Location"]
    page = client.get(visit).text
    assert "HR-9" in page and "不留复印件" in page and "核看出租权" in page
    [form] = right_on(client.get(f"{visit}/people").text).find_all("form")
    assert [each.get("value") for each in form.find_all("button")] == ["on_visit"]
    back = client.post(form.get("action"), data={**form.hidden, "how": "on_visit"})
    assert back.headers["Location"] == f"{visit}/people"
    assert "走访时" in right_on(client.get(f"{visit}/people").text).words
    assert kind_seen(make, story.unit_id) == "on_visit"


def test_the_log_says_both_acts_in_words(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    path, client = f"/units/{story.unit_id}/right", browser("officer", purpose="visit")
    sent = {"claim_id": claim_id(make, story.unit_id)}
    client.post(path, data={**sent, "how": "on_visit"})
    client.post(f"{path}/undo", data=sent)
    page = browser("auditor").get("/audit").text
    for words in ("核看出租权", "撤销核看出租权", "走访时", "录入有误"):
        assert words in page
