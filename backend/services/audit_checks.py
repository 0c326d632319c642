"""What a check of the audit log found: kept for all who may read the log, and told when something does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.calendars import CHINA
from backend.domain.ids import new_id
from backend.domain.log_faults import is_known_loss
from backend.gateways.world import World
from backend.models.audit import AuditCheck
from backend.models.officers import Officer
from backend.services.audit import SYSTEM, Actor, write_leaf
from backend.services.staff_notices import tell_officer

log = structlog.get_logger(__name__)

FAULTS_KEPT = 20
KEPT_AGAIN_AFTER = timedelta(days=1)


def keep_result(
    world: World, session: Session, actor: Actor, *, leaves: int, faults: Sequence[str], fault_count: int
) -> None:
    """Keep the result inside the present write unit. Faults are told to every auditor and supervisor, once a day.

    A loss that the operator signed on over is found for ever, and was told when it was new: alone it is no news.
    """
    row = AuditCheck(
        id=new_id(),
        at=world.clock.now(),
        badge=actor.badge,
        leaves=leaves,
        faults=list(faults[:FAULTS_KEPT]),
        fault_count=fault_count,
    )
    session.add(row)
    decision = "differs" if fault_count else "fits"
    write_leaf(world, session, actor, "audit_checked", object_kind="audit", object_id=row.id, decision=decision)
    if fault_count:
        log.error("audit_log_differs", faults=fault_count, see="audit verify")
        if fault_count > len(faults) or not all(is_known_loss(fault) for fault in faults):
            _tell(world, session, fault_count)


def note_fault(world: World, session: Session, fault: str, leaves: int) -> None:
    """Keep what the sealing came upon as a check that found it: once a day, and anew after a check that fitted."""
    since = world.clock.now() - KEPT_AGAIN_AFTER
    newest = select(AuditCheck).where(AuditCheck.at > since).order_by(AuditCheck.at.desc(), AuditCheck.id.desc())
    for check in session.scalars(newest):
        if fault in check.faults:
            return
        if not check.fault_count:
            break
    keep_result(world, session, SYSTEM, leaves=leaves, faults=[fault], fault_count=1)


def _tell(world: World, session: Session, count: int) -> None:
    """The log is one for all areas, so every supervisor is told."""
    readers = select(Officer.id).where(Officer.active, Officer.role.in_(("auditor", "supervisor")))
    at = world.clock.now().astimezone(CHINA)
    for officer_id in session.scalars(readers).all():
        tell_officer(
            world, session, officer_id, "audit_differs", once=f"{at:%Y-%m-%d}", at=f"{at:%Y-%m-%d %H:%M}", n=count
        )
