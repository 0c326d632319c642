"""The address base as it stands, and the versions it came in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select

from backend.db import reading
from backend.models.dwellings import AddressVersion, Dwelling
from backend.models.imports import ImportRun
from backend.models.units import Unit
from backend.queries.imports import COUNTED
from backend.queries.unit_facts import short_address


@dataclass(frozen=True)
class BaseRow:
    """One dwelling of the base; `version` is the one it was last seen in, None when it came before versions did."""

    id: str
    address_code: str | None
    division: str
    address: str
    former_address: str | None
    known_rental: bool
    units: int
    version: int | None
    retired_on: date | None


@dataclass(frozen=True)
class VersionRow:
    """One version: the file, the run that applied it and how far it came, and what it holds now."""

    number: int
    file_name: str
    sha256: str
    created_at: datetime
    state: str
    counts: dict[str, int]
    dwellings: int


def list_base(area: str = "", *, retired: bool | None = None, after: str = "", limit: int = 500) -> tuple[BaseRow, ...]:
    """Dwellings of an area by id, a page after `after`; `retired` keeps those that are, or those that are not."""
    units = select(func.count()).where(Unit.dwelling_id == Dwelling.id).scalar_subquery()
    statement = select(Dwelling, units).where(Dwelling.division.startswith(area, autoescape=True))
    if after:
        statement = statement.where(Dwelling.id > after)
    if retired is not None:
        statement = statement.where(Dwelling.retired_on.is_not(None) if retired else Dwelling.retired_on.is_(None))
    with reading() as session:
        return tuple(
            BaseRow(
                home.id,
                home.address_code,
                home.division,
                short_address(home),
                home.former_address,
                home.known_rental,
                count,
                home.seen_version,
                home.retired_on,
            )
            for home, count in session.execute(statement.order_by(Dwelling.id).limit(limit))
        )


def list_versions() -> tuple[VersionRow, ...]:
    """All versions, newest first."""
    seen = select(func.count()).where(Dwelling.seen_version == AddressVersion.number).scalar_subquery()
    statement = select(AddressVersion, ImportRun, seen).join(ImportRun, ImportRun.id == AddressVersion.run_id)
    with reading() as session:
        return tuple(
            VersionRow(
                version.number,
                run.file_name,
                version.sha256,
                version.created_at,
                run.state,
                {name: getattr(run, name) for name in COUNTED},
                count,
            )
            for version, run, count in session.execute(statement.order_by(AddressVersion.number.desc()))
        )
