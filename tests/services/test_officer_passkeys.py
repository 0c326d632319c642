"""Passkeys of staff: enrolled after the second act, good once per question, bound to the console's address."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.gateways.passkeys import relying_party
from backend.models.officers import Officer, OfficerSession, PasskeyChallenge
from backend.services import officer_passkeys as passkeys
from backend.services.officer_sessions import find_officer_session, lock_session, step_up
from tests.services import staff
from tests.services.authenticators import Device

pytestmark = pytest.mark.usefixtures("core")


def refused_code(call: Any, *args: Any, **named: Any) -> str:
    with pytest.raises(Refused) as caught:
        call(*args, **named)
    return caught.value.refusal.code


def enrol(world: Any, session_id: str, device: Device, label: str = "") -> None:
    """Enrol a device's passkey after the password was given again."""
    step_up(world, session_id=session_id, password=staff.PASSWORD)
    asked = passkeys.ask_new_passkey(world, session_id=session_id)
    passkeys.add_passkey(world, session_id=session_id, credential=device.make(asked.options),
                         challenge=asked.challenge, label=label)  # fmt: skip


def enrolled(world: Any) -> tuple[staff.Staff, str, Device]:
    """An officer signed in, with one passkey."""
    who, device = staff.make_officer(world), Device()
    session_id = staff.sign_in(world, who)
    enrol(world, session_id, device, "这台电脑")
    return who, session_id, device


def enter(world: Any, device: Device) -> Any:
    """Sign in with a device."""
    asked = passkeys.ask_sign_in(world)
    return passkeys.sign_in_with_passkey(world, credential=device.answer(asked.options), challenge=asked.challenge)


def test_a_passkey_alone_signs_its_officer_in_and_its_use_is_noted(world: Any) -> None:
    who, _, device = enrolled(world)
    signed = enter(world, device)
    view = find_officer_session(world, session_id=signed.session_id, secret=signed.secret)
    assert view is not None and view.badge == who.badge
    assert db.session.get_one(OfficerSession, signed.session_id).way == "passkey"
    [line] = passkeys.list_passkeys(who.id)
    assert line.label == "这台电脑" and line.used_at == world.clock.now()


def test_a_passkey_is_enrolled_only_after_the_second_act(world: Any) -> None:
    session_id = staff.make_session(world)
    assert refused_code(passkeys.ask_new_passkey, world, session_id=session_id) == "step_up"


def test_an_answer_is_good_once_and_for_its_own_question(world: Any) -> None:
    _, _, device = enrolled(world)
    asked, other = passkeys.ask_sign_in(world), passkeys.ask_sign_in(world)
    answer = device.answer(asked.options)
    wrong = refused_code(passkeys.sign_in_with_passkey, world, credential=answer, challenge=other.challenge)
    passkeys.sign_in_with_passkey(world, credential=answer, challenge=asked.challenge)
    again = refused_code(passkeys.sign_in_with_passkey, world, credential=answer, challenge=asked.challenge)
    assert wrong == again == "passkey.refused"


def test_an_answer_that_comes_too_late_is_refused_and_old_questions_are_forgotten(
    world: Any, clock: FixedClock
) -> None:
    _, _, device = enrolled(world)
    asked = passkeys.ask_sign_in(world)
    clock.move(timedelta(minutes=2, seconds=1))
    late = refused_code(passkeys.sign_in_with_passkey, world, credential=device.answer(asked.options),
                        challenge=asked.challenge)  # fmt: skip
    assert late == "passkey.refused"
    asked = passkeys.ask_sign_in(world)
    kept = [row.hex() for row in db.session.scalars(select(PasskeyChallenge.challenge))]
    assert kept == [asked.challenge]


@pytest.mark.parametrize("spoilt", ["origin", "verification", "count", "stranger", "noise"])
def test_a_spoilt_answer_opens_nothing(world: Any, spoilt: str) -> None:
    _, _, device = enrolled(world)
    enter(world, device)
    if spoilt == "origin":
        device.origin = "https://console.example"
    if spoilt == "verification":
        device.verifies = False
    if spoilt == "count":
        device.count = 0  # a copy of the device that has fallen behind
    if spoilt == "stranger":
        device = Device()
    asked = passkeys.ask_sign_in(world)
    answer = device.answer(asked.options) if spoilt != "noise" else '{"id": 7}'
    assert refused_code(passkeys.sign_in_with_passkey, world, credential=answer,
                        challenge=asked.challenge) == "passkey.refused"  # fmt: skip


