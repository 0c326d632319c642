"""At the window everything done and shown for a person lies in the officer's own area."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db
from backend.domain.refusals import Refused
from backend.domain.reported import BECAME_LOCAL
from backend.models.audit import AuditLeaf
from backend.models.registrations import Registration
from backend.seeding import sample_number
from backend.services.hands import Desk, check_place
from backend.services.reported_answers import answer_reported
from backend.services.reports import file_report
from backend.services.representations import declare_for_relative
from backend.services.window_files import look_at_file
from backend.services.window_visits import Visit, open_visit
from tests.services import reporting, staff, stories
from tests.services.reporting_cases import WIRES

pytestmark = pytest.mark.usefixtures("core")
FATHER = sample_number("341822", date(1970, 3, 4))


def refused(code: str) -> Any:
    return pytest.raises(Refused, match=f"^{code}$")


def serve(world: Any, session_id: str, name: str, number: str) -> tuple[Visit, Desk]:
    visit = open_visit(world, session_id=session_id, channel="window", document_seen=True, name=name, id_type="111",
                       id_number=number)  # fmt: skip
    return visit, visit.desk(session_id)


@pytest.fixture
def far(world: Any) -> str:
    """A clerk's session in the next street."""
    return staff.make_session(world, "window_clerk", staff.OTHER_STREET, "help_request")


def written_down() -> list[str | None]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditLeaf.decision).where(AuditLeaf.action == "refused")))


def test_nobody_declares_for_a_relative_in_another_area(world: Any, far: str) -> None:
    story = stories.make_invited(world)
    visit, desk = serve(world, far, "周大福", FATHER)
    entry = {"account_id": visit.account_id, "kinship": "parent", "representation": "elderly", "told": True,
             "move_in_on": world.clock.today(), "hukou_division": "341822", "desk": desk}  # fmt: skip
    for name, number in (("周来福", stories.TENANT_NUMBER), ("吴友", stories.CO_TENANT_NUMBER)):
        with refused("area.foreign"):  # alike for the one who is named in the lease there and for anybody else
            declare_for_relative(world, unit_number="U-TEST0101", name=name, id_type="111", id_number=number, **entry)
    assert written_down() == ["area.foreign"] * 2
    assert db.session.get_one(Registration, story.registration_id).declared_at is None


def test_nothing_is_reported_about_a_dwelling_in_another_area(world: Any, far: str) -> None:
    stories.make_active(world)
    visit, desk = serve(world, far, "周来福", stories.TENANT_NUMBER)
    with refused("area.foreign"):
        file_report(world, account_id=visit.account_id, desk=desk, **WIRES)
    with refused("report.unit"):
        file_report(world, account_id=visit.account_id, desk=desk, **{**WIRES, "unit_no": "U-NOWHERE1"})
    assert written_down() == ["area.foreign"]


def test_what_another_office_reported_is_shown_and_answered_where_the_home_is(world: Any, far: str) -> None:
    agreement = reporting.make_reporter(world)
    stories.make_active(world)
    seen = reporting.report(world, agreement, BECAME_LOCAL, reporting.LOCAL)
    visit, desk = serve(world, far, "周来福", stories.TENANT_NUMBER)
    assert look_at_file(world, session_id=far, visit=visit, area=staff.OTHER_STREET).reported == ()
    with refused("area.foreign"):
        answer_reported(world, account_id=visit.account_id, change_id=seen.id, accept=True, desk=desk)
    near = staff.make_session(world, "window_clerk", purpose="help_request")
    visit, desk = serve(world, near, "周来福", stories.TENANT_NUMBER)
    file = look_at_file(world, session_id=near, visit=visit, area=staff.STREET)
    assert [row.id for row in file.reported] == [seen.id]
    answered = answer_reported(world, account_id=visit.account_id, change_id=seen.id, accept=True, desk=desk)
    assert answered.state == "counted"


def test_a_place_is_judged_before_its_form_is_shown_without_a_leaf_of_service(world: Any, far: str) -> None:
    story = stories.make_let_unit(world)
    visit, desk = serve(world, far, "周大福", FATHER)
    for about in ({"unit_id": story.unit_id}, {"dwelling_id": story.dwelling_id}):
        with refused("area.foreign"):
            check_place(world, visit.account_id, desk, "claim_unit", **about)
    near = staff.make_session(world, "window_clerk", purpose="help_request")
    visit, desk = serve(world, near, "周大福", FATHER)
    check_place(world, visit.account_id, desk, "claim_unit", unit_id=story.unit_id)
    check_place(world, visit.account_id, None, "claim_unit", unit_id="nobody asks at a phone")
    done = select(AuditLeaf.decision).where(AuditLeaf.action == "served_at_window")
    assert "claim_unit" not in db.session.scalars(done).all()
