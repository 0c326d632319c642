"""Audit leaves: one per disclosure and decision, in the same transaction as what they record.

A leaf is written unnumbered, so that the hot path takes no global lock; `seal_leaves` numbers them afterwards and signs
a checkpoint over the Merkle tree (RFC 6962).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.correlation import request_id
from backend.domain.ids import new_id
from backend.domain.merkle import TreeEdge, leaf_hash
from backend.gateways.world import World
from backend.models.audit import AuditCheckpoint, AuditLeaf

log = structlog.get_logger(__name__)


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
READ_AT_ONCE = 5_000  # hashes held at a time while an edge is brought up to date
_SEALING_LOCK = 0x414C  # 'AL': one number for all who seal; SQLite's writers take turns already


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


def seal_leaves(world: World, *, limit: int = 5000) -> int:
    """Number the leaves that have none yet; answers how many were sealed. Two at once take turns."""
    with transaction() as session:
        if session.get_bind().dialect.name == "postgresql":
            session.execute(select(func.pg_advisory_xact_lock(_SEALING_LOCK)))
        waiting = session.scalars(
            select(AuditLeaf.id).where(AuditLeaf.seq.is_(None)).order_by(AuditLeaf.at, AuditLeaf.id).limit(limit)
        ).all()
        if not waiting:
            return 0
        size = session.scalar(select(func.coalesce(func.max(AuditLeaf.seq), 0))) or 0
        numbered = [{"leaf_id": leaf_id, "number": size + offset} for offset, leaf_id in enumerate(waiting, start=1)]
        statement = update(AuditLeaf).where(AuditLeaf.id == bindparam("leaf_id")).values(seq=bindparam("number"))
        session.connection().execute(statement, numbered)
        return len(waiting)


def sign_checkpoint(world: World, edge: TreeEdge | None = None) -> bool:
    """Sign a checkpoint when the tree has grown since the last one; not over a log in which a leaf is missing.

    With the `edge` that a process keeps from one checkpoint to the next, only the new leaves are read. It is believed
    as long as a checkpoint in the database has its size and root; another database under it starts it anew.
    """
    kept = edge if edge is not None else TreeEdge()
    with transaction() as session:
        size = session.scalar(select(func.coalesce(func.max(AuditLeaf.seq), 0))) or 0
        last = session.scalar(select(func.coalesce(func.max(AuditCheckpoint.size), 0))) or 0
        if size <= last:
            return False
        _follow(session, kept, size)
        if kept.size != size:
            log.error("audit_leaf_missing", numbered=size, found=kept.size)
            return False
        root = kept.root()
        note = world.tokens.sign_body(f"anju-audit\n{size}\n{root.hex()}\n".encode())
        session.add(AuditCheckpoint(size=size, root=root, note=note, at=world.clock.now()))
        return True


def _follow(session: Session, edge: TreeEdge, size: int) -> None:
    """Bring an edge up to the first `size` leaves, from wherever it can be relied on."""
    signed = session.get(AuditCheckpoint, edge.size)
    if signed is None or signed.root != edge.root():
        edge.clear()
    new = select(AuditLeaf.leaf_hash).where(AuditLeaf.seq > edge.size, AuditLeaf.seq <= size).order_by(AuditLeaf.seq)
    edge.append(session.scalars(new.execution_options(yield_per=READ_AT_ONCE)))
