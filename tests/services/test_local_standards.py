"""Local standards: each day keeps the value it had, and what is checked is checked by the day's value."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.domain.refusals import Refused
from backend.models.audit import AuditLeaf
from backend.models.cases import Case
from backend.queries.discrepancies import count_discrepancies, list_discrepancies
from backend.queries.local_standards import get_standard, list_history
from backend.services.audit import SYSTEM
from backend.services.case_steps import advance
from backend.services.housekeeping import keep_house
from backend.services.local_standards import set_standard
from backend.services.units import add_unit, claim_unit
from tests.services import staff, stories

pytestmark = pytest.mark.usefixtures("core")


def set_area(
    world: Any, session_id: str, value: float | None, starts_on: Any, reason: str = "长建〔2026〕12号"
) -> None:
    set_standard(world, session_id=session_id, name="area_per_head_m2", value=value, starts_on=starts_on, reason=reason)


def test_a_value_counts_from_its_day_on_and_the_history_stays(world: Any, clock: Any) -> None:
    supervisor, today = staff.make_session(world, "supervisor"), clock.today()
    assert get_standard(world.house, today) == world.house.space_standard
    set_area(world, supervisor, 8, today + timedelta(days=10))
    set_area(world, supervisor, 6, today)
    set_area(world, supervisor, 7, today)  # set later for the same day: this one counts
    days = (today - timedelta(days=1), today, today + timedelta(days=9), today + timedelta(days=10))
    assert [get_standard(world.house, day).area_per_head_m2 for day in days] == [5, 7, 7, 8]
    set_area(world, supervisor, 7, today)  # a form that was sent twice
    assert [line.value for line in list_history()] == [8, 7, 6]
    leaves = db.session.scalars(select(AuditLeaf).where(AuditLeaf.action == "standard_set").order_by(AuditLeaf.id))
    assert [(leaf.role, leaf.decision) for leaf in leaves] == [("supervisor", value) for value in ("8", "6", "7")]


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_faulty_change_is_refused_with_every_field_and_by_supervisors_alone(world: Any, clock: Any) -> None:
    supervisor = staff.make_session(world, "supervisor")
    with pytest.raises(Refused) as refused:
        set_area(world, supervisor, 0.5, clock.today() - timedelta(days=1), " ")
    assert [fault.field for fault in refused.value.refusals] == ["value", "starts_on", "reason"]
    with pytest.raises(Refused) as refused:
        set_standard(world, session_id=supervisor, name="persons_per_room", value=2.5, starts_on=clock.today(),
                     reason="长建〔2026〕12号")  # fmt: skip
    assert [(fault.code, fault.field) for fault in refused.value.refusals] == [("standard.value", "value")]
    with pytest.raises(Refused) as refused:
        set_area(world, staff.make_session(world, "officer"), 6, clock.today())
    assert refused.value.refusal.code == "forbidden"
    assert list_history() == ()


def test_a_unit_is_checked_by_the_value_of_the_day(world: Any, clock: Any) -> None:
    set_area(world, staff.make_session(world, "supervisor"), 10, clock.today() + timedelta(days=1))
    landlord = stories.make_landlord(world)
    dwelling_id, rooms = stories.make_dwelling(world)  # bedrooms of 15 m² for two
    claim_unit(world, account_id=landlord, unit_id=rooms[0], right_kind="owner", evidence="不动产权证书")
    clock.move(timedelta(days=1))
    with pytest.raises(Refused) as refused:
        claim_unit(world, account_id=landlord, unit_id=rooms[1], right_kind="owner", evidence="不动产权证书")
    assert (refused.value.refusal.code, refused.value.refusal.params["most"]) == ("unit.capacity", 1)
    with pytest.raises(Refused):
        add_unit(world, account_id=landlord, dwelling_id=dwelling_id, label="103室", space_kind="bedroom",
                 usable_area_m2=15, capacity=2, right_kind="owner", evidence="不动产权证书")  # fmt: skip


def crowding_cases() -> list[Case]:
    db.session.rollback()
    return list(db.session.scalars(select(Case).where(Case.kind == "over_capacity").order_by(Case.reference)))


def test_crowding_opens_one_case_by_the_standard_in_force_and_none_again_for_the_same(world: Any, clock: Any) -> None:
    story = stories.make_declared(world)
    stories.make_occupant(world, story, joint_with=story.lease_id)
    keep_house(world)
    assert crowding_cases() == []
    set_area(world, staff.make_session(world, "supervisor"), 8, clock.today() + timedelta(days=1))  # 15 m² for two
    keep_house(world)
    assert crowding_cases() == []
    clock.move(timedelta(days=1))
    keep_house(world)
    keep_house(world)
    [case] = crowding_cases()
    assert (case.unit_id, case.rule, case.opened_by) == (story.unit_id, "HR-7", "rule")
    assert case.evidence == {"people": 2, "area_per_head_m2": 8, "persons_per_room": 2}
    assert case.person_id is None and case.registration_id is None
    standard = get_standard(world.house, clock.today())
    assert count_discrepancies(staff.STREET, clock.today(), standard)["over_capacity"] == 1
    [line] = list_discrepancies(staff.STREET, clock.today(), standard, "over_capacity")
    assert (line.people, line.most, line.case_reference) == (2, 1, case.reference)
    _settle(world, case.id)
    keep_house(world)
    assert len(crowding_cases()) == 1  # the same number under the same standard was decided


def _settle(world: Any, case_id: str) -> None:
    with transaction() as session:
        case = session.get_one(Case, case_id)
        advance(world, session, case, "settle", SYSTEM)
        case.decision, case.decided_at = "unfounded", world.clock.now()
