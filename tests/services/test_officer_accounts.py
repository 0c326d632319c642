"""Accounts of staff: made by supervisors of the area, under four eyes where they grant power, first used by a code."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from backend.db import db, transaction
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.models.audit import AuditLeaf
from backend.models.officers import AccountRequest, Officer
from backend.queries.staff import list_requests, list_sessions, list_staff
from backend.services import officer_accounts as accounts
from backend.services import officer_enrolment as enrolment
from backend.services.officer_accounts import Settled, Wish
from backend.services.officer_sessions import find_officer_session, step_up
from backend.services.officers import sign_in_officer
from backend.services.staff_notices import list_unread, mark_notice_read
from tests.services import staff
from tests.services.authenticators import Device

pytestmark = pytest.mark.usefixtures("core")

VILLAGE = "330522003900"
CLERK = Wish("clerk.new", "窗口丁", "太湖派出所", "window_clerk", staff.STREET)
DEPUTY = Wish("deputy.new", "副所长", "太湖派出所", "supervisor", staff.STREET)
NEW_PASSWORD = "six plain words in a row"


def refused_code(call: Any, *args: Any, **named: Any) -> str:
    with pytest.raises(Refused) as caught:
        call(*args, **named)
    return caught.value.refusal.code


def supervisor(world: Any, login: str = "chief", area: str = staff.STREET) -> str:
    """A supervisor's session after the second act."""
    session_id = staff.sign_in(world, staff.make_officer(world, "supervisor", area, login))
    step_up(world, session_id=session_id, password=staff.PASSWORD)
    return session_id


def ask(world: Any, session_id: str, officer_id: str, kind: str, wish: Wish | None = None) -> Settled:
    return accounts.ask_for_account(world, session_id=session_id, officer_id=officer_id, kind=kind, wish=wish)


def officer_of(world: Any, session_id: str) -> str:
    """Whose session it is."""
    with transaction() as session:
        return accounts.acting_officer(world, session, session_id).officer.id


def kinds_told(officer_id: str) -> list[str]:
    return [notice.kind for notice in list_unread(officer_id)]


def finish(world: Any, code: enrolment.FirstCode, password: str = NEW_PASSWORD, totp: str | None = None) -> Any:
    """The first sign-in with password and authenticator."""
    seen = enrolment.look_at_enrolment(world, login=code.login, first_code=code.code)
    present = totp or pyotp.TOTP(seen.totp_secret).at(world.clock.now())
    return enrolment.finish_with_password(
        world, login=code.login, first_code=code.code, password=password, code=present
    )


def test_a_supervisor_makes_an_account_and_its_code_lets_in_once(world: Any, clock: FixedClock) -> None:
    made = accounts.ask_new_account(world, session_id=supervisor(world), wish=CLERK)
    assert made.state == "approved" and made.first_code is not None
    signed = finish(world, made.first_code)
    view = find_officer_session(world, session_id=signed.session_id, secret=signed.secret)
    assert view is not None and (view.role, view.area) == ("window_clerk", staff.STREET)
    assert refused_code(finish, world, made.first_code) == "officer.first_code"
    secret = db.session.get_one(Officer, made.officer_id)
    clock.move(timedelta(seconds=30))
    code = pyotp.TOTP(enrolment.read_totp_secret(world, db.session(), secret)).at(clock.now())
    sign_in_officer(world, login=CLERK.login, password=NEW_PASSWORD, code=code)


def test_the_code_is_stored_hashed_and_ends_after_three_days(world: Any, clock: FixedClock) -> None:
    made = accounts.ask_new_account(world, session_id=supervisor(world), wish=CLERK)
    assert made.first_code is not None
    row = db.session.get_one(Officer, made.officer_id)
    assert row.first_code_hash is not None and made.first_code.code.encode() not in row.first_code_hash
    assert row.password_hash is None and row.totp_at is None
    clock.move(timedelta(hours=72))
    assert refused_code(finish, world, made.first_code) == "officer.first_code"


def test_guessing_a_first_code_slows_down_and_locks(world: Any, clock: FixedClock) -> None:
    accounts.ask_new_account(world, session_id=supervisor(world), wish=CLERK)
    codes = []
    for wait in (0, 0, 0, 6, 16):
        clock.move(timedelta(seconds=wait))
        codes.append(refused_code(enrolment.look_at_enrolment, world, login=CLERK.login, first_code="2222-3333"))
    assert codes == ["officer.first_code"] * 4 + ["officer.locked"]


@pytest.mark.parametrize(
    ("password", "totp", "code"),
    [("short", None, "input.length"), ("clerk.new is my name", None, "officer.weak"),
     ("aaaaaaaaaaaaaaa", None, "officer.weak"), (NEW_PASSWORD, "000000", "officer.totp")],
)  # fmt: skip
def test_a_poor_password_or_a_wrong_code_does_not_use_the_first_code_up(
    world: Any, password: str, totp: str | None, code: str
) -> None:
    made = accounts.ask_new_account(world, session_id=supervisor(world), wish=CLERK)
    assert made.first_code is not None
    assert refused_code(finish, world, made.first_code, password, totp) == code
    finish(world, made.first_code)


