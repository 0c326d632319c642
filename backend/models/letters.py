"""Letters to print: what an inbox message is for a person who has no phone."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, Moment, Text120


class Letter(Base):
    """One message to one person, to be printed by the office of `area`; `once` makes it idempotent as a notice's does.

    The text is rendered from `kind` when it is printed; name and address are not kept here.
    """

    __tablename__ = "letters"
    __table_args__ = (Index("ix_letters_area_printed_at", "area", "printed_at"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    person_id: Mapped[Id] = mapped_column(ForeignKey("persons.id"), index=True)
    area: Mapped[Code]
    kind: Mapped[Code]
    once: Mapped[Text120] = mapped_column(unique=True)
    rule: Mapped[Code | None] = mapped_column(default=None)
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[Moment]
    printed_at: Mapped[Moment | None] = mapped_column(default=None)
    printed_by: Mapped[Id | None] = mapped_column(ForeignKey("officers.id"), default=None)
