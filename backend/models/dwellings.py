"""Dwellings of the imported address base, and the numbered versions of that base."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, Moment, Text120, one_of

DATUMS = ("CGCS2000", "WGS84", "GCJ02")
_BY_ADDRESS = text("address_code IS NULL AND retired_on IS NULL")


class Dwelling(Base):
    """One dwelling of the address base; it exists before anyone enrols it, and is marked when the base drops it.

    `division` is the 12-digit village or community code; its prefixes are street (9), county (6), city (4).
    `address_code` is what the base knows the dwelling by: road and door may be renumbered under it. Dwellings without
    one are known by their address, which is therefore theirs alone.
    """

    __tablename__ = "dwellings"
    __table_args__ = (
        Index(
            "uq_dwellings_address",
            "division",
            "road",
            "door_no",
            "building",
            unique=True,
            sqlite_where=_BY_ADDRESS,
            postgresql_where=_BY_ADDRESS,
        ),
        Index("ix_dwellings_address", "division", "road", "door_no", "building"),
        one_of("datum", DATUMS),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    address_code: Mapped[Code | None] = mapped_column(unique=True, default=None)
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
    former_address: Mapped[Text120 | None] = mapped_column(default=None)  # before the last renumbering
    known_rental: Mapped[bool] = mapped_column(default=False)
    longitude: Mapped[float | None] = mapped_column(default=None)
    latitude: Mapped[float | None] = mapped_column(default=None)
    outline: Mapped[list[Any] | None] = mapped_column(default=None)  # of the building: a closed ring of [lon, lat]
    datum: Mapped[Code | None] = mapped_column(default=None)
    imported_at: Mapped[Moment]
    seen_version: Mapped[int | None] = mapped_column(ForeignKey("address_versions.number"), index=True, default=None)
    retired_on: Mapped[date | None] = mapped_column(default=None)


class AddressVersion(Base):
    """One version of the address base: the file it came from and the run that applied it."""

    __tablename__ = "address_versions"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    run_id: Mapped[Id] = mapped_column(ForeignKey("import_runs.id"), unique=True)
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[Moment]