def test_the_first_sign_in_may_be_a_passkey_alone(world: Any) -> None:
    made = accounts.ask_new_account(world, session_id=supervisor(world), wish=CLERK)
    assert made.first_code is not None
    given, device = {"login": CLERK.login, "first_code": made.first_code.code.lower()}, Device()
    asked = enrolment.ask_first_passkey(world, **given)
    signed = enrolment.finish_with_passkey(world, **given, credential=device.make(asked.options),
                                           challenge=asked.challenge, label="")  # fmt: skip
    assert find_officer_session(world, session_id=signed.session_id, secret=signed.secret) is not None
    refused = refused_code(sign_in_officer, world, login=CLERK.login, password="", code="")
    assert refused == "officer.credentials", "without a password there is no way in by one"


def test_a_supervisors_account_waits_for_a_second_supervisor(world: Any) -> None:
    first, second = supervisor(world), supervisor(world, "second")
    asked = accounts.ask_new_account(world, session_id=first, wish=DEPUTY)
    assert (asked.state, asked.first_code, asked.officer_id) == ("waiting", None, None)
    assert [row.login for row in list_requests(staff.STREET)] == [DEPUTY.login]
    assert kinds_told(officer_of(world, second)) == ["request_waiting"]
    mine = {"session_id": first, "request_id": asked.request_id}
    assert refused_code(accounts.decide_request, world, **mine, decision="approved") == "officer.four_eyes"
    done = accounts.decide_request(world, session_id=second, request_id=asked.request_id, decision="approved")
    assert done.state == "approved" and done.first_code is not None
    assert kinds_told(officer_of(world, first)) == ["request_approved"]
    assert refused_code(accounts.decide_request, world, **mine, decision="withdrawn") == "officer.decided"


def test_the_database_itself_lets_nobody_approve_their_own_request(world: Any) -> None:
    asked = accounts.ask_new_account(world, session_id=supervisor(world), wish=DEPUTY)
    with pytest.raises(IntegrityError), transaction() as session:
        row = session.get_one(AccountRequest, asked.request_id)
        row.state, row.decided_by, row.decided_at = "approved", row.asked_by, world.clock.now()


def test_a_request_is_declined_by_another_or_withdrawn_by_oneself(world: Any) -> None:
    first, second = supervisor(world), supervisor(world, "second")
    asked = accounts.ask_new_account(world, session_id=first, wish=DEPUTY)
    assert refused_code(accounts.ask_new_account, world, session_id=second, wish=DEPUTY) == "officer.pending"
    accounts.decide_request(world, session_id=first, request_id=asked.request_id, decision="withdrawn")
    again = accounts.ask_new_account(world, session_id=first, wish=DEPUTY)
    accounts.decide_request(world, session_id=second, request_id=again.request_id, decision="declined")
    assert [row.login for row in list_staff(staff.STREET, world.clock.now())] == ["chief", "second"]


@pytest.mark.parametrize("role", ["supervisor", "auditor"])
def test_nobody_is_raised_to_a_powerful_role_by_one_supervisor(world: Any, role: str) -> None:
    first, who = supervisor(world), staff.make_officer(world)
    wish = Wish(who.login, "测试", "太湖派出所", role, staff.STREET)
    assert ask(world, first, who.id, "change", wish).state == "waiting"
    assert db.session.get_one(Officer, who.id).role == "officer"


def test_a_change_takes_effect_at_once_ends_sign_ins_and_is_told(world: Any) -> None:
    first, who = supervisor(world), staff.make_officer(world)
    signed = sign_in_officer(world, login=who.login, password=staff.PASSWORD, code=who.code(world))
    wish = Wish(who.login, "测试", "陈塘村网格", "grid_worker", VILLAGE)
    assert ask(world, first, who.id, "change", wish).state == "approved"
    row = db.session.get_one(Officer, who.id, populate_existing=True)
    assert (row.role, row.area, row.office) == ("grid_worker", VILLAGE, "陈塘村网格")
    assert find_officer_session(world, session_id=signed.session_id, secret=signed.secret) is None
    assert kinds_told(who.id) == ["account_changed"]


def test_a_lost_device_is_answered_by_new_ways_in_and_the_person_is_told(world: Any, clock: FixedClock) -> None:
    first, who = supervisor(world), staff.make_officer(world)
    signed = sign_in_officer(world, login=who.login, password=staff.PASSWORD, code=who.code(world))
    reset = ask(world, first, who.id, "reset")
    assert reset.first_code is not None
    assert find_officer_session(world, session_id=signed.session_id, secret=signed.secret) is None
    clock.move(timedelta(seconds=30))
    old = refused_code(sign_in_officer, world, login=who.login, password=staff.PASSWORD, code=who.code(world))
    assert old == "officer.credentials"
    finish(world, reset.first_code)
    [notice] = list_unread(who.id)
    assert notice.kind == "account_reset"
    mark_notice_read(world, officer_id=who.id, notice_id=notice.id)
    assert kinds_told(who.id) == []


