"""The near link: messages between phone and lock over Bluetooth (or its local stand-in), M1 to M5, and their framing.

    M1 phone → lock   hello with a nonce            M2 lock → phone   signed state and nonce (nearhello+jwt)
    M3 phone → lock   credential, action, proof     M4 lock → phone   result and signed receipt (nearreceipt+jwt)
    M5 phone → lock   collect, as often as there is more; what it is given goes to the platform

The proof (nearproof+jwt, by the phone's key) covers a domain tag, the hash of M1 and M2, the action and the hash of the
credential; a copied credential or a replayed M3 is therefore worth nothing.

After an M4 that says opened or locked, the same phone may Collect what the lock has for the platform: sealed batches
of the events not known to be stored (backend.wire.sealed_events), one after the other while there are more. This is M5:
the phone brings them over https, is given a signed acknowledgement (lockack+jwt) and carries that in its next M3.
The receipt of M4 stays on the phone: whatever it proves of an event, the event in its chain under the lock's checkpoint
proves better, and a courier that keeps events back has harmed nothing, since the lock keeps them too.

Instead of M1 a phone may begin with Leave or Fetch: the lock keeps a small thing for a few minutes, so that two phones
side by side can hand each other a key and a credential without network (browsers speak Bluetooth to devices, not to
each other). The lock reads nothing of it.

Over Bluetooth a message is cut into chunks, one GATT write each; a read gives the next chunk of the answer, or nothing
when none is left. A message that cannot be read fails the write, and the phone begins anew with its greeting.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

from backend.wire import tokens
from backend.wire.codec import MessageRejected, decode, encode, flag, from_object, load_versioned, maybe, one_of, text
from backend.wire.jwk import base64url, thumbprint
from backend.wire.sealed_events import LONGEST_ITEM

__all__ = ["MessageRejected", "encode"]

PROOF_TAG = "anju/near/v1"
LARGEST_MESSAGE = 65_536
CHUNK_BYTES = 180  # fits a GATT write after an ATT MTU of 185, the least that common phones negotiate
NONCE_SECONDS = 10

# The near link as a GATT service: chunks are written to one characteristic, the answer's are read from the other.
GATT_SERVICE = "978d7102-a314-4486-8f6c-ab666727fd94"
GATT_WRITE = "978d7103-a314-4486-8f6c-ab666727fd94"
GATT_READ = "978d7104-a314-4486-8f6c-ab666727fd94"

_TOKEN = r"[A-Za-z0-9_.-]+"
_LONGEST_TOKEN = 49_152
ACTIONS = ("unlock", "lock")
RESULTS = ("opened", "locked", "refused", "need_time")


@dataclass(frozen=True)
class Dial:
    """First frame of the local stand-in only: which lock the phone stands before."""

    lock: str = text(64)


@dataclass(frozen=True)
class Hello:
    """M1: the phone's greeting, with 16 fresh bytes in base64url."""

    nonce: str = text(22, r"[A-Za-z0-9_-]{22}")


@dataclass(frozen=True)
class Challenge:
    """M2: `token` is signed by the lock's key: lock id, nonce, boot, clock, occupancy epoch, revocation version."""

    token: str = text(2_048, _TOKEN)


@dataclass(frozen=True)
class Request:
    """M3: what the phone wants, why it may, and documents it carries for the lock."""

    credential: str = text(8_192, _TOKEN)
    action: str = one_of(*ACTIONS)
    proof: str = text(2_048, _TOKEN)
    delegate: str | None = maybe(text(4_096, _TOKEN))
    activation: str | None = maybe(text(4_096, _TOKEN))
    time: str | None = maybe(text(2_048, _TOKEN))
    revocation: str | None = maybe(text(_LONGEST_TOKEN, _TOKEN))
    keys: str | None = maybe(text(_LONGEST_TOKEN, _TOKEN))
    ack: str | None = maybe(text(2_048, _TOKEN))


@dataclass(frozen=True)
class Answer:
    """M4: the result, one of a small family; the exact reason stands in the lock's signed event alone."""

    result: str = one_of(*RESULTS)
    receipt: str = text(2_048, _TOKEN)


