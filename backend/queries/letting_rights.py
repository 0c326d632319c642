"""Units that are let while nobody of the staff has seen the landlord's right to let (HR-9). Nameless."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, Select, and_, case, func, literal, or_, select

from backend.models.dwellings import Dwelling
from backend.models.leases import Lease
from backend.models.units import Unit, UnitClaim


def unseen_units(today: date, *units: ColumnElement[bool]) -> Select[Any]:
    """(unit_id, since, people) of those of the `units` with a running lease whose right to let was not seen.

    A mandate that is over is a right nobody has seen the renewal of. `since` is when the unit was both claimed and let.
    """
    let = select(func.min(Lease.created_at)).where(
        Lease.unit_id == UnitClaim.unit_id, Lease.state == literal("active", literal_execute=True)
    )
    let_at = let.correlate(UnitClaim).scalar_subquery()
    over = and_(UnitClaim.right_kind == "mandate", UnitClaim.mandate_ends_on < today)
    later: Any = case((UnitClaim.created_at > let_at, UnitClaim.created_at), else_=let_at)
    since: Any = func.date(later, type_=Date)
    return (
        select(UnitClaim.unit_id, since.label("since"), literal(None).label("people"))
        .join(Unit, Unit.id == UnitClaim.unit_id)
        .join(Dwelling, Dwelling.id == Unit.dwelling_id)
        .where(
            *units,
            UnitClaim.state == literal("accepted", literal_execute=True),
            or_(UnitClaim.seen_at.is_(None), over),
            let_at.is_not(None),
        )
    )
