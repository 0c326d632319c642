"""The sample files a firmware team can check against, in any language: bytes to value and value to bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
)

from backend.wire import codec, jwk, keypad, lock_messages, near_messages, sealed_events, tokens, topics
from backend.wire.lock_documents import CODE_KINDS

SAMPLES = Path(__file__).parent / "samples"
ALL = {path.stem: json.loads(path.read_text()) for path in sorted(SAMPLES.glob("*.json"))}
MESSAGES = {name: sample for name, sample in ALL.items() if {"message", "bytes"} <= sample.keys()}
TOKENS = {name: sample for name, sample in ALL.items() if {"kind", "signing_input"} <= sample.keys()}
NEAR_READERS = {
    "Dial": near_messages.decode_dial,
    "Hello": near_messages.decode_hello,
    "Challenge": near_messages.decode_challenge,
    "Request": near_messages.decode_request,
    "Answer": near_messages.decode_answer,
    "Leave": near_messages.decode_greeting,
    "Fetch": near_messages.decode_greeting,
    "Box": near_messages.decode_box,
    "Collect": near_messages.decode_greeting,
    "Collected": near_messages.decode_collected,
}


def read(sample: dict[str, Any], raw: bytes) -> Any:
    if sample["channel"] == "near":
        return NEAR_READERS[sample["message"]](raw)
    return lock_messages.decode_message(topics.CHANNELS[sample["channel"]], raw)


@pytest.mark.parametrize("name", MESSAGES)
def test_the_bytes_of_a_sample_decode_to_its_value_and_encode_back(name: str) -> None:
    sample = MESSAGES[name]
    raw = sample["bytes"].encode()
    message = read(sample, raw)
    assert type(message).__name__ == sample["message"]
    spelled = codec.to_object(message)
    assert spelled == {member: value for member, value in sample["value"].items() if value is not None}
    assert codec.encode(message) == raw


@pytest.mark.parametrize("name", MESSAGES)
def test_a_sample_with_an_unknown_member_a_missing_one_or_another_version_is_refused(name: str) -> None:
    sample = MESSAGES[name]
    value = json.loads(sample["bytes"])
    first = next(member for member in value if member not in ("v", "session"))
    spoilt = [
        {**value, "name": "x"},
        {member: part for member, part in value.items() if member != first},
        {**value, "v": 2},
        {**value, "v": True},
        {**value, first: None},
        {**value, first: {"a": 1}},
        [value],
    ]
    for wrong in spoilt:
        with pytest.raises(codec.MessageRejected):
            read(sample, json.dumps(wrong).encode())


@pytest.mark.parametrize("name", MESSAGES)
def test_an_oversized_cut_or_doubled_sample_is_refused(name: str) -> None:
    sample = MESSAGES[name]
    raw = sample["bytes"].encode()
    for wrong in (raw + b" " * 200_000, raw[:-1], raw[:-1] + b',"v":1}', b"\xff" + raw, b"[" * 50_000):
        with pytest.raises(codec.MessageRejected):
            read(sample, wrong)


@pytest.mark.parametrize("name", TOKENS)
def test_a_sample_token_verifies_and_its_signed_bytes_are_pinned(name: str) -> None:
    sample = TOKENS[name]
    keys = {sample["kid"]: jwk.public_key_from_jwk(sample["jwk"])}
    assert jwk.thumbprint(keys[sample["kid"]]) == sample["kid"]
    assert tokens.verify(sample["kind"], sample["token"], keys) == sample["claims"]
    made = tokens.sign(sample["kind"], sample["claims"], jwk.make_private_key(), sample["kid"])
    assert made.rsplit(".", 1)[0] == sample["signing_input"] == sample["token"].rsplit(".", 1)[0]


def test_every_kind_of_the_lock_protocol_and_every_channel_has_a_sample() -> None:
    assert {sample["kind"] for sample in TOKENS.values()} >= set(tokens.KINDS) - {"receipt"}
    assert {sample["channel"] for sample in MESSAGES.values()} == set(topics.CHANNELS) | {"near"}
    assert {s["message"] for s in MESSAGES.values() if s["channel"] == "near"} == set(NEAR_READERS)


def private_key(sample: dict[str, str]) -> EllipticCurvePrivateKey:
    """The private key of a sample's JWK; its public half must be what the JWK says."""
    key = derive_private_key(int.from_bytes(jwk.from_base64url(sample["d"]), "big"), SECP256R1())
    assert jwk.jwk_of(key.public_key()) == {name: value for name, value in sample.items() if name != "d"}
    return key


