"""Imports of tables: one run per file and attempt, one row for what became of each of the file's rows.

Neither holds what stood in a cell: a row's faults are named by column and reason.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, Moment, Text120, one_of

KINDS = ("address", "leases", "registrations")
RUN_STATES = ("checking", "ready", "running", "done", "failed", "cancelled")
UNFINISHED = ("checking", "ready", "running")
OUTCOMES = ("new", "changed", "renumbered", "same", "failed", "retired", "kept")
ACTOR_KINDS = ("operator", "officer", "resident")
_UNFINISHED = text("state IN ('checking', 'ready', 'running')")


class ImportRun(Base):
    """One import of one file. `done` of `total` rows are through; the other counts are outcomes."""

    __tablename__ = "import_runs"
    __table_args__ = (
        one_of("kind", KINDS),
        one_of("state", RUN_STATES),
        one_of("actor_kind", ACTOR_KINDS),
        # the same file of the same person is continued, not begun beside itself; '' stands for the operator, who has
        # no id, because NULL would be different from NULL here
        Index(
            "uq_import_runs_unfinished",
            "kind",
            "sha256",
            "dry_run",
            "actor_kind",
            "owner",
            unique=True,
            sqlite_where=_UNFINISHED,
            postgresql_where=_UNFINISHED,
        ),
        Index("ix_import_runs_kind_created_at", "kind", "created_at"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    kind: Mapped[Code]
    file_name: Mapped[Text120]
    sha256: Mapped[str] = mapped_column(String(64))
    actor_kind: Mapped[Code]
    owner: Mapped[Code] = mapped_column(default="")
    dry_run: Mapped[bool] = mapped_column(default=False)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[Code] = mapped_column(default="checking")
    fault: Mapped[Code | None] = mapped_column(default=None)  # the reason for which the whole run failed
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    new: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    renumbered: Mapped[int] = mapped_column(default=0)
    same: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    retired: Mapped[int] = mapped_column(default=0)
    kept: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[Moment]
    started_at: Mapped[Moment | None] = mapped_column(default=None)
    updated_at: Mapped[Moment]
    finished_at: Mapped[Moment | None] = mapped_column(default=None)


class ImportRow(Base):
    """What became of one row. `row_no` is the row of the file, or negative for an object that no row names."""

    __tablename__ = "import_rows"
    __table_args__ = (one_of("outcome", OUTCOMES), Index("ix_import_rows_outcome", "run_id", "outcome", "row_no"))

    run_id: Mapped[Id] = mapped_column(ForeignKey("import_runs.id"), primary_key=True)
    row_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    outcome: Mapped[Code]
    object_id: Mapped[Id | None] = mapped_column(default=None)
    errors: Mapped[list[Any]] = mapped_column(default=list)  # [{"field": column, "code": reason}, …]
    at: Mapped[Moment]
