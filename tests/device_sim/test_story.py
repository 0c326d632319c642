"""The same seed tells the same story: everything the locks say, byte for byte, but for their signatures.

An ECDSA signature is random by nature. What the phones bring is signed once, since receipts hash it; what the locks
sign is compared by its claims.
"""

from __future__ import annotations

import re
from random import Random

from backend.wire import codec, near_messages, topics
from backend.wire.jwk import base64url
from backend.wire.lock_documents import Window
from backend.wire.lock_messages import Signed
from device_sim import attacks, touches
from device_sim.clock import LockClock
from device_sim.faults import LinkFaults
from device_sim.flash import MemoryFlash
from device_sim.lock import Lock
from device_sim.phone import NOTHING, Carried, Phone
from tests.device_sim.makers import DAY, IDENTITY, KEY, OTHER_KEY, START, Host, Platform

PLATFORM = Platform()
RESIDENT, STRANGER, LANDLORD = Phone(), Phone(), Phone()
CREDENTIAL = PLATFORM.credential(RESIDENT, exp=START + 30 * DAY, grc=30 * DAY, pad=("day", "once"))
DELEGATE = PLATFORM.delegate(LANDLORD, exp=START + 30 * DAY)
GIVEN = LANDLORD.issue(DELEGATE, IDENTITY.lock_id, 1, STRANGER.jwk, "key-9", START, START + 20 * DAY)
KNOWN = PLATFORM.activation(STRANGER, exp=START + 30 * DAY)
NOT_AT_NIGHT = (Window("1234567", 60, 1_380),)
STEPS = 600
TOKEN = re.compile(rb"[A-Za-z0-9_-]{10,}\.([A-Za-z0-9_-]{10,})\.[A-Za-z0-9_-]{10,}")


def unsigned(raw: bytes) -> bytes:
    """A message with every token in it reduced to its claims, and proofs left out: they hash the lock's signature."""
    return TOKEN.sub(rb"\1", raw)


class Telling:
    """One lock, one bad network and one virtual clock, all drawn from the seed; `said` is everything that came out."""

    def __init__(self, seed: int) -> None:
        self.said: list[bytes] = []
        self.host = Host()
        self.chance = Random(seed)
        self.up = LinkFaults(Random(seed + 1), drop=0.1, duplicate=0.1, reorder=0.1, delay=0.2, delay_seconds=7.0)
        self.down = LinkFaults(Random(seed + 2), drop=0.1, duplicate=0.1, reorder=0.1, delay=0.2, delay_seconds=3.0)
        clock = LockClock(self.host, skew=self.chance.uniform(-3, 3), ppm=self.chance.uniform(-60, 60))
        entropy = Random(seed + 3).randbytes
        self.lock = Lock(IDENTITY, MemoryFlash(), clock, PLATFORM.trust, pad=PLATFORM.pad, entropy=entropy)
        self.commands = 0

    def hear(self) -> None:
        for channel, payload in self.up.pass_on(self.lock.session.take_outgoing(), self.host.at):
            self.said.append(channel.path.encode() + b" " + unsigned(payload))

    def pass_time(self, seconds: float) -> None:
        self.host.at += seconds
        for channel, payload in self.down.pass_on([], self.host.at):
            self.lock.session.on_message(channel, payload)
        self.lock.tick()
        self.hear()

    def connect(self) -> None:
        self.lock.session.begin()
        self.lock.session.on_connected()
        self.acknowledge(self.lock.session.id)

    def acknowledge(self, session: str | None = None) -> None:
        log = self.lock.log
        seq = self.chance.randint(log.acked_seq, log.seq)
        raw = f'{{"v":1,"seq":{seq},"head":"{base64url(log.hash_at(seq))}"'
        raw += f',"session":"{session}"}}' if session else "}"
        self.lock.session.on_message(topics.ACKNOWLEDGE, raw.encode())
        self.hear()

    def send(self, channel: topics.Channel, token: str) -> None:
        message = codec.encode(Signed(token))
        for each, payload in self.down.pass_on([(channel, message)], self.host.at):
            self.lock.session.on_message(each, payload)
        self.hear()

    def order(self, act: str = "unlock") -> None:
        self.commands += 1
        order = PLATFORM.order(self.lock, f"command-{self.commands}", self.commands, act=act)
        self.send(topics.COMMAND, order)

    def visit(self, phone: Phone, credential: str, carried: Carried = NOTHING) -> None:
        conversation = self.lock.near.greet()
        m1 = codec.encode(near_messages.Hello(base64url(self.chance.randbytes(16))))
        m2 = conversation.hello(m1)
        m4 = conversation.request(codec.encode(phone.request(m1, m2, credential, carried, "unlock")))
        self.said += [unsigned(m2), unsigned(m4)]
        self.hear()

    def type(self, code: str) -> None:
        self.said.append(self.lock.keypad.type_code(code).encode())
        self.hear()


