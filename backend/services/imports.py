"""Imports of tables: a run goes through a file's rows in small write units, each row all or nothing.

What a row means is the importer's business (see `Importer`); how a run begins, goes on after a kill, stops, counts and
rehearses is decided here, once. Rows are recorded in the unit that applied them, so a run continues where it stopped.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.ids import new_id
from backend.domain.refusals import Refusal, Refused
from backend.gateways.table_files import Table, TableRow
from backend.gateways.world import World
from backend.models.imports import UNFINISHED, ImportRow, ImportRun
from backend.queries.imports import RunView, run_view
from backend.services.audit import Actor, write_leaf

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}|…")
ROWS_PER_UNIT = 50  # a web request that waits for SQLite's one writer waits for this many rows at most


@dataclass(frozen=True)
class RowResult:
    """What became of a row (an outcome of models.imports), the object it is about, and what is to be said of it."""

    outcome: str
    object_id: str | None = None
    errors: tuple[Refusal, ...] = ()


class Importer(Protocol):
    """What one kind of import does with its rows. All of it runs inside a write unit of the run."""

    kind: str

    def begin(self, world: World, session: Session, run: ImportRun) -> Sequence[RowResult]:
        """Prepare the run; answers results about objects that no row names. Called again when a run is resumed: what
        was done then is found done. Raises Refused when the file as a whole must not be applied."""

    def prepare(self, world: World, rows: Sequence[TableRow]) -> None:
        """Ask others what must be known of these rows; no write unit is open. Also asked in a rehearsal."""

    def apply(self, world: World, session: Session, run: ImportRun, row: TableRow) -> RowResult:
        """Do one row. Raises Refused with all its faults when the row must not be applied; then nothing of it stays."""

    def finish(self, world: World, session: Session, run: ImportRun) -> None:
        """Do what is left when every row is through; not called for a rehearsal."""


class _Rehearsed(Exception):
    """Carries results out of a write unit that must leave nothing."""

    def __init__(self, results: list[tuple[int, RowResult]]) -> None:
        super().__init__()
        self.results = results


def open_run(
    world: World, *, kind: str, table: Table, actor: Actor, dry_run: bool, options: dict[str, object] | None = None
) -> str:
    """Begin a run of a file, or find the unfinished one of the same file and actor; answers its id.

    An unfinished run of another file of the same kind and actor is cancelled: the newer file takes over.
    """
    with transaction() as session:
        run, _ = open_run_in(world, session, kind=kind, table=table, actor=actor, dry_run=dry_run, options=options)
        return run.id


def open_run_in(
    world: World,
    session: Session,
    *,
    kind: str,
    table: Table,
    actor: Actor,
    dry_run: bool,
    options: dict[str, object] | None = None,
) -> tuple[ImportRun, bool]:
    """The same inside the present write unit: the run, and whether it is new."""
    owner = actor.id or ""
    mine = session.scalars(
        select(ImportRun)
        .where(
            ImportRun.kind == kind,
            ImportRun.actor_kind == actor.kind,
            ImportRun.owner == owner,
            ImportRun.dry_run == dry_run,
            ImportRun.state.in_(UNFINISHED),
        )
        .with_for_update()
    ).all()
    for run in mine:
        if run.sha256 == table.sha256 and run.options == (options or {}):
            return run, False
        run.state, run.finished_at, run.updated_at = "cancelled", world.clock.now(), world.clock.now()
    session.flush()
    run = ImportRun(
        id=new_id(),
        kind=kind,
        file_name=table.name,
        sha256=table.sha256,
        actor_kind=actor.kind,
        owner=owner,
        dry_run=dry_run,
        options=options or {},
        total=len(table.rows),
        created_at=world.clock.now(),
        updated_at=world.clock.now(),
    )
    session.add(run)
    session.flush()
    return run, True


def run_import(
    world: World,
    *,
    run_id: str,
    importer: Importer,
    table: Table,
    actor: Actor,
    tell: Callable[[RunView], None] | None = None,
    rows_per_unit: int | None = None,
) -> RunView:
    """Take a run to its end, however far it had come; `tell` hears of it after every write unit.

    A rehearsal (dry run) does every row and undoes it, so that it says what would happen. Answers the run as it then
    is: done, or cancelled by somebody. Raises Refused when the importer refuses the file; the run has then failed.
    """
    try:
        view = _begin(world, run_id, importer)
    except Refused as refused:
        _fail(world, run_id, refused)
        raise
    for rows in _in_parts(table.rows, rows_per_unit or ROWS_PER_UNIT):
        if view.state not in UNFINISHED:
            return view
        view = _do_part(world, run_id, importer, rows, rehearsal=view.dry_run)
        if tell is not None and view.state in UNFINISHED:
            tell(view)
    return _finish(world, run_id, importer, actor) if view.state in UNFINISHED else view


def cancel_run(world: World, *, run_id: str) -> RunView:
    """Stop a run at its next write unit; what is done stays done. Raises Refused not_found, import.finished."""
    with transaction() as session:
        run = session.get(ImportRun, run_id, with_for_update=True)
        if run is None:
            raise Refused("not_found", "run_id")
        if run.state not in UNFINISHED:
            raise Refused("import.finished", "run_id")
        run.state, run.finished_at, run.updated_at = "cancelled", world.clock.now(), world.clock.now()
        return run_view(run)


def _in_parts(rows: Sequence[TableRow], size: int) -> Iterator[Sequence[TableRow]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _begin(world: World, run_id: str, importer: Importer) -> RunView:
    """Begin the run, or learn on resuming what its beginning had found."""
    rehearsed = None
    with transaction() as session:
        run = session.get_one(ImportRun, run_id, with_for_update=True)
        if run.state not in UNFINISHED:
            return run_view(run)
        rehearsal, fresh = run.dry_run, run.state != "running"
    if rehearsal:
        rehearsed = _rehearse(lambda session, run: _numbered(importer.begin(world, session, run)), run_id)
    with transaction() as session:
        run = session.get_one(ImportRun, run_id, with_for_update=True)
        found = rehearsed if rehearsed is not None else _numbered(importer.begin(world, session, run))
        if fresh and run.state != "running":
            run.state, run.started_at = "running", world.clock.now()
            _record(world, session, run, found, rows=0)
        return run_view(run)


def _numbered(results: Sequence[RowResult]) -> list[tuple[int, RowResult]]:
    return [(-number, result) for number, result in enumerate(results, 1)]


def _do_part(world: World, run_id: str, importer: Importer, rows: Sequence[TableRow], *, rehearsal: bool) -> RunView:
    """Apply the rows of one write unit that are not recorded yet, each in a savepoint of its own."""

    def results(session: Session, run: ImportRun) -> list[tuple[int, RowResult]]:
        recorded = _recorded(session, run_id, rows)
        waiting = [row for row in rows if row.number not in recorded]
        return [(row.number, _one(world, session, run, importer, row)) for row in waiting]

    importer.prepare(world, rows)
    rehearsed = _rehearse(results, run_id) if rehearsal else None
    with transaction() as session:
        run = session.get_one(ImportRun, run_id, with_for_update=True)
        if run.state not in UNFINISHED:
            return run_view(run)
        if rehearsed is None:
            found = results(session, run)
        else:
            recorded = _recorded(session, run_id, rows)
            found = [(number, result) for number, result in rehearsed if number not in recorded]
        _record(world, session, run, found, rows=len(found))
        return run_view(run)


def _recorded(session: Session, run_id: str, rows: Sequence[TableRow]) -> set[int]:
    numbers = [row.number for row in rows]
    return set(
        session.scalars(select(ImportRow.row_no).where(ImportRow.run_id == run_id, ImportRow.row_no.in_(numbers)))
    )


def _rehearse(
    act: Callable[[Session, ImportRun], list[tuple[int, RowResult]]], run_id: str
) -> list[tuple[int, RowResult]]:
    """Act in a write unit and undo it, what was asked to run after its commit too; answers what it would have been."""
    try:
        with transaction() as session:
            raise _Rehearsed(act(session, session.get_one(ImportRun, run_id)))
    except _Rehearsed as rehearsed:
        return rehearsed.results


def _one(world: World, session: Session, run: ImportRun, importer: Importer, row: TableRow) -> RowResult:
    """One row, all or nothing; in a rehearsal nothing, so that each row is judged by what is really there."""
    if row.fault is not None:
        return RowResult("failed", errors=(Refusal(row.fault[1], row.fault[0]),))
    savepoint = session.begin_nested()
    try:
        result = importer.apply(world, session, run, row)
        session.flush()
    except Refused as refused:
        savepoint.rollback()
        return RowResult("failed", errors=refused.refusals)
    except IntegrityError:  # somebody else's write came between; the same file mends it
        savepoint.rollback()
        return RowResult("failed", errors=(Refusal("import.row"),))
    if run.dry_run:
        savepoint.rollback()
    else:
        savepoint.commit()
    return result


def _record(world: World, session: Session, run: ImportRun, found: Sequence[tuple[int, RowResult]], rows: int) -> None:
    now = world.clock.now()
    for number, result in found:
        errors = [_kept_of(fault) for fault in result.errors]
        session.add(
            ImportRow(
                run_id=run.id, row_no=number, outcome=result.outcome, object_id=result.object_id, errors=errors, at=now
            )
        )
    for outcome, count in Counter(result.outcome for _, result in found).items():
        setattr(run, outcome, getattr(run, outcome) + count)
    run.done += rows
    run.updated_at = now


def _kept_of(fault: Refusal) -> dict[str, object]:
    """A fault without what stood in the cell: of its params whole numbers (a row, a limit) and days are kept."""
    params = {name: value for name, value in fault.params.items() if type(value) is int or _is_day(value)}
    kept: dict[str, object] = {"field": fault.field, "code": fault.code}
    return kept | ({"params": params} if params else {}) | ({"allowed": list(fault.allowed)} if fault.allowed else {})


def _is_day(value: object) -> bool:
    """A day of another lease, or its open end."""
    return isinstance(value, str) and _DAY.fullmatch(value) is not None


def _finish(world: World, run_id: str, importer: Importer, actor: Actor) -> RunView:
    with transaction() as session:
        run = session.get_one(ImportRun, run_id, with_for_update=True)
        if run.state not in UNFINISHED:
            return run_view(run)
        if not run.dry_run:
            importer.finish(world, session, run)
            write_leaf(world, session, actor, f"import.{run.kind}", object_kind="import_run", object_id=run.id)
        run.state, run.finished_at, run.updated_at = "done", world.clock.now(), world.clock.now()
        return run_view(run)


def _fail(world: World, run_id: str, refused: Refused) -> None:
    now = world.clock.now()
    with transaction() as session:
        session.execute(
            update(ImportRun)
            .where(ImportRun.id == run_id, ImportRun.state.in_(UNFINISHED))
            .values(state="failed", fault=refused.refusal.code, finished_at=now, updated_at=now)
        )
