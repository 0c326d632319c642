"""Who reads most is shown to a supervisor of those of the own area."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from backend.db import db
from backend.models.audit import AuditLeaf
from tests.services import staff, stories

HERE = {"base_url": "https://localhost"}


def test_a_supervisor_sees_who_reads_most_in_the_own_area_and_an_auditor_in_all(
    make: Callable[..., Any], browser: Callable[..., FlaskClient]
) -> None:
    story = make(stories.make_active)
    browser("officer", purpose="visit").get(f"/units/{story.unit_id}", **HERE)
    badge = make(lambda world: db.session.scalars(
        select(AuditLeaf.actor_badge).where(AuditLeaf.action == "unit_opened").distinct()).one())  # fmt: skip
    rows = {}
    for name, role, area in (("own", "supervisor", staff.STREET), ("county", "supervisor", "330522"),
                             ("other", "supervisor", staff.OTHER_STREET), ("auditor", "auditor", "33")):  # fmt: skip
        page = browser(role, area).get("/audit", **HERE).get_data(as_text=True)
        rows[name] = badge in page[page.index("24 小时内") :].partition("</section>")[0]
    assert rows == {"own": True, "county": True, "other": False, "auditor": True}
