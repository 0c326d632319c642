"""A lock's session with the platform over MQTT: birth, reports, events, and what comes down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.wire import codec, topics
from backend.wire import lock_messages as messages
from backend.wire.jwk import base64url, from_base64url
from backend.wire.lock_documents import Order
from backend.wire.tokens import TokenRejected
from backend.wire.topics import Channel
from device_sim.uplink import EventUplink

if TYPE_CHECKING:
    from device_sim.lock import Lock

FIRMWARE = "sim-1.0"
TELEMETRY_SECONDS = 300
TIME_SECONDS = 6 * 3_600
MOST_TIME_UNDER_WAY = topics.TIME.max_age_seconds or 0
FIRST_ANNOUNCE_SECONDS = 10.0
LONGEST_ANNOUNCE_SECONDS = 60.0
NEVER = float("inf")

Outgoing = tuple[Channel, bytes]


class Session:
    """The talking side of one boot of a lock; `id` is None while there is no connection."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self.id: str | None = None
        self.uplink = EventUplink(
            lock.log,
            lock.checkpoints,
            lock.clock.ticks,
            lambda batch: self.send(topics.EVENTS, codec.encode(batch)),
        )
        self._number = 0
        self._outgoing: list[Outgoing] = []
        self._time_nonce: str | None = None
        self._time_asked_at = 0.0
        self._next_birth = self._next_telemetry = self._next_time = NEVER
        self._patience = FIRST_ANNOUNCE_SECONDS

    @property
    def is_heard(self) -> bool:
        """Whether the platform has answered this session, so that events go up by themselves."""
        return self.uplink.is_open

    def begin(self) -> str:
        """A connection is about to be made; answers the session id its will must carry."""
        self._number += 1
        return f"{self._lock.boot}-{self._number}"

    def on_connected(self) -> None:
        """The broker has accepted us: announce the birth, report, ask for the time."""
        self.id = f"{self._lock.boot}-{self._number}"
        self._outgoing.clear()
        self.uplink.begin()
        self._lock.sign_head()
        self._patience = FIRST_ANNOUNCE_SECONDS
        self._announce()
        self.report_keys()
        self.ask_time()
        self.send_telemetry()

    def _announce(self) -> None:
        """Tell the birth, and tell it again until the platform has answered."""
        lock, moment = self._lock, self._lock.clock.moment()
        self._next_birth = lock.clock.ticks() + self._patience
        self._patience = min(2 * self._patience, LONGEST_ANNOUNCE_SECONDS)
        birth = messages.Birth(
            state="online",
            session=self.id or "",
            boot=lock.boot,
            firmware=FIRMWARE,
            at=moment.at,
            clock=moment.quality,
            uncertainty_s=moment.uncertainty,
            epoch=lock.keys.epoch,
            list_version=lock.keys.list_version,
            revocation_version=lock.keys.revocation_version,
            config_version=lock.config.ver if lock.config else 0,
            last_seq=lock.log.seq,
            head=base64url(lock.log.head),
        )
        self.send(topics.PRESENCE, codec.encode(birth))

    def on_disconnected(self) -> None:
        """The connection is gone; what was not acknowledged stays in flash."""
        self.id = None
        self.uplink.end()
        self._outgoing.clear()
        self._next_birth = self._next_telemetry = self._next_time = NEVER

    def on_message(self, channel: Channel, raw: bytes) -> None:
        """A message from the platform; what is not acceptable is counted and changes nothing."""
        lock = self._lock
        try:
            message = messages.decode_message(channel, raw)
            if channel is topics.ACKNOWLEDGE:
                self._on_acknowledge(message)
            elif channel is topics.COMMAND:
                lock.orders.obey(lock.verified("lockcmd", message.token, Order))
            elif channel is topics.KEY_LIST:
                self.report_keys(lock.take_key_list(message.token))
            elif channel is topics.CONFIG:
                lock.take_config(message.token)
            elif channel is topics.TIME and self._time_nonce is not None:
                self._on_time(message.token, self._time_nonce)
        except (codec.MessageRejected, TokenRejected) as rejected:
            lock.rejected[rejected.reason] += 1

    def _on_acknowledge(self, message: messages.Acknowledge) -> None:
        lock, log = self._lock, self._lock.log
        answers = message.session is not None and message.session == self.id
        if not answers:
            self.on_stored(message.seq, message.head)
            return
        if not log.acknowledge(message.seq, message.head):
            if lock.is_fresh and message.seq > log.acked_seq:  # a place of before our flash was wiped
                log.rebase(message.seq, from_base64url(message.head))
                lock.checkpoints.clear()
                lock.sign_head()
            else:
                lock.rejected["foreign_head"] += 1
        lock.is_fresh = False
        self._next_birth = NEVER
        self.uplink.answered()
        lock.save()

    def on_stored(self, seq: int, head: str) -> None:
        """The platform has stored our events up to this one: a word between, over MQTT or carried by a phone."""
        lock, before = self._lock, self._lock.log.acked_seq
        if not lock.log.acknowledge(seq, head):
            lock.rejected["foreign_head"] += 1
        if lock.log.acked_seq != before:
            lock.is_fresh = False  # our own chain is known there
            self.uplink.acknowledged()
        lock.save()

    def _on_time(self, token: str, nonce: str) -> None:
        """The answer to our question; one that was long under way would set the clock back by as much."""
        if self._lock.clock.ticks() - self._time_asked_at >= MOST_TIME_UNDER_WAY:
            raise TokenRejected("expired")
        self._lock.take_time(token, nonce)
        self._time_nonce = None

    def serve(self, action: str) -> None:
        """Serve a command that moves nothing: identify, replay, sync, reboot."""
        if action == "replay":
            self._lock.sign_head()
            self.uplink.go_back()
        elif action == "sync":
            self.report_keys()
            self.ask_time()
            self.send_telemetry()
        elif action == "reboot":
            self._lock.restart_wanted = True

    def send(self, channel: Channel, payload: bytes) -> None:
        """Put a message into the way out; without a connection it goes nowhere."""
        if self.id is not None:
            self._outgoing.append((channel, payload))

    def take_outgoing(self) -> list[Outgoing]:
        """Take the messages that wait to be sent, in order."""
        waiting, self._outgoing = self._outgoing, []
        return waiting

    def ask_time(self) -> None:
        """Ask the platform to sign the time over a fresh nonce."""
        if self.id is not None:
            self._time_nonce = base64url(self._lock.entropy(16))
            self._time_asked_at = self._lock.clock.ticks()
            self._next_time = self._time_asked_at + TIME_SECONDS
            self.send(topics.TIME_REQUEST, codec.encode(messages.TimeRequest(self._time_nonce)))

    def report_keys(self, refused: str | None = None) -> None:
        """Report what the lock holds, and why the last list was not taken."""
        keys = self._lock.keys
        report = messages.ReportedKeys(
            keys.list_version, keys.epoch, keys.revocation_version, (), list_hash=keys.list_hash, refused=refused
        )
        self.send(topics.REPORTED_KEYS, codec.encode(report))

    def send_telemetry(self) -> None:
        """Tell the lock's health."""
        moment, body = self._lock.clock.moment(), self._lock.body
        self._next_telemetry = self._lock.clock.ticks() + TELEMETRY_SECONDS if self.id else NEVER
        told = messages.Telemetry(
            at=moment.at,
            clock=moment.quality,
            uncertainty_s=moment.uncertainty,
            battery_percent=body.battery_percent,
            signal_dbm=body.signal_dbm,
            temperature_c=body.temperature_c,
            bolt=body.shown_bolt(),
        )
        self.send(topics.TELEMETRY, codec.encode(told))

    def due_at(self) -> float:
        """When `tick` has something to do, by the clock's counter."""
        resend = self.uplink.due_at()
        due = min(self._next_birth, self._next_telemetry, self._next_time)
        return due if resend is None else min(due, resend)

    def tick(self, now: float) -> None:
        """Birth and events again while nobody answers, telemetry every five minutes, time every six hours."""
        if now >= self._next_birth:
            self._announce()
        if now >= self._next_telemetry:
            self.send_telemetry()
        if now >= self._next_time:
            self.ask_time()
        self.uplink.tick()