def test_nobody_shows_who_they_are_with_a_colleagues_passkey(world: Any) -> None:
    _, _, device = enrolled(world)
    other = staff.sign_in(world, staff.make_officer(world, login="colleague"))
    enrol(world, other, Device())
    asked = passkeys.ask_again(world, session_id=other)
    answer = device.answer(asked.options)
    refused = refused_code(passkeys.show_passkey_again, world, session_id=other, credential=answer,
                           challenge=asked.challenge, opens=False)  # fmt: skip
    assert refused == "passkey.refused"


def test_a_passkey_opens_the_locked_screen_and_is_a_second_act(world: Any, clock: FixedClock) -> None:
    _, session_id, device = enrolled(world)
    clock.move(timedelta(minutes=6))
    lock_session(world, session_id=session_id)
    for opens in (True, False):
        asked = passkeys.ask_again(world, session_id=session_id)
        passkeys.show_passkey_again(world, session_id=session_id, credential=device.answer(asked.options),
                                    challenge=asked.challenge, opens=opens)  # fmt: skip
        row = db.session.get_one(OfficerSession, session_id, populate_existing=True)
        assert row.locked_at is None
        assert (row.stepped_up_at == clock.now()) == (not opens), "opening the screen is no second act"


def test_a_passkey_lets_in_whom_wrong_passwords_have_locked_out(world: Any, clock: FixedClock) -> None:
    who, _, device = enrolled(world)
    officer = db.session.get_one(Officer, who.id)
    officer.locked_until = clock.now() + timedelta(minutes=15)
    db.session.commit()
    enter(world, device)


def test_a_suspended_officers_passkey_opens_nothing(world: Any) -> None:
    who, _, device = enrolled(world)
    db.session.get_one(Officer, who.id).active = False
    db.session.commit()
    assert refused_code(enter, world, device) == "passkey.refused"


def test_the_only_way_in_is_not_removed_and_anothers_passkey_is_not_there(world: Any) -> None:
    who, session_id, device = enrolled(world)
    [line] = passkeys.list_passkeys(who.id)
    stranger = staff.make_session(world, "supervisor")
    assert refused_code(passkeys.remove_passkey, world, session_id=stranger, passkey_id=line.id) == "not_found"
    officer = db.session.get_one(Officer, who.id)
    officer.password_hash = None
    db.session.commit()
    assert refused_code(passkeys.remove_passkey, world, session_id=session_id, passkey_id=line.id) == "passkey.last"
    enrol_second = Device()
    asked = passkeys.ask_new_passkey(world, session_id=session_id)
    passkeys.add_passkey(world, session_id=session_id, credential=enrol_second.make(asked.options),
                         challenge=asked.challenge, label="")  # fmt: skip
    passkeys.remove_passkey(world, session_id=session_id, passkey_id=line.id)
    assert refused_code(enter, world, device) == "passkey.refused"
    enter(world, enrol_second)


def test_one_passkey_is_enrolled_once(world: Any) -> None:
    _, session_id, device = enrolled(world)
    assert refused_code(enrol, world, session_id, device) == "passkey.known"


@pytest.mark.parametrize(
    ("url", "party"),
    [
        ("https://console.example", ("console.example", "https://console.example")),
        ("http://localhost:8001", ("localhost", "http://localhost:8001")),
        ("http://console.example", None),
        ("https://192.168.1.20:8001", None),
        ("http://127.0.0.1:8001", None),
    ],
)
def test_passkeys_are_for_secure_addresses_with_a_name(url: str, party: tuple[str, str] | None) -> None:
    found = relying_party(url)
    assert (found and (found.id, found.origin)) == party


def test_where_passkeys_cannot_work_that_is_said(world: Any) -> None:
    bare = replace(world, house=replace(world.house, console_url="http://192.168.1.20:8001"))
    assert refused_code(passkeys.ask_sign_in, bare) == "passkey.off"
