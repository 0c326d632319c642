"""What staff see of persons: only with purpose, in the area, up to the cap; each look is written down and readable."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from backend.db import db
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.models.audit import AuditLeaf
from backend.seeding import sample_number
from backend.services.access_records import my_access_records
from backend.services.disclosures import OCCUPANT_FIELDS, open_unit, refuse_outside, show_number
from backend.services.officer_sessions import begin_task, step_up
from backend.services.person_search import find_person
from tests.services import staff, stories

pytestmark = pytest.mark.usefixtures("core")


def refused_code(call: Any, *args: Any, **named: Any) -> str:
    with pytest.raises(Refused) as caught:
        call(*args, **named)
    return caught.value.refusal.code


def officer_leaves() -> list[AuditLeaf]:
    db.session.rollback()
    found = select(AuditLeaf).where(AuditLeaf.actor_kind == "officer").order_by(AuditLeaf.id)
    return list(db.session.scalars(found))


def test_a_unit_shows_name_masked_number_and_duties(world: Any) -> None:
    story = stories.make_active(world)
    session_id = staff.make_session(world, purpose="address_check")
    page = open_unit(world, session_id=session_id, unit_id=story.unit_id)
    [occupant] = page.occupants
    assert occupant.name == "周来福"
    assert occupant.id_number_masked == stories.TENANT_NUMBER[:3] + "*" * 13 + stories.TENANT_NUMBER[-2:]
    assert {duty.rule: duty.state for duty in occupant.deadlines} == {"HK-15": "met", "ZJ-9-1": "met"}
    assert page.landlord is not None and page.landlord.name == "沈安一"


def test_the_person_reads_who_looked_why_and_at_which_fields(world: Any) -> None:
    story = stories.make_active(world)
    case_number = "A330522-77"
    session_id = staff.make_session(world, purpose="case", case_number=case_number)
    open_unit(world, session_id=session_id, unit_id=story.unit_id)
    record = my_access_records(world, account_id=story.tenant).items[0]
    assert (record.action, record.purpose, record.case_ref) == ("unit_opened", "case", case_number)
    assert (record.role, record.office) == ("officer", "太湖派出所")
    assert record.badge and record.fields == OCCUPANT_FIELDS
    assert my_access_records(world, account_id=story.landlord).items[0].fields == ("name", "right")


def test_without_a_purpose_nothing_is_shown(world: Any) -> None:
    story = stories.make_active(world)
    session_id = staff.make_session(world)
    assert refused_code(open_unit, world, session_id=session_id, unit_id=story.unit_id) == "purpose.missing"
    assert refused_code(find_person, world, session_id=session_id, text=stories.TENANT_NUMBER) == "purpose.missing"
    assert not [leaf for leaf in officer_leaves() if leaf.subject_id]


def test_a_purpose_allows_only_its_acts_and_the_attempt_is_written_down(world: Any) -> None:
    story = stories.make_active(world)
    session_id = staff.make_session(world, purpose="address_check")
    assert refused_code(find_person, world, session_id=session_id, text=stories.TENANT_NUMBER) == "purpose.unfit"
    number = refused_code(show_number, world, session_id=session_id, registration_id=story.registration_id)
    assert number == "purpose.unfit"
    assert [leaf.decision for leaf in officer_leaves() if leaf.action == "refused"] == ["purpose.unfit"] * 2


def test_another_area_is_refused_and_written_down(world: Any) -> None:
    story = stories.make_active(world)
    session_id = staff.make_session(world, area=staff.OTHER_STREET, purpose="visit")
    assert refused_code(open_unit, world, session_id=session_id, unit_id=story.unit_id) == "area.foreign"
    last = officer_leaves()[-1]
    assert (last.action, last.decision, last.object_id, last.subject_id) == (
        "refused", "area.foreign", story.unit_id, None,
    )  # fmt: skip


def test_what_is_not_there_is_not_found(world: Any) -> None:
    session_id = staff.make_session(world, purpose="visit")
    unknown = "01a208de-0000-7000-8000-000000000000"
    assert refused_code(open_unit, world, session_id=session_id, unit_id=unknown) == "not_found"
    assert refused_code(show_number, world, session_id=session_id, registration_id=unknown) == "not_found"
    outside = refused_code(refuse_outside, world, session_id=session_id, object_kind="unit", object_id=unknown,
                           division=None)  # fmt: skip
    assert outside == "not_found"


def test_who_has_not_declared_stays_nameless(world: Any) -> None:
    story = stories.make_identified(world)
    session_id = staff.make_session(world, purpose="visit")
    [occupant] = open_unit(world, session_id=session_id, unit_id=story.unit_id).occupants
    assert (occupant.name, occupant.id_number_masked, occupant.changes) == (None, None, ())
    number = refused_code(show_number, world, session_id=session_id, registration_id=story.registration_id)
    assert number == "not_found"


def test_a_local_outside_the_registrys_scope_stays_nameless(world: Any) -> None:
    story = stories.make_declared(world, hukou="330522")
    session_id = staff.make_session(world, purpose="help_request")
    [occupant] = open_unit(world, session_id=session_id, unit_id=story.unit_id).occupants
    assert (occupant.state, occupant.name) == ("not_sent", None)
    assert find_person(world, session_id=session_id, text=stories.TENANT_NUMBER).found == ()


def test_a_full_number_needs_the_password_again(world: Any, clock: FixedClock) -> None:
    story = stories.make_active(world)
    session_id = staff.make_session(world, purpose="visit")
    ask = {"session_id": session_id, "registration_id": story.registration_id}
    assert refused_code(show_number, world, **ask) == "step_up"
    step_up(world, session_id=session_id, password=staff.PASSWORD)
    assert show_number(world, **ask).id_number == stories.TENANT_NUMBER
    assert officer_leaves()[-1].fields == ["name", "id_type", "id_number"]
    assert my_access_records(world, account_id=story.tenant).items[0].action == "number_shown"
    clock.move(timedelta(minutes=5, seconds=1))
    assert refused_code(show_number, world, **ask) == "step_up"


def test_the_days_cap_counts_persons_once_and_opens_again_tomorrow(world: Any, clock: FixedClock) -> None:
    story = stories.make_active(world)
    tight = replace(world, house=replace(world.house, person_reads_per_day=1))
    who = staff.make_officer(world)
    session_id = staff.sign_in(world, who)
    begin_task(world, session_id=session_id, purpose="help_request")
    assert find_person(tight, session_id=session_id, text=stories.TENANT_NUMBER).found
    assert refused_code(open_unit, tight, session_id=session_id, unit_id=story.unit_id) == "reads.cap"
    assert officer_leaves()[-1].decision == "reads.cap"
    clock.move(timedelta(days=1))
    session_id = staff.sign_in(world, who)
    begin_task(world, session_id=session_id, purpose="help_request")
    relaxed = replace(world, house=replace(world.house, person_reads_per_day=2))
    for _ in range(3):
        open_unit(relaxed, session_id=session_id, unit_id=story.unit_id)


@pytest.mark.parametrize("typed", [
    stories.TENANT_NUMBER, f" {stories.TENANT_NUMBER[:6]} {stories.TENANT_NUMBER[6:].lower()} ", stories.TENANT_PHONE,
    stories.TENANT_PHONE[3:],
])  # fmt: skip
def test_a_whole_number_finds_one_person_masked(world: Any, typed: str) -> None:
    story = stories.make_active(world)
    session_id = staff.make_session(world, purpose="help_request")
    [row] = find_person(world, session_id=session_id, text=typed).found
    assert (row.unit_id, row.name_masked) == (story.unit_id, "周**")
    assert stories.TENANT_NUMBER not in repr(row)
    assert my_access_records(world, account_id=story.tenant).items[0].action == "person_found"


@pytest.mark.parametrize("typed", ["周来福", "341822", "周%", "", "R-1"])
def test_names_and_parts_of_numbers_are_no_search(world: Any, typed: str) -> None:
    stories.make_active(world)
    session_id = staff.make_session(world, purpose="help_request")
    if typed == "341822":  # has the form of a passport number: searched whole, finds nobody
        assert find_person(world, session_id=session_id, text=typed).found == ()
        return
    assert refused_code(find_person, world, session_id=session_id, text=typed) == "search.text"


def test_somebody_elsewhere_and_nobody_answer_alike(world: Any) -> None:
    stories.make_active(world)
    session_id = staff.make_session(world, area=staff.OTHER_STREET, purpose="help_request")
    elsewhere = find_person(world, session_id=session_id, text=stories.TENANT_NUMBER)
    unknown = sample_number("110101", date(1990, 1, 1))
    nobody = find_person(world, session_id=session_id, text=unknown)
    assert elsewhere == nobody
    assert not [leaf for leaf in officer_leaves() if leaf.subject_id]


def test_no_identity_value_is_written_into_the_audit(world: Any) -> None:
    story = stories.make_active(world)
    session_id = staff.make_session(world, purpose="help_request")
    open_unit(world, session_id=session_id, unit_id=story.unit_id)
    find_person(world, session_id=session_id, text=stories.TENANT_NUMBER)
    for leaf in officer_leaves():
        text = repr([getattr(leaf, column.key) for column in AuditLeaf.__table__.columns])
        assert "周来福" not in text and stories.TENANT_NUMBER not in text and stories.TENANT_PHONE not in text


def test_when_the_audit_cannot_be_written_nothing_is_shown(world: Any) -> None:
    story = stories.make_active(world)
    session_id = staff.make_session(world, purpose="visit")
    db.session.execute(text("ALTER TABLE audit_leaves RENAME TO audit_leaves_away"))
    db.session.commit()
    with pytest.raises(Exception, match="audit_leaves"):
        open_unit(world, session_id=session_id, unit_id=story.unit_id)
