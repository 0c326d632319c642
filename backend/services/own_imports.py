"""A landlord's imports: upload, look at what each row would do, start, stop. The worker does the rows.

One import is a rehearsal run, and behind it the real runs that its owner has started (`started` in its options). The
file waits sealed on the shelf under the import's id until a run is done, at most for a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.ids import new_id
from backend.domain.refusals import Refused
from backend.domain.tenancy_rows import LEASE_COLUMNS, LEASE_DATES, LEASE_REQUIRED
from backend.gateways.table_files import Limits, Table, read_table
from backend.gateways.world import World
from backend.models.imports import UNFINISHED, ImportRun
from backend.queries.imports import RowView, list_rows, run_view
from backend.services import idempotency, outbox
from backend.services.audit import Actor, write_leaf
from backend.services.imports import open_run_in
from backend.services.kept_files import forget_file, keep_file
from backend.services.units import landlord_of

# A landlord of the county's largest villages lets some two hundred rooms; what is larger is split.
LIMITS = Limits(bytes=2 * 1024**2, unpacked=24 * 1024**2, rows=1000)
KEPT_FOR = timedelta(hours=24)
CHANNEL = "imports"  # whom a commit wakes
SHOWN = 20
STATES = ("checking", "ready", "running", "done", "failed", "stopped", "expired")


@dataclass(frozen=True)
class ImportView:
    """One import as its owner sees it; `counts` are what rows would become until it is started, then what they are.

    `state`: checking, ready (to start), running, done, failed, stopped (may be taken up again), expired.
    """

    id: str
    file_name: str
    state: str
    fault: str | None
    total: int
    done: int
    counts: dict[str, int]
    may_start: bool
    may_stop: bool
    created_at: datetime
    file_until: datetime


@dataclass(frozen=True)
class RowPage:
    """Rows in the order of the file; `next` is where to go on, None at the end."""

    rows: tuple[RowView, ...]
    next: int | None


def read_lease_file(name: str, content: bytes) -> Table:
    """Read an uploaded list. Raises Refused table.* with a sentence for a file that is of no use."""
    return read_table(name, content, LEASE_COLUMNS, required=LEASE_REQUIRED, dates=LEASE_DATES, limits=LIMITS)


def upload_leases(
    world: World, *, account_id: str, name: str, content: bytes, idempotency_key: str | None = None
) -> ImportView:
    """Take a landlord's list and have it rehearsed; the same file again finds the unfinished import of it.

    Raises Refused table.*, landlord.unidentified.
    """
    table = read_lease_file(name, content)
    body = {"sha256": sha256(content).hexdigest(), "name": table.name}
    with transaction() as session:
        known = idempotency.find_answer(session, account_id, idempotency_key, "upload_leases", body)
        if known is not None:
            return _view(world, session, session.get_one(ImportRun, known["id"]))
        landlord_of(session, account_id)
        actor = Actor("resident", account_id)
        run, is_new = open_run_in(world, session, kind="leases", table=table, actor=actor, dry_run=True)
        if is_new:
            keep_file(world, session, run.id, content)
            write_leaf(world, session, actor, "import_uploaded", object_kind="import_run", object_id=run.id)
        idempotency.remember(world, session, account_id, idempotency_key, "upload_leases", body, {"id": run.id})
        outbox.wake(world, session, CHANNEL)
        return _view(world, session, run)


def list_imports(world: World, *, account_id: str) -> tuple[ImportView, ...]:
    """The owner's latest imports, newest first."""
    with reading() as session:
        mine = (ImportRun.kind == "leases", ImportRun.actor_kind == "resident", ImportRun.owner == account_id)
        rows = session.scalars(
            select(ImportRun)
            .where(*mine, ImportRun.dry_run.is_(True))
            .order_by(ImportRun.created_at.desc(), ImportRun.id.desc())
            .limit(SHOWN)
        )
        return tuple(_view(world, session, run) for run in rows.all())


def get_import(world: World, *, account_id: str, import_id: str) -> ImportView:
    """One import; another's is not found."""
    with reading() as session:
        return _view(world, session, _own(session, account_id, import_id))


def list_import_rows(
    world: World, *, account_id: str, import_id: str, after: int = 0, limit: int = 50, outcomes: tuple[str, ...] = ()
) -> RowPage:
    """What became of the rows behind number `after`, or would become of them until the import is started."""
    with reading() as session:
        run = _present(session, _own(session, account_id, import_id))
        run_id = run.id
    rows = list_rows(run_id, outcomes=outcomes, after=after, limit=limit + 1)
    more = len(rows) > limit
    return RowPage(rows[:limit], rows[limit - 1].number if more else None)


