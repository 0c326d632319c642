"""The near link's framing and proof."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.wire import jwk, near_messages, tokens

PHONE = jwk.make_private_key()


@given(st.binary(max_size=30_000), st.integers(2, 400))
def test_chunks_join_to_the_message_whatever_their_size(message: bytes, size: int) -> None:
    joiner = near_messages.ChunkJoiner()
    *before, last = near_messages.split_into_chunks(message, size)
    assert all(joiner.add(chunk) is None for chunk in before)
    assert joiner.add(last) == message
    assert all(len(chunk) <= size for chunk in (*before, last))


def test_a_lost_a_doubled_and_an_empty_chunk_are_refused() -> None:
    first, second, third = near_messages.split_into_chunks(bytes(500), 180)
    for order in ([second], [first, third], [first, first], [b""]):
        joiner = near_messages.ChunkJoiner()
        with pytest.raises(near_messages.MessageRejected, match="chunk_out_of_order"):
            for chunk in order:
                joiner.add(chunk)


def test_an_endless_message_is_cut_off() -> None:
    joiner = near_messages.ChunkJoiner(largest=1_000)
    with pytest.raises(near_messages.MessageRejected, match="too_large"):
        for number in range(20):
            joiner.add(bytes([number]) + bytes(100))


def test_a_proof_holds_for_one_conversation_action_and_credential() -> None:
    proof = near_messages.make_proof(PHONE, b"m1", b"m2", "unlock", "credential")
    key = PHONE.public_key()
    near_messages.check_proof(proof, key, b"m1", b"m2", "unlock", "credential")
    for m1, m2, action, credential in (
        (b"m0", b"m2", "unlock", "credential"),
        (b"m1", b"m3", "unlock", "credential"),
        (b"m1", b"m2", "lock", "credential"),
        (b"m1", b"m2", "unlock", "other"),
    ):
        with pytest.raises(tokens.TokenRejected, match="bad_claim"):
            near_messages.check_proof(proof, key, m1, m2, action, credential)


def test_a_proof_by_another_phone_is_refused() -> None:
    proof = near_messages.make_proof(jwk.make_private_key(), b"m1", b"m2", "unlock", "credential")
    with pytest.raises(tokens.TokenRejected, match="unknown_key"):
        near_messages.check_proof(proof, PHONE.public_key(), b"m1", b"m2", "unlock", "credential")
