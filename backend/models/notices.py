"""The in-app inbox: what was told to whom; text is rendered from `kind` in the reader's language."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from backend.domain.calendars import day_of
from backend.models.base import Base, Code, Id, Moment, Text120


def _day(context: DefaultExecutionContext) -> date:
    return day_of(context.get_current_parameters()["at"])


class Notice(Base):
    """One message to one account; `once` makes a reminder idempotent. `day`: of `at`, in China."""

    __tablename__ = "notices"
    __table_args__ = (Index("ix_notices_account_id_at", "account_id", "at"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    account_id: Mapped[Id] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[Code]
    once: Mapped[Text120] = mapped_column(unique=True)
    rule: Mapped[Code | None] = mapped_column(default=None)
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[Moment]
    day: Mapped[date] = mapped_column(default=_day)
    read_at: Mapped[Moment | None] = mapped_column(default=None)
