"""Makes a platform, locks and phones in memory, with a time that only the test moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from backend.wire import codec, keypad, lock_messages, near_messages, sealed_events, tokens, topics
from backend.wire.jwk import base64url, jwk_of, make_private_key, thumbprint
from backend.wire.lock_documents import (
    Acknowledgement,
    Activation,
    Credential,
    Delegate,
    HolderKey,
    KeyEntry,
    KeyList,
    LockConfig,
    LockTime,
    Order,
    Revocation,
    claims_of,
)
from device_sim.clock import LockClock
from device_sim.flash import Flash, MemoryFlash
from device_sim.identities import Identity, make_identity
from device_sim.lock import Lock
from device_sim.phone import NOTHING, Carried, Phone

START = 1_790_000_000
DAY = 86_400
IDENTITY = make_identity(7, 1)
KEY, OTHER_KEY = "key-1", "key-2"


@dataclass
class Host:
    """True time, moved by the test."""

    at: float = START

    def __call__(self) -> float:
        return self.at


@dataclass
class Platform:
    """Signs as the platform would."""

    key: Any = field(default_factory=make_private_key)
    pad_key: Any = field(default_factory=make_private_key)

    @property
    def pad(self) -> dict[str, str]:
        return jwk_of(self.pad_key.public_key())

    def secret(self, identity: Identity = IDENTITY) -> bytes:
        return keypad.derive_secret(self.pad_key, jwk_of(identity.agreement_key.public_key()), identity.lock_id)

    def day_code(self, at: int, key: str = KEY, epoch: int = 1) -> str:
        return keypad.day_code(self.secret(), key, epoch, *keypad.day_of(at))

    def once_code(self, number: int, at: int = START, key: str = KEY, epoch: int = 1) -> str:
        return keypad.once_code(self.secret(), key, epoch, number, keypad.day_of(at)[1])

    @property
    def kid(self) -> str:
        return thumbprint(self.key.public_key())

    @property
    def trust(self) -> Mapping[str, Any]:
        return {self.kid: self.key.public_key()}

    def sign(self, kind: str, document: Any) -> str:
        return tokens.sign(kind, claims_of(document), self.key, self.kid)

    def credential(self, phone: Phone, **changes: Any) -> str:
        claims: dict[str, Any] = {
            "iss": "anju",
            "sub": KEY,
            "aud": IDENTITY.lock_id,
            "nbf": START - 60,
            "exp": START + 7 * DAY,
            "iat": START - 60,
            "jti": "credential-1",
            "cnf": HolderKey(phone.jwk),
            "rights": ("unlock", "lock"),
            "occ": 1,
        }
        return self.sign("ekey", Credential(**{**claims, **changes}))

    def activation(self, phone: Phone, **changes: Any) -> str:
        claims: dict[str, Any] = {
            "iss": "anju",
            "sub": KEY,
            "nbf": START - 60,
            "exp": START + 7 * DAY,
            "iat": START - 60,
            "jti": "activation-1",
            "cnf": HolderKey(phone.jwk),
            "lvl": "verified",
        }
        return self.sign("activation", Activation(**{**claims, **changes}))

    def key_list(self, version: int, *keys: str, epoch: int = 1, revoked: tuple[str, ...] = (), **entry: Any) -> str:
        shape: dict[str, Any] = {"nbf": START - 60, "rights": ("unlock", "lock"), **entry}
        entries = tuple(KeyEntry(id=key, **shape) for key in keys)
        return self.sign("keylist", KeyList("anju", IDENTITY.lock_id, START, version, epoch, entries, revoked))

    def revocation(self, version: int, *keys: str, lock_id: str = IDENTITY.lock_id, epoch: int = 1) -> str:
        return self.sign("revocation", Revocation("anju", lock_id, START, version, epoch, keys))

    def time(self, at: int, nonce: str) -> str:
        return self.sign("locktime", LockTime("anju", IDENTITY.lock_id, at, at + 30, nonce))

    def delegate(self, phone: Phone, **changes: Any) -> str:
        claims: dict[str, Any] = {
            "iss": "anju",
            "sub": "delegate-1",
            "aud": IDENTITY.lock_id,
            "nbf": START - 60,
            "exp": START + 3 * DAY,
            "iat": START - 60,
            "jti": "delegate-1",
            "cnf": HolderKey(phone.jwk),
            "occ": 1,
        }
        return self.sign("delegate", Delegate(**{**claims, **changes}))

    def acknowledgement(self, seq: int, head: bytes, **changes: Any) -> str:
        claims: dict[str, Any] = {
            "iss": "anju",
            "aud": IDENTITY.lock_id,
            "iat": START,
            "seq": seq,
            "head": base64url(head),
        }
        return self.sign("lockack", Acknowledgement(**{**claims, **changes}))

    def unseal(self, item: str, identity: Identity = IDENTITY) -> lock_messages.EventBatch:
        agreement_key = jwk_of(identity.agreement_key.public_key())
        secret = sealed_events.derive_secret(self.pad_key, agreement_key, identity.lock_id)
        return sealed_events.unseal(secret, identity.lock_id, item)

    def config(
        self,
        version: int,
        auto_lock_s: int = 5,
        trust: Mapping[str, Any] | None = None,
        ajar_s: int = 120,
        pad: dict[str, str] | None = None,
    ) -> str:
        listed = tuple({**jwk_of(key), "kid": kid} for kid, key in (trust or self.trust).items())
        config = LockConfig("anju", IDENTITY.lock_id, START, version, auto_lock_s, ajar_s, listed, pad)
        return self.sign("lockcfg", config)

    def order(self, lock: Lock, command: str, counter: int, **changes: Any) -> str:
        now = int(lock.clock._host())
        claims: dict[str, Any] = {
            "iss": "anju",
            "aud": IDENTITY.lock_id,
            "iat": now,
            "exp": now + 10,
            "jti": command,
            "act": "unlock",
            "boot": lock.boot,
            "ctr": counter,
            "key": KEY,
            "occ": 1,
        }
        return self.sign("lockcmd", Order(**{**claims, **changes}))


def make_lock(
    platform: Platform,
    host: Host,
    flash: Flash | None = None,
    identity: Identity = IDENTITY,
    seed: int = 1,
    pad: dict[str, str] | None = None,
) -> Lock:
    """A lock just out of the factory (or, with a used flash, after a reboot)."""
    chance = Random(seed)
    return Lock(
        identity, flash or MemoryFlash(), LockClock(host), platform.trust, pad=pad, entropy=chance.randbytes
    )


def connect(lock: Lock, *, answer: bool = True) -> list[tuple[topics.Channel, Any]]:
    """Bring a lock online, the platform answering its birth where the lock stands; answers what it sent."""
    lock.session.begin()
    lock.session.on_connected()
    sent = take(lock)
    if answer:
        acknowledge(lock, lock.log.acked_seq, base64url(lock.log.acked_head), session=lock.session.id)
        sent += take(lock)
    return sent


def take(lock: Lock, channel: topics.Channel | None = None) -> list[Any]:
    """Take what a lock sent, decoded: pairs, or with `channel` that channel's messages alone."""
    sent = [(each, lock_messages.decode_message(each, raw)) for each, raw in lock.session.take_outgoing()]
    return sent if channel is None else [message for each, message in sent if each is channel]


