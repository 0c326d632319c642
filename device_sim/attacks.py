"""What a bystander with a radio, a strange phone or a copied device would do. None of it opens a door."""

from __future__ import annotations

from collections import Counter

from backend.wire import codec, near_messages
from backend.wire.jwk import base64url
from backend.wire.lock_messages import EventBatch
from backend.wire.near_messages import Hello
from device_sim import touches
from device_sim.lock import Lock
from device_sim.phone import Carried, Phone


def replay(lock: Lock, recorded: bytes) -> str:
    """Show a recorded M3 again, in a conversation of its own; answers the lock's result."""
    conversation = lock.near.greet()
    conversation.hello(codec.encode(Hello(base64url(lock.entropy(16)))))
    return near_messages.decode_answer(conversation.request(recorded)).result


def storm(lock: Lock, recorded: bytes, count: int) -> Counter[str]:
    """A strange phone shows a recorded M3's credential `count` times with proofs of its own; counts the results."""
    stolen, stranger = near_messages.decode_request(recorded), Phone()
    carried = Carried(delegate=stolen.delegate, activation=stolen.activation)
    results: Counter[str] = Counter()
    for _ in range(count):
        conversation = lock.near.greet()
        m1 = codec.encode(Hello(base64url(lock.entropy(16))))
        m3 = stranger.request(m1, conversation.hello(m1), stolen.credential, carried, stolen.action)
        results[near_messages.decode_answer(conversation.request(codec.encode(m3))).result] += 1
    return results


def fork(lock: Lock) -> bytes:
    """A copy of this device tells its own story: the lock writes an event, its copy another of the same sequence.

    Answers the copy's event batch, signed as the lock would sign it, to be sent after the lock's own.
    """
    copy = lock.clone()
    touches.move_door(lock, "closed" if lock.body.door == "open" else "open")
    seq = copy.record("inside.opened", via="inside")
    copy.sign_head()
    previous, texts = copy.log.batch(seq, seq)
    signed = tuple(token for at, token in copy.checkpoints if at == seq)
    return codec.encode(EventBatch(copy.log.acked_seq + 1, previous, texts, signed, late=False))
