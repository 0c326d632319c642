"""What the worker does for imports: the runs that residents have asked for, one at a time, and forgetting their files.

A run that a worker left in the middle is found unfinished by the next one and goes on behind its last recorded row.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.imports import UNFINISHED, ImportRun
from backend.queries.imports import RunView
from backend.services.audit import Actor
from backend.services.imports import run_import
from backend.services.kept_files import forget_file, read_file
from backend.services.lease_imports import ROWS_PER_UNIT, LeaseImporter
from backend.services.own_imports import KEPT_FOR, read_lease_file
from backend.services.turns import TurnHolder

STRAY_SECONDS = 3600  # a file that no run knows belongs to an upload whose commit failed


AT_A_TIME = timedelta(seconds=20)  # then the loop shows that it lives; the next pass goes on behind the last row


class _Paused(Exception):
    """Enough for this pass, or another worker has taken over; the run goes on where it stops here."""


def work_on_imports(world: World, turn: TurnHolder) -> int:
    """Go on with the import of a resident that has waited longest, while it is this worker's turn; 1 when it did.

    One that fails for a reason of ours goes behind the others and is tried again until its file is a day old.
    """
    if not turn.is_mine():
        return 0
    with reading() as session:
        run = session.scalar(
            select(ImportRun)
            .where(ImportRun.actor_kind == "resident", ImportRun.state.in_(UNFINISHED))
            .order_by(ImportRun.updated_at, ImportRun.id)
            .limit(1)
        )
        if run is None:
            return 0
        run_id = run.id
        task = (run.options.get("of", run.id), run.owner, run.file_name, bool(run.options.get("invite")))
    try:
        _do(world, turn, run_id, *task)
    except _Paused:
        pass
    except Exception:
        _put_behind(world, run_id)
        raise
    return 1


def _do(world: World, turn: TurnHolder, run_id: str, file_id: str, account_id: str, name: str, invite: bool) -> None:
    began_at = world.clock.now()

    def hold(_: RunView) -> None:
        if not turn.is_mine() or world.clock.now() - began_at > AT_A_TIME:
            raise _Paused

    content = read_file(world, file_id)
    if content is None:
        _give_up(world, run_id, "import.file_gone")
        return
    actor = Actor("resident", account_id)
    try:
        table = read_lease_file(name, content)
        importer = LeaseImporter(world, table, account_id, actor, invite=invite)
        run = run_import(
            world, run_id=run_id, importer=importer, table=table, actor=actor, tell=hold, rows_per_unit=ROWS_PER_UNIT
        )
    except Refused as refused:
        _give_up(world, run_id, refused.refusal.code)
        return
    if run.state == "done" and not run.dry_run:
        with transaction() as session:
            forget_file(world, session, file_id)


def _put_behind(world: World, run_id: str) -> None:
    with transaction() as session:
        session.get_one(ImportRun, run_id).updated_at = world.clock.now()


def _give_up(world: World, run_id: str, code: str) -> None:
    with transaction() as session:
        run = session.get_one(ImportRun, run_id, with_for_update=True)
        if run.state in UNFINISHED:
            _fail(world, run, code)


def _fail(world: World, run: ImportRun, code: str) -> None:
    run.state, run.fault = "failed", code
    run.finished_at = run.updated_at = world.clock.now()


def forget_files(world: World) -> int:
    """Delete uploaded files that nobody needs any more: imported, taken back, or a day old. Answers how many."""
    before = world.clock.now() - KEPT_FOR
    gone = 0
    for file_id in world.shelf.names():
        with transaction() as session:
            first = session.get(ImportRun, file_id, with_for_update=True)
            if first is None:
                if file_id not in world.shelf.names(older_than_seconds=STRAY_SECONDS):
                    continue
            elif _is_needed(world, session, first, before):
                continue
            forget_file(world, session, file_id)
            gone += 1
    return gone


def _is_needed(world: World, session: Session, first: ImportRun, before: datetime) -> bool:
    started = first.options.get("started")
    run = session.get_one(ImportRun, started, with_for_update=True) if started else first
    if first.created_at <= before:
        if run.state in UNFINISHED:
            _fail(world, run, "import.file_gone")
        return False
    if run is first:  # a rehearsal that is done waits for its owner; one that was taken back or failed does not
        return run.state in (*UNFINISHED, "done")
    return run.state != "done"  # what was stopped or failed may be taken up again
