"""The lock: a pure state machine. Messages, touches and time come in; messages come out of `session.take_outgoing()`.

It holds no socket and no thread: time comes from its clock, chance from `entropy`, memory from its flash. What must
survive is in flash before the message that tells of it can leave.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from backend.wire import tokens
from backend.wire.jwk import base64url, from_base64url, public_key_from_jwk, thumbprint
from backend.wire.lock_documents import (
    PLATFORM,
    Acknowledgement,
    Checkpoint,
    KeyList,
    LockConfig,
    LockTime,
    Revocation,
    claims_of,
    document_from,
)
from backend.wire.lock_messages import EventText
from device_sim.body import DAY_PERCENT, TURN_PERCENT, Body
from device_sim.clock import LockClock
from device_sim.doorway import Doorway
from device_sim.event_log import EventLog
from device_sim.flash import Flash, MemoryFlash
from device_sim.held_keys import HeldKeys
from device_sim.identities import Identity
from device_sim.keypad_door import KeypadDoor
from device_sim.near_door import NearDoor
from device_sim.orders import Orders
from device_sim.session import Session
from device_sim.uplink import Checkpoints

CHECKPOINT_EVERY = 64
CHECKPOINT_SECONDS = 3_600
DAY_SECONDS = 86_400
URGENT = frozenset({"door.forced", "tamper.cover", "duress", "factory_reset"})  # signed at once

Document = TypeVar("Document")


class Lock:
    """One lock with its firmware. `trust` are the platform's public keys it left the factory with.

    `pad` is the platform's public agreement key (JWK), if the factory had it already: without it the keypad knows no
    code until the first configuration brings it. Timers run by the clock's counter, lives and windows by its time.
    """

    def __init__(
        self,
        identity: Identity,
        flash: Flash,
        clock: LockClock,
        trust: Mapping[str, EllipticCurvePublicKey],
        *,
        pad: dict[str, str] | None = None,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.identity = identity
        self.clock = clock
        self.entropy = entropy
        self.body = Body()
        self.rejected: Counter[str] = Counter()
        self._flash = flash
        self._factory_trust = dict(trust)
        self._factory_pad = pad
        self._drained_at = clock.ticks()
        self._kid = thumbprint(identity.private_key.public_key())
        self._wake()

    def _wake(self) -> None:
        """Boot: a new boot id, and from flash what it remembers; a lock with an empty flash is fresh."""
        self.boot = self.entropy(4).hex()
        self.restart_wanted = False
        self.keys = HeldKeys()
        self.orders = Orders(self)
        self.log = EventLog(self.identity.lock_id, self._flash)
        self.checkpoints: Checkpoints = []  # signed heads not yet known to be stored
        self.session = Session(self)
        self.near = NearDoor(self)
        self.keypad = KeypadDoor(self)
        self.doorway = Doorway(self)
        self.trust = dict(self._factory_trust)
        self.pad = self._factory_pad
        self.config: LockConfig | None = None
        self._config_claims: dict[str, Any] | None = None
        self.heard_at = 0  # when the platform last signed something we saw
        self._signed_at = self.clock.ticks()
        state = self._flash.load()
        self.is_fresh = state is None or state["fresh"]
        if state is not None:
            self._restore(state)
        else:
            self.clock.synced_at = float(self.clock.now())  # set in the factory
            self.save()

    def reboot(self) -> None:
        """Start again from flash; whoever holds the connection must make a new one."""
        self.save()
        self._wake()

    def wipe(self) -> None:
        """Fault: the flash is empty; keys, epoch and chain are gone."""
        self._flash.wipe()
        self._wake()
        self.record("factory_reset")

    def erase_keys(self) -> int:
        """Forget all keys and their uses, by order of the platform; answers the event's sequence, signed at once."""
        self.keys.erase()
        self.save()
        return self.record("factory_reset")

    def clone(self) -> Lock:
        """Fault: somebody has copied this device, keys and flash, and starts the copy."""
        self.save()
        flash = MemoryFlash()
        flash.save(self._flash.load() or {})
        for event in self._flash.load_events():
            flash.put_event(event)
        copy = Lock(self.identity, flash, self.clock, self._factory_trust, pad=self._factory_pad, entropy=self.entropy)
        copy.boot = self.boot
        return copy

    def verified(self, kind: str, token: str, document: type[Document]) -> Document:
        """Read a document the platform signed for this lock; it counts as having heard from the platform.

        Raises TokenRejected.
        """
        read, issued_at = self._read(kind, token, document)
        self.heard_at = max(self.heard_at, min(issued_at, self.clock.now()))
        return read

    def _read(self, kind: str, token: str, document: type[Document]) -> tuple[Document, int]:
        claims = tokens.verify(kind, token, self.trust, audience=self.identity.lock_id)
        read = document_from(document, claims)
        if claims["iss"] != PLATFORM:
            raise tokens.TokenRejected("bad_claim")
        return read, claims["iat"]

    def take_key_list(self, token: str) -> str | None:
        """Apply a key list whole, or answer why not. Raises TokenRejected when it is not the platform's."""
        document = self.verified("keylist", token, KeyList)
        before = self.keys.list_version
        refused = self.keys.apply_list(document)
        self.save()
        if self.keys.list_version != before:
            self.record("keys.changed")
        return refused

    def take_revocation(self, token: str) -> str | None:
        """Apply a revocation list that a phone carried, or answer why not. Raises TokenRejected."""
        refused = self.keys.apply_revocation(self.verified("revocation", token, Revocation))
        self.save()
        return refused

    def take_time(self, token: str, nonce: str) -> None:
        """Set the clock by the platform's signed time over our nonce. Raises TokenRejected."""
        time = self.verified("locktime", token, LockTime)
        if time.nonce != nonce:
            raise tokens.TokenRejected("bad_claim")
        changed = self.clock.sync(time.iat)
        self.heard_at = max(self.heard_at, time.iat)
        self.save()
        if abs(changed) > 2:
            self.record("time.adjusted")

    def take_acknowledgement(self, token: str) -> None:
        """Forget the events that the platform has stored, by its signed word that a phone carried.

        It does not count as having heard from the platform: whoever carries it must not end an outage's grace, on which
        the own way in may depend. Raises TokenRejected.
        """
        stored, _ = self._read("lockack", token, Acknowledgement)
        self.session.on_stored(stored.seq, stored.head)

    def take_config(self, token: str) -> None:
        """Apply a newer configuration with its trust list. Raises TokenRejected."""
        config = self.verified("lockcfg", token, LockConfig)
        if self.config is None or config.ver > self.config.ver:
            self._apply_config(config)
            self.save()

    def _apply_config(self, config: LockConfig) -> None:
        self.config, self._config_claims = config, claims_of(config)
        listed = {jwk["kid"]: public_key_from_jwk(jwk) for jwk in config.trust}
        self.trust = {**self._factory_trust, **listed}
        self.pad = config.pad or self._factory_pad

    def move_bolt(
        self, action: str, *, key: str | None, command: str | None, via: str, reason: str | None = None
    ) -> tuple[bool, int]:
        """Turn the bolt and record it; answers whether it turned and the event's sequence."""
        turned = self.body.turn(action)
        kind = "lock.jammed" if not turned else "lock.unlocked" if action == "unlock" else "lock.locked"
        seq = self.record(kind, key=key, command=command, via=via, reason=reason)
        if turned:
            (self.doorway.on_unlocked if action == "unlock" else self.doorway.on_locked)()
        self.drain_to(self.body.charge - TURN_PERCENT)
        return turned, seq

    def drain_to(self, percent: float) -> None:
        """The battery's charge is now this; a limit passed downwards is an event."""
        passed = self.body.set_charge(percent)
        if passed is not None:
            self.record(passed)

    def record(
        self,
        kind: str,
        *,
        key: str | None = None,
        command: str | None = None,
        via: str | None = None,
        reason: str | None = None,
    ) -> int:
        """Write an event into the chain, in flash, and let it go up when there is a session; answers its sequence."""
        moment = self.clock.moment()
        event = EventText(
            1, moment.at, moment.quality, self.boot, kind, key=key, command=command, via=via, reason=reason
        )
        seq = self.log.write(event).seq
        if kind in URGENT or seq % CHECKPOINT_EVERY == 0:
            self.sign_head()
        self.session.uplink.pump()
        return seq

    def sign(self, kind: str, document: Any) -> str:
        """Sign a document with the lock's own key."""
        return tokens.sign(kind, claims_of(document), self.identity.private_key, self._kid)

    def sign_head(self) -> None:
        """Sign the chain's head, once per head: a checkpoint, sent with the events it covers."""
        self._signed_at = self.clock.ticks()
        seq = self.log.seq
        if not any(at == seq for at, _ in self.checkpoints):
            head = base64url(self.log.head)
            checkpoint = Checkpoint(self.identity.lock_id, self.clock.now(), seq, head, self.boot)
            self.checkpoints.append((seq, self.sign("lockchk", checkpoint)))
            self.save()

    def due_at(self) -> float:
        """The next moment, by the clock's counter, at which `tick` has something to do."""
        parts = (self.session, self.near, self.keypad, self.doorway)
        return min(self._signed_at + CHECKPOINT_SECONDS, *(part.due_at() for part in parts))

    def tick(self) -> None:
        """Do what time asks for."""
        now = self.clock.ticks()
        spent, self._drained_at = (now - self._drained_at) / DAY_SECONDS * DAY_PERCENT, now
        self.drain_to(self.body.charge - spent)
        self.doorway.tick(now)
        self.keypad.tick(now)
        self.near.tick(now)
        if now >= self._signed_at + CHECKPOINT_SECONDS:
            self.sign_head()
        self.session.tick(now)

    def save(self) -> None:
        """Write everything that must survive into flash."""
        self.clock.now()
        self._flash.save(
            {
                "keys": self.keys.to_state(),
                "orders": self.orders.to_state(),
                "keypad": self.keypad.to_state(),
                "config": self._config_claims,
                "heard_at": self.heard_at,
                "fresh": self.is_fresh,
                "clock": [self.clock.synced_at, self.clock.high_water],
                "acked": [self.log.acked_seq, base64url(self.log.acked_head)],
                "checkpoints": self.checkpoints,
            }
        )
        self.log.tidy()

    def _restore(self, state: dict[str, Any]) -> None:
        self.keys = HeldKeys.from_state(state["keys"])
        self.orders.restore(state["orders"])
        if "keypad" in state:  # not in a flash written by the firmware before
            self.keypad.restore(state["keypad"])
        if state["config"]:
            self._apply_config(document_from(LockConfig, state["config"]))
        self.heard_at = state["heard_at"]
        self.clock.restore(*state["clock"])
        self.log.restore(state["acked"][0], from_base64url(state["acked"][1]))
        self.checkpoints[:] = [(seq, token) for seq, token in state["checkpoints"]]

    def describe(self) -> dict[str, Any]:
        """What the simulator's control shows of it: no secret."""
        moment = self.clock.moment()
        return {
            "lock_id": self.identity.lock_id,
            "serial": self.identity.serial,
            "boot": self.boot,
            "at": moment.at,
            "clock": moment.quality,
            "bolt": self.body.shown_bolt(),
            "door": self.body.door,
            "battery_percent": self.body.battery_percent,
            "epoch": self.keys.epoch,
            "list_version": self.keys.list_version,
            "list_hash": self.keys.list_hash,
            "revocation_version": self.keys.revocation_version,
            "keys": len(self.keys.entries),
            "keypad": self.keypad.state,
            "events": self.log.seq,
            "acked": self.log.acked_seq,
            "rejected": dict(self.rejected),
        }
