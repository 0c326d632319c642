"""Checking the audit log from the outside: what does not fit is named."""

from __future__ import annotations

import json

from sqlalchemy import select

from backend.db import reading
from backend.domain.merkle import leaf_hash, tree_root
from backend.gateways.world import World
from backend.models.audit import AuditCheckpoint, AuditLeaf
from backend.wire.tokens import TokenRejected, verify_detached


def find_faults(world: World) -> list[str]:
    """Recompute each leaf and each checkpoint's root and signature; answers one sentence per fault."""
    faults: list[str] = []
    with reading() as session:
        leaves = session.scalars(select(AuditLeaf).where(AuditLeaf.seq.is_not(None)).order_by(AuditLeaf.seq)).all()
        hashes = []
        for position, leaf in enumerate(leaves, start=1):
            if leaf.seq != position:
                faults.append(f"leaf {position} is missing")
                break
            if leaf_hash(_canonical(leaf)) != leaf.leaf_hash:
                faults.append(f"leaf {position} was changed")
            hashes.append(leaf.leaf_hash)
        for checkpoint in session.scalars(select(AuditCheckpoint).order_by(AuditCheckpoint.size)):
            if checkpoint.size > len(hashes):
                faults.append(f"the log is shorter than its checkpoint of {checkpoint.size}")
            elif tree_root(hashes[: checkpoint.size]) != checkpoint.root:
                faults.append(f"the root of checkpoint {checkpoint.size} does not fit the leaves")
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
