"""The declarative base, column types and naming convention that all rows share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Dialect, Index, LargeBinary, MetaData, String, Uuid, text
from sqlalchemy.orm import DeclarativeBase, mapped_column, registry
from sqlalchemy.types import JSON, TypeDecorator

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime on both databases; SQLite would drop the zone, so it is put back when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a time zone must not be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class UuidText(TypeDecorator[str]):
    """A UUID as text. What is no UUID is asked for as the nil UUID, so that it finds nothing instead of failing."""

    impl = Uuid(as_uuid=False)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        try:
            return str(UUID(value))
        except (ValueError, AttributeError, TypeError):
            return NIL


NIL = str(UUID(int=0))
Id = Annotated[str, mapped_column(UuidText)]
LockId = Annotated[str, mapped_column(String(64))]
Code = Annotated[str, mapped_column(String(40))]
Text120 = Annotated[str, mapped_column(String(120))]
Moment = Annotated[datetime, mapped_column(UtcDateTime)]
Sealed = Annotated[bytes, mapped_column(LargeBinary)]
Token = Annotated[bytes, mapped_column(LargeBinary(32))]


AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)


def look_again() -> Any:
    """Column: when the row's duties are looked at next, None for never.

    Every write to the row that does not say otherwise asks for a look at once, so that no use case has to think of it.
    """
    return mapped_column(
        UtcDateTime, default=AT_ONCE, server_default=text("'1970-01-01 00:00:00'"), onupdate=AT_ONCE, nullable=True
    )


def index_where(name: str, column: str, condition: str) -> Index:
    """A partial index on one column, of the same rows on both databases."""
    return Index(name, column, sqlite_where=text(condition), postgresql_where=text(condition))


class Base(DeclarativeBase):
    """Base of every row."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={dict[str, Any]: JSON, list[Any]: JSON, list[str]: JSON},
    )


def one_of(column: str, values: Sequence[str]) -> CheckConstraint:
    """Constraint: `column` holds one of `values` (or NULL where the column allows it)."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)
