"""A tenant whose key is bound to a phone the test holds, and the simulated lock at that door, in the world's time."""

from __future__ import annotations

from typing import Any

from backend.gateways.world import World
from backend.services.invitations import accept_invitation
from backend.services.persons import enter_identity
from backend.services.registrations import declare
from device_sim.clock import LockClock
from device_sim.flash import MemoryFlash
from device_sim.lock import Lock
from tests.services import stories
from tests.services.stories import TENANT_NUMBER, TENANT_PHONE, Story


def make_holder(world: World, phone_jwk: dict[str, str]) -> Story:
    """A tenant with an active key on the phone of this public key."""
    story = stories.make_invited(world)
    story.tenant, story.phone_jwk = stories.make_account(world, TENANT_PHONE), phone_jwk
    accept_invitation(world, account_id=story.tenant, token=story.link_token, phone_jwk=phone_jwk)
    make_active(world, story)
    return story


def make_active(world: World, story: Story) -> None:
    """From the accepted invitation to the active key."""
    stories.read_notice(world, story.tenant)
    enter_identity(world, account_id=story.tenant, id_type="111", id_number=TENANT_NUMBER, name="周来福")
    declare(world, account_id=story.tenant, registration_id=story.registration_id, move_in_on=world.clock.today(),
            hukou_division="341822")  # fmt: skip
    stories.verify_at_window(world, story.tenant)


def lock_of(world: World, story: Story) -> Lock:
    """The lock at the door, just out of the factory: it has never been online."""

    def host() -> float:
        return world.clock.now().timestamp()

    trust: Any = world.tokens.public_keys()
    return Lock(story.identity, MemoryFlash(), LockClock(host), trust, pad=world.key_ring.keypad_public_jwk())
