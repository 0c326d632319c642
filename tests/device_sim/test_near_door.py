"""The door without any network: who gets in, who does not, and what the log says of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from backend.wire import codec, near_messages, tokens
from backend.wire.jwk import base64url, thumbprint
from backend.wire.lock_documents import Window
from device_sim import touches
from device_sim.lock import Lock
from device_sim.phone import Carried, Phone, check_challenge
from tests.device_sim.makers import (
    DAY,
    IDENTITY,
    KEY,
    OTHER_KEY,
    START,
    Host,
    Platform,
    events,
    make_lock,
    open_near,
)

PLATFORM = Platform()
PHONE, THIEF = Phone(), Phone()


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def lock(host: Host) -> Lock:
    return make_lock(PLATFORM, host)


def greet(lock: Lock) -> tuple[Any, bytes, bytes]:
    conversation = lock.near.greet()
    m1 = codec.encode(near_messages.Hello(base64url(bytes(range(16)))))
    return conversation, m1, conversation.hello(m1)


def test_a_bound_phone_opens_a_lock_that_was_never_online(lock: Lock) -> None:
    assert open_near(lock, PHONE, PLATFORM.credential(PHONE)) == "opened"
    assert lock.body.bolt == "unlocked"
    assert events(lock) == [("lock.unlocked", KEY, None)]


def test_the_answer_carries_a_receipt_signed_by_the_lock(lock: Lock) -> None:
    conversation, m1, m2 = greet(lock)
    credential = PLATFORM.credential(PHONE)
    answer = near_messages.decode_answer(
        conversation.request(codec.encode(PHONE.request(m1, m2, credential, Carried(), "unlock")))
    )
    key = IDENTITY.private_key.public_key()
    receipt = tokens.verify("nearreceipt", answer.receipt, {thumbprint(key): key})
    assert (receipt["res"], receipt["seq"], receipt["head"]) == ("opened", 1, base64url(lock.log.head))
    assert receipt["crd"] == near_messages.digest(credential)


def test_the_phone_notices_another_lock_and_an_old_greeting(lock: Lock) -> None:
    _, m1, m2 = greet(lock)
    key = IDENTITY.private_key.public_key()
    assert check_challenge(m1, m2, IDENTITY.lock_id, key)["occ"] == 0
    with pytest.raises(tokens.TokenRejected):
        check_challenge(m1 + b" ", m2, IDENTITY.lock_id, key)
    with pytest.raises(tokens.TokenRejected):
        check_challenge(m1, m2, "another-lock", key)
    with pytest.raises(tokens.TokenRejected):
        check_challenge(m1, m2, IDENTITY.lock_id, PLATFORM.key.public_key())


def test_copied_credential_never_opens(lock: Lock) -> None:
    assert open_near(lock, THIEF, PLATFORM.credential(PHONE)) == "refused"
    assert lock.body.bolt == "locked"
    assert events(lock) == [("access.denied", KEY, "wrong_proof")]


def test_replayed_m3_never_opens(lock: Lock, host: Host) -> None:
    conversation, m1, m2 = greet(lock)
    m3 = codec.encode(PHONE.request(m1, m2, PLATFORM.credential(PHONE), Carried(), "unlock"))
    assert near_messages.decode_answer(conversation.request(m3)).result == "opened"
    host.at += 6
    lock.tick()
    assert lock.body.bolt == "locked"
    assert near_messages.decode_answer(conversation.request(m3)).result == "refused"
    again, _, _ = greet(lock)
    assert near_messages.decode_answer(again.request(m3)).result == "refused"
    assert lock.body.bolt == "locked"


def test_an_answer_after_ten_seconds_never_opens(lock: Lock, host: Host) -> None:
    conversation, m1, m2 = greet(lock)
    host.at += 10
    m3 = codec.encode(PHONE.request(m1, m2, PLATFORM.credential(PHONE), Carried(), "unlock"))
    assert near_messages.decode_answer(conversation.request(m3)).result == "refused"


def test_a_nonce_does_not_outlive_a_reboot(lock: Lock) -> None:
    conversation, m1, m2 = greet(lock)
    lock.reboot()
    m3 = codec.encode(PHONE.request(m1, m2, PLATFORM.credential(PHONE), Carried(), "unlock"))
    assert near_messages.decode_answer(conversation.request(m3)).result == "refused"


def test_an_m3_whose_action_was_changed_on_the_way_never_opens(lock: Lock) -> None:
    conversation, m1, m2 = greet(lock)
    request = PHONE.request(m1, m2, PLATFORM.credential(PHONE), Carried(), "lock")
    changed = codec.encode(replace(request, action="unlock"))
    assert near_messages.decode_answer(conversation.request(changed)).result == "refused"


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"v":2,"nonce":"AAAAAAAAAAAAAAAAAAAAAA"}', b"\x00" * 300])
def test_what_is_no_message_ends_the_conversation(lock: Lock, raw: bytes) -> None:
    with pytest.raises(codec.MessageRejected):
        lock.near.greet().hello(raw)
    conversation, _, _ = greet(lock)
    with pytest.raises(codec.MessageRejected):
        conversation.request(raw)


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"aud": "another-lock"}, None),
        ({"iss": "somebody"}, None),
        ({"cond": ("moon",)}, "unknown_demand"),
        ({"crit": ("later",)}, "unknown_demand"),
        ({"nbf": START + 3_600}, "not_yet_valid"),
        ({"exp": START}, "expired"),
        ({"rights": ("lock",)}, "no_right"),
        ({"sched": (Window("6", 0, 1),)}, "outside_schedule"),
        ({"cond": ("idv",)}, "no_activation"),
    ],
)
def test_a_credential_that_does_not_hold_is_refused_with_its_reason_in_the_log_only(
    lock: Lock, changes: dict[str, Any], reason: str | None
) -> None:
    assert open_near(lock, PHONE, PLATFORM.credential(PHONE, **changes)) == "refused"
    assert lock.body.bolt == "locked"
    assert events(lock) == ([("access.denied", KEY, reason)] if reason else [])


def test_a_credential_signed_by_a_stranger_is_counted_and_fills_no_log(lock: Lock) -> None:
    assert open_near(lock, PHONE, Platform().credential(PHONE)) == "refused"
    assert events(lock) == [] and lock.rejected["near_unknown_key"] == 1


def test_a_key_without_identity_token_is_refused_by_the_lock_itself(lock: Lock) -> None:
    credential = PLATFORM.credential(PHONE, cond=("idv",))
    assert open_near(lock, PHONE, credential) == "refused"
    for activation in (
        PLATFORM.activation(THIEF),
        Platform().activation(PHONE),
        PLATFORM.activation(PHONE, nbf=START + 60),
        PLATFORM.activation(PHONE, exp=START - 1),
        PLATFORM.activation(PHONE, iss="landlord"),
        PLATFORM.credential(PHONE),
    ):
        assert open_near(lock, PHONE, credential, Carried(activation=activation)) == "refused"
    assert open_near(lock, PHONE, credential, Carried(activation=PLATFORM.activation(PHONE))) == "opened"


def test_a_revocation_carried_by_a_third_phone_works_at_once(lock: Lock) -> None:
    mine = PLATFORM.credential(PHONE)
    other = PLATFORM.credential(THIEF, sub=OTHER_KEY)
    assert open_near(lock, PHONE, mine) == "opened"
    assert open_near(lock, THIEF, other, Carried(revocation=PLATFORM.revocation(4, KEY))) == "opened"
    assert open_near(lock, PHONE, mine) == "refused"
    assert open_near(lock, THIEF, other, Carried(revocation=PLATFORM.revocation(3))) == "opened"
    assert open_near(lock, PHONE, mine) == "refused", "an older list changes nothing"
    assert open_near(lock, PHONE, mine, Carried(revocation=PLATFORM.revocation(5, lock_id="other"))) == "refused"
    assert open_near(lock, PHONE, mine, Carried(revocation=PLATFORM.revocation(5))) == "opened"


def test_the_old_tenant_is_refused_after_the_new_tenants_first_opening_on_a_lock_that_stayed_offline(
    lock: Lock,
) -> None:
    old, new = PLATFORM.credential(PHONE, occ=1), PLATFORM.credential(THIEF, sub=OTHER_KEY, occ=2)
    assert open_near(lock, PHONE, old) == "opened"
    assert open_near(lock, THIEF, new) == "opened"
    assert open_near(lock, PHONE, old) == "refused"
    assert events(lock)[-1] == ("access.denied", KEY, "old_epoch")


def test_a_refused_credential_of_a_higher_epoch_raises_nothing(lock: Lock) -> None:
    assert open_near(lock, PHONE, PLATFORM.credential(THIEF, occ=5)) == "refused"
    assert open_near(lock, PHONE, PLATFORM.credential(PHONE, occ=5, exp=START)) == "refused"
    assert lock.keys.epoch == 0


def test_use_counts_are_kept_over_a_reboot(lock: Lock) -> None:
    credential = PLATFORM.credential(PHONE, uses=2)
    assert open_near(lock, PHONE, credential) == "opened"
    lock.reboot()
    assert open_near(lock, PHONE, credential) == "opened"
    assert open_near(lock, PHONE, credential) == "refused"
    assert events(lock)[-1] == ("access.denied", KEY, "used_up")


def test_unknown_clock_tvr_refused_opens_after_a_time_token(lock: Lock) -> None:
    touches.lose_power(lock)
    credential = PLATFORM.credential(PHONE, tvr=True)
    assert open_near(lock, PHONE, credential) == "need_time"
    conversation, m1, m2 = greet(lock)
    nonce = check_challenge(m1, m2, IDENTITY.lock_id, IDENTITY.private_key.public_key())["nonce"]
    stale = PHONE.request(m1, m2, credential, Carried(time=PLATFORM.time(START, "A" * 22)), "unlock")
    assert near_messages.decode_answer(conversation.request(codec.encode(stale))).result == "need_time"
    conversation, m1, m2 = greet(lock)
    nonce = check_challenge(m1, m2, IDENTITY.lock_id, IDENTITY.private_key.public_key())["nonce"]
    fresh = PHONE.request(m1, m2, credential, Carried(time=PLATFORM.time(START, nonce)), "unlock")
    assert near_messages.decode_answer(conversation.request(codec.encode(fresh))).result == "opened"


def test_a_month_long_platform_outage_locks_no_resident_out(lock: Lock, host: Host) -> None:
    credential = PLATFORM.credential(PHONE, grc=30 * DAY)
    visitor = PLATFORM.credential(THIEF, sub=OTHER_KEY, exp=START + DAY)
    for _ in range(30):
        host.at += DAY
        lock.tick()
        assert open_near(lock, PHONE, credential) == "opened"
        assert open_near(lock, THIEF, visitor) == "refused"
    assert ("lock.unlocked", KEY, "outage_grace") in events(lock)
    host.at = START + 37 * DAY
    assert open_near(lock, PHONE, credential) != "opened"


def test_the_outage_grace_ends_with_the_first_word_from_the_platform(lock: Lock, host: Host) -> None:
    credential = PLATFORM.credential(PHONE, grc=30 * DAY)
    host.at = START + 8 * DAY
    assert open_near(lock, PHONE, credential) == "opened"
    fresh = PLATFORM.credential(THIEF, sub=OTHER_KEY, iat=START + 8 * DAY, exp=START + 15 * DAY)
    assert open_near(lock, THIEF, fresh) == "opened"
    assert open_near(lock, PHONE, credential) == "refused"


def test_five_wrong_proofs_raise_lockout_started_while_a_valid_key_still_opens(lock: Lock, host: Host) -> None:
    stolen = PLATFORM.credential(PHONE)
    for _ in range(50):
        assert open_near(lock, THIEF, stolen) == "refused"
    kinds = [kind for kind, _, _ in events(lock)]
    assert kinds.count("lockout.started") == 1 and kinds.count("access.denied") == 5
    assert open_near(lock, PHONE, stolen) == "opened"
    host.at += 61
    lock.tick()
    assert "lockout.ended" in [kind for kind, _, _ in events(lock)]


def test_privacy_and_an_empty_battery_refuse_and_the_mechanical_key_always_opens(lock: Lock) -> None:
    credential = PLATFORM.credential(PHONE)
    touches.set_privacy(lock, True)
    assert open_near(lock, PHONE, credential) == "refused"
    touches.set_privacy(lock, False)
    touches.set_battery(lock, 1)
    assert open_near(lock, PHONE, credential) == "refused"
    touches.open_mechanically(lock)
    assert lock.body.bolt == "unlocked"
    reasons = [reason for kind, _, reason in events(lock) if kind == "access.denied"]
    assert reasons == ["privacy", "battery"]


def test_a_jammed_bolt_is_told_as_refused_and_recorded_as_jammed(lock: Lock) -> None:
    lock.body.jammed = True
    assert open_near(lock, PHONE, PLATFORM.credential(PHONE)) == "refused"
    assert events(lock) == [("lock.jammed", KEY, None)]


def test_the_phone_may_also_lock(lock: Lock) -> None:
    credential = PLATFORM.credential(PHONE)
    assert open_near(lock, PHONE, credential) == "opened"
    assert open_near(lock, PHONE, credential, action="lock") == "locked"
    assert lock.body.bolt == "locked"


def test_a_key_list_carried_by_a_phone_is_applied(lock: Lock) -> None:
    carried = Carried(keys=PLATFORM.key_list(3, KEY, epoch=2, revoked=(OTHER_KEY,)))
    assert open_near(lock, PHONE, PLATFORM.credential(PHONE, occ=2), carried) == "opened"
    assert (lock.keys.list_version, lock.keys.epoch) == (3, 2)
    assert open_near(lock, THIEF, PLATFORM.credential(THIEF, sub=OTHER_KEY, occ=2)) == "refused"


def test_a_clock_behind_the_credential_asks_for_time_before_it_judges_any_life(lock: Lock, host: Host) -> None:
    touches.lose_power(lock)
    host.at += 3 * DAY  # the phone has renewed everything meanwhile; to a stopped clock that is the future
    fresh = {"nbf": int(host.at), "iat": int(host.at), "exp": int(host.at) + DAY}
    credential = PLATFORM.credential(PHONE, cond=("idv",), **fresh)
    carried = Carried(activation=PLATFORM.activation(PHONE, **fresh))
    lock.clock.jump(-2 * DAY)
    assert open_near(lock, PHONE, credential, carried) == "need_time"


def test_the_checks_stand_in_the_order_of_the_protocol(lock: Lock, host: Host) -> None:
    """Each flaw is put before the ones after it: the first that fails is what the log says."""
    lock.take_key_list(PLATFORM.key_list(2, OTHER_KEY, epoch=2, revoked=("revoked-key",)))
    flaws: list[tuple[str, dict[str, Any]]] = [
        ("unknown_demand", {"crit": ("later",)}),
        ("no_activation", {"cond": ("idv",)}),
        ("wrong_proof", {}),
        ("revoked", {"sub": "revoked-key"}),
        ("old_epoch", {"occ": 1}),
        ("no_right", {"rights": ("lock",)}),
        ("expired", {"exp": START}),
        ("outside_schedule", {"sched": (Window("6", 0, 1),)}),
        ("used_up", {"uses": 1}),
        ("privacy", {}),
        ("battery", {}),
    ]
    lock.keys.uses = {KEY: 1, "revoked-key": 1}
    lock.body.charge, lock.body.privacy = 1.0, True
    for place, (expected, _) in enumerate(flaws):
        claims: dict[str, Any] = {"occ": 2}
        for _, change in flaws[place:]:
            claims |= change
        lock.body.privacy = expected != "battery"
        phone = THIEF if place <= 2 else PHONE
        assert open_near(lock, phone, PLATFORM.credential(PHONE, **claims)) == "refused"
        assert events(lock)[-1][2] == expected


def test_the_epoch_and_the_use_are_in_flash_before_the_bolt_moves(lock: Lock, host: Host) -> None:
    lock.body.jammed = True
    assert open_near(lock, PHONE, PLATFORM.credential(PHONE, occ=4, uses=1)) == "refused"
    again = make_lock(PLATFORM, host, lock._flash)
    assert (again.keys.epoch, again.keys.uses) == (4, {KEY: 1})
