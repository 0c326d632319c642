"""What a phone fetches for opening without a server, from the API straight to a simulated lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from backend.wire import codec, near_messages, tokens
from backend.wire.jwk import base64url, public_key_from_jwk
from device_sim import touches
from device_sim.lock import Lock
from device_sim.near_door import NearConversation
from device_sim.phone import Carried, Phone, check_challenge
from tests.mobile_api.near_stories import lock_of, make_holder
from tests.mobile_api.phones import ApiPhone
from tests.mobile_api.test_bad_input import refused
from tests.services.stories import TENANT_PHONE

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

M1 = codec.encode(near_messages.Hello(base64url(bytes(range(16)))))


class Stand:
    """A tenant with account, phone and stored credential, before the own door."""

    def __init__(self, account: ApiPhone, key_id: str, pocket: Phone, lock: Lock) -> None:
        self.account, self.key_id, self.pocket, self.lock = account, key_id, pocket, lock
        self.stored = account.post(f"/keys/{key_id}/credentials").json

    def greet(self) -> tuple[NearConversation, bytes, tokens.Claims]:
        """M1 and M2; the lock is known by the key that came with the credential."""
        conversation = self.lock.near.greet()
        m2 = conversation.hello(M1)
        door = self.stored["doors"][0]
        return conversation, m2, check_challenge(M1, m2, door["lock_id"], public_key_from_jwk(door["lock_key"]))

    def ask(
        self, conversation: NearConversation, m2: bytes, time: str | None = None, ack: str | None = None
    ) -> str:
        """M3 and M4; answers the result."""
        door = self.stored["doors"][0]
        carried = Carried(activation=self.stored["activation"], time=time, revocation=door["revocations"], ack=ack)
        m3 = codec.encode(self.pocket.request(M1, m2, door["credential"], carried, "unlock"))
        return near_messages.decode_answer(conversation.request(m3)).result


@pytest.fixture
def stand(phone: Callable[..., ApiPhone], make: Callable[..., Any], world: Any) -> Stand:
    pocket = Phone()
    story = make(make_holder, pocket.jwk)
    return Stand(phone(TENANT_PHONE), story.key_id, pocket, lock_of(world, story))


def test_what_the_phone_collects_at_the_door_is_brought_and_the_answer_empties_the_lock(stand: Stand) -> None:
    touches.fill_log(stand.lock, 600)
    conversation, m2, _ = stand.greet()
    assert stand.ask(conversation, m2) == "opened"
    items = stand.pocket.collect(conversation.hello, 8)
    assert len(items) == 8 and sum(map(len, items)) > 65_536, "beyond the usual body"
    path, body = f"/keys/{stand.key_id}/lock-reports", {"lock_id": stand.lock.identity.lock_id}
    spoilt = [*items[:7], items[7][::-1]]
    answer = stand.account.post(path, {**body, "items": spoilt})
    assert answer.status_code == 200, answer.json
    assert [(each["pointer"], each["code"]) for each in answer.json["refused"]] == [("/items/7", "courier.item")]
    whole = stand.account.post(path, {**body, "items": items}).json
    assert whole["refused"] == []
    for ack in (answer.json["ack"], whole["ack"]):
        conversation, m2, _ = stand.greet()
        assert stand.ask(conversation, m2, ack=ack) == "opened"
    assert stand.lock.log.acked_seq == 8 * 64
    refused(stand.account.post(path, {**body, "items": ["AAAA"]}), 422, "courier.item", "items/0")
    refused(stand.account.post(path, {**body, "items": [*items, "AAAA"]}), 422, "input.wrong_type", "items")
    refused(stand.account.post(path, {**body, "items": ["A" * 16_385]}), 422, "input.length", "items/0")


def test_what_the_api_hands_out_opens_a_lock_that_was_never_online(stand: Stand) -> None:
    conversation, m2, _ = stand.greet()
    assert stand.ask(conversation, m2) == "opened"


def test_the_same_documents_on_another_phone_open_nothing(stand: Stand) -> None:
    stand.pocket = Phone()
    conversation, m2, _ = stand.greet()
    assert stand.ask(conversation, m2) == "refused"


def test_a_lock_that_lost_the_time_opens_once_the_phone_brings_it(stand: Stand) -> None:
    stand.lock.clock.lose_power()
    conversation, m2, claims = stand.greet()
    assert claims["q"] == "unknown"
    assert stand.ask(conversation, m2) == "need_time"
    conversation, m2, claims = stand.greet()
    wanted = {"lock_id": stand.stored["doors"][0]["lock_id"], "nonce": claims["nonce"]}
    time = stand.account.post(f"/keys/{stand.key_id}/time-tokens", wanted).json["time"]
    assert stand.ask(conversation, m2, time) == "opened"
    assert stand.lock.clock.quality() == "ok"
