"""Requests to delete what is held of a person (PIPL-47): asked, taken back, or done."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Id, Moment

_OPEN = text("withdrawn_at IS NULL AND done_at IS NULL")


class Erasure(Base):
    """One request of one account; of those neither taken back nor done there is one at most."""

    __tablename__ = "erasures"
    __table_args__ = (
        Index("uq_erasures_one_open", "account_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    account_id: Mapped[Id] = mapped_column(ForeignKey("accounts.id"))
    asked_at: Mapped[Moment]
    withdrawn_at: Mapped[Moment | None] = mapped_column(default=None)
    done_at: Mapped[Moment | None] = mapped_column(default=None)
