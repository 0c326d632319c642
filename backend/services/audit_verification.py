"""Checking the audit log from the outside: what does not fit is named."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.log_faults import LOST, fault_code
from backend.domain.merkle import TreeEdge, leaf_hash
from backend.gateways.world import World
from backend.models.audit import AuditCheckpoint, AuditLeaf
from backend.services.audit import OPERATOR, SYSTEM, Actor
from backend.services.audit_checks import FAULTS_KEPT, keep_result
from backend.services.officer_sessions import acting_officer
from backend.wire.tokens import TokenRejected, verify_detached

PORTION = 5_000  # leaves looked at in one go: some 100 ms, so that a check holds nothing else up
_HASHED = (
    "id", "at", "actor_kind", "actor_id", "actor_badge", "role", "office", "action", "purpose", "case_ref",
    "subject_id", "object_kind", "object_id", "fields", "decision", "request_id", "nonce",
)  # fmt: skip
_READ = tuple(getattr(AuditLeaf, name) for name in (*_HASHED, "leaf_hash", "seq"))


class LogCheck:
    """One way through the whole log as it was at the beginning, a portion at a time.

    Each leaf is hashed again, each checkpoint compared with the root over its leaves, each signature verified.
    """

    def __init__(self, world: World) -> None:
        self._world, self._edge = world, TreeEdge()
        self.faults: list[str] = []  # the first of them
        self.fault_count = 0
        with reading() as session:
            # The checkpoints first: what is signed in between is signed over leaves that are there.
            furthest = session.scalar(select(func.coalesce(func.max(AuditCheckpoint.size), 0))) or 0
            self.leaves = session.scalar(select(func.coalesce(func.max(AuditLeaf.seq), 0))) or 0
        if furthest > self.leaves:
            self._note("log.short", furthest)

    def go_on(self) -> bool:
        """Look at the next portion; False when the check has come to its end."""
        with reading() as session:
            part = session.execute(
                select(*_READ)
                .where(AuditLeaf.seq > self._edge.size, AuditLeaf.seq <= self.leaves)
                .order_by(AuditLeaf.seq)
                .limit(PORTION)
            ).all()
            last = part[-1].seq if part else self.leaves
            checkpoints = self._checkpoints(session, last)
        for leaf in part:
            if leaf.seq != self._edge.size + 1:
                self._note("leaf.missing", self._edge.size + 1)
                return False  # no root after a hole can be known
            if leaf_hash(_canonical(leaf)) != leaf.leaf_hash:
                self._note("leaf.changed", leaf.seq)
            if leaf.action == LOST and leaf.object_id == str(leaf.seq):
                self._note("leaf.lost", leaf.seq)
            self._edge.append([leaf.leaf_hash])
            if leaf.seq in checkpoints:
                self._compare(*checkpoints[leaf.seq])
        if len(part) < PORTION and self._edge.size < self.leaves:  # also a tail that went while this went on
            self._note("leaf.missing", self._edge.size + 1)
        return len(part) == PORTION

    def _checkpoints(self, session: Session, last: int) -> dict[int, tuple[bytes, str]]:
        rows = session.execute(
            select(AuditCheckpoint.size, AuditCheckpoint.root, AuditCheckpoint.note).where(
                AuditCheckpoint.size > self._edge.size, AuditCheckpoint.size <= last
            )
        )
        return {size: (root, note) for size, root, note in rows}

    def _compare(self, root: bytes, note: str) -> None:
        size = self._edge.size
        if root != self._edge.root():
            self._note("root.differs", size)
        try:
            body = f"anju-audit\n{size}\n{root.hex()}\n".encode()
            verify_detached(note, body, self._world.tokens.public_keys())
        except TokenRejected:
            self._note("signature.foreign", size)

    def _note(self, kind: str, number: int) -> None:
        self.fault_count += 1
        if len(self.faults) < FAULTS_KEPT:
            self.faults.append(fault_code(kind, number))


def check_log(world: World, *, session_id: str) -> None:
    """Recompute the whole log for an auditor or supervisor and keep the result for all who may read it."""
    with transaction() as session:
        actor = acting_officer(world, session, session_id).actor
    keep_check(world, check_whole_log(world), actor)


def check_log_from_shell(world: World) -> LogCheck:
    """The same for the operator; answers what was found."""
    check = check_whole_log(world)
    keep_check(world, check, OPERATOR)
    return check


def check_whole_log(world: World) -> LogCheck:
    """Recompute the whole log at once, keeping nothing."""
    check = LogCheck(world)
    while check.go_on():
        pass
    return check


def keep_check(world: World, check: LogCheck, actor: Actor = SYSTEM) -> None:
    """Keep what a finished check has found; without an actor it was the clock's turn."""
    with transaction() as session:
        keep_result(
            world, session, actor, leaves=check.leaves, faults=check.faults, fault_count=check.fault_count
        )


def _canonical(leaf: Any) -> bytes:
    row = {name: getattr(leaf, name) for name in _HASHED}
    row |= {"at": leaf.at.isoformat(), "nonce": leaf.nonce.hex()}
    return json.dumps(row, sort_keys=True).encode()
