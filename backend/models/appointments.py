"""Appointments: a time at the window or by live video for one identity review."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, Moment, one_of

WAYS = ("window", "live_video")
STATES = ("asked", "booked", "kept", "missed", "cancelled")
_LIVE = text("state IN ('asked', 'booked')")


class Appointment(Base):
    """One appointment. `area` is the division whose office serves it; `place` keeps a slot from being given away twice.

    A case has one living appointment; nothing about the meeting is kept but whether it took place.
    """

    __tablename__ = "appointments"
    __table_args__ = (
        one_of("way", WAYS),
        one_of("state", STATES),
        CheckConstraint("starts_at < ends_at", name="times"),
        Index("ix_appointments_area_starts_at", "area", "starts_at"),
        Index("ix_appointments_case_id", "case_id"),
        Index("uq_appointments_living", "case_id", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
        Index(
            "uq_appointments_place",
            "area",
            "starts_at",
            "place",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    case_id: Mapped[Id] = mapped_column(ForeignKey("cases.id"))
    person_id: Mapped[Id] = mapped_column(ForeignKey("persons.id"))
    way: Mapped[Code]
    area: Mapped[Code]
    starts_at: Mapped[Moment]
    ends_at: Mapped[Moment]
    place: Mapped[int]
    state: Mapped[Code]
    video_link: Mapped[str | None] = mapped_column(default=None)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[Moment]
