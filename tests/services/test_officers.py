"""Staff sign in: password and one-time code, lockout, idle and absolute end, purpose, step-up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.domain.calendars import CHINA, end_of
from backend.domain.refusals import Refused
from backend.domain.staff_notices import sentence
from backend.gateways.clock import FixedClock
from backend.models.audit import AuditLeaf
from backend.models.cases import Case
from backend.models.officers import Officer, OfficerSession
from backend.services.case_checks import check_case
from backend.services.case_opening import open_case
from backend.services.cases import claim_case, decide_case
from backend.services.disclosures import open_unit
from backend.services.officer_accounts import lift_lock
from backend.services.officer_sessions import (
    OfficerView,
    acting_officer,
    begin_task,
    end_task,
    find_officer_session,
    lock_session,
    open_screen,
    sign_out_officer,
    step_up,
)
from backend.services.officers import create_officer, demo_codes, sign_in_officer
from backend.services.reports import file_report
from backend.services.staff_notices import list_unread
from tests.services import staff, stories
from tests.services.reporting_cases import WIRES, make_crew


def look(world: Any, signed: Any) -> OfficerView:
    """The officer as the next page sees them."""
    view = find_officer_session(world, session_id=signed.session_id, secret=signed.secret)
    assert view is not None
    return view


pytestmark = pytest.mark.usefixtures("core")


def refused_code(call: Any, *args: Any, **named: Any) -> str:
    with pytest.raises(Refused) as caught:
        call(*args, **named)
    return caught.value.refusal.code


def attempt(world: Any, who: staff.Staff, password: str = staff.PASSWORD, code: str | None = None) -> Any:
    return sign_in_officer(world, login=who.login, password=password, code=code or who.code(world))


def test_an_officer_signs_in_with_password_and_code(world: Any) -> None:
    who = staff.make_officer(world)
    signed = attempt(world, who)
    view = find_officer_session(world, session_id=signed.session_id, secret=signed.secret)
    assert view is not None
    assert (view.role, view.area, view.badge, view.purpose) == ("officer", staff.STREET, who.badge, None)


def test_another_secret_opens_no_session(world: Any) -> None:
    signed = attempt(world, staff.make_officer(world))
    assert find_officer_session(world, session_id=signed.session_id, secret="x" * 43) is None


def test_the_same_code_is_refused_the_second_time(world: Any, clock: FixedClock) -> None:
    who = staff.make_officer(world)
    attempt(world, who)
    assert refused_code(attempt, world, who) == "officer.code_used"
    clock.move(timedelta(seconds=30))
    attempt(world, who)


def test_an_older_code_is_refused_after_a_newer_one(world: Any, clock: FixedClock) -> None:
    who = staff.make_officer(world)
    old = who.code(world)
    clock.move(timedelta(seconds=30))
    attempt(world, who)
    assert refused_code(attempt, world, who, code=old) == "officer.code_used"


@pytest.mark.parametrize(("password", "code"), [("wrong password", None), (staff.PASSWORD, "000000"), ("", "")])
def test_a_wrong_password_and_a_wrong_code_answer_alike(world: Any, password: str, code: str | None) -> None:
    who = staff.make_officer(world)
    assert refused_code(attempt, world, who, password, code) == "officer.credentials"


def test_an_unknown_name_answers_like_a_wrong_password(world: Any) -> None:
    answer = refused_code(sign_in_officer, world, login="nobody", password="x", code="123456")
    assert answer == "officer.credentials"


def test_five_wrong_tries_lock_the_account_for_a_quarter_of_an_hour(world: Any, clock: FixedClock) -> None:
    who = staff.make_officer(world)
    codes = [refused_code(attempt, world, who, "wrong password") for _ in range(2)]
    for wait in (timedelta(seconds=1), timedelta(seconds=6), timedelta(seconds=16)):
        clock.move(wait)
        codes.append(refused_code(attempt, world, who, "wrong password"))
    assert codes == ["officer.credentials"] * 4 + ["officer.locked"]
    assert refused_code(attempt, world, who) == "officer.locked"
    clock.move(timedelta(minutes=16))
    attempt(world, who)


def test_wrong_tries_in_a_row_slow_down_before_they_lock(world: Any, clock: FixedClock) -> None:
    who = staff.make_officer(world)
    for _ in range(3):
        assert refused_code(attempt, world, who, "wrong password") == "officer.credentials"
    with pytest.raises(Refused) as caught:
        attempt(world, who)
    assert caught.value.refusal.code == "officer.wait" and caught.value.refusal.params == {"seconds": 6}
    clock.move(timedelta(seconds=6))
    attempt(world, who)
    assert db.session.get_one(Officer, who.id).failed_tries == 0


def test_supervisors_are_told_of_a_locked_account_and_one_of_the_area_lifts_the_lock(
    world: Any, clock: FixedClock
) -> None:
    near, far = (
        sign_in_officer(world, login=made.login, password=staff.PASSWORD, code=made.code(world))
        for made in (staff.make_officer(world, "supervisor"), staff.make_officer(world, "supervisor", "330521"))
    )
    who = staff.make_officer(world)
    for wait in (0, 0, 0, 6, 16):
        clock.move(timedelta(seconds=wait))
        refused_code(attempt, world, who, "wrong password")
    assert [notice.kind for notice in list_unread(near.officer_id)] == ["account_locked"]
    assert list_unread(far.officer_id) == ()
    assert refused_code(lift_lock, world, session_id=far.session_id, officer_id=who.id) == "area.foreign"
    lift_lock(world, session_id=near.session_id, officer_id=who.id)
    attempt(world, who)


def test_ten_idle_minutes_lock_the_screen_and_keep_the_task(world: Any, clock: FixedClock) -> None:
    signed = attempt(world, staff.make_officer(world))
    for _ in range(3):
        clock.move(timedelta(minutes=9))
        assert not look(world, signed).locked
    begin_task(world, session_id=signed.session_id, purpose="visit")
    clock.move(timedelta(minutes=10, seconds=1))
    assert look(world, signed).locked
    assert refused_code(step_up, world, session_id=signed.session_id, password=staff.PASSWORD) == "session.locked"
    refused = refused_code(open_screen, world, session_id=signed.session_id, password="wrong password")
    assert refused == "officer.password" and look(world, signed).locked
    open_screen(world, session_id=signed.session_id, password=staff.PASSWORD)
    opened = look(world, signed)
    assert not opened.locked and not opened.stepped_up and opened.purpose == "visit"


def test_a_screen_locked_by_hand_answers_nothing_until_it_is_opened(world: Any) -> None:
    signed = attempt(world, staff.make_officer(world))
    lock_session(world, session_id=signed.session_id)
    assert look(world, signed).locked
    open_screen(world, session_id=signed.session_id, password=staff.PASSWORD)
    assert not look(world, signed).locked


def test_five_wrong_passwords_at_the_lock_screen_end_the_session(world: Any, clock: FixedClock) -> None:
    signed = attempt(world, staff.make_officer(world))
    lock_session(world, session_id=signed.session_id)
    for wait in (0, 0, 0, 6, 16):
        clock.move(timedelta(seconds=wait))
        last = refused_code(open_screen, world, session_id=signed.session_id, password="wrong")
    assert last == "officer.locked"
    assert find_officer_session(world, session_id=signed.session_id, secret=signed.secret) is None


def test_what_a_page_asks_by_itself_does_not_keep_a_session_alive(world: Any, clock: FixedClock) -> None:
    signed = attempt(world, staff.make_officer(world))
    for _ in range(3):
        clock.move(timedelta(minutes=4))
        seen = find_officer_session(world, session_id=signed.session_id, secret=signed.secret, seen=False)
    assert seen is not None and seen.locked


def test_eight_hours_end_a_session_however_busy(world: Any, clock: FixedClock) -> None:
    signed = attempt(world, staff.make_officer(world))
    for _ in range(8 * 60 // 9):
        clock.move(timedelta(minutes=9))
        find_officer_session(world, session_id=signed.session_id, secret=signed.secret)
    clock.move(timedelta(minutes=9))
    assert find_officer_session(world, session_id=signed.session_id, secret=signed.secret) is None


def test_a_session_ends_with_the_day_and_the_last_hour_keeps_an_hour(world: Any, clock: FixedClock) -> None:
    clock.set(datetime(2026, 11, 23, 20, 0, tzinfo=CHINA))
    assert attempt(world, staff.make_officer(world)).expires_at == end_of(date(2026, 11, 23))
    clock.set(datetime(2026, 11, 23, 23, 50, tzinfo=CHINA))
    late = attempt(world, staff.make_officer(world, login="late"))
    assert late.expires_at == datetime(2026, 11, 24, 0, 50, tzinfo=CHINA)


def test_signing_out_ends_the_session_at_once(world: Any) -> None:
    signed = attempt(world, staff.make_officer(world))
    sign_out_officer(world, session_id=signed.session_id)
    assert find_officer_session(world, session_id=signed.session_id, secret=signed.secret) is None


def test_a_switched_off_account_is_out_at_once(world: Any) -> None:
    signed = attempt(world, staff.make_officer(world))
    db.session.get_one(Officer, signed.officer_id).active = False
    db.session.commit()
    assert find_officer_session(world, session_id=signed.session_id, secret=signed.secret) is None


def test_all_faults_of_a_new_officer_are_named_together(world: Any) -> None:
    with pytest.raises(Refused) as caught:
        create_officer(world, login="A", display_name="", office="所", role="king", area="33052", password="short")
    assert [fault.field for fault in caught.value.refusals] == ["login", "display_name", "role", "area", "password"]


def test_a_sign_in_name_is_given_once(world: Any) -> None:
    staff.make_officer(world, login="one-name")
    assert refused_code(staff.make_officer, world, login="one-name") == "officer.login_taken"


def test_neither_password_nor_authenticator_secret_is_stored_in_clear(world: Any) -> None:
    who = staff.make_officer(world)
    row = db.session.get_one(Officer, who.id)
    assert row.password_hash.startswith("$argon2id$") and staff.PASSWORD not in row.password_hash
    assert who.totp_secret.encode() not in row.totp_sealed


def test_a_task_begins_with_a_purpose_and_its_end_clears_it(world: Any) -> None:
    session_id = staff.make_session(world, purpose="visit")
    end_task(world, session_id=session_id)
    actions = db.session.scalars(select(AuditLeaf.action).order_by(AuditLeaf.id)).all()
    assert actions[-2:] == ["task_begun", "task_ended"]
    assert acting_officer(world, db.session(), session_id).session.purpose is None


@pytest.mark.parametrize(
    ("purpose", "number", "code"),
    [
        ("curiosity", None, "input.not_one_of"),
        ("case", None, "purpose.case"),
        ("case", "?", "purpose.case_form"),
        ("case", "AJ-20261123-0099", "purpose.case_unknown"),
    ],
)
def test_an_unfit_purpose_begins_no_task(world: Any, purpose: str, number: str | None, code: str) -> None:
    session_id = staff.make_session(world)
    assert refused_code(begin_task, world, session_id=session_id, purpose=purpose, case_number=number) == code


def test_a_number_of_another_office_is_taken_as_it_is(world: Any) -> None:
    session_id = staff.make_session(world)
    view = begin_task(world, session_id=session_id, purpose="case", case_number=" a3305222026-11 ")
    assert view.case_ref == "A3305222026-11"


def test_our_own_number_must_lie_in_the_area(world: Any) -> None:
    story = stories.make_declared(world)
    with transaction() as session:
        case = open_case(world, session, kind="resident_report", area="330522003900", unit_id=story.unit_id,
                         opened_by="resident")  # fmt: skip
    near = staff.make_session(world)
    far = staff.make_session(world, area=staff.OTHER_STREET)
    assert begin_task(world, session_id=near, purpose="case", case_number=case.reference).case_ref == case.reference
    refused = refused_code(begin_task, world, session_id=far, purpose="case", case_number=case.reference)
    assert refused == "purpose.case_unknown"
    decide(world, case.id)
    refused = refused_code(begin_task, world, session_id=near, purpose="case", case_number=case.reference)
    assert refused == "purpose.case_closed"


def decide(world: Any, case_id: str) -> None:
    """The case is decided, by whomever."""
    with transaction() as session:
        case = session.get_one(Case, case_id)
        case.state, case.decided_at = "handled", world.clock.now()


def test_a_task_ends_after_its_time_and_that_is_written_down(world: Any, clock: FixedClock) -> None:
    signed = attempt(world, staff.make_officer(world))
    begun = begin_task(world, session_id=signed.session_id, purpose="address_check")
    assert begun.purpose_until == world.clock.now() + timedelta(hours=1)
    for _ in range(6):
        clock.move(timedelta(minutes=9, seconds=50))
        assert look(world, signed).purpose == "address_check"
    clock.move(timedelta(minutes=2))
    assert look(world, signed).purpose is None
    [leaf] = db.session.scalars(select(AuditLeaf).where(AuditLeaf.action == "task_ended")).all()
    assert (leaf.purpose, leaf.decision) == ("address_check", "time")


def test_a_task_whose_time_is_over_opens_nothing_even_when_no_page_was_asked_between(
    world: Any, clock: FixedClock
) -> None:
    story = stories.make_active(world)
    session_id = staff.make_session(world, purpose="address_check")
    open_unit(world, session_id=session_id, unit_id=story.unit_id)
    with transaction() as session:
        session.get_one(OfficerSession, session_id).purpose_until = world.clock.now()
    assert refused_code(open_unit, world, session_id=session_id, unit_id=story.unit_id) == "purpose.missing"


def test_a_task_ends_with_the_case_it_names(world: Any) -> None:
    story = stories.make_declared(world)
    with transaction() as session:
        case = open_case(world, session, kind="resident_report", area="330522003900", unit_id=story.unit_id,
                         opened_by="resident")  # fmt: skip
    signed = attempt(world, staff.make_officer(world))
    begin_task(world, session_id=signed.session_id, purpose="case", case_number=case.reference)
    assert look(world, signed).case_ref == case.reference
    decide(world, case.id)
    assert (look(world, signed).purpose, look(world, signed).case_ref) == (None, None)
    [leaf] = db.session.scalars(select(AuditLeaf).where(AuditLeaf.action == "task_ended")).all()
    assert (leaf.case_ref, leaf.decision) == (case.reference, "case_closed")


def test_a_supervisor_checks_under_the_number_of_the_case_that_a_colleague_has_decided(world: Any) -> None:
    """For whoever handled it the task is over; for whoever has to check it there is still something to do."""
    story = stories.make_active(world)
    crew, reference = make_crew(world), file_report(world, account_id=story.tenant, **WIRES).reference
    checker, handler = (attempt(world, staff.make_officer(world, role)) for role in ("supervisor", "officer"))
    for one in (checker, handler):
        begin_task(world, session_id=one.session_id, purpose="case", case_number=reference)
    claim_case(world, session_id=crew.handler, reference=reference)
    decide_case(world, session_id=crew.handler, reference=reference, decision="handled", reason="seen_on_site",
                answer_text="已上门查看。")  # fmt: skip
    assert (look(world, checker).case_ref, look(world, handler).case_ref) == (reference, None)
    begin_task(world, session_id=checker.session_id, purpose="case", case_number=reference)
    check_case(world, session_id=checker.session_id, reference=reference)
    assert look(world, checker).case_ref is None
    refused = refused_code(begin_task, world, session_id=checker.session_id, purpose="case", case_number=reference)
    assert refused == "purpose.case_closed"


def test_supervisors_are_told_of_a_task_under_a_number_that_cannot_be_checked(world: Any) -> None:
    supervisor = staff.make_officer(world, "supervisor")
    begin_task(world, session_id=staff.make_session(world), purpose="case", case_number="A3305222026-11")
    [notice] = list_unread(supervisor.id)
    assert notice.kind == "outside_case" and notice.params["number"] == "A3305222026-11"
    assert "A3305222026-11" in sentence(notice.kind, notice.params, "en")


def test_five_wrong_passwords_at_the_step_up_end_the_session(world: Any, clock: FixedClock) -> None:
    who = staff.make_officer(world)
    signed = attempt(world, who)
    codes = []
    for wait in (0, 0, 0, 6, 16):
        clock.move(timedelta(seconds=wait))
        codes.append(refused_code(step_up, world, session_id=signed.session_id, password="wrong"))
    assert codes == ["officer.password"] * 4 + ["officer.locked"]
    assert find_officer_session(world, session_id=signed.session_id, secret=signed.secret) is None


def test_the_demo_page_shows_codes_that_work_and_is_nowhere_else(world: Any) -> None:
    who = staff.make_officer(world)
    [row] = demo_codes(world)
    assert row.code == who.code(world) and 0 < row.seconds_left <= 30
    real = replace(world, house=replace(world.house, demo=False))
    assert refused_code(demo_codes, real) == "not_found"