def tell(seed: int) -> list[bytes]:
    """A fortnight in the life of a lock: deliveries, visits, faults of the network, hands, attacks, wrong clocks."""
    story = Telling(seed)
    lock, chance = story.lock, story.chance
    story.connect()
    story.send(topics.CONFIG, PLATFORM.config(1, auto_lock_s=7, ajar_s=60, pad=PLATFORM.pad))
    steps = [
        lambda: story.order(),
        lambda: story.order("replay"),
        lambda: story.visit(RESIDENT, CREDENTIAL),
        lambda: story.visit(STRANGER, CREDENTIAL),
        lambda: story.visit(STRANGER, GIVEN, Carried(delegate=DELEGATE, activation=KNOWN)),
        lambda: story.type(PLATFORM.day_code(int(story.host.at))),
        lambda: story.type(PLATFORM.once_code(chance.randint(1, 12), int(story.host.at))),
        lambda: story.type(f"{chance.randint(0, 99_999_999):08d}"),
        lambda: story.send(
            topics.KEY_LIST,
            PLATFORM.key_list(chance.randint(1, 9), KEY, OTHER_KEY, pad=("day",), sched=NOT_AT_NIGHT),
        ),
        lambda: story.visit(
            RESIDENT, CREDENTIAL, Carried(revocation=PLATFORM.revocation(chance.randint(1, 9), OTHER_KEY))
        ),
        lambda: touches.move_door(lock, chance.choice(("open", "closed", "ajar"))),
        lambda: touches.open_from_inside(lock),
        lambda: touches.lift_cover(lock),
        lambda: touches.set_battery(lock, chance.randint(5, 100)),
        lambda: touches.set_privacy(lock, chance.random() < 0.2),
        lambda: lock.clock.jump(chance.randint(-40, 40)),
        lambda: lock.clock.drift(chance.uniform(-100, 100)),
        lambda: touches.lose_power(lock),
        lambda: lock.reboot(),
        lambda: lock.session.on_disconnected(),
        lambda: story.connect(),
        lambda: story.acknowledge(),
        lambda: attacks.storm(lock, lock.near.overheard, 6) if lock.near.overheard else None,
        lambda: story.said.append(unsigned(attacks.fork(lock))),
        lambda: setattr(story.up, "silent", chance.random() < 0.1),
    ]
    for _ in range(STEPS):
        chance.choice(steps)()
        story.hear()
        story.pass_time(chance.choice((0.25, 1, 5, 61, 3_600)))
    story.said += [stored.text.encode() for stored in lock.log.kept()]
    story.said.append(codec.dump(lock.describe()).encode())
    return story.said


def test_the_same_seed_tells_the_same_story_and_another_seed_another() -> None:
    first, again, other = tell(7), tell(7), tell(8)
    assert len(first) > 600
    assert first == again
    assert first != other
    kinds = {word for line in first for word in re.findall(rb'"kind\\?":\\?"([a-z._]+)', line)}
    assert {b"lock.unlocked", b"lockout.started", b"lock.unlock_timeout", b"door.ajar", b"clock.lost"} <= kinds
