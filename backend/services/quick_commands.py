"""The common case of a command, each step in one statement of PostgreSQL's: somebody stands at the door.

Asking, looking, sending and answering are decided where they always are, and written here under the condition that what
was decided upon still holds. Where a function answers None or False the ordinary way goes on, and says why.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from backend.db import at_once
from backend.domain.commands import decide_answer
from backend.domain.ids import is_id
from backend.models.commands import COMMAND_STATES
from backend.wire.lock_messages import CommandResult


@dataclass(frozen=True)
class KeyAtHand:
    """A holder's key as far as its validity goes, with the lock in use behind it."""

    state: str
    kind: str
    starts_on: date
    ends_on: date | None
    created_at: datetime
    emergency: str | None
    sched: list[Any] | None
    lock_id: str
    presence: str
    boot_id: str | None
    shard: int


@dataclass(frozen=True)
class CommandSeen:
    """The columns of a command that its asker is shown, and who that is."""

    id: str
    lock_id: str
    key_id: str | None
    action: str
    state: str
    reason: str | None
    created_at: datetime
    expires_at: datetime
    answered_at: datetime | None
    account_id: str | None


@dataclass(frozen=True)
class CommandToSign:
    """The columns of a command that its lock is told."""

    id: str
    lock_id: str
    state: str
    created_at: datetime
    expires_at: datetime
    action: str
    boot_id: str | None
    counter: int
    key_id: str | None


def find_key(account_id: str, key_id: str, idempotency_key: str) -> KeyAtHand | None:
    """The account's key with its lock; None when there is none, or when this was asked for before."""
    if not is_id(key_id):
        return None
    values = {"account": account_id, "key": key_id, "once": idempotency_key}
    for row in at_once(_KEY, values):
        return KeyAtHand(*row)
    return None


def write_command(
    command: dict[str, Any], leaf: dict[str, Any], *, shard: int, least_counter: int, wake: str | None
) -> bool:
    """Write a command with its outbox row and its audit leaf; False when key or lock have changed since `find_key`.

    `wake`: whom the database shall wake at the commit, by its own name for it.
    """
    payload = json.dumps({"command_id": command["id"]})
    leaf = {f"leaf_{name}": value for name, value in leaf.items()}
    leaf["leaf_fields"] = json.dumps(leaf["leaf_fields"])
    values = {**command, **leaf, "payload": payload, "shard": shard, "least_counter": least_counter, "wake": wake}
    return bool(at_once(_WRITE, values))


def find_command(command_id: str) -> CommandSeen | None:
    """A command by its id."""
    if not is_id(command_id):
        return None
    for row in at_once(_SHOWN, {"id": command_id}):
        seen = list(row)
        for place in (0, 2, 9):
            seen[place] = None if seen[place] is None else str(seen[place])
        for place in (6, 7, 8):
            seen[place] = None if seen[place] is None else seen[place].astimezone(UTC)
        return CommandSeen(*seen)
    return None


def find_to_sign(command_id: str) -> tuple[CommandToSign, int | None, str | None]:
    """A command as its lock must be told of it, with the epoch and the state of its key."""
    [(id_, lock, state, created_at, expires_at, action, boot, counter, key, epoch, key_state)] = at_once(
        _TO_SIGN, {"id": command_id}
    )
    key_id = None if key is None else str(key)
    command = CommandToSign(str(id_), lock, state, created_at, expires_at, action, boot, counter, key_id)
    return command, epoch, key_state


def note_sent(rows: Collection[tuple[int, int]], command_ids: Collection[str], now: datetime) -> None:
    """Note that claimed outbox rows, as (id, fence), have been handed over, with the commands among them."""
    ids, fences = zip(*rows, strict=True)
    at_once(_NOTE, {"rows": list(ids), "fences": list(fences), "ids": list(command_ids), "now": now})


def write_answer(lock_id: str, result: CommandResult, now: datetime, *, wake: str | None) -> bool:
    """Write the lock's word on a command that it changes; False when there is no such command of a lock in use.

    `wake` as in `write_command`.
    """
    command_id, answer, reason = result.command, result.state, result.reason
    if not is_id(command_id):
        return False
    after = {state: decide_answer(state, answer, reason) for state in COMMAND_STATES}
    before = [state for state, told in after.items() if told is not None]
    [told] = {after[state] for state in before} or {None}
    if told is None:
        return False
    values = {
        "lock": lock_id,
        "id": command_id,
        "before": before,
        "state": told,
        "reason": reason,
        "seq": result.seq,
        "wake": wake,
        "at": None if told == "accepted" else now,
    }
    return bool(at_once(_ANSWER, values))


def claim(
    now: datetime, until: datetime, *, limit: int, shards: Collection[int] | None, sent: Collection[int]
) -> list[tuple[Any, ...]]:
    """Claim due rows for locks (of these shards), oldest first, as `outbox.OutboxItem` has them.

    A row behind one that we have `sent`, and only not noted yet, need not wait for the note.
    """
    some = None if shards is None else list(shards)
    values = {"now": now, "until": until, "most": limit, "shards": some, "sent": list(sent)}
    return sorted(at_once(_CLAIM, values))


