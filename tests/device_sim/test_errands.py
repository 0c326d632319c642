"""Phones as couriers of a lock without network: what they are given, what they bring back, what neither can do."""

from __future__ import annotations

from typing import Any

import pytest

from backend.wire import codec, near_messages, sealed_events, tokens
from backend.wire.jwk import base64url, from_base64url, thumbprint
from backend.wire.lock_messages import first_hash, next_hash, read_event
from backend.wire.near_messages import GATT_READ, GATT_WRITE, ChunkJoiner, Collect, Collected, Hello
from device_sim import touches
from device_sim.errands import MOST_ITEMS
from device_sim.flash import MemoryFlash
from device_sim.gatt import GattService
from device_sim.lock import Lock
from device_sim.near_visit import NearVisit
from device_sim.phone import NOTHING, Carried, Phone
from tests.device_sim.makers import (
    DAY,
    IDENTITY,
    KEY,
    START,
    Host,
    Platform,
    acknowledge,
    connect,
    make_lock,
    open_near,
)

PLATFORM = Platform()
PHONE, THIEF = Phone(), Phone()
ASK = codec.encode(Collect("events"))
LOCK_KEYS = {thumbprint(IDENTITY.private_key.public_key()): IDENTITY.private_key.public_key()}


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def lock(host: Host) -> Lock:
    return make_lock(PLATFORM, host, pad=PLATFORM.pad)


def enter(
    lock: Lock, phone: Phone = PHONE, carried: Carried = NOTHING, action: str = "unlock"
) -> tuple[NearVisit, str]:
    """A visit with one conversation behind it, and its result."""
    visit = NearVisit(lock)
    m1 = codec.encode(Hello(base64url(bytes(16))))
    m2 = visit.answer(m1)
    m3 = phone.request(m1, m2, PLATFORM.credential(PHONE), carried, action)
    return visit, near_messages.decode_answer(visit.answer(codec.encode(m3))).result


def collect(visit: NearVisit, most: int = 20) -> tuple[str, ...]:
    return PHONE.collect(visit.answer, most)


def is_given_nothing(visit: NearVisit) -> bool:
    return near_messages.decode_collected(visit.answer(ASK)) == Collected(more=False)


def test_a_phone_that_has_opened_collects_the_events_sealed_with_a_fresh_checkpoint(lock: Lock) -> None:
    visit, result = enter(lock)
    assert result == "opened"
    (item,) = collect(visit)
    batch = PLATFORM.unseal(item)
    assert batch.late and (batch.oldest, batch.previous) == (1, base64url(first_hash(IDENTITY.lock_id)))
    assert list(batch.events) == [stored.text for stored in lock.log.kept()]
    point = tokens.verify("lockchk", batch.checkpoints[0], LOCK_KEYS)
    assert (point["seq"], point["head"], point["iss"]) == (1, base64url(lock.log.head), IDENTITY.lock_id)
    assert is_given_nothing(visit)


def test_locking_is_honoured_too(lock: Lock) -> None:
    visit, result = enter(lock, action="lock")
    assert result == "locked" and len(collect(visit)) == 1


def test_a_phone_cannot_read_what_it_carries(lock: Lock) -> None:
    (item,) = collect(enter(lock)[0])
    raw = from_base64url(item)
    assert KEY.encode() not in raw and b"lock.unlocked" not in raw
    for secret in (bytes(32), PLATFORM.secret()):  # not even who knows the keypad's
        with pytest.raises(codec.MessageRejected, match="bad_seal"):
            sealed_events.unseal(secret, IDENTITY.lock_id, item)


def test_a_stranger_gets_nothing_and_makes_the_lock_sign_nothing(lock: Lock, monkeypatch: pytest.MonkeyPatch) -> None:
    open_near(lock, PHONE, PLATFORM.credential(PHONE))
    assert is_given_nothing(NearVisit(lock))
    visit, result = enter(lock, THIEF)
    assert result == "refused" and is_given_nothing(visit)
    greeted = NearVisit(lock)
    greeted.answer(codec.encode(Hello(base64url(bytes(16)))))
    with pytest.raises(codec.MessageRejected):
        greeted.answer(ASK)  # where M3 is awaited
    assert is_given_nothing(greeted)
    left, _ = enter(lock)
    left.answer(codec.encode(near_messages.Fetch("123456")))
    assert is_given_nothing(left), "the conversation is over with the next one"


def test_a_visit_gives_eight_items_and_a_new_opening_begins_with_the_oldest_again(lock: Lock) -> None:
    touches.fill_log(lock, 1_000)
    visit, _ = enter(lock)
    items = collect(visit)
    assert len(items) == MOST_ITEMS and is_given_nothing(visit)
    assert max(map(len, items)) <= sealed_events.LONGEST_ITEM
    head, seq = first_hash(IDENTITY.lock_id), 0
    for batch in map(PLATFORM.unseal, items):
        assert batch.previous == base64url(head), "each goes on where the one before ends"
        for text in batch.events:
            head, seq = next_hash(head, text), seq + 1
            assert read_event(text).seq == seq
        point = tokens.verify("lockchk", batch.checkpoints[0], LOCK_KEYS)
        assert (point["seq"], point["head"]) == (seq, base64url(head))
    again, _ = enter(lock)
    assert PLATFORM.unseal(collect(again, 1)[0]).events[0] == lock.log.kept()[0].text


def test_a_lock_that_the_platform_hears_gives_couriers_nothing(lock: Lock) -> None:
    connect(lock)
    visit, result = enter(lock)
    assert result == "opened" and is_given_nothing(visit)
    lock.session.on_disconnected()
    assert len(collect(enter(lock)[0])) == 1


