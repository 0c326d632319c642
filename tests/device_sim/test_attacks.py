"""What strangers with radios and copied devices achieve: nothing, and it is noticed."""

from __future__ import annotations

import pytest

from backend.wire import lock_messages, topics
from backend.wire.jwk import base64url, thumbprint
from backend.wire.lock_documents import Checkpoint, document_from
from backend.wire.tokens import verify
from device_sim import attacks, touches
from device_sim.lock import Lock
from device_sim.phone import Phone
from tests.device_sim.makers import IDENTITY, KEY, OTHER_KEY, Host, Platform, connect, events, make_lock, open_near

PLATFORM = Platform()
PHONE = Phone()


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def lock(host: Host) -> Lock:
    return make_lock(PLATFORM, host)


def recorded_at(lock: Lock, host: Host) -> bytes:
    """Somebody opens, somebody listens; then the bolt is closed again."""
    assert open_near(lock, PHONE, PLATFORM.credential(PHONE)) == "opened"
    host.at += 6
    lock.tick()
    assert lock.near.overheard is not None
    return lock.near.overheard


def test_a_recorded_m3_shown_again_never_opens_now_or_later(lock: Lock, host: Host) -> None:
    recorded = recorded_at(lock, host)
    for _ in range(3):
        assert attacks.replay(lock, recorded) == "refused"
        lock.reboot()
    assert lock.body.bolt == "locked"
    assert events(lock)[-1] == ("access.denied", KEY, "wrong_proof")


def test_the_old_tenants_phone_shows_its_last_words_again_in_vain(lock: Lock, host: Host) -> None:
    recorded = recorded_at(lock, host)
    new = Phone()
    assert open_near(lock, new, PLATFORM.credential(new, sub=OTHER_KEY, occ=2)) == "opened"
    host.at += 6
    lock.tick()
    assert attacks.replay(lock, recorded) == "refused" and lock.body.bolt == "locked"


def test_a_storm_of_wrong_proofs_raises_one_lockout_and_keeps_no_resident_out(lock: Lock, host: Host) -> None:
    recorded = recorded_at(lock, host)
    before = len(events(lock))
    assert attacks.storm(lock, recorded, 200) == {"refused": 200}
    assert [kind for kind, _, _ in events(lock)[before:]] == ["access.denied"] * 4 + ["lockout.started"] + [
        "access.denied"
    ]
    assert open_near(lock, PHONE, PLATFORM.credential(PHONE)) == "opened"


def test_a_copied_device_tells_another_story_of_the_same_sequence(lock: Lock) -> None:
    connect(lock)
    touches.move_door(lock, "open")
    forged = lock_messages.decode_message(topics.EVENTS, attacks.fork(lock))
    (text,), (token,) = forged.events, forged.checkpoints
    event, own = lock_messages.read_event(text), lock.log.kept()[-1]
    assert event.seq == own.seq and text != own.text
    assert forged.previous == base64url(lock.log.hash_at(event.seq - 1)), "it follows from the same past"
    key = IDENTITY.private_key.public_key()
    signed = document_from(Checkpoint, verify("lockchk", token, {thumbprint(key): key}))
    assert signed.head == base64url(lock_messages.next_hash(lock.log.hash_at(event.seq - 1), text))
    assert lock.session.id is not None and lock.log.acked_seq == 0, "the lock itself goes on as before"
