"""Bridges and the shards of locks they own: a lease in the database, so that each lock is served by one bridge."""

from __future__ import annotations

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Moment, Text120


class Bridge(Base):
    """A bridge that has run; it lives while `seen_at` is younger than a lease."""

    __tablename__ = "bridges"

    name: Mapped[Text120] = mapped_column(primary_key=True)
    seen_at: Mapped[Moment]


class BridgeShard(Base):
    """One sixteenth of all locks. `fence` rises with each new owner, so that a late word of the old one is known."""

    __tablename__ = "bridge_shards"
    __table_args__ = (CheckConstraint("shard BETWEEN 0 AND 15", name="shard"),)

    shard: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    owner: Mapped[Text120 | None] = mapped_column(default=None)
    fence: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[Moment | None] = mapped_column(default=None)
