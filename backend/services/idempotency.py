"""Remembered answers: the same request twice makes one thing (money, keys, registrations)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from sqlalchemy.orm import Session

from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.requests import RememberedRequest


def find_answer(
    session: Session, account_id: str, key: str | None, operation: str, body: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The answer given to this key before, or None. Raises Refused('input.key_reused') for another request."""
    if key is None:
        return None
    row = session.get(RememberedRequest, (account_id, key))
    if row is None:
        return None
    if row.operation != operation or row.body_hash != _fingerprint(body):
        raise Refused("input.key_reused", "Idempotency-Key")
    return dict(row.result)


def remember(
    world: World,
    session: Session,
    account_id: str,
    key: str | None,
    operation: str,
    body: Mapping[str, Any],
    result: Mapping[str, Any],
) -> None:
    """Keep `result` (ids only) under the key, inside the present write unit."""
    if key is not None:
        session.add(
            RememberedRequest(
                account_id=account_id,
                key=key,
                operation=operation,
                body_hash=_fingerprint(body),
                result=dict(result),
                at=world.clock.now(),
            )
        )


def _fingerprint(body: Mapping[str, Any]) -> bytes:
    return sha256(json.dumps(body, sort_keys=True, default=str).encode()).digest()
