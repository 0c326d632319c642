"""The near link as a GATT service: chunks in, chunks out, the same door behind it."""

from __future__ import annotations

import pytest

from backend.wire import codec, near_messages
from backend.wire.jwk import base64url
from backend.wire.near_messages import GATT_READ, GATT_WRITE, ChunkJoiner, MessageRejected
from device_sim.gatt import GattService
from device_sim.lock import Lock
from device_sim.phone import NOTHING, Phone
from tests.device_sim.makers import KEY, Host, Platform, events, make_lock

PLATFORM = Platform()
PHONE, THIEF = Phone(), Phone()
M1 = codec.encode(near_messages.Hello(base64url(bytes(range(16)))))


@pytest.fixture
def lock() -> Lock:
    return make_lock(PLATFORM, Host())


def ask(service: GattService, message: bytes) -> bytes:
    for chunk in near_messages.split_into_chunks(message):
        service.write(GATT_WRITE, chunk)
    joiner = ChunkJoiner()
    while (answer := joiner.add(service.read(GATT_READ))) is None:
        pass
    return answer


def open_over(service: GattService, phone: Phone, credential: str) -> str:
    m2 = ask(service, M1)
    m3 = codec.encode(phone.request(M1, m2, credential, NOTHING, "unlock"))
    return near_messages.decode_answer(ask(service, m3)).result


def test_a_phone_opens_over_chunks_of_a_gatt_write(lock: Lock) -> None:
    heard: list[Lock] = []
    assert open_over(GattService(lock, heard.append), PHONE, PLATFORM.credential(PHONE)) == "opened"
    assert events(lock) == [("lock.unlocked", KEY, None)]
    assert heard == [lock, lock]


def test_a_copied_credential_opens_nothing_and_the_next_conversation_begins_anew(lock: Lock) -> None:
    service = GattService(lock)
    assert open_over(service, THIEF, PLATFORM.credential(PHONE)) == "refused"
    assert open_over(service, PHONE, PLATFORM.credential(PHONE)) == "opened"


def test_reading_gives_nothing_before_a_message_is_whole_and_after_its_answer_is_read(lock: Lock) -> None:
    service = GattService(lock)
    assert service.read(GATT_READ) == b""
    for chunk in near_messages.split_into_chunks(M1, 20):
        assert service.read(GATT_READ) == b""
        service.write(GATT_WRITE, chunk)
    while service.read(GATT_READ):
        pass
    assert service.read(GATT_READ) == b""


def test_a_new_message_drops_what_was_left_unread_of_the_answer(lock: Lock) -> None:
    service = GattService(lock)
    for chunk in near_messages.split_into_chunks(M1):
        service.write(GATT_WRITE, chunk)
    assert service.read(GATT_READ)
    service.write(GATT_WRITE, b"\x00{")
    assert service.read(GATT_READ) == b""


@pytest.mark.parametrize("chunk", [b"", b"\x05late", b"\x80not json", b"\x80{}", bytes(181)])
def test_what_is_no_message_fails_the_write_and_the_phone_begins_anew(lock: Lock, chunk: bytes) -> None:
    service = GattService(lock)
    with pytest.raises(MessageRejected):
        service.write(GATT_WRITE, chunk)
    assert open_over(service, PHONE, PLATFORM.credential(PHONE)) == "opened"


def test_the_characteristics_have_one_direction_each(lock: Lock) -> None:
    service = GattService(lock)
    with pytest.raises(MessageRejected, match="not_writable"):
        service.write(GATT_READ, b"\x80")
    with pytest.raises(MessageRejected, match="not_readable"):
        service.read(GATT_WRITE)