@dataclass(frozen=True)
class Leave:
    """Keep `item` in the box of this number: six digits that both phones show, side by side."""

    box: str = text(6, r"[0-9]{6}")
    item: str = text(16_384, r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class Fetch:
    """What is in the box of this number? It is taken out with the answer."""

    box: str = text(6, r"[0-9]{6}")


@dataclass(frozen=True)
class Box:
    """The lock's answer to Leave and Fetch: `kept` (for so many minutes), `given` with the item, `nothing`, `full`."""

    state: str = one_of("kept", "given", "nothing", "full")
    item: str | None = maybe(text(16_384, r"[A-Za-z0-9_.-]+"))


@dataclass(frozen=True)
class Collect:
    """What do you have for the platform? The next item, each time it is asked."""

    collect: str = one_of("events")


@dataclass(frozen=True)
class Collected:
    """The lock's answer to Collect: an item, or none for this phone; `more`: whether another can be collected."""

    more: bool = flag()
    item: str | None = maybe(text(LONGEST_ITEM, r"[A-Za-z0-9_-]+"))


def decode_dial(raw: bytes) -> Dial:
    """Read the stand-in's first frame. Raises MessageRejected."""
    return decode(Dial, raw, 256)


def decode_hello(raw: bytes) -> Hello:
    """Read M1. Raises MessageRejected."""
    return decode(Hello, raw, 256)


def decode_challenge(raw: bytes) -> Challenge:
    """Read M2. Raises MessageRejected."""
    return decode(Challenge, raw, 4_096)


def decode_request(raw: bytes) -> Request:
    """Read M3. Raises MessageRejected."""
    return decode(Request, raw, LARGEST_MESSAGE)


def decode_answer(raw: bytes) -> Answer:
    """Read M4. Raises MessageRejected."""
    return decode(Answer, raw, 4_096)


def decode_greeting(raw: bytes) -> Hello | Leave | Fetch | Collect:
    """Read what a phone begins with, or goes on with after M4. Raises MessageRejected."""
    value = load_versioned(raw, 20_480)
    if "collect" in value:
        return from_object(Collect, value)
    kind: type[Hello] | type[Leave] | type[Fetch] = Leave if "item" in value else Fetch if "box" in value else Hello
    return from_object(kind, value)


def decode_box(raw: bytes) -> Box:
    """Read the answer to Leave or Fetch. Raises MessageRejected."""
    return decode(Box, raw, 20_480)


def decode_collected(raw: bytes) -> Collected:
    """Read the answer to Collect. Raises MessageRejected."""
    return decode(Collected, raw, 20_480)


def digest(data: bytes | str) -> str:
    """SHA-256 in base64url, as messages and claims carry it."""
    return base64url(hashlib.sha256(data.encode() if isinstance(data, str) else data).digest())


def make_proof(key: EllipticCurvePrivateKey, m1: bytes, m2: bytes, action: str, credential: str) -> str:
    """Prove possession of the phone's key for exactly this conversation, action and credential."""
    claims = {"tag": PROOF_TAG, "hs": digest(m1 + m2), "act": action, "crd": digest(credential)}
    return tokens.sign("nearproof", claims, key, thumbprint(key.public_key()))


def check_proof(
    proof: str, key: EllipticCurvePublicKey, m1: bytes, m2: bytes, action: str, credential: str
) -> None:
    """Check a proof against the conversation as the lock saw it. Raises tokens.TokenRejected."""
    claims = tokens.verify("nearproof", proof, {thumbprint(key): key})
    expected = {"tag": PROOF_TAG, "hs": digest(m1 + m2), "act": action, "crd": digest(credential)}
    if claims != expected:
        raise tokens.TokenRejected("bad_claim")


def split_into_chunks(message: bytes, size: int = CHUNK_BYTES) -> Iterator[bytes]:
    """Cut a message into chunks: one byte of number (0 to 127, wrapping; top bit set on the last), then data."""
    step = size - 1
    count = max(1, -(-len(message) // step))
    for number in range(count):
        last = 0x80 if number == count - 1 else 0
        yield bytes([last | number % 128]) + message[number * step : (number + 1) * step]


class ChunkJoiner:
    """Puts chunks back together; one per direction of a conversation."""

    def __init__(self, largest: int = LARGEST_MESSAGE) -> None:
        self._largest = largest
        self._parts: list[bytes] = []
        self._bytes = 0

    def add(self, chunk: bytes) -> bytes | None:
        """Take a chunk; answer the whole message after its last one, else None. Raises MessageRejected."""
        if not chunk or chunk[0] & 0x7F != len(self._parts) % 128:
            raise MessageRejected("chunk_out_of_order")
        self._parts.append(chunk[1:])
        self._bytes += len(chunk) - 1
        if self._bytes > self._largest:
            raise MessageRejected("too_large")
        if not chunk[0] & 0x80:
            return None
        message = b"".join(self._parts)
        self._parts, self._bytes = [], 0
        return message
