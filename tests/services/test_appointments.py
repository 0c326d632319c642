"""Appointments: chosen, moved and cancelled by the tenant; listed, linked and marked by the office."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.domain.appointments import Slot
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.models.appointments import Appointment
from backend.models.audit import AuditLeaf
from backend.models.cases import Case
from backend.services.access_records import my_access_records
from backend.services.appointment_days import list_day, mark_appointment, set_video_link
from backend.services.appointments import cancel_appointment, choose_slot, my_appointment, offered_slots
from backend.services.audit import SYSTEM
from backend.services.case_files import look_at_case
from backend.services.cases import claim_case, decide_case
from backend.services.housekeeping import keep_house
from backend.services.identity_reviews import ask_a_person, attest, close_review
from backend.services.inbox import list_notices
from backend.services.officer_sessions import begin_task
from backend.services.persons import enter_identity
from tests.services import staff, stories

pytestmark = pytest.mark.usefixtures("core")
LINK = "https://meeting.example/j/1"


def refused(code: str) -> Any:
    return pytest.raises(Refused, match=f"^{code}$")


def slots(world: Any, story: stories.Story) -> tuple[Slot, ...]:
    return offered_slots(world, account_id=story.tenant)


def choose(world: Any, story: stories.Story, way: str = "window", number: int = 0) -> Any:
    return choose_slot(world, account_id=story.tenant, way=way, starts_at=slots(world, story)[number].starts_at)


def another_tenant(world: Any, number: int) -> str:
    account_id = stories.make_account(world, f"+861990000920{number}")
    born = world.clock.today().replace(year=1990 + number)
    enter_identity(world, account_id=account_id, id_type="111", name="钱来宝",
                   id_number=stories.sample_number("341822", born))  # fmt: skip
    return account_id


def rows() -> list[Appointment]:
    db.session.rollback()
    return list(db.session.scalars(select(Appointment).order_by(Appointment.created_at, Appointment.id)))


def kinds(world: Any, account_id: str) -> list[str]:
    return [notice.kind for notice in list_notices(world, account_id=account_id)]


def test_choosing_a_window_time_books_it_opens_one_case_and_tells_the_tenant(world: Any) -> None:
    story = stories.make_identified(world)
    first = choose(world, story)
    assert choose(world, story) == first and first.state == "booked"
    assert first.starts_at == datetime(2026, 11, 23, 3, 0, tzinfo=UTC)  # 11:00 in China, an hour ahead
    [row] = rows()
    assert (row.area, row.place, row.version) == ("330522003", 0, 1)
    assert db.session.scalars(select(Case).where(Case.kind == "identity_review")).one().evidence["way"] == "window"
    [notice] = [n for n in list_notices(world, account_id=story.tenant) if n.kind == "appointment_booked"]
    assert "2026-11-23 11:00" in notice.text_zh and "In person" in notice.text_en


def test_a_live_video_is_booked_once_its_link_is_set_and_the_message_does_not_carry_it(world: Any) -> None:
    story = stories.make_identified(world)
    assert choose(world, story, "live_video").state == "asked"
    clerk = staff.make_session(world, "window_clerk", purpose="review")
    [line] = list_day(world, session_id=clerk, day=world.clock.today())
    for wrong in ("http://meeting.example/", "javascript:alert(1)"):
        with refused("appointment.link"):
            set_video_link(world, session_id=clerk, reference=line.reference, link=wrong)
    set_video_link(world, session_id=clerk, reference=line.reference, link=LINK)
    mine = my_appointment(world, account_id=story.tenant)
    assert mine is not None and (mine.state, mine.video_link) == ("booked", LINK)
    [notice] = [n for n in list_notices(world, account_id=story.tenant) if n.kind == "appointment_link"]
    assert LINK not in notice.text_zh + notice.text_en


def test_a_time_has_as_many_places_as_the_office_and_a_verified_person_needs_none(world: Any) -> None:
    story = stories.make_identified(world)
    world = replace(world, house=replace(world.house, opening_hours=replace(world.house.opening_hours, places=1)))
    first = choose(world, story)
    assert slots(world, story)[0].free == 0
    stories.verify_at_window(world, story.tenant)
    with refused("identity.settled"):
        choose(world, story, number=1)
    assert [row.starts_at for row in rows()] == [first.starts_at]


def test_two_people_of_one_office_do_not_get_the_same_place(world: Any) -> None:
    story = stories.make_identified(world)
    hours = replace(world.house.opening_hours, places=1)
    world = replace(world, house=replace(world.house, opening_hours=hours))
    first, second = another_tenant(world, 1), another_tenant(world, 2)
    starts_at = slots(world, story)[0].starts_at
    choose_slot(world, account_id=first, way="window", starts_at=starts_at)
    with refused("appointment.full"):
        choose_slot(world, account_id=second, way="live_video", starts_at=starts_at)
    later = offered_slots(world, account_id=first)[1].starts_at
    moved = choose_slot(world, account_id=first, way="live_video", starts_at=later)
    assert (moved.starts_at, moved.state, moved.version) == (later, "asked", 2)
    assert choose_slot(world, account_id=second, way="window", starts_at=starts_at).state == "booked"


def test_a_time_that_is_not_on_offer_and_a_way_that_is_none_are_refused(world: Any) -> None:
    story = stories.make_claimed(world)
    with refused("person.missing"):
        offered_slots(world, account_id=story.tenant)
    assert my_appointment(world, account_id=story.tenant) is None
    story = replace(story, tenant=another_tenant(world, 3))
    with refused("appointment.slot"):
        choose_slot(world, account_id=story.tenant, way="window", starts_at=world.clock.now())
    with refused("input.not_one_of"):
        choose_slot(world, account_id=story.tenant, way="attestation", starts_at=world.clock.now())
    with refused("appointment.none"):
        cancel_appointment(world, account_id=story.tenant)


def test_cancelling_gives_the_place_back_and_keeps_the_review_open(world: Any) -> None:
    story = stories.make_identified(world)
    choose(world, story)
    assert cancel_appointment(world, account_id=story.tenant).state == "cancelled"
    with refused("appointment.none"):
        cancel_appointment(world, account_id=story.tenant)
    assert slots(world, story)[0].free == world.house.opening_hours.places
    assert choose(world, story).state == "booked" and len(rows()) == 2


def test_the_days_list_needs_a_purpose_masks_names_and_is_read_by_the_tenant(world: Any) -> None:
    story = stories.make_identified(world)
    made = choose(world, story)
    today = world.clock.today()
    with refused("purpose.missing"):
        list_day(world, session_id=staff.make_session(world, "supervisor"), day=today)
    clerk = staff.make_session(world, "window_clerk", purpose="review")
    [line] = list_day(world, session_id=clerk, day=today)
    assert (line.reference, line.name_masked, line.way) == (made.case_reference, "周**", "window")
    assert stories.TENANT_NUMBER not in repr(line)
    record = my_access_records(world, account_id=story.tenant).items[0]
    assert (record.action, record.fields) == ("appointment_listed", ("name_masked", "appointment"))
    far = staff.make_session(world, "reviewer", staff.OTHER_STREET, "review")
    assert list_day(world, session_id=far, day=today) == ()
    assert list_day(world, session_id=clerk, day=today + timedelta(days=1)) == ()


def test_reading_the_days_list_does_not_use_up_the_cap_on_single_persons(world: Any) -> None:
    story = stories.make_identified(world)
    made = choose(world, story)
    world = replace(world, house=replace(world.house, person_reads_per_day=1))
    another = another_tenant(world, 4)
    choose_slot(world, account_id=another, way="window", starts_at=made.starts_at)
    with transaction() as session:
        session.scalars(select(Case).where(Case.area == "33")).one().area = "330522003900"
    clerk = staff.make_session(world, "window_clerk", purpose="review")
    assert len(list_day(world, session_id=clerk, day=world.clock.today())) == 2
    assert look_at_case(world, session_id=clerk, reference=made.case_reference).appointment is not None


def test_a_decision_marks_the_appointment_kept_in_the_same_step(world: Any) -> None:
    story = stories.make_declared(world)
    made = choose(world, story)
    session_id = staff.make_session(world, "reviewer", purpose="review")
    claim_case(world, session_id=session_id, reference=made.case_reference)
    decide_case(world, session_id=session_id, reference=made.case_reference, decision="confirmed",
                reason="same_person", method="window")  # fmt: skip
    assert [row.state for row in rows()] == ["kept"]
    assert stories.key_row(story.key_id).state == "active"


def test_nobody_is_recorded_as_not_met_before_the_time_has_come(world: Any, clock: FixedClock) -> None:
    story = stories.make_declared(world)
    made = choose(world, story)
    session_id = staff.make_session(world, "reviewer", purpose="review")
    claim_case(world, session_id=session_id, reference=made.case_reference)
    how = {"decision": "not_confirmed", "reason": "not_reached", "method": "window"}
    with refused("appointment.early"):
        decide_case(world, session_id=session_id, reference=made.case_reference, **how)
    assert [row.state for row in rows()] == ["booked"]
    clock.move(timedelta(hours=1))
    other = staff.make_session(world, "supervisor", purpose="review")
    with refused("case.taken") as caught:
        mark_appointment(world, session_id=other, reference=made.case_reference, action="miss")
    badge = db.session.scalar(select(AuditLeaf.actor_badge).where(AuditLeaf.action == "case_claimed"))
    assert badge and badge in caught.value.refusal.sentence("zh") and badge in caught.value.refusal.sentence("en")


def test_a_missed_time_is_told_and_another_can_be_chosen(world: Any, clock: FixedClock) -> None:
    story = stories.make_declared(world)
    made = choose(world, story)
    clerk = staff.make_session(world, "window_clerk", purpose="review")
    with refused("appointment.early"):
        mark_appointment(world, session_id=clerk, reference=made.case_reference, action="miss")
    clock.move(timedelta(hours=1))
    clerk = staff.make_session(world, "supervisor", purpose="review")
    mark_appointment(world, session_id=clerk, reference=made.case_reference, action="miss")
    assert "appointment_missed" in kinds(world, story.tenant)
    assert my_appointment(world, account_id=story.tenant).state == "missed"  # type: ignore[union-attr]
    with refused("appointment.none"):
        mark_appointment(world, session_id=clerk, reference=made.case_reference, action="keep")
    assert choose(world, story, "live_video").case_reference == made.case_reference


def test_a_match_meanwhile_gives_the_time_back(world: Any) -> None:
    story = stories.make_declared(world)
    choose(world, story)
    person_id = rows()[0].person_id
    with transaction() as session:
        close_review(world, session, person_id, SYSTEM)
    assert [row.state for row in rows()] == ["cancelled"]
    assert my_appointment(world, account_id=story.tenant) is None


def test_a_taken_case_left_alone_for_half_an_hour_goes_back_and_one_at_work_does_not(
    world: Any, clock: FixedClock
) -> None:
    story = stories.make_declared(world)
    reference = ask_a_person(world, account_id=story.tenant, way="window").reference
    clerk = staff.make_officer(world, "reviewer")
    session_id = staff.sign_in(world, clerk)
    begin_task(world, session_id=session_id, purpose="review")
    claim_case(world, session_id=session_id, reference=reference)
    clock.move(timedelta(minutes=9))
    look_at_case(world, session_id=session_id, reference=reference)
    clock.move(timedelta(minutes=30))
    keep_house(world)
    db.session.rollback()
    case = db.session.scalars(select(Case).where(Case.reference == reference)).one()
    assert case.state == "assigned"
    clock.move(timedelta(seconds=1))
    keep_house(world)
    db.session.rollback()
    case = db.session.scalars(select(Case).where(Case.reference == reference)).one()
    assert (case.state, case.assigned_to) == ("routed", None)
    leaf = db.session.scalars(select(AuditLeaf).where(AuditLeaf.action == "case_released")).one()
    assert (leaf.actor_kind, leaf.decision) == ("system", "idle")


def test_a_late_review_goes_to_the_supervisors_once_and_the_tenant_is_told_that_the_key_stays(
    world: Any, clock: FixedClock
) -> None:
    story = stories.make_declared(world)
    attest(world, account_id=story.landlord, lease_id=story.lease_id, met_in_person=True, saw_document=True)
    clock.move(timedelta(hours=72, seconds=1))
    keep_house(world)
    keep_house(world)
    db.session.rollback()
    case = db.session.scalars(select(Case).where(Case.kind == "identity_review")).one()
    assert case.escalated_at == clock.now()
    [notice] = [n for n in list_notices(world, account_id=story.tenant) if n.kind == "review_late"]
    assert case.reference in notice.text_en and "照常使用" in notice.text_zh
    assert stories.key_row(story.key_id).state == "active"
