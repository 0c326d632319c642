"""The outbox: an intent to tell the outside world, written with the change that caused it, sent after the commit."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Identity, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Moment, Text120, one_of

DESTINATIONS = ("lock", "registry", "sms", "office")


class OutboxRow(Base):
    """One intent. Only ids are carried; order per (destination, aggregate) is the order of `id`."""

    __tablename__ = "outbox"
    __table_args__ = (
        one_of("destination", DESTINATIONS),
        Index(
            "ix_outbox_open",
            "destination",
            "available_at",
            sqlite_where=text("done_at IS NULL AND parked_at IS NULL"),
            postgresql_where=text("done_at IS NULL AND parked_at IS NULL"),
        ),
        Index("ix_outbox_aggregate", "destination", "aggregate_id", "id"),
    )

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True, autoincrement=True
    )
    destination: Mapped[Code]
    aggregate_id: Mapped[Text120]
    shard: Mapped[int | None] = mapped_column(default=None)  # of a lock: only the bridge that owns it sends
    kind: Mapped[Code]
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[Moment]
    available_at: Mapped[Moment]
    lease_until: Mapped[Moment | None] = mapped_column(default=None)
    fence: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(default=None)
    done_at: Mapped[Moment | None] = mapped_column(default=None)
    parked_at: Mapped[Moment | None] = mapped_column(default=None)