def start_import(world: World, *, account_id: str, import_id: str, send_invitations: bool = False) -> ImportView:
    """Have the rows done; an import that was stopped is taken up again. One that runs or is done already stays so.

    Raises Refused import.not_ready, import.file_gone.
    """
    with transaction() as session:
        first = _own(session, account_id, import_id, changing=True)
        view = _view(world, session, first)
        if view.state in ("running", "done"):
            return view
        if view.state == "expired" or (view.state in ("stopped", "failed") and not view.may_start):
            raise Refused("import.file_gone")
        if not view.may_start:
            raise Refused("import.not_ready")
        now = world.clock.now()
        if _runs_already(session, first):  # the same list, uploaded twice and started twice
            raise Refused("import.not_ready")
        options = {"of": first.id, "landlord": account_id, "invite": send_invitations}
        run = _real_run_of(first, options, now)
        session.add(run)
        session.flush()
        first.options = {**first.options, "started": run.id}
        first.updated_at = now
        actor = Actor("resident", account_id)
        write_leaf(world, session, actor, "import_started", object_kind="import_run", object_id=run.id)
        outbox.wake(world, session, CHANNEL)
        return _view(world, session, first)


def stop_import(world: World, *, account_id: str, import_id: str) -> ImportView:
    """Before the start: take the import back, its file is deleted. While it runs: stop behind the present rows.

    What is done stays done. Raises Refused import.finished.
    """
    with transaction() as session:
        first = _own(session, account_id, import_id, changing=True)
        run = _present(session, first)
        now = world.clock.now()
        if _view(world, session, first).state not in ("checking", "ready", "running"):
            raise Refused("import.finished", "import_id")
        run.state, run.finished_at, run.updated_at = "cancelled", now, now
        if run is first:
            forget_file(world, session, first.id)
        write_leaf(
            world, session, Actor("resident", account_id), "import_stopped", object_kind="import_run", object_id=run.id
        )
        return _view(world, session, first)


def _runs_already(session: Session, first: ImportRun) -> bool:
    found = select(ImportRun.id).where(
        ImportRun.kind == first.kind,
        ImportRun.sha256 == first.sha256,
        ImportRun.dry_run.is_(False),
        ImportRun.actor_kind == first.actor_kind,
        ImportRun.owner == first.owner,
        ImportRun.state.in_(UNFINISHED),
    )
    return session.scalar(found.limit(1)) is not None


def _real_run_of(first: ImportRun, options: dict[str, object], at: datetime) -> ImportRun:
    return ImportRun(
        id=new_id(),
        kind=first.kind,
        file_name=first.file_name,
        sha256=first.sha256,
        actor_kind=first.actor_kind,
        owner=first.owner,
        dry_run=False,
        options=options,
        total=first.total,
        created_at=at,
        updated_at=at,
    )


def _own(session: Session, account_id: str, import_id: str, *, changing: bool = False) -> ImportRun:
    run = session.get(ImportRun, import_id, with_for_update=changing)
    is_own = run is not None and (run.kind, run.actor_kind, run.owner) == ("leases", "resident", account_id)
    if run is None or not is_own or not run.dry_run:
        raise Refused("not_found", "import_id")
    return run


def _present(session: Session, first: ImportRun) -> ImportRun:
    """The run that tells: the real one once there is one."""
    started: Any = first.options.get("started")
    return session.get_one(ImportRun, started) if started else first


def _view(world: World, session: Session, first: ImportRun) -> ImportView:
    run = _present(session, first)
    until = first.created_at + KEPT_FOR
    state = _state(first, run, is_late=world.clock.now() >= until)
    shown = run_view(run)
    return ImportView(
        id=first.id,
        file_name=first.file_name,
        state=state,
        fault=run.fault,
        total=shown.total,
        done=shown.done,
        counts=shown.counts,
        may_start=world.clock.now() < until
        and (state == "ready" or (run is not first and state in ("stopped", "failed"))),
        may_stop=state in ("checking", "ready", "running"),
        created_at=first.created_at,
        file_until=until,
    )


def _state(first: ImportRun, run: ImportRun, *, is_late: bool) -> str:
    if run.state == "cancelled":
        return "stopped"
    if run.state == "failed":
        return "failed"
    if run is not first:
        return "running" if run.state in UNFINISHED else "done"
    if is_late:
        return "expired"
    return "checking" if run.state in UNFINISHED else "ready"
