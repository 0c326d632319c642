"""Locks enter through their manifest before anyone can claim them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from backend.db import reading, transaction
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.locks import Lock
from backend.services.audit import Actor, write_leaf
from backend.services.key_lists import enqueue_key_list
from backend.wire.jwk import public_key_from_jwk
from backend.wire.topics import shard_of


@dataclass(frozen=True)
class BrokerAccount:
    """A lock's account at the broker; the password itself is only in the lock."""

    lock_id: str
    password_hash: str


def import_locks(world: World, rows: Iterable[Mapping[str, Any]]) -> int:
    """Import manifest rows (lock_id, serial, model, public_key, claim_code_hash, mqtt_password_hash, and
    agreement_key where the lock has a keypad); answers how many are new. A known lock is left as it is.

    Raises Refused input.malformed naming the first row that is not a lock.
    """
    added = 0
    with transaction() as session:
        for number, row in enumerate(rows):
            lock = _lock_from(number, row)
            if session.get(Lock, lock.id) is None:
                session.add(lock)
                session.flush()
                enqueue_key_list(world, session, lock.id)
                write_leaf(world, session, Actor("operator"), "lock_imported", object_kind="lock", object_id=lock.id)
                added += 1
    return added


def list_broker_accounts() -> tuple[BrokerAccount, ...]:
    """The broker's accounts of all locks in use."""
    with reading() as session:
        rows = session.execute(
            select(Lock.id, Lock.mqtt_password_hash).where(Lock.retired_at.is_(None)).order_by(Lock.id)
        )
        return tuple(BrokerAccount(lock_id, password_hash) for lock_id, password_hash in rows)


def _lock_from(number: int, row: Mapping[str, Any]) -> Lock:
    try:
        public_key_from_jwk(row["public_key"])
        keypad = row.get("agreement_key")
        if keypad is not None:
            public_key_from_jwk(keypad)
        return Lock(
            id=str(row["lock_id"]),
            serial=str(row["serial"]),
            model=str(row["model"]),
            shard=shard_of(str(row["lock_id"])),
            public_key=dict(row["public_key"]),
            agreement_key=None if keypad is None else dict(keypad),
            claim_code_hash=bytes.fromhex(row["claim_code_hash"]),
            mqtt_password_hash=str(row["mqtt_password_hash"]),
        )
    except (KeyError, ValueError, TypeError):
        raise Refused("input.malformed", f"locks/{number}") from None
