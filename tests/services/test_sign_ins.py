"""Residents sign in by phone code; sessions and tokens live and end."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.gateways.world import World
from backend.models.accounts import Account, LoginCode
from backend.models.data_keys import DataKey
from backend.services.kept_forms import KeptForm, keep_form_of_account, open_form_of_account
from backend.services.messages import send_due_messages
from backend.services.sign_ins import (
    SignedIn,
    SignInOver,
    access_token,
    find_over,
    find_session,
    list_sessions,
    read_access_token,
    refresh,
    request_phone_code,
    sign_in,
    sign_out,
)

PHONE = "19900009001"


def read_code(world: Any) -> str:
    """The code as it arrives on the phone."""
    send_due_messages(world)
    found = re.search(r"\d{6}", world.sms.messages()[0].text)
    assert found is not None
    return found.group()


def signed_in(world: World, kind: str = "api") -> SignedIn:
    request_phone_code(world, phone=PHONE)
    return sign_in(world, phone=PHONE, code=read_code(world), kind=kind)


def test_a_code_signs_in_once_and_makes_one_account(core: Any, world: Any, clock: FixedClock) -> None:
    first = signed_in(world)
    code = read_code(world)
    with pytest.raises(Refused) as caught:
        sign_in(world, phone=PHONE, code=code, kind="api")
    assert caught.value.refusal.code == "code.expired"
    clock.move(timedelta(minutes=2))
    assert signed_in(world).account_id == first.account_id
    assert len(db.session.scalars(select(Account)).all()) == 1


def test_a_second_code_within_a_minute_is_refused_with_the_seconds_left(
    core: Any, world: Any, clock: FixedClock
) -> None:
    request_phone_code(world, phone=PHONE)
    clock.move(timedelta(seconds=20))
    with pytest.raises(Refused) as caught:
        request_phone_code(world, phone=PHONE)
    assert caught.value.refusal.code == "code.too_soon"
    assert caught.value.refusal.params["seconds"] == 41


def test_five_wrong_codes_kill_the_code_even_for_the_right_one(core: Any, world: Any) -> None:
    request_phone_code(world, phone=PHONE)
    right = read_code(world)
    wrong = "000000" if right != "000000" else "111111"
    codes = []
    for _ in range(6):
        with pytest.raises(Refused) as caught:
            sign_in(world, phone=PHONE, code=wrong, kind="api")
        codes.append(caught.value.refusal.code)
    assert codes == ["code.wrong"] * 4 + ["code.locked"] * 2
    with pytest.raises(Refused) as caught:
        sign_in(world, phone=PHONE, code=right, kind="api")
    assert caught.value.refusal.code == "code.locked"


def test_a_code_dies_after_five_minutes(core: Any, world: Any, clock: FixedClock) -> None:
    request_phone_code(world, phone=PHONE)
    code = read_code(world)
    clock.move(timedelta(minutes=5, seconds=1))
    with pytest.raises(Refused) as caught:
        sign_in(world, phone=PHONE, code=code, kind="api")
    assert caught.value.refusal.code == "code.expired"


def test_neither_code_nor_phone_is_stored_in_clear(core: Any, world: Any) -> None:
    request_phone_code(world, phone=PHONE)
    code = read_code(world)
    row = db.session.scalars(select(LoginCode)).one()
    stored = b"|".join((row.phone_token, row.code_hash, row.message_sealed))
    assert PHONE.encode() not in stored
    assert code.encode() not in stored


def test_a_page_session_needs_its_secret_and_its_kind(core: Any, world: Any) -> None:
    page = signed_in(world, "page")
    found = find_session(world, session_id=page.session_id, secret=page.secret, kind="page")
    assert found is not None
    assert found.phone_masked == "199******01"
    assert find_session(world, session_id=page.session_id, secret="x" * 43, kind="page") is None
    assert find_session(world, session_id=page.session_id, secret=page.secret, kind="api") is None


def test_signing_out_ends_the_session_and_its_access_tokens(core: Any, world: Any) -> None:
    api = signed_in(world)
    token = access_token(world, api)
    assert read_access_token(world, token).id == api.account_id
    sign_out(world, account_id=api.account_id, session_id=api.session_id)
    with pytest.raises(Refused):
        read_access_token(world, token)
    assert list_sessions(world, account_id=api.account_id) == ()


def test_a_refresh_secret_used_twice_ends_the_session(core: Any, world: Any) -> None:
    api = signed_in(world)
    fresh = refresh(world, session_id=api.session_id, secret=api.secret)
    assert fresh.secret != api.secret
    with pytest.raises(Refused):
        refresh(world, session_id=api.session_id, secret=api.secret)
    with pytest.raises(Refused):
        refresh(world, session_id=api.session_id, secret=fresh.secret)


def test_a_forged_or_foreign_token_is_refused(core: Any, world: Any) -> None:
    token = access_token(world, signed_in(world))
    head, body, signature = token.split(".")
    for bad in ("", "x", token[:-2], f"{head}.{body}.", f"{head}.{body[:-1]}A.{signature}"):
        with pytest.raises(Refused) as caught:
            read_access_token(world, bad)
        assert caught.value.refusal.code == "unauthenticated"


def test_a_sign_in_that_is_over_is_known_by_its_secret_and_whether_it_was_ended_or_lay_idle(
    core: Any, world: Any, clock: FixedClock
) -> None:
    ended = signed_in(world, "page")
    clock.move(timedelta(minutes=2))
    idle = signed_in(world, "page")
    names = {"session_id": ended.session_id, "secret": ended.secret}
    assert find_over(world, **names) is None, "it goes on"
    sign_out(world, account_id=ended.account_id, session_id=ended.session_id)
    assert find_over(world, **names) == SignInOver(ended.account_id, ended=True)
    assert find_over(world, **{**names, "secret": idle.secret}) is None
    clock.move(world.house.page_session_idle + timedelta(minutes=1))
    over = find_over(world, session_id=idle.session_id, secret=idle.secret)
    assert over == SignInOver(idle.account_id, ended=False)


def test_a_form_kept_for_an_account_is_opened_for_it_alone_and_not_after_its_erasure(
    core: Any, world: Any, clock: FixedClock
) -> None:
    mine = signed_in(world).account_id
    form = KeptForm("/t/x", "/t/x?a=1", (("words", "线路老化"), ("words", "又")))
    named = {"path": form.path, "back": form.back, "fields": form.fields}
    kept = keep_form_of_account(world, account_id=mine, **named)
    assert kept is not None and open_form_of_account(world, account_id=mine, kept=kept) == form
    clock.move(timedelta(minutes=2))
    request_phone_code(world, phone="19900009002")
    other = sign_in(world, phone="19900009002", code=read_code(world), kind="page").account_id
    for account, what in ((other, kept), (mine, kept[:-8]), (mine, "")):
        with pytest.raises(Refused) as caught:
            open_form_of_account(world, account_id=account, kept=what)
        assert caught.value.refusal.code == "form.gone"
    assert keep_form_of_account(world, account_id=mine, **{**named, "fields": ()}) is None
    db.session.delete(db.session.get_one(DataKey, mine))
    db.session.commit()
    assert keep_form_of_account(world, account_id=mine, **named) is None
