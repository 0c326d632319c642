"""Local standards (HR-7) as they were set over time; what counts on a day is the latest that had begun by then."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from backend.domain.local_standards import STANDARDS
from backend.models.base import Base, Code, Id, Moment, Text120, one_of


class LocalStandard(Base):
    """One value of one standard from `starts_on` on. Rows are only added, so that the history stays whole."""

    __tablename__ = "local_standards"
    __table_args__ = (
        one_of("name", tuple(STANDARDS)),
        CheckConstraint("value > 0", name="value"),
        Index("ix_local_standards_name", "name", "starts_on"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[Code]
    value: Mapped[float]
    starts_on: Mapped[date]
    reason: Mapped[Text120]
    set_by: Mapped[Id] = mapped_column(ForeignKey("officers.id"))
    set_at: Mapped[Moment]