def test_a_lock_without_an_agreement_gives_nothing_until_the_platforms_key_has_come(host: Host) -> None:
    lock = make_lock(PLATFORM, host)
    assert is_given_nothing(enter(lock)[0])
    lock.take_config(PLATFORM.config(1, pad=PLATFORM.pad))
    assert len(collect(enter(lock)[0])) == 1


def test_what_happened_before_a_restart_of_the_lock_counts_no_more(lock: Lock) -> None:
    visit, _ = enter(lock)
    lock.reboot()
    assert is_given_nothing(visit)


def test_a_carried_acknowledgement_empties_the_buffer_and_survives_a_restart(host: Host) -> None:
    flash = MemoryFlash()
    lock = make_lock(PLATFORM, host, flash, pad=PLATFORM.pad)
    touches.fill_log(lock, 100)
    head = lock.log.hash_at(70)
    assert enter(lock, carried=Carried(ack=PLATFORM.acknowledgement(70, head)))[1] == "opened"
    assert (lock.log.acked_seq, len(lock.log)) == (70, lock.log.seq - 70)
    assert all(seq > 70 for seq, _ in lock.checkpoints)
    again = make_lock(PLATFORM, host, flash, pad=PLATFORM.pad)
    assert (again.log.acked_seq, again.log.acked_head, again.log.seq) == (70, head, lock.log.seq)
    assert [stored.seq for stored in flash.load_events()] == list(range(71, lock.log.seq + 1))


def test_an_acknowledgement_works_with_a_key_that_is_refused_too(lock: Lock) -> None:
    touches.fill_log(lock, 3)
    visit, result = enter(lock, THIEF, Carried(ack=PLATFORM.acknowledgement(3, lock.log.head)))
    assert result == "refused" and lock.log.acked_seq == 3, "it is the platform's word, whoever carries it"
    assert is_given_nothing(visit)


def test_an_old_a_foreign_a_forged_and_anothers_acknowledgement_change_nothing(lock: Lock) -> None:
    touches.fill_log(lock, 10)
    heads = [lock.log.hash_at(seq) for seq in range(1, 11)]
    enter(lock, carried=Carried(ack=PLATFORM.acknowledgement(5, heads[4])))
    for ack in (
        PLATFORM.acknowledgement(2, heads[1]),  # replayed
        PLATFORM.acknowledgement(5, heads[4]),  # doubled
        PLATFORM.acknowledgement(8, heads[6]),  # of another chain
        PLATFORM.acknowledgement(900, heads[6]),
        PLATFORM.acknowledgement(8, heads[7], aud="another-lock"),
        PLATFORM.acknowledgement(8, heads[7], iss="landlord"),
        Platform().acknowledgement(8, heads[7]),
        PLATFORM.credential(PHONE),
        "a.b.c",
    ):
        assert enter(lock, carried=Carried(ack=ack))[1] == "opened"
        assert lock.log.acked_seq == 5
    assert sum(lock.rejected.values()) == 7


def test_power_lost_while_the_buffer_is_emptied_leaves_a_whole_chain(host: Host) -> None:
    class Dying(MemoryFlash):
        """Loses power before it forgets."""

        def forget_events(self, up_to: int) -> None:
            raise ConnectionAbortedError

    flash = Dying()
    lock = make_lock(PLATFORM, host, flash, pad=PLATFORM.pad)
    touches.fill_log(lock, 10)
    texts = [stored.text for stored in lock.log.kept()]
    with pytest.raises(ConnectionAbortedError):
        lock.take_acknowledgement(PLATFORM.acknowledgement(6, lock.log.hash_at(6)))
    flash.__class__ = MemoryFlash  # type: ignore[assignment]  # power is back
    again = make_lock(PLATFORM, host, flash, pad=PLATFORM.pad)
    batch = PLATFORM.unseal(collect(enter(again)[0])[0])
    assert (batch.oldest, list(batch.events[:4])) == (7, texts[6:])


def test_the_first_birth_after_couriers_renumbers_nothing_that_they_have_brought(lock: Lock) -> None:
    touches.fill_log(lock, 10)
    before = [stored.text for stored in lock.log.kept()]
    connect(lock, answer=False)
    acknowledge(lock, 6, base64url(lock.log.hash_at(6)), session=lock.session.id)
    assert lock.log.acked_seq == 6
    assert [stored.text for stored in lock.log.kept()] == before[6:]


def test_carrying_an_acknowledgement_ends_no_outages_grace(lock: Lock, host: Host) -> None:
    credential = PLATFORM.credential(PHONE, grc=30 * DAY)
    host.at = START + 8 * DAY
    carried = Carried(ack=PLATFORM.acknowledgement(0, first_hash(IDENTITY.lock_id), iat=START + 8 * DAY))
    assert open_near(lock, PHONE, credential, carried) == "opened"


def test_over_gatt_the_items_come_as_chunks(lock: Lock) -> None:
    service = GattService(lock)

    def ask(message: bytes) -> bytes:
        for chunk in near_messages.split_into_chunks(message):
            service.write(GATT_WRITE, chunk)
        joiner = ChunkJoiner()
        while (answer := joiner.add(service.read(GATT_READ))) is None:
            pass
        return answer

    touches.fill_log(lock, 100)
    m1 = codec.encode(Hello(base64url(bytes(16))))
    m2 = ask(m1)
    ask(codec.encode(PHONE.request(m1, m2, PLATFORM.credential(PHONE), NOTHING, "unlock")))
    items: Any = PHONE.collect(ask, 2)
    assert [len(PLATFORM.unseal(item).events) > 20 for item in items] == [True, True]
    with pytest.raises(codec.MessageRejected):
        service.write(GATT_WRITE, b"\x80{}")
    assert near_messages.decode_collected(ask(ASK)) == Collected(more=False), "what is no message ends the errand"
