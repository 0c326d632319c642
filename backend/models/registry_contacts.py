"""Whether the registry answers: one row, kept by the worker, so that an outage shows with nothing to send."""

from __future__ import annotations

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Moment, Text120


class RegistryContact(Base):
    """The last contact; `failing_since` is empty while calls are answered."""

    __tablename__ = "registry_contacts"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    checked_at: Mapped[Moment]
    reached_at: Mapped[Moment | None] = mapped_column(default=None)
    failing_since: Mapped[Moment | None] = mapped_column(default=None)
    failure: Mapped[Text120 | None] = mapped_column(default=None)
