"""Dwellings of the imported address base."""

from __future__ import annotations

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, Moment, Text120


class Dwelling(Base):
    """One dwelling of the address base; it exists before anyone enrols it.

    `division` is the 12-digit village or community code; its prefixes are street (9), county (6), city (4).
    """

    __tablename__ = "dwellings"
    __table_args__ = (UniqueConstraint("division", "road", "door_no", "building"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    division: Mapped[Code] = mapped_column(index=True)
    division_version: Mapped[Code]
    province: Mapped[Text120]
    city: Mapped[Text120]
    county: Mapped[Text120]
    street: Mapped[Text120]
    village: Mapped[Text120]
    road: Mapped[Text120]
    door_no: Mapped[Code]
    building: Mapped[Text120] = mapped_column(default="")
    known_rental: Mapped[bool] = mapped_column(default=False)
    longitude: Mapped[float | None] = mapped_column(default=None)
    latitude: Mapped[float | None] = mapped_column(default=None)
    imported_at: Mapped[Moment]
