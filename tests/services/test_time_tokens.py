"""The phone as the courier of time: who may fetch it, for which lock, and what it is good for."""

from __future__ import annotations

from typing import Any

import pytest

from backend.domain.refusals import Refused
from backend.services.keys import suspend_key
from backend.services.time_tokens import fetch_time
from backend.wire import tokens
from backend.wire.jwk import base64url
from tests.services import stories

pytestmark = pytest.mark.usefixtures("core")

NONCE = base64url(bytes(16))


def test_a_holder_carries_the_time_for_the_nonce_of_the_own_lock(world: Any) -> None:
    story = stories.make_active(world)
    lock_id = story.identity.lock_id
    token = fetch_time(world, account_id=story.tenant, key_id=story.key_id, lock_id=lock_id, nonce=NONCE).time
    now = int(world.clock.now().timestamp())
    claims = tokens.verify("locktime", token, world.tokens.public_keys(), audience=lock_id, now=now)
    assert (claims["iat"], claims["nonce"]) == (now, NONCE)
    assert claims["exp"] - now == 30


def test_nobody_fetches_the_time_with_anothers_key_for_another_lock_or_a_sleeping_key(world: Any) -> None:
    story = stories.make_active(world)
    mine: dict[str, Any] = {"account_id": story.tenant, "key_id": story.key_id, "lock_id": story.identity.lock_id}
    for wrong in ({"account_id": story.landlord}, {"lock_id": story.unit_id}, {"key_id": story.unit_id}):
        with pytest.raises(Refused, match=r"^not_found$"):
            fetch_time(world, nonce=NONCE, **{**mine, **wrong})
    with pytest.raises(Refused, match=r"^input.malformed$"):
        fetch_time(world, nonce="now please, and forever", **mine)
    suspend_key(world, account_id=story.tenant, key_id=story.key_id)
    with pytest.raises(Refused, match=r"^key.not_active$"):
        fetch_time(world, nonce=NONCE, **mine)
