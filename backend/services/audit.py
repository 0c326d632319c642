"""Audit leaves: one per disclosure and decision, in the same transaction as what they record.

A leaf is written unnumbered, so that the hot path takes no global lock; `audit_sealing` numbers and signs afterwards.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from backend.domain.correlation import request_id
from backend.domain.ids import new_id
from backend.domain.merkle import leaf_hash
from backend.gateways.world import World
from backend.models.audit import AuditLeaf


@dataclass(frozen=True)
class Actor:
    """Who acts. Residents learn an officer's badge, role and office, never the name."""

    kind: str  # 'resident' | 'officer' | 'system' | 'operator' | 'registry' | 'office'
    id: str | None = None
    badge: str | None = None
    role: str | None = None
    office: str | None = None
    purpose: str | None = None
    case_ref: str | None = None


SYSTEM = Actor("system")
OPERATOR = Actor("operator")  # whoever has the shell of the installation


def write_leaf(
    world: World,
    session: Session,
    actor: Actor,
    action: str,
    *,
    subject_id: str | None = None,
    object_kind: str | None = None,
    object_id: str | None = None,
    fields: Sequence[str] = (),
    decision: str | None = None,
) -> str:
    """Write one leaf inside the present write unit and answer its id. No identity value may be passed."""
    leaf = make_leaf(
        world,
        actor,
        action,
        subject_id=subject_id,
        object_kind=object_kind,
        object_id=object_id,
        fields=fields,
        decision=decision,
    )
    session.connection().execute(insert(AuditLeaf), leaf)
    return str(leaf["id"])


def make_leaf(
    world: World,
    actor: Actor,
    action: str,
    *,
    subject_id: str | None = None,
    object_kind: str | None = None,
    object_id: str | None = None,
    fields: Sequence[str] = (),
    decision: str | None = None,
) -> dict[str, Any]:
    """The columns of a leaf, for whoever writes it together with what it records. No identity value may be passed."""
    nonce = secrets.token_bytes(32)
    at = world.clock.now()
    row: dict[str, Any] = {
        "id": new_id(),
        "at": at,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "actor_badge": actor.badge,
        "role": actor.role,
        "office": actor.office,
        "action": action,
        "purpose": actor.purpose,
        "case_ref": actor.case_ref,
        "subject_id": subject_id,
        "object_kind": object_kind,
        "object_id": object_id,
        "fields": list(fields),
        "decision": decision,
        "request_id": request_id.get(),
    }
    canonical = json.dumps({**row, "at": at.isoformat(), "nonce": nonce.hex()}, sort_keys=True)
    return {**row, "nonce": nonce, "leaf_hash": leaf_hash(canonical.encode())}
