"""Visits to a window: while one lasts, an officer may act for the person who stands there."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, Moment, one_of

CHANNELS = ("window", "paper")


class WindowVisit(Base):
    """One person at one window, or one paper form handed in (`channel`), served under `area` until `ends_at`.

    `visit_id`: the person is served at their own door, within that visit.
    """

    __tablename__ = "window_visits"
    __table_args__ = (one_of("channel", CHANNELS), Index("ix_window_visits_officer_id_at", "officer_id", "at"))

    id: Mapped[Id] = mapped_column(primary_key=True)
    officer_id: Mapped[Id] = mapped_column(ForeignKey("officers.id"))
    area: Mapped[Code]
    account_id: Mapped[Id] = mapped_column(ForeignKey("accounts.id"), index=True)
    channel: Mapped[Code]
    at: Mapped[Moment]
    ends_at: Mapped[Moment]
    visit_id: Mapped[Id | None] = mapped_column(ForeignKey("visits.id"), default=None)
