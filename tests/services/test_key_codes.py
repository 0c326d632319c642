"""Keypad codes: what lock and platform derive alike, given to the holder alone, kept nowhere."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from backend.db import db, transaction
from backend.domain.calendars import start_of
from backend.domain.keys import last_once
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.gateways.world import World
from backend.models.audit import AuditLeaf
from backend.models.base import Base
from backend.models.keys import Key
from backend.models.locks import Lock
from backend.services.housekeeping import keep_house
from backend.services.invitations import accept_invitation
from backend.services.key_changes import adopt_epoch
from backend.services.key_codes import fetch_codes
from backend.services.keys import fetch_credential, revoke_key, suspend_key
from backend.services.lock_sending import sign_config
from backend.services.visitor_keys import issue_visitor_key
from backend.wire import keypad
from backend.wire.jwk import jwk_of, make_private_key
from backend.wire.lock_documents import LockConfig, document_from
from backend.wire.tokens import verify
from tests.services import stories
from tests.services.stories import VISITOR_PHONE, Story

pytestmark = pytest.mark.usefixtures("core")


@pytest.fixture
def story(world: World) -> Story:
    return stories.make_active(world)


@pytest.fixture
def secret(world: World, story: Story) -> bytes:
    """What the lock derives from its own private key and the platform's public one of the configuration."""
    private = stories.give_keypad(story.identity.lock_id)
    told = sign_config(world, story.identity.lock_id, 0)
    assert told is not None
    config = document_from(LockConfig, verify("lockcfg", told.token, world.tokens.public_keys()))
    assert config.pad is not None
    return keypad.derive_secret(private, config.pad, story.identity.lock_id)


def test_an_occupants_day_codes_are_those_the_lock_derives(world: World, story: Story, secret: bytes) -> None:
    codes = fetch_codes(world, account_id=story.tenant, key_id=story.key_id)
    assert (codes.days[0].day, codes.days[-1].day, len(codes.days)) == (date(2026, 11, 23), date(2026, 12, 29), 37)
    now = int(world.clock.now().timestamp())
    for ahead, each in enumerate(codes.days):
        first, end = keypad.day_of(now + ahead * keypad.DAY_SECONDS)
        assert each.code == keypad.day_code(secret, story.key_id, 1, first, end)
    assert (codes.once, codes.period) == ((), None)
    assert int(codes.until.timestamp()) == keypad.day_of(now + 36 * keypad.DAY_SECONDS)[1]


def test_one_time_codes_count_upward_and_are_never_given_twice(world: World, story: Story, secret: bytes) -> None:
    first = fetch_codes(world, account_id=story.tenant, key_id=story.key_id, once=2).once
    second = fetch_codes(world, account_id=story.tenant, key_id=story.key_id, once=1).once
    assert [*first, *second] == [once_code(world, secret, story, number) for number in (1, 2, 3)]
    assert last_once(stories.key_row(story.key_id).code_counter) == (world.clock.today(), 3)
    with pytest.raises(Refused, match="input.not_one_of"):
        fetch_codes(world, account_id=story.tenant, key_id=story.key_id, once=4)


def test_a_day_has_ten_one_time_codes_and_the_next_day_ten_others(
    world: World, story: Story, secret: bytes, clock: FixedClock
) -> None:
    today = [code for _ in range(3) for code in singles(world, story, 3)]
    with pytest.raises(Refused, match="lock.codes_spent"):
        singles(world, story, 2)
    today += singles(world, story, 1)
    assert today == [once_code(world, secret, story, number) for number in range(1, 11)]
    with pytest.raises(Refused, match="lock.codes_spent"):
        singles(world, story, 1)
    assert fetch_codes(world, account_id=story.tenant, key_id=story.key_id).once_on is None, "the day's code goes on"
    clock.move(timedelta(days=1))
    tomorrow = fetch_codes(world, account_id=story.tenant, key_id=story.key_id, once=2)
    assert tomorrow.once_on == world.clock.today()
    assert list(tomorrow.once) == [once_code(world, secret, story, number) for number in (1, 2)]
    assert not {*today} & {*tomorrow.once}


def test_a_key_that_begins_later_has_the_one_time_codes_of_its_first_day(
    world: World, story: Story, secret: bytes
) -> None:
    with transaction() as session:
        session.get_one(Key, story.key_id).starts_on = first_day = world.clock.today() + timedelta(days=2)
    codes = fetch_codes(world, account_id=story.tenant, key_id=story.key_id, once=1)
    assert (codes.once_on, codes.days[0].day) == (first_day, first_day)
    assert codes.once == (once_code(world, secret, story, 1, ahead=2),)


def test_one_time_codes_counted_before_they_had_a_day_take_none_of_todays(
    world: World, story: Story, secret: bytes
) -> None:
    with transaction() as session:
        session.get_one(Key, story.key_id).code_counter = 25
    assert singles(world, story, 1) == [once_code(world, secret, story, 1)]


def singles(world: World, story: Story, count: int) -> list[str]:
    return list(fetch_codes(world, account_id=story.tenant, key_id=story.key_id, once=count).once)


def once_code(world: World, secret: bytes, story: Story, number: int, ahead: int = 0) -> str:
    now = int(world.clock.now().timestamp()) + ahead * keypad.DAY_SECONDS
    return keypad.once_code(secret, story.key_id, 1, number, keypad.day_of(now)[1])