_KEY = """
SELECT k.state, k.kind, k.starts_on, k.ends_on, k.created_at, k.emergency, k.sched, l.id, l.presence, l.boot_id, l.shard
FROM keys k JOIN key_doors d ON d.key_id = k.id JOIN locks l ON l.id = d.lock_id
WHERE k.id = %(key)s::uuid AND k.holder_account_id = %(account)s::uuid
  AND l.retiring_at IS NULL AND l.retired_at IS NULL
  AND NOT EXISTS (
    SELECT FROM commands c WHERE c.account_id = %(account)s::uuid AND c.idempotency_key = %(once)s::varchar)
ORDER BY l.id LIMIT 1
"""
_WRITE = """
WITH lock AS (
  UPDATE locks SET command_counter = greatest(command_counter + 1, %(least_counter)s::bigint)
  WHERE id = %(lock_id)s::varchar AND presence = 'online' AND boot_id = %(boot_id)s::varchar
    AND retiring_at IS NULL AND retired_at IS NULL
    AND EXISTS (SELECT FROM keys WHERE id = %(key_id)s::uuid AND state = 'active')
  RETURNING id, command_counter
), command AS (
  INSERT INTO commands (id, lock_id, key_id, account_id, idempotency_key, action, state, counter, boot_id,
                        created_at, expires_at)
  SELECT %(id)s::uuid, id, %(key_id)s::uuid, %(account_id)s::uuid, %(idempotency_key)s::varchar, %(action)s::varchar,
         'queued', command_counter, %(boot_id)s::varchar, %(created_at)s::timestamptz, %(expires_at)s::timestamptz
  FROM lock RETURNING lock_id
), intent AS (
  INSERT INTO outbox (destination, aggregate_id, shard, kind, payload, created_at, available_at, fence, attempts)
  SELECT 'lock', lock_id, %(shard)s::int, 'command', %(payload)s::json, %(created_at)s::timestamptz,
         %(created_at)s::timestamptz, 0, 0
  FROM command
), leaf AS (
  INSERT INTO audit_leaves (id, at, actor_kind, actor_id, actor_badge, role, office, action, purpose, case_ref,
                            subject_id, object_kind, object_id, fields, decision, request_id, nonce, leaf_hash)
  SELECT %(leaf_id)s::uuid, %(leaf_at)s::timestamptz, %(leaf_actor_kind)s::varchar, %(leaf_actor_id)s::uuid,
         %(leaf_actor_badge)s::varchar, %(leaf_role)s::varchar, %(leaf_office)s::varchar, %(leaf_action)s::varchar,
         %(leaf_purpose)s::varchar, %(leaf_case_ref)s::varchar, %(leaf_subject_id)s::uuid,
         %(leaf_object_kind)s::varchar, %(leaf_object_id)s::varchar, %(leaf_fields)s::json, %(leaf_decision)s::varchar,
         %(leaf_request_id)s::varchar, %(leaf_nonce)s::bytea, %(leaf_leaf_hash)s::bytea
  FROM command
)
SELECT lock_id, (SELECT pg_notify(%(wake)s::text, '')::text WHERE %(wake)s::text IS NOT NULL) FROM command
"""
_SHOWN = """
SELECT id, lock_id, key_id, action, state, reason, created_at, expires_at, answered_at, account_id
FROM commands WHERE id = %(id)s::uuid
"""
_TO_SIGN = """
SELECT c.id, c.lock_id, c.state, c.created_at, c.expires_at, c.action, c.boot_id, c.counter, c.key_id, k.epoch, k.state
FROM commands c LEFT JOIN keys k ON k.id = c.key_id
WHERE c.id = %(id)s::uuid
"""
_NOTE = """
WITH noted AS (
  UPDATE outbox o SET done_at = %(now)s::timestamptz, lease_until = NULL, last_error = NULL
  FROM unnest(%(rows)s::bigint[], %(fences)s::int[]) AS sent (id, fence)
  WHERE o.id = sent.id AND o.fence = sent.fence AND o.done_at IS NULL
)
UPDATE commands SET state = 'sent', sent_at = %(now)s::timestamptz
WHERE id = ANY(%(ids)s::uuid[]) AND state = 'queued'
RETURNING id
"""
_ANSWER = """
UPDATE commands c
SET state = %(state)s::varchar, reason = %(reason)s::varchar,
    event_seq = CASE WHEN coalesce(c.event_seq, 0) = 0 THEN coalesce(%(seq)s::bigint, c.event_seq) ELSE c.event_seq END,
    answered_at = coalesce(%(at)s::timestamptz, c.answered_at)
FROM locks l
WHERE c.id = %(id)s::uuid AND c.lock_id = %(lock)s::varchar AND c.state = ANY(%(before)s::varchar[])
  AND l.id = c.lock_id AND l.retired_at IS NULL
RETURNING c.id, (SELECT pg_notify(%(wake)s::text, '')::text WHERE %(wake)s::text IS NOT NULL)
"""
_CLAIM = """
WITH due AS (
  SELECT o.id FROM outbox o
  WHERE o.destination = 'lock' AND o.done_at IS NULL AND o.parked_at IS NULL AND o.available_at <= %(now)s::timestamptz
    AND (o.lease_until IS NULL OR o.lease_until < %(now)s::timestamptz)
    AND (%(shards)s::int[] IS NULL OR o.shard = ANY(%(shards)s::int[]))
    AND NOT EXISTS (
      SELECT FROM outbox e
      WHERE e.destination = 'lock' AND e.aggregate_id = o.aggregate_id AND e.id < o.id
        AND e.done_at IS NULL AND e.parked_at IS NULL AND e.id <> ALL(%(sent)s::bigint[]))
  ORDER BY o.id LIMIT %(most)s::int FOR UPDATE SKIP LOCKED
)
UPDATE outbox o SET lease_until = %(until)s::timestamptz, fence = o.fence + 1, attempts = o.attempts + 1
FROM due WHERE o.id = due.id
RETURNING o.id, o.aggregate_id, o.kind, o.payload, o.attempts, o.fence, o.created_at,
  EXISTS (SELECT FROM outbox n WHERE n.destination = 'lock' AND n.aggregate_id = o.aggregate_id AND n.id > o.id
          AND n.done_at IS NULL AND n.parked_at IS NULL)
"""
