"""Locks enter through their manifest before anyone can claim them.

A manifest is checked whole before anything of it is imported: a row that is no lock is named with its field and what
is wrong, and then nothing is imported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.refusals import Refusal, Refused
from backend.gateways.world import World
from backend.models.locks import Lock
from backend.services.audit import Actor, write_leaf
from backend.services.key_lists import enqueue_key_list
from backend.wire.jwk import public_key_from_jwk
from backend.wire.topics import LOCK_ID, shard_of

MOST_FAULTS = 50  # told at once; a manifest with more is of another kind altogether
SECRETS = ("claim_code", "mqtt_password", "private_key", "private_key_pem", "agreement_key_pem")
_CHUNK = 300


@dataclass(frozen=True)
class BrokerAccount:
    """A lock's account at the broker; the password itself is only in the lock."""

    lock_id: str
    password_hash: str


def rows_of(manifest: object) -> list[Any]:
    """The rows of a manifest as read from JSON. Raises Refused manifest.unreadable when it is not one."""
    rows = manifest.get("locks") if isinstance(manifest, Mapping) else None
    if not isinstance(rows, list) or not rows:
        raise Refused("manifest.unreadable", "locks")
    return rows


def import_locks(world: World, rows: Iterable[Mapping[str, Any]]) -> int:
    """Import manifest rows (lock_id, serial, model, public_key, claim_code_hash, mqtt_password_hash, agreement_key when
    it has a keypad); answers how many are new. A known lock is left as it is; one without agreement key gets its own.

    Raises Refused with every fault found, each naming row and field; then nothing is imported.
    """
    listed = list(rows)
    with transaction() as session:
        known = _check(session, listed)
        fresh = [row for row in listed if row["lock_id"] not in known]
        for row in listed:
            lock = known.get(row["lock_id"])
            if lock is not None and lock.agreement_key is None and row.get("agreement_key") is not None:
                lock.agreement_key = dict(row["agreement_key"])
                _note(world, session, "lock_completed", lock.id)
        for row in fresh:
            lock = _lock_from(row)
            session.add(lock)
            session.flush()
            enqueue_key_list(world, session, lock.id)
            _note(world, session, "lock_imported", lock.id)
        return len(fresh)


def check_locks(rows: Iterable[Mapping[str, Any]]) -> int:
    """How many locks of these rows would be new, importing nothing. Raises Refused as `import_locks` does."""
    listed = list(rows)
    with reading() as session:
        return len(listed) - len(_check(session, listed))


def list_broker_accounts() -> tuple[BrokerAccount, ...]:
    """The broker's accounts of all locks in use."""
    with reading() as session:
        rows = session.execute(
            select(Lock.id, Lock.mqtt_password_hash).where(Lock.retired_at.is_(None)).order_by(Lock.id)
        )
        return tuple(BrokerAccount(lock_id, password_hash) for lock_id, password_hash in rows)


def _note(world: World, session: Session, action: str, lock_id: str) -> None:
    write_leaf(world, session, Actor("operator"), action, object_kind="lock", object_id=lock_id)


# -- what is wrong with a manifest ------------------------------------------------------------------------------------


def _check(session: Session, rows: Sequence[Any]) -> dict[str, Lock]:
    """The locks of these rows that are known already, by id. Raises Refused with all faults."""
    faults = [fault for number, row in enumerate(rows) for fault in _faults_of(number, row)]
    faults = faults or list(_doubles(rows))
    if not faults:
        known = _known(session, rows)
        faults = list(_contradictions(rows, known))
    if faults:
        raise Refused.of(faults[:MOST_FAULTS])
    ids = {row["lock_id"] for row in rows}
    return {lock.id: lock for lock in known if lock.id in ids}


def _is_key(value: object) -> bool:
    try:
        public_key_from_jwk(value)
    except ValueError:
        return False
    return True


def _matches(pattern: str) -> Callable[[object], bool]:
    shape = re.compile(pattern)
    return lambda value: isinstance(value, str) and shape.fullmatch(value) is not None


_P256 = ("P-256 公钥（JWK）", "a public P-256 key (JWK)")
# member: how it is recognised, and what it must be (zh, en)
_MEMBERS: dict[str, tuple[Callable[[object], bool], tuple[str, str]]] = {
    "lock_id": (
        _matches(LOCK_ID),
        ("1–64 位字母、数字、下划线或连字符", "1 to 64 letters, digits, underscores or hyphens"),
    ),
    "serial": (_matches(r"[\x21-\x7e]{1,40}"), ("1–40 位可打印字符，无空格", "1 to 40 characters without spaces")),
    "model": (_matches(r"[^\x00-\x1f]{1,120}"), ("1–120 个字", "1 to 120 characters")),
    "public_key": (_is_key, _P256),
    "claim_code_hash": (
        _matches(r"[0-9a-f]{64}"),
        ("领取码的 SHA-256，64 位小写十六进制", "the SHA-256 of the claim code, 64 lower-case hexadecimal digits"),
    ),
    "mqtt_password_hash": (
        _matches(r"\$7\$[0-9]+\$[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+"),
        ("Mosquitto 的 $7$ 密码散列", "a password hash in Mosquitto's $7$ form"),
    ),
}


