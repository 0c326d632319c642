"""When the whole audit log was recomputed, on whose wish, and what did not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading
from backend.domain.log_faults import OLD_AFTER
from backend.models.audit import AuditCheck, AuditLeaf

FOUND_SHOWN = 5


@dataclass(frozen=True)
class CheckLine:
    """One check. `by`: officer, operator, system (by the clock), or unknown, when its own leaf is gone."""

    at: datetime
    by: str
    badge: str | None
    leaves: int
    faults: tuple[str, ...]  # the first of them, as codes of domain.log_faults
    fault_count: int


def find_last_check() -> CheckLine | None:
    """The result of the last check of the whole log."""
    with reading() as session:
        rows = session.scalars(select(AuditCheck).order_by(AuditCheck.at.desc(), AuditCheck.id.desc()).limit(1))
        return next(iter(_lines(session, rows.all())), None)


def list_found_faults() -> tuple[CheckLine, ...]:
    """The latest checks that found faults, newest first: a later check that fits does not make them unseen."""
    with reading() as session:
        rows = session.scalars(
            select(AuditCheck)
            .where(AuditCheck.fault_count > 0)
            .order_by(AuditCheck.at.desc(), AuditCheck.id.desc())
            .limit(FOUND_SHOWN)
        )
        return _lines(session, rows.all())


def is_old(check: CheckLine | None, now: datetime) -> bool:
    """Whether the log has gone unchecked for longer than it should: the worker does it every night."""
    return check is None or now - check.at > OLD_AFTER


def _lines(session: Session, rows: Sequence[AuditCheck]) -> tuple[CheckLine, ...]:
    leaves = select(AuditLeaf.object_id, AuditLeaf.actor_kind).where(
        AuditLeaf.object_id.in_([row.id for row in rows]), AuditLeaf.action == "audit_checked"
    )
    who = {str(object_id): kind for object_id, kind in session.execute(leaves)}
    return tuple(
        CheckLine(row.at, who.get(row.id, "unknown"), row.badge, row.leaves, tuple(row.faults), row.fault_count)
        for row in rows
    )
