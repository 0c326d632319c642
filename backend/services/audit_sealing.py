"""Sealing the audit log: leaves get their numbers, and a signed checkpoint over the Merkle tree (RFC 6962).

Whoever seals remembers what it signed last. A checkpoint that is gone from the database although it was committed, or a
hole among the leaves, is kept as a check that found faults, and told (see `audit_checks`).
"""

from __future__ import annotations

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.log_faults import fault_code
from backend.domain.merkle import TreeEdge
from backend.gateways.world import World
from backend.models.audit import AuditCheckpoint, AuditLeaf
from backend.services.audit_checks import note_fault

READ_AT_ONCE = 5_000  # hashes held at a time while an edge is brought up to date
_SEALING_LOCK = 0x414C  # 'AL': one number for all who seal; SQLite's writers take turns already


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

    With the `edge` that a process keeps from one checkpoint to the next, only the new leaves are read. The edge is
    empty or stands at a checkpoint that this process has committed: one that the database no longer has was removed.
    """
    kept = edge if edge is not None else TreeEdge()
    try:
        return _sign(world, kept)
    except Exception:
        kept.clear()  # nothing was committed of what it stands at
        raise


def _sign(world: World, edge: TreeEdge) -> bool:
    with transaction() as session:
        size = session.scalar(select(func.coalesce(func.max(AuditLeaf.seq), 0))) or 0
        last = session.scalar(select(func.coalesce(func.max(AuditCheckpoint.size), 0))) or 0
        if edge.size and not _is_signed(session, edge):
            note_fault(world, session, fault_code("checkpoint.gone", edge.size), size)
            edge.clear()
        if size <= last:
            return False
        _follow(session, edge, size)
        if edge.size != size:
            note_fault(world, session, fault_code("leaf.missing", edge.size + 1), size)
            edge.clear()
            return False
        root = edge.root()
        note = world.tokens.sign_body(f"anju-audit\n{size}\n{root.hex()}\n".encode())
        session.add(AuditCheckpoint(size=size, root=root, note=note, at=world.clock.now()))
        return True


def _is_signed(session: Session, edge: TreeEdge) -> bool:
    signed = session.get(AuditCheckpoint, edge.size)
    return signed is not None and signed.root == edge.root()


def _follow(session: Session, edge: TreeEdge, size: int) -> None:
    """Bring an edge up to the first `size` leaves, or up to the first that is missing."""
    new = (
        select(AuditLeaf.seq, AuditLeaf.leaf_hash)
        .where(AuditLeaf.seq > edge.size, AuditLeaf.seq <= size)
        .order_by(AuditLeaf.seq)
    )
    for part in session.execute(new.execution_options(yield_per=READ_AT_ONCE)).partitions():
        whole = [row.leaf_hash for number, row in enumerate(part, edge.size + 1) if row.seq == number]
        edge.append(whole)
        if len(whole) < len(part):
            return