def _faults_of(number: int, row: object) -> Iterator[Refusal]:
    """What is wrong with one row by itself."""
    if not isinstance(row, Mapping):
        yield _fault(number, {}, None, ("一个对象，每把锁一个", "an object, one for each lock"))
        return
    for member, (is_right, expected) in _MEMBERS.items():
        if not is_right(row.get(member)):
            yield _fault(number, row, member, expected)
    if row.get("agreement_key") is not None and not _is_key(row["agreement_key"]):
        yield _fault(number, row, "agreement_key", _P256)
    lock_id = row.get("lock_id")
    if "shard" in row and isinstance(lock_id, str) and _MEMBERS["lock_id"][0](lock_id):
        shard = shard_of(lock_id)
        if row["shard"] != shard:
            yield _fault(number, row, "shard", (f"{shard}（由 lock_id 得出）", f"{shard}, as lock_id gives it"))
    for member in SECRETS:
        if member in row:
            yield Refusal("manifest.secret", f"locks/{number}/{member}", _row(number, row))


def _fault(number: int, row: Mapping[str, Any], member: str | None, expected: tuple[str, str]) -> Refusal:
    place = f"locks/{number}" + (f"/{member}" if member else "")
    return Refusal("manifest.field", place, {**_row(number, row), "expected": expected})


def _row(number: int, row: Mapping[str, Any]) -> dict[str, Any]:
    """How the row is called in words: counted from 1, with its serial when that can be read."""
    serial = row.get("serial")
    shown = serial if isinstance(serial, str) and _MEMBERS["serial"][0](serial) else "?"
    return {"row": number + 1, "serial": shown}


def _doubles(rows: Sequence[Mapping[str, Any]]) -> Iterator[Refusal]:
    """Rows that say of two locks what only one can be."""
    for member in ("lock_id", "serial", "claim_code_hash", "public_key"):
        seen: dict[str, int] = {}
        for number, row in enumerate(rows):
            first = seen.setdefault(_plain(row[member]), number)
            if first != number:
                yield Refusal("manifest.twice", f"locks/{number}/{member}", {**_row(number, row), "other": first + 1})


def _contradictions(rows: Sequence[Mapping[str, Any]], known: Sequence[Lock]) -> Iterator[Refusal]:
    """Rows that say otherwise than what is known of their lock, or claim what belongs to another."""
    by_id = {lock.id: lock for lock in known}
    serials = {lock.serial: lock.id for lock in known}
    codes = {lock.claim_code_hash: lock.id for lock in known}
    for number, row in enumerate(rows):
        lock, code = by_id.get(row["lock_id"]), bytes.fromhex(row["claim_code_hash"])
        told = {
            "serial": serials.get(row["serial"], row["lock_id"]) == row["lock_id"]
            and (lock is None or lock.serial == row["serial"]),
            "claim_code_hash": codes.get(code, row["lock_id"]) == row["lock_id"]
            and (lock is None or lock.claim_code_hash == code),
            "public_key": lock is None or _plain(lock.public_key) == _plain(row["public_key"]),
            "agreement_key": lock is None
            or lock.agreement_key is None
            or row.get("agreement_key") is None
            or _plain(lock.agreement_key) == _plain(row["agreement_key"]),
        }
        for member, agrees in told.items():
            if not agrees:
                yield Refusal("manifest.other_lock", f"locks/{number}/{member}", _row(number, row))


def _plain(value: object) -> str:
    """A value to compare: a key by its point."""
    return f"{value['x']}.{value['y']}" if isinstance(value, Mapping) else str(value)


def _known(session: Session, rows: Sequence[Mapping[str, Any]]) -> list[Lock]:
    found: dict[str, Lock] = {}
    for start in range(0, len(rows), _CHUNK):
        some = rows[start : start + _CHUNK]
        statement = select(Lock).where(
            or_(
                Lock.id.in_([row["lock_id"] for row in some]),
                Lock.serial.in_([row["serial"] for row in some]),
                Lock.claim_code_hash.in_([bytes.fromhex(row["claim_code_hash"]) for row in some]),
            )
        )
        found |= {lock.id: lock for lock in session.scalars(statement)}
    return list(found.values())


def _lock_from(row: Mapping[str, Any]) -> Lock:
    return Lock(
        id=row["lock_id"],
        serial=row["serial"],
        model=row["model"],
        shard=shard_of(row["lock_id"]),
        public_key=dict(row["public_key"]),
        agreement_key=dict(row["agreement_key"]) if row.get("agreement_key") is not None else None,
        claim_code_hash=bytes.fromhex(row["claim_code_hash"]),
        mqtt_password_hash=row["mqtt_password_hash"],
    )