def acknowledge(lock: Lock, seq: int, head: str, session: str | None = None) -> None:
    """Tell the lock what the platform has stored."""
    lock.session.on_message(topics.ACKNOWLEDGE, codec.encode(lock_messages.Acknowledge(seq, head, session)))


def deliver(lock: Lock, channel: topics.Channel, token: str) -> list[Any]:
    """Deliver a signed document over MQTT; answers what the lock sent back, as pairs."""
    lock.session.on_message(channel, codec.encode(lock_messages.Signed(token)))
    return take(lock)


def results(sent: list[Any]) -> list[tuple[str, str | None]]:
    """State and reason of the command results among what was sent."""
    return [(message.state, message.reason) for channel, message in sent if channel is topics.RESULT]


def events(lock: Lock) -> list[tuple[str, str | None, str | None]]:
    """Kind, key and reason of the events a lock keeps."""
    read = [lock_messages.read_event(stored.text) for stored in lock.log.kept()]
    return [(e.kind, e.key, e.reason) if isinstance(e, lock_messages.EventText) else ("hole", None, None) for e in read]


def open_near(
    lock: Lock, phone: Phone, credential: str, carried: Carried = NOTHING, action: str = "unlock"
) -> str:
    """One whole conversation at the door; answers the result."""
    conversation = lock.near.greet()
    m1 = codec.encode(near_messages.Hello(base64url(bytes(16))))
    m2 = conversation.hello(m1)
    m3 = codec.encode(phone.request(m1, m2, credential, carried, action))
    return near_messages.decode_answer(conversation.request(m3)).result
