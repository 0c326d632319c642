"""What leaves for locks: turns claimed outbox rows into signed messages, and documents nobody queues into them too.

Nothing here sends; the bridge does, after the commit that made the row and before `commands.record_sent`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.exc import DBAPIError

from backend.db import can_act_at_once, reading
from backend.domain.commands import FINAL
from backend.gateways.world import World
from backend.models.commands import Command
from backend.models.keys import Key
from backend.services import key_lists, outbox, quick_commands
from backend.services.outbox import OutboxItem
from backend.services.quick_commands import CommandToSign
from backend.wire import topics
from backend.wire.jwk import jwk_of
from backend.wire.lock_documents import PLATFORM, LockConfig, LockTime, Order, claims_of
from backend.wire.topics import Channel

LEASE = timedelta(seconds=5)  # below a command's life, so that a second sender can still take over
TIME_LIFE = 30
AUTO_LOCK_SECONDS = 5
AJAR_SECONDS = 120


@dataclass(frozen=True)
class Outgoing:
    """One signed message for a lock."""

    lock_id: str
    channel: Channel
    token: str


class UnknownKind(Exception):
    """An outbox row this program cannot send; it is set aside for a person."""


class Unmade(Exception):
    """The message of a row could not be made; its text is the kind of the failure."""


def claim(
    world: World, *, limit: int, shards: Collection[int] = range(topics.SHARDS), sent: Collection[int] = ()
) -> list[OutboxItem]:
    """Claim what is to be sent to the locks of these shards, at most one row per lock; `sent` as in `outbox.claim`."""
    some = shards if len(shards) < topics.SHARDS else None  # who owns all need not ask for each
    if not can_act_at_once():
        return outbox.claim(world, "lock", limit=limit, lease=LEASE, shards=some, sent=sent)
    now = world.clock.now()
    rows = quick_commands.claim(now, now + LEASE, limit=limit, shards=some, sent=sent)
    return [OutboxItem(*row) for row in rows]


def prepare(world: World, item: OutboxItem) -> Outgoing | None:
    """Sign the message of a claimed row; None when there is nothing to send any more.

    Raises UnknownKind, and Unmade for what concerns this row alone.
    """
    try:
        return _prepare(world, item)
    except (DBAPIError, UnknownKind):
        raise
    except Exception as error:  # its text may carry values
        raise Unmade(type(error).__name__) from error


def _prepare(world: World, item: OutboxItem) -> Outgoing | None:
    if item.kind == "command":
        token, channel = _sign_command(world, item), topics.COMMAND
    elif item.kind == "key_list":
        version = item.payload["version"]
        token, channel = key_lists.sign_key_list(world, lock_id=item.aggregate_id, version=version), topics.KEY_LIST
    else:
        raise UnknownKind(item.kind)
    return None if token is None else Outgoing(item.aggregate_id, channel, token)


def _sign_command(world: World, item: OutboxItem) -> str | None:
    """Sign a claimed command as `lockcmd+jwt`; None when it must not be sent any more.

    A second claim signs again with the same id, counter and expiry: the lock answers a duplicate with the same result.
    """
    command, epoch, state = _find_to_sign(item.payload["command_id"])
    now = world.clock.now()
    if command.state in FINAL or now >= command.expires_at or command.boot_id is None:
        return None
    if command.key_id is not None and state != "active":  # ended since it was asked for: a lost phone, for one
        return None
    order = Order(
        iss=PLATFORM,
        aud=command.lock_id,
        iat=int(command.created_at.timestamp()),
        exp=int(command.expires_at.timestamp()),
        jti=command.id,
        act=command.action,
        boot=command.boot_id,
        ctr=command.counter,
        key=command.key_id,
        occ=epoch,
    )
    return world.tokens.sign("lockcmd", claims_of(order))


def _find_to_sign(command_id: str) -> tuple[Command | CommandToSign, int | None, str | None]:
    if can_act_at_once():
        return quick_commands.find_to_sign(command_id)
    with reading() as session:
        command, epoch, state = session.execute(_TO_SIGN, {"command_id": command_id}).one()
        return command, epoch, state


def sign_time(world: World, lock_id: str, nonce: str) -> Outgoing:
    """Sign the present time for the lock that asked with `nonce`."""
    now = int(world.clock.now().timestamp())
    document = LockTime(iss=PLATFORM, aud=lock_id, iat=now, exp=now + TIME_LIFE, nonce=nonce)
    return Outgoing(lock_id, topics.TIME, world.tokens.sign("locktime", claims_of(document)))


def sign_config(world: World, lock_id: str, held_version: int) -> Outgoing | None:
    """Sign the configuration for a lock that holds another version; None when it holds the present one.

    The version is the number of platform keys ever trusted, that of the keypads' among them: keys are added before they
    sign, and a lock learns them from the one it trusts already.
    """
    keys = world.tokens.public_keys()
    version = len(keys) + 1
    if held_version >= version:
        return None
    document = LockConfig(
        iss=PLATFORM,
        aud=lock_id,
        iat=int(world.clock.now().timestamp()),
        ver=version,
        auto_lock_s=AUTO_LOCK_SECONDS,
        ajar_s=AJAR_SECONDS,
        trust=tuple({**jwk_of(key), "kid": kid} for kid, key in keys.items()),
        pad=world.key_ring.keypad_public_jwk(),
    )
    return Outgoing(lock_id, topics.CONFIG, world.tokens.sign("lockcfg", claims_of(document)))


_TO_SIGN = (
    select(Command, Key.epoch, Key.state)
    .outerjoin(Key, Key.id == Command.key_id)
    .where(Command.id == bindparam("command_id"))
)