def test_a_suspension_never_waits_and_its_end_does(world: Any) -> None:
    first, second = supervisor(world), supervisor(world, "second")
    chief = officer_of(world, first)
    assert ask(world, second, chief, "suspend").state == "approved"
    assert refused_code(ask, world, first, officer_of(world, second), "suspend") == "unauthenticated"
    assert ask(world, second, chief, "resume").state == "waiting"
    assert refused_code(ask, world, second, officer_of(world, second), "suspend") == "officer.self"


def test_accounts_outside_the_area_are_out_of_reach_and_the_try_is_written_down(world: Any) -> None:
    first, far = supervisor(world), staff.make_officer(world, area=staff.OTHER_STREET)
    assert refused_code(ask, world, first, far.id, "suspend") == "area.foreign"
    wide = replace(CLERK, area="330522")
    assert refused_code(accounts.ask_new_account, world, session_id=first, wish=wide) == "area.foreign"
    refused = select(AuditLeaf.object_kind).where(AuditLeaf.action == "refused", AuditLeaf.decision == "area.foreign")
    assert db.session.scalars(refused).all() == ["officer", "officer"]


def test_power_is_used_only_after_the_second_act(world: Any) -> None:
    session_id, who = staff.make_session(world, "supervisor"), staff.make_officer(world)
    assert refused_code(accounts.ask_new_account, world, session_id=session_id, wish=CLERK) == "step_up"
    assert refused_code(ask, world, session_id, who.id, "reset") == "step_up"


def test_all_faults_of_a_wish_are_named_together(world: Any) -> None:
    with pytest.raises(Refused) as caught:
        accounts.ask_new_account(world, session_id=supervisor(world), wish=Wish("A", "", " ", "king", "33052"))
    assert [fault.field for fault in caught.value.refusals] == ["login", "display_name", "office", "role", "area"]


def test_own_sign_ins_are_ended_by_oneself_and_others_by_a_supervisor_of_the_area(world: Any) -> None:
    who = staff.make_officer(world)
    own = staff.sign_in(world, who)
    far, near = supervisor(world, "far", staff.OTHER_STREET), supervisor(world)
    peer = staff.make_session(world, "reviewer")
    named = {"officer_id": who.id, "ended_id": own}
    assert refused_code(accounts.end_session, world, session_id=peer, **named) == "not_found"
    assert refused_code(accounts.end_session, world, session_id=far, **named) == "area.foreign"
    crossed = {"officer_id": officer_of(world, near), "ended_id": own}
    assert refused_code(accounts.end_session, world, session_id=near, **crossed) == "not_found"
    accounts.end_session(world, session_id=near, **named)
    assert list_sessions(who.id, world.clock.now()) == () and kinds_told(who.id) == ["session_ended"]


def test_a_new_password_ends_the_other_sign_ins(world: Any, clock: FixedClock) -> None:
    who = staff.make_officer(world)
    elsewhere = staff.sign_in(world, who)
    clock.move(timedelta(seconds=30))
    here = staff.sign_in(world, who)
    change = {"session_id": here, "wanted": NEW_PASSWORD}
    assert refused_code(accounts.change_password, world, **change, present="wrong") == "officer.password"
    accounts.change_password(world, **change, present=staff.PASSWORD)
    assert [line.id for line in list_sessions(who.id, world.clock.now())] == [here]
    assert elsewhere != here


def test_the_first_supervisor_is_made_once_and_signs_in_by_the_code(world: Any) -> None:
    first = {"login": "chief", "display_name": "所长", "office": "太湖派出所", "area": staff.STREET}
    made = enrolment.make_first_supervisor(world, **first)
    assert refused_code(enrolment.make_first_supervisor, world, **first) == "officer.first_exists"
    signed = finish(world, made)
    view = find_officer_session(world, session_id=signed.session_id, secret=signed.secret)
    assert view is not None and view.role == "supervisor"


def test_the_operator_resets_where_no_second_supervisor_is_left(world: Any) -> None:
    who = staff.make_officer(world, "supervisor")
    finish(world, enrolment.reset_by_operator(world, login=who.login))
    assert kinds_told(who.id) == ["account_reset"]
    assert refused_code(enrolment.reset_by_operator, world, login="nobody") == "not_found"


def test_an_account_that_waits_for_a_second_supervisor_holds_up_no_other(world: Any) -> None:
    chief = supervisor(world)
    assert accounts.ask_new_account(world, session_id=chief, wish=DEPUTY).state == "waiting"
    assert accounts.ask_new_account(world, session_id=chief, wish=CLERK).state == "approved"
    assert refused_code(accounts.ask_new_account, world, session_id=chief, wish=DEPUTY) == "officer.pending"


def test_a_change_that_changes_nothing_is_no_request(world: Any) -> None:
    chief = supervisor(world)
    made = accounts.ask_new_account(world, session_id=chief, wish=CLERK)
    assert made.officer_id is not None
    moved = replace(CLERK, office="派出所窗口")
    assert ask(world, chief, made.officer_id, "change", moved).state == "approved"
    assert refused_code(ask, world, chief, made.officer_id, "change", moved) == "officer.unchanged"
