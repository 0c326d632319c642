"""Staff sign in: password and one-time code, lockout, idle and absolute end, purpose, step-up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.models.audit import AuditLeaf
from backend.models.officers import Officer
from backend.services.case_opening import open_case
from backend.services.officer_sessions import (
    acting_officer,
    begin_task,
    end_task,
    find_officer_session,
    sign_out_officer,
    step_up,
)
from backend.services.officers import create_officer, demo_codes, sign_in_officer
from tests.services import staff, stories

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
    codes = [refused_code(attempt, world, who, "wrong password") for _ in range(5)]
    assert codes == ["officer.credentials"] * 4 + ["officer.locked"]
    assert refused_code(attempt, world, who) == "officer.locked"
    clock.move(timedelta(minutes=16))
    attempt(world, who)


def test_ten_idle_minutes_end_a_session(world: Any, clock: FixedClock) -> None:
    signed = attempt(world, staff.make_officer(world))
    for _ in range(3):
        clock.move(timedelta(minutes=9))
        assert find_officer_session(world, session_id=signed.session_id, secret=signed.secret) is not None
    clock.move(timedelta(minutes=10, seconds=1))
    assert find_officer_session(world, session_id=signed.session_id, secret=signed.secret) is None


def test_what_a_page_asks_by_itself_does_not_keep_a_session_alive(world: Any, clock: FixedClock) -> None:
    signed = attempt(world, staff.make_officer(world))
    for _ in range(3):
        clock.move(timedelta(minutes=4))
        seen = find_officer_session(world, session_id=signed.session_id, secret=signed.secret, seen=False)
    assert seen is None


def test_eight_hours_end_a_session_however_busy(world: Any, clock: FixedClock) -> None:
    signed = attempt(world, staff.make_officer(world))
    for _ in range(8 * 60 // 9):
        clock.move(timedelta(minutes=9))
        find_officer_session(world, session_id=signed.session_id, secret=signed.secret)
    clock.move(timedelta(minutes=9))
    assert find_officer_session(world, session_id=signed.session_id, secret=signed.secret) is None


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


def test_five_wrong_passwords_at_the_step_up_end_the_session(world: Any) -> None:
    who = staff.make_officer(world)
    signed = attempt(world, who)
    codes = [refused_code(step_up, world, session_id=signed.session_id, password="wrong") for _ in range(5)]
    assert codes == ["officer.password"] * 4 + ["officer.locked"]
    assert find_officer_session(world, session_id=signed.session_id, secret=signed.secret) is None


def test_the_demo_page_shows_codes_that_work_and_is_nowhere_else(world: Any) -> None:
    who = staff.make_officer(world)
    [row] = demo_codes(world)
    assert row.code == who.code(world) and 0 < row.seconds_left <= 30
    real = replace(world, house=replace(world.house, demo=False))
    assert refused_code(demo_codes, real) == "not_found"
