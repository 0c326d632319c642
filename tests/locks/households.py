"""A unit with one lock, the people who live there and their phones, all in memory and on one clock.

The platform is the real one (services on a database), the lock is the real firmware, phones speak the near link with
it; only radio and time are the test's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from typing import Any

from flask import Flask

from backend.bootstrap import world_of
from backend.db import reading
from backend.domain.refusals import Refused
from backend.seeding import sample_number
from backend.services import commands, keys
from backend.services.invitations import accept_invitation, invite_tenant
from backend.services.key_codes import fetch_codes
from backend.services.leases import record_lease
from backend.services.own_leases import registration_of
from backend.services.persons import enter_identity
from backend.services.registrations import check_out, declare
from backend.wire import codec, near_messages
from backend.wire.jwk import base64url
from device_sim.lock import Lock
from device_sim.phone import Carried, Phone
from tests.mqtt.villages import Village
from tests.services import stories

NAME = "周来福"
_NUMBERS = count(1)  # of residents and of taps: no two alike in one database


@dataclass(frozen=True)
class Person:
    """Somebody who has no key yet."""

    account: str
    phone_number: str
    id_number: str
    phone: Phone


@dataclass
class Resident:
    """Somebody with a key: `phone` holds it, `stored` is what the app keeps for opening without a server."""

    account: str
    lease_id: str
    registration_id: str
    key_id: str
    phone: Phone
    stored: keys.Credential | None = None
    codes: dict[date, str] = field(default_factory=dict)


class Household:
    """One let unit. `online` tells whether its lock has a network, `platform_up` whether there is a server at all."""

    def __init__(
        self,
        app: Flask,
        clock: Any,
        *,
        ppm: float = 0.0,
        story: stories.Story | None = None,
        village: Village | None = None,
    ) -> None:
        self.world = world_of(app)
        self.clock = clock
        self.story = story or stories.make_let_unit(self.world)
        self.village = village or Village(app, [self.story.identity], clock)
        self.lock: Lock = self.village.locks[self.story.identity.lock_id]
        self.lock.clock._ppm = ppm
        self.online = False
        self.platform_up = True

    # -- network and time ---------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """The lock gets its network (and the platform, when it is up, hears it)."""
        if not self.online:
            self.online = True
            if self.platform_up:
                self.village.connect(self.lock.identity.lock_id)
        self.settle()

    def disconnect(self) -> None:
        """The lock loses its network."""
        if self.online and self.platform_up:
            self.village.disconnect(self.lock.identity.lock_id)
        self.online = False
        self.settle()

    def begin_outage(self) -> None:
        """The platform is gone for everybody."""
        if self.online and self.platform_up:
            self.village.disconnect(self.lock.identity.lock_id)
            self.settle()
        self.platform_up = False

    def end_outage(self) -> None:
        """The platform is back."""
        self.platform_up = True
        if self.online:
            self.village.connect(self.lock.identity.lock_id)
        self.settle()

    def settle(self) -> None:
        """Let everything that can travel, travel."""
        if self.platform_up:
            self.village.settle()

    def wait(self, step: timedelta) -> None:
        """Let time pass; the lock does what time asks of it."""
        self.clock.move(step)
        self.lock.tick()
        self.settle()

    # -- people -------------------------------------------------------------------------------------------------------

    def move_in(self, **changes: Any) -> Resident:
        """A tenant gets a lease, accepts, declares, is identified; the key is active and stored on the phone."""
        person = self.identify(verified=False)
        lease_id = self.record_lease_for(person, **changes)
        link = invite_tenant(self.world, account_id=self.story.landlord, lease_id=lease_id).link
        accepted = accept_invitation(
            self.world, account_id=person.account, token=link.rsplit("/", 1)[1], phone_jwk=person.phone.jwk
        )
        self.declare_for(person, lease_id)
        stories.verify_at_window(self.world, person.account)
        resident = self.resident_of(person, lease_id, accepted.key_id)
        self.settle()
        self.refresh(resident)
        return resident

    def identify(self, *, verified: bool = True) -> Person:
        """Somebody with an account, a phone and an identity; `verified` at the window, else only entered."""
        number = next(_NUMBERS)
        id_number = sample_number("341822", date(1960, 1, 1) + timedelta(days=number % 15_000))
        phone_number = f"+86199{20_000_000 + number}"
        person = Person(stories.make_account(self.world, phone_number), phone_number, id_number, Phone())
        stories.read_notice(self.world, person.account)
        enter_identity(self.world, account_id=person.account, id_type="111", id_number=id_number, name=NAME)
        if verified:
            stories.verify_at_window(self.world, person.account)
        return person

    def record_lease_for(self, person: Person, **changes: Any) -> str:
        """The landlord records a lease of the unit for this person; answers its id."""
        values: dict[str, Any] = {
            "kind": "room",
            "starts_on": self.world.clock.today(),
            "ends_on": self.world.clock.today() + timedelta(days=60),
            "alias": "房客",
            "tenant_name": NAME,
            "tenant_id_type": "111",
            "tenant_id_number": person.id_number,
            "tenant_phone": person.phone_number,
            **changes,
        }
        made = record_lease(self.world, account_id=self.story.landlord, unit_id=self.story.unit_id, **values)
        return made.lease_id

    def declare_for(self, person: Person, lease_id: str) -> None:
        """The person declares the residence that belongs to a lease."""
        declare(self.world, account_id=person.account, registration_id=self._registration(lease_id),
                move_in_on=self.world.clock.today(), hukou_division="341822")  # fmt: skip

    def resident_of(self, person: Person, lease_id: str, key_id: str) -> Resident:
        """The person as somebody with a key."""
        return Resident(person.account, lease_id, self._registration(lease_id), key_id, person.phone)

    @staticmethod
    def _registration(lease_id: str) -> str:
        with reading() as session:
            return registration_of(session, lease_id).id

    def move_out(self, resident: Resident) -> None:
        """The tenant checks out."""
        check_out(self.world, account_id=resident.account, registration_id=resident.registration_id,
                  moved_out_on=self.world.clock.today(), reason="lease_end")  # fmt: skip
        self.settle()

    def refresh(self, resident: Resident) -> bool:
        """The app is opened with network: it fetches what it needs offline; False when the platform gives nothing."""
        if not self.platform_up:
            return False
        try:
            resident.stored = keys.fetch_credential(self.world, account_id=resident.account, key_id=resident.key_id)
            codes = fetch_codes(self.world, account_id=resident.account, key_id=resident.key_id)
        except Refused:
            return False
        resident.codes = {one.day: one.code for one in codes.days}
        return True

    # -- doors --------------------------------------------------------------------------------------------------------

    def open_near(
        self,
        resident: Resident,
        *,
        stored: keys.Credential | None = None,
        phone: Phone | None = None,
        revocations: str | None = None,
        activation: bool = True,
    ) -> str:
        """Stand before the door without any server; answers what the lock says, `nothing_stored` without a credential.

        `revocations` is a list carried instead of the one that was stored with the credential.
        """
        stored, phone = stored or resident.stored, phone or resident.phone
        if stored is None:
            return "nothing_stored"
        door = stored.doors[0]
        conversation = self.lock.near.greet()
        m1 = codec.encode(near_messages.Hello(base64url(bytes(16))))
        m2 = conversation.hello(m1)
        carried = Carried(
            activation=stored.activation if activation else None, revocation=revocations or door.revocations
        )
        m3 = codec.encode(phone.request(m1, m2, door.credential, carried, "unlock"))
        result = near_messages.decode_answer(conversation.request(m3)).result
        self._close_again()
        return result

    def open_online(self, resident: Resident) -> str:
        """Tap "open" with network; answers the command's state, or the code of the refusal."""
        if not self.platform_up:
            return "no_platform"
        try:
            asked = commands.request_unlock(
                self.world, account_id=resident.account, key_id=resident.key_id, idempotency_key=f"tap-{next(_NUMBERS)}"
            )
        except Refused as refused:
            return refused.refusal.code
        self.settle()
        state = commands.get_command(self.world, account_id=resident.account, command_id=asked.id).state
        self._close_again()
        return state

    def type_code(self, code: str) -> str:
        """Type a code at the door; answers what the keypad shows."""
        result = self.lock.keypad.type_code(code)
        self._close_again()
        return result

    def _close_again(self) -> None:
        self.lock.body.bolt = "locked"
        self.settle()
