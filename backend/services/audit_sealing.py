"""Sealing the audit log: leaves get their numbers, and a signed checkpoint over the Merkle tree (RFC 6962).

Whoever seals remembers what it signed last. A checkpoint that is gone from the database although it was committed, or a
hole among the leaves, is kept as a check that found faults, and told (see `audit_checks`). Before a hole the signing
waits; leaves are numbered all the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.log_faults import LOST, fault_code
from backend.domain.merkle import TreeEdge
from backend.gateways.world import World
from backend.models.audit import AuditCheckpoint, AuditLeaf
from backend.services.audit import OPERATOR, make_leaf
from backend.services.audit_checks import note_fault

READ_AT_ONCE = 5_000  # hashes held at a time while an edge is brought up to date
_SEALING_LOCK = 0x414C  # 'AL': one number for all who seal; SQLite's writers take turns already


def seal_leaves(world: World, *, limit: int = 5000) -> int:
    """Number the leaves that have none yet; answers how many were sealed. Two at once take turns."""
    with transaction() as session:
        _take_turn(session)
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


class SignedPlace:
    """What a process that signs keeps from one checkpoint to the next: the tree so far, and what it signed last."""

    def __init__(self) -> None:
        self.edge = TreeEdge()
        self.signed: tuple[int, bytes] | None = None  # size and root, committed

    def clear(self) -> None:
        """Begin again with nothing."""
        self.edge.clear()
        self.signed = None


def sign_checkpoint(world: World, place: SignedPlace | None = None) -> bool:
    """Sign a checkpoint when the tree has grown since the last one; not over a log in which a leaf is missing.

    With the `place` that a process keeps only the new leaves are read. It waits before a missing leaf, and goes on when
    the leaf is back or `stand_in_for_lost` was called. A signed checkpoint that the database no longer has was removed.
    """
    kept = place if place is not None else SignedPlace()
    try:
        return _sign(world, kept)
    except Exception:
        kept.clear()  # nothing was committed of what it stands at
        raise


def stand_in_for_lost(world: World) -> list[int]:
    """Let the signing go on over leaves that cannot be had back; answers their numbers.

    Each is stood in for by a leaf that says so. Every check names it from then on, and so do checkpoints made over it.
    """
    with transaction() as session:
        _take_turn(session)
        lost = list(_missing(session))
        leaves = [
            make_leaf(world, OPERATOR, LOST, object_kind="audit", object_id=str(number)) | {"seq": number}
            for number in lost
        ]
        if leaves:
            session.connection().execute(insert(AuditLeaf), leaves)
        return lost


def _missing(session: Session) -> Iterator[int]:
    expected = 1
    numbers = select(AuditLeaf.seq).where(AuditLeaf.seq.is_not(None)).order_by(AuditLeaf.seq)
    for number in session.scalars(numbers.execution_options(yield_per=READ_AT_ONCE)):
        assert number is not None
        yield from range(expected, number)
        expected = number + 1


def _take_turn(session: Session) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_SEALING_LOCK)))


def _sign(world: World, place: SignedPlace) -> bool:
    with transaction() as session:
        size = session.scalar(select(func.coalesce(func.max(AuditLeaf.seq), 0))) or 0
        last = session.scalar(select(func.coalesce(func.max(AuditCheckpoint.size), 0))) or 0
        if place.signed and not _is_signed(session, *place.signed):
            note_fault(world, session, fault_code("checkpoint.gone", place.signed[0]), size)
            place.clear()
        if size <= last:
            return False
        _follow(session, place.edge, size)
        if place.edge.size != size:
            note_fault(world, session, fault_code("leaf.missing", place.edge.size + 1), size)
            return False
        root = place.edge.root()
        note = world.tokens.sign_body(f"anju-audit\n{size}\n{root.hex()}\n".encode())
        session.add(AuditCheckpoint(size=size, root=root, note=note, at=world.clock.now()))
    place.signed = size, root
    return True


def _is_signed(session: Session, size: int, root: bytes) -> bool:
    signed = session.get(AuditCheckpoint, size)
    return signed is not None and signed.root == root


def _follow(session: Session, edge: TreeEdge, size: int) -> None:
    """Bring an edge up to the first `size` leaves, or up to the first that is missing, behind which nothing is read."""
    if session.scalar(select(AuditLeaf.seq).where(AuditLeaf.seq == edge.size + 1)) is None:
        return
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
