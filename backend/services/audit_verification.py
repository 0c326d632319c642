"""Checking the audit log from the outside: what does not fit is named."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.ids import new_id
from backend.domain.merkle import TreeEdge, leaf_hash
from backend.gateways.world import World
from backend.models.audit import AuditCheck, AuditCheckpoint, AuditLeaf
from backend.services.audit import READ_AT_ONCE, Actor, write_leaf
from backend.services.officer_sessions import acting_officer
from backend.wire.tokens import TokenRejected, verify_detached

FAULTS_KEPT = 20
OPERATOR = Actor("operator")


def check_log(world: World, *, session_id: str) -> None:
    """Recompute the whole log for an auditor or supervisor and keep the result for all who may read it."""
    with transaction() as session:
        actor = acting_officer(world, session, session_id).actor
    _keep(world, find_faults(world), actor)


def check_log_from_shell(world: World) -> list[str]:
    """The same for the operator; answers one sentence per fault."""
    faults = find_faults(world)
    _keep(world, faults, OPERATOR)
    return faults


def _keep(world: World, faults: list[str], actor: Actor) -> None:
    with transaction() as session:
        leaves = session.scalar(select(func.coalesce(func.max(AuditLeaf.seq), 0))) or 0
        row = AuditCheck(
            id=new_id(),
            at=world.clock.now(),
            badge=actor.badge,
            leaves=leaves,
            faults=faults[:FAULTS_KEPT],
            fault_count=len(faults),
        )
        session.add(row)
        decision = "differs" if faults else "fits"
        write_leaf(world, session, actor, "audit_checked", object_kind="audit", object_id=row.id, decision=decision)


def find_faults(world: World) -> list[str]:
    """Recompute each leaf and each checkpoint's root and signature; answers one sentence per fault.

    One pass over the log, a part of it in memory at a time.
    """
    with reading() as session:
        checkpoints = session.scalars(select(AuditCheckpoint).order_by(AuditCheckpoint.size)).all()
        roots = {checkpoint.size: checkpoint.root for checkpoint in checkpoints}
        edge, faults = TreeEdge(), []
        for leaf in _leaves(session):
            if leaf.seq != edge.size + 1:
                faults.append(f"leaf {edge.size + 1} is missing")
                break
            if leaf_hash(_canonical(leaf)) != leaf.leaf_hash:
                faults.append(f"leaf {leaf.seq} was changed")
            edge.append([leaf.leaf_hash])
            if edge.size in roots and roots[edge.size] != edge.root():
                faults.append(f"the root of checkpoint {edge.size} does not fit the leaves")
        for checkpoint in checkpoints:
            faults += _checkpoint_faults(world, checkpoint, edge.size)
    return faults


def _leaves(session: Session) -> Iterator[AuditLeaf]:
    """Every numbered leaf in order, a part at a time."""
    last = 0
    while True:
        part = select(AuditLeaf).where(AuditLeaf.seq > last).order_by(AuditLeaf.seq).limit(READ_AT_ONCE)
        leaves = session.scalars(part).all()
        yield from leaves
        if len(leaves) < READ_AT_ONCE:
            return
        last = leaves[-1].seq or 0


def _checkpoint_faults(world: World, checkpoint: AuditCheckpoint, leaves: int) -> list[str]:
    faults = []
    if checkpoint.size > leaves:
        faults.append(f"the log is shorter than its checkpoint of {checkpoint.size}")
    body = f"anju-audit\n{checkpoint.size}\n{checkpoint.root.hex()}\n".encode()
    try:
        verify_detached(checkpoint.note, body, world.tokens.public_keys())
    except TokenRejected:
        faults.append(f"the signature of checkpoint {checkpoint.size} is not ours")
    return faults


def _canonical(leaf: AuditLeaf) -> bytes:
    row = {
        "id": leaf.id,
        "at": leaf.at.isoformat(),
        "actor_kind": leaf.actor_kind,
        "actor_id": leaf.actor_id,
        "actor_badge": leaf.actor_badge,
        "role": leaf.role,
        "office": leaf.office,
        "action": leaf.action,
        "purpose": leaf.purpose,
        "case_ref": leaf.case_ref,
        "subject_id": leaf.subject_id,
        "object_kind": leaf.object_kind,
        "object_id": leaf.object_id,
        "fields": leaf.fields,
        "decision": leaf.decision,
        "request_id": leaf.request_id,
        "nonce": leaf.nonce.hex(),
    }
    return json.dumps(row, sort_keys=True).encode()