def test_a_visitor_gets_the_one_code_of_the_period_and_no_other(world: World, story: Story, secret: bytes) -> None:
    card = issue_visitor_key(world, account_id=story.tenant, unit_id=story.unit_id, purpose="care",
                             phone=VISITOR_PHONE, ends_on=world.clock.today() + timedelta(days=1), uses=5)  # fmt: skip
    assert card.invitation is not None
    visitor = stories.make_account(world, VISITOR_PHONE)
    jwk = jwk_of(make_private_key().public_key())
    accept_invitation(world, account_id=visitor, token=card.invitation.link.rsplit("/", 1)[1], phone_jwk=jwk)
    codes = fetch_codes(world, account_id=visitor, key_id=card.key.id)
    begins = int((world.clock.now() - timedelta(minutes=1)).timestamp())
    ends = int(card.key.ends_at.timestamp()) if card.key.ends_at else 0
    assert (codes.days, codes.once) == ((), ())
    assert codes.period == keypad.period_code(secret, card.key.id, 1, begins, ends)
    assert codes.until == card.key.ends_at
    assert stories.key_row(card.key.id).credential_ends_at == card.key.ends_at
    with pytest.raises(Refused, match="input.not_one_of"):
        fetch_codes(world, account_id=visitor, key_id=card.key.id, once=1)


def test_a_lock_without_a_keypad_says_so(world: World, story: Story) -> None:
    stories.take_keypad(story.identity.lock_id)
    with pytest.raises(Refused, match="lock.no_keypad"):
        fetch_codes(world, account_id=story.tenant, key_id=story.key_id)


def test_codes_are_for_the_holder_of_an_active_key_alone(world: World, story: Story, secret: bytes) -> None:
    with pytest.raises(Refused, match="not_found"):
        fetch_codes(world, account_id=story.landlord, key_id=story.key_id)
    suspend_key(world, account_id=story.tenant, key_id=story.key_id)
    with pytest.raises(Refused, match="key.not_active"):
        fetch_codes(world, account_id=story.tenant, key_id=story.key_id)


def test_codes_extend_the_exposure_as_a_credential_does(world: World, story: Story, secret: bytes) -> None:
    codes = fetch_codes(world, account_id=story.tenant, key_id=story.key_id)
    card = revoke_key(world, account_id=story.tenant, key_id=story.key_id)
    assert card.doors[0].exposure_until == world.clock.now() + timedelta(days=37, minutes=5)
    assert codes.until <= card.doors[0].exposure_until - timedelta(minutes=10)


def test_an_unspent_one_time_code_ends_with_its_day_and_so_does_the_exposure(
    world: World, story: Story, secret: bytes, clock: FixedClock
) -> None:
    assert singles(world, story, 1)
    card = revoke_key(world, account_id=story.tenant, key_id=story.key_id)
    assert card.doors[0].exposure_until == world.clock.now() + timedelta(days=37, minutes=5), "as without it"
    clock.move(timedelta(days=37, minutes=6))
    keep_house(world)
    assert stories.key_row(story.key_id).state == "revoked"


def test_the_day_of_a_one_time_code_counts_even_where_a_credential_ends_before_it(
    world: World, story: Story, secret: bytes, clock: FixedClock
) -> None:
    assert singles(world, story, 1)
    midnight = start_of(world.clock.today() + timedelta(days=1))
    with transaction() as session:
        session.get_one(Key, story.key_id).credential_ends_at = world.clock.now() - timedelta(days=40)
    clock.set(midnight + timedelta(minutes=1))
    card = revoke_key(world, account_id=story.tenant, key_id=story.key_id)
    assert card.doors[0].exposure_until == midnight + timedelta(minutes=10), "a lock behind may take it so long"


def test_codes_are_stored_nowhere_and_no_leaf_tells_which(world: World, story: Story, secret: bytes) -> None:
    codes = fetch_codes(world, account_id=story.tenant, key_id=story.key_id, once=1)
    db.session.rollback()
    tables = list(Base.metadata.tables)
    whole = "".join(repr(db.session.execute(text(f"SELECT * FROM {name}")).all()) for name in tables)
    for code in (*codes.once, *(each.code for each in codes.days)):
        assert code not in whole
    leaf = db.session.scalars(select(AuditLeaf).where(AuditLeaf.action == "codes_fetched")).one()
    assert (leaf.object_id, leaf.decision, leaf.fields) == (story.key_id, None, [])


def test_the_codes_of_an_ended_epoch_are_other_codes(world: World, story: Story, secret: bytes) -> None:
    before = fetch_codes(world, account_id=story.tenant, key_id=story.key_id)
    with transaction() as session:
        adopt_epoch(world, session, session.get_one(Lock, story.identity.lock_id), 2)
    after = fetch_codes(world, account_id=story.tenant, key_id=story.key_id)
    assert not {each.code for each in before.days} & {each.code for each in after.days}


def test_the_configuration_with_the_keypads_key_is_a_version_of_its_own(world: World) -> None:
    trusted = len(world.tokens.public_keys())
    told = sign_config(world, "lock", trusted)
    assert told is not None, "a lock that knows the signing keys alone still learns the keypad's"
    config: Any = document_from(LockConfig, verify("lockcfg", told.token, world.tokens.public_keys()))
    assert (config.ver, config.pad) == (trusted + 1, world.key_ring.keypad_public_jwk())
    assert sign_config(world, "lock", trusted + 1) is None


def test_a_credential_says_which_codes_its_key_has(world: World, story: Story) -> None:
    fetched = fetch_credential(world, account_id=story.tenant, key_id=story.key_id)
    claims = verify("ekey", fetched.doors[0].credential, world.tokens.public_keys())
    assert claims["pad"] == ["day", "once"]
