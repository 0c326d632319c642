"""A lock that is never online: its events reach the platform in the pockets of those who live there, and only so."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from backend.bootstrap import world_of
from backend.db import db
from backend.domain.refusals import Refused
from backend.models.lock_events import LockCheckpoint, LockEvent
from backend.services.access_records import my_door_events
from backend.services.lock_couriers import TakenReport, take_report
from backend.wire import codec, near_messages, tokens
from backend.wire.jwk import base64url, thumbprint
from backend.wire.lock_messages import first_hash, next_hash
from device_sim.near_visit import NearVisit
from device_sim.phone import Carried
from tests.locks.households import Household, Resident
from tests.mqtt.villages import Village
from tests.services import stories

HOUR = timedelta(hours=1)
ITEMS_A_VISIT = 2  # as the browser does


@dataclass
class Pocket:
    """A resident's phone with what it has collected and what it has been given for the lock."""

    resident: Resident
    items: list[str] = field(default_factory=list)
    ack: str | None = None


@pytest.fixture
def household(core: Flask, clock: Any) -> Household:
    """A unit whose lock never gets a network; it knows the platform's agreement key from the factory."""
    story = stories.make_let_unit(world_of(core))
    return Household(core, clock, story=story, village=Village(core, [story.identity], clock, agreed=True))


def come_home(household: Household, pocket: Pocket) -> str:
    """Open the door without any server, hand over the acknowledgement, collect; answers the result."""
    stored, phone = pocket.resident.stored, pocket.resident.phone
    assert stored is not None
    visit, door = NearVisit(household.lock), stored.doors[0]
    m1 = codec.encode(near_messages.Hello(base64url(bytes(16))))
    m2 = visit.answer(m1)
    carried = Carried(activation=stored.activation, revocation=door.revocations, ack=pocket.ack)
    m3 = codec.encode(phone.request(m1, m2, door.credential, carried, "unlock"))
    result = near_messages.decode_answer(visit.answer(m3)).result
    if result == "opened":
        pocket.items = [*phone.collect(visit.answer, ITEMS_A_VISIT)]
    return result


def bring(household: Household, pocket: Pocket, items: list[str]) -> TakenReport | None:
    """The phone has a network: what it holds is brought; None when every item was refused."""
    resident = pocket.resident
    try:
        return take_report(household.world, account_id=resident.account, key_id=resident.key_id,
                           lock_id=household.lock.identity.lock_id, items=items)  # fmt: skip
    except Refused as refused:
        assert refused.refusal.code == "courier.item"
        return None


def altered(item: str, chance: Random) -> str:
    place = chance.randrange(len(item))
    return item[:place] + ("A" if item[place] != "A" else "B") + item[place + 1 :]


def test_a_month_of_openings_of_a_lock_that_is_never_online_is_stored_once_and_its_buffer_emptied(
    household: Household,
) -> None:
    chance = Random(7)
    lock, lock_id = household.lock, household.lock.identity.lock_id
    pockets = [Pocket(household.move_in(kind="bed")) for _ in range(2)]
    written: dict[int, str] = {}
    old_acks: list[str] = []
    refused = 0
    for _day in range(30):
        for _ in range(4):
            household.wait(5 * HOUR)
            pocket = chance.choice(pockets)
            if old_acks and chance.random() < 0.2:
                pocket.ack = chance.choice(old_acks)  # replayed
            assert come_home(household, pocket) == "opened"
            household.wait(timedelta(seconds=10))  # the bolt closes by itself
            written |= {event.seq: event.text for event in lock.log.kept()}
        household.wait(4 * HOUR - timedelta(seconds=40))
        for pocket in pockets:
            household.refresh(pocket.resident)
            items = [item for item in pocket.items if chance.random() > 0.2]  # dropped
            items += [item for item in items if chance.random() < 0.3]  # doubled
            chance.shuffle(items)
            spoilt = chance.random() < 0.3
            items = [altered(item, chance) if spoilt and chance.random() < 0.5 else item for item in items]
            taken = bring(household, pocket, items) if items else None
            if taken is not None:
                refused += len(taken.refused)
                pocket.ack = taken.ack
                old_acks.append(taken.ack)
    assert refused > 0
    for _ in range(2):  # nothing is lost any more: all comes, and the lock hears of it
        assert come_home(household, pockets[0]) == "opened"
        written |= {event.seq: event.text for event in lock.log.kept()}
        taken = bring(household, pockets[0], pockets[0].items)
        assert taken is not None
        pockets[0].ack = taken.ack
    assert come_home(household, pockets[0]) == "opened"
    assert len(lock.log) == 1, "but for this very opening, the buffer is empty"
    assert lock.session.id is None

    db.session.rollback()
    rows = db.session.scalars(select(LockEvent).where(LockEvent.lock_id == lock_id).order_by(LockEvent.seq)).all()
    assert [row.seq for row in rows] == list(range(1, lock.log.seq)) and all(row.late for row in rows)
    assert [row.text for row in rows] == [written[row.seq] for row in rows]
    head = first_hash(lock_id)
    heads = {}
    for row in rows:
        heads[row.seq] = head = next_hash(head, row.text)
        assert row.hash == head
    key = lock.identity.private_key.public_key()
    for point in db.session.scalars(select(LockCheckpoint).where(LockCheckpoint.lock_id == lock_id)):
        claims = tokens.verify("lockchk", point.token, {thumbprint(key): key})
        assert base64url(heads[claims["seq"]]) == claims["head"]
    assert stories.lock_row(lock_id).alarm is None
    openings = [pocket.resident for pocket in pockets]
    told = [my_door_events(household.world, account_id=one.account, key_id=one.key_id, limit=500) for one in openings]
    assert sum(map(len, told)) >= 120, "each tenant sees the own ones, whoever brought them"


def test_a_lock_that_gets_its_network_at_last_goes_on_where_the_phones_have_left_off(household: Household) -> None:
    pocket = Pocket(household.move_in())
    lock_id = household.lock.identity.lock_id
    for _ in range(3):
        assert come_home(household, pocket) == "opened"
        household.wait(HOUR)
    assert bring(household, pocket, pocket.items) is not None  # and the answer has not come back to the lock yet
    household.connect()
    household.wait(timedelta(seconds=1))
    assert len(household.lock.log) == 0
    db.session.rollback()
    rows = db.session.scalars(select(LockEvent).where(LockEvent.lock_id == lock_id).order_by(LockEvent.seq)).all()
    assert [row.seq for row in rows] == list(range(1, household.lock.log.seq + 1))
    assert stories.lock_row(lock_id).alarm is None