def test_the_sample_keypad_codes_are_derived_alike_on_both_sides() -> None:
    sample = ALL["keypad"]
    lock, platform = private_key(sample["lock_agreement_key"]), private_key(sample["platform_agreement_key"])
    assert jwk.base64url(lock.exchange(ECDH(), platform.public_key())) == sample["agreed"]
    for own, other in ((lock, platform), (platform, lock)):
        secret = keypad.derive_secret(own, jwk.jwk_of(other.public_key()), sample["lock"])
        assert jwk.base64url(secret) == sample["secret"]
        for code in sample["codes"]:
            key, epoch, first, until = (code[name] for name in ("key", "epoch", "from", "until"))
            derive = {"day": keypad.day_code, "period": keypad.period_code, "once": keypad.once_code}[code["kind"]]
            made = derive(secret, key, epoch, first, until)
            assert made == code["code"] and len(made) == keypad.DIGITS
            assert code["kind"] != "day" or keypad.day_of(first + 1) == (first, until)
            assert code["kind"] != "once" or 1 <= first <= keypad.MOST_ONCE_A_DAY
            assert code["kind"] != "once" or keypad.day_of(until - 1)[1] == until
    assert {code["kind"] for code in sample["codes"]} == set(CODE_KINDS)
    assert any(code["code"].startswith("0") for code in sample["codes"]), "a leading nought is typed too"


def test_the_sample_of_sealed_events_opens_on_one_side_and_is_sealed_alike_on_the_other() -> None:
    sample, keys = ALL["sealed_events"], ALL["keypad"]
    lock, platform = private_key(keys["lock_agreement_key"]), private_key(keys["platform_agreement_key"])
    for own, other in ((lock, platform), (platform, lock)):
        secret = sealed_events.derive_secret(own, jwk.jwk_of(other.public_key()), sample["lock"])
        assert jwk.base64url(secret) == sample["secret"] != keys["secret"]
        batch = sealed_events.unseal(secret, sample["lock"], sample["item"])
        assert codec.encode(batch).decode() == sample["batch"]
        nonce = jwk.from_base64url(sample["nonce"])
        assert sealed_events.seal(secret, sample["lock"], nonce, batch) == sample["item"]
    assert MESSAGES["near_m5_collected"]["value"]["item"] == sample["item"]


def test_the_delegated_sample_is_two_signatures_that_fit() -> None:
    request = near_messages.decode_request(MESSAGES["near_m3_request_delegated"]["bytes"].encode())
    assert request.delegate is not None
    platform = TOKENS["token_lockcfg_pad"]
    delegate = tokens.verify("delegate", request.delegate, {platform["kid"]: jwk.public_key_from_jwk(platform["jwk"])})
    landlord = jwk.public_key_from_jwk(delegate["cnf"]["jwk"])
    credential = tokens.verify("ekey", request.credential, {jwk.thumbprint(landlord): landlord})
    assert credential == TOKENS["token_ekey_delegated"]["claims"]
    assert (credential["iss"], credential["occ"]) == (delegate["jti"], delegate["occ"])


def test_the_sample_chain_is_reproduced_from_the_texts_alone() -> None:
    sample = ALL["event_chain"]
    head = lock_messages.first_hash(sample["lock"])
    assert jwk.base64url(head) == sample["first"]
    for event in sample["events"]:
        assert lock_messages.write_event(lock_messages.read_event(event["text"])) == event["text"]
        head = lock_messages.next_hash(head, event["text"])
        assert jwk.base64url(head) == event["hash"]
