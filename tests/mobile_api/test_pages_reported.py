"""Changes reported by other offices: shown on the page first, answered in two taps, the same through the API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from backend.domain.reported import BECAME_LOCAL
from backend.services.tenancies import get_tenancy
from tests.mobile_api.page_phones import CHINESE, PagePhone
from tests.services import reporting, stories
from tests.services.stories import LANDLORD_PHONE, TENANT_PHONE

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


def test_a_reported_change_is_shown_first_and_answered_in_two_taps(
    browser: Callable[..., PagePhone], phone: Callable[..., Any], make: Callable[..., Any], world: Any, clock: Any
) -> None:
    agreement = make(reporting.make_reporter)
    story = make(stories.make_active)
    seen = make(reporting.report, agreement, BECAME_LOCAL, reporting.LOCAL)
    tenant = browser(TENANT_PHONE)
    home = tenant.get(f"/t/homes/{story.registration_id}")
    assert "有 1 项变动等您确认" in home.text and "/me/reported" in home.reader.links
    page = tenant.get("/me/reported")
    assert stories.TENANT_NUMBER not in page.html and "请在" in page.text
    tenant.client.set_cookie("anju-lang", "en")
    english = tenant.get("/me/reported")
    tenant.client.set_cookie("anju-lang", "zh")
    assert not CHINESE.search(english.text), english.text
    assert "/me/reported" not in browser(LANDLORD_PHONE).get("/l/").reader.links
    clock.move(timedelta(minutes=2))  # the next code to the same phone
    path = f"/me/reported-changes/{seen.id}/answer"
    assert phone(LANDLORD_PHONE).put(path, {"accept": True}).status_code == 404

    done = tenant.press(page, "不对，请人来核实")
    assert "由工作人员决定" in done.text and not [form for form in done.reader.forms if "reported" in form.action]
    again = phone(TENANT_PHONE)
    first = again.put(path, {"accept": False})
    assert first.get_json().get("state") == "objected", first.get_data(as_text=True)
    assert again.put(path, {"accept": True}).status_code == 409
    (listed,) = again.get("/me/reported-changes").get_json()
    assert (listed["id"], listed["may_answer"], listed["due_at"]) == (seen.id, False, None)
    view = make(get_tenancy, account_id=story.tenant, registration_id=story.registration_id)
    assert view.registration.scope == "in_scope"
    assert "其他单位通报了与您有关的变动" in tenant.get("/me/access").text
