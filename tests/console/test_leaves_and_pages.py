"""What a page shows of a person is what its leaf says, no less and no more: each value is looked for on the page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.domain.documents import mask_number
from backend.models.audit import AuditLeaf
from backend.models.cases import Case
from backend.models.leases import Lease
from backend.models.registrations import Registration
from backend.services.voids import request_void
from backend.web import load_policy
from tests.services import staff, stories

Browser = Callable[..., Any]
Make = Callable[..., Any]
# field of a leaf -> what of it stands on a page; a page shows one of them, or none
SIGNS = {
    "name": ("周来福",),
    "name_masked": ("周**",),
    "id_type": ("居民身份证",),
    "id_number_masked": (mask_number(stories.TENANT_NUMBER),),
    "lease_dates": ("10月5日", "2026-10-05"),
    "residence_dates": ("10月9日", "2026-10-09"),
    "deadlines": ("租客申报，最迟",),
    "history": ("登记变更记录",),
}


@pytest.fixture
def story(make: Make) -> stories.Story:
    """A tenant at home, whose dates are like nothing else on a page."""

    def settle(world: Any) -> stories.Story:
        made = stories.make_active(world)
        with transaction() as session:
            session.get_one(Registration, made.registration_id).move_in_on = date(2026, 10, 9)
            lease = session.get_one(Lease, made.lease_id)
            lease.starts_on, lease.ends_on = date(2026, 10, 5), date(2027, 10, 4)
        return made

    return make(settle)


def fields_of(make: Make, action: str) -> list[tuple[str | None, set[str]]]:
    """(subject, fields) of the newest look's leaves of an action."""

    def read(_world: Any) -> list[tuple[str | None, set[str]]]:
        rows = db.session.scalars(select(AuditLeaf).where(AuditLeaf.action == action).order_by(AuditLeaf.id))
        return [(row.subject_id, set(row.fields)) for row in rows]

    return make(read)


def shown_in(page: str) -> set[str]:
    """The fields whose value stands on a page."""
    main = page.split("<main", 1)[1]
    return {field for field, signs in SIGNS.items() if any(sign in main for sign in signs)}


def open_people(browser: Browser, story: stories.Story) -> Any:
    client = browser("grid_worker", purpose="visit")
    unit = f"/g/units/{story.unit_id}"
    visit = client.post(unit, data={"ground": "report_overdue"}).headers["Location"]
    return client.get(f"{visit}/people")


def open_unit(browser: Browser, story: stories.Story) -> Any:
    return browser("officer", purpose="visit").get(f"/units/{story.unit_id}")


def search(browser: Browser, story: stories.Story) -> Any:
    return browser("officer", purpose="help_request").post("/search", data={"text": "周来福", "by": "name"})


def open_case(browser: Browser, story: stories.Story) -> Any:
    client = browser("officer", purpose="visit")
    reference = client.get("/cases").text.split("/cases/AJ-")[1][:13]
    return client.get(f"/cases/AJ-{reference}")


LOOKS = [
    ("units.show", "GET", "unit_opened", open_unit),
    ("field_desks.people", "GET", "unit_opened", open_people),
    ("search.person", "POST", "person_found", search),
    ("cases.show", "GET", "case_opened", open_case),
]


@pytest.mark.parametrize(("endpoint", "method", "action", "look"), LOOKS, ids=[row[0] for row in LOOKS])
def test_a_leaf_names_what_the_page_shows(
    browser: Browser, make: Make, story: stories.Story, endpoint: str, method: str, action: str, look: Any
) -> None:
    make(request_void, account_id=story.tenant, registration_id=story.registration_id, reason="entered_in_error")
    assert make(lambda _: db.session.scalar(select(Case.kind))) == "void_request"
    if endpoint == "field_desks.people":
        make(be_late, story)
    page = look(browser, story)
    assert page.status_code == 200
    tenant = make(lambda _: db.session.get_one(Registration, story.registration_id).person_id)
    [said] = [fields for subject, fields in fields_of(make, action) if subject == tenant]
    assert said & set(SIGNS) == shown_in(page.text)
    assert said <= set(load_policy()[f"console.{endpoint}", method].fields)


def be_late(world: Any, story: stories.Story) -> None:
    """The landlord has not reported in time, so that there is a ground to visit."""
    with transaction() as session:
        row = session.get_one(Registration, story.registration_id)
        row.landlord_leg, row.landlord_reported_at = "due", None
        row.landlord_due_on = world.clock.today() - timedelta(days=1)


def test_a_landlord_of_whom_a_page_shows_the_right_to_let_alone_reads_of_that_alone(
    browser: Browser, make: Make, story: stories.Story
) -> None:
    make(be_late, story)
    page = open_people(browser, story)
    assert "沈安一" not in page.text and "周来福" in page.text
    landlord = make(lambda _: db.session.get_one(Lease, story.lease_id).landlord_id)
    assert [fields for subject, fields in fields_of(make, "unit_opened") if subject == landlord] == [{"right"}]
    assert "沈安一" in open_unit(browser, story).text
    assert fields_of(make, "unit_opened")[-1] == (landlord, {"name", "right"})


def test_what_is_printed_on_a_round_bears_who_looked_and_why(browser: Browser, make: Make, story: Any) -> None:
    make(be_late, story)
    mark = open_people(browser, story).text.split('class="watermark"')[1].split("</p>")[0]
    assert "上门走访" in mark and staff.STREET not in mark
    round_of_nobody = browser("grid_worker", staff.STREET + "900", purpose="visit").get("/g/").text
    assert 'class="watermark"' not in round_of_nobody, "the list names places, and is kept on the phone"
