"""Leases out of a landlord's own list: one row is one tenancy, judged by the rules of a lease recorded by hand.

An import never declares anybody: it records the lease (PSAL-68), reports the tenant (ZJ-9-1) and prepares the
invitation. The same row again changes nothing; a later end extends the lease where the rules allow it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading
from backend.domain.leases import Term
from backend.domain.persons import decide_phone
from backend.domain.refusals import Refusal, Refused
from backend.domain.tenancy_rows import LEASE_COLUMNS, LEASE_DATES, LEASE_REQUIRED, LeaseRow, read_lease_row
from backend.gateways.table_files import Table, TableRow
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.dwellings import Dwelling
from backend.models.imports import ImportRow, ImportRun
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.units import Unit
from backend.queries.imports import RunView
from backend.services import vault
from backend.services.audit import Actor, write_leaf
from backend.services.change_feed import note_lease
from backend.services.imports import RowResult, open_run, run_import
from backend.services.invitations import make_invitation
from backend.services.key_changes import change_key
from backend.services.lease_making import (
    Named,
    check_not_living_there,
    find_stay,
    join_stay,
    make_lease,
    make_occupants_key,
    make_registration,
    report_leg,
)
from backend.services.leases import beds_of, check_terms, extend_in, find_joined
from backend.services.persons import number_token
from backend.services.row_units import UnitFinder
from backend.services.units import landlord_of, require_mandate

__all__ = ["LEASE_COLUMNS", "LEASE_DATES", "LEASE_REQUIRED", "LeaseImporter", "find_landlord", "import_leases"]

# A lease takes some twenty times the writes of an address: SQLite's one writer is given back after a tenth of a second.
ROWS_PER_UNIT = 5


def import_leases(
    world: World,
    *,
    table: Table,
    account_id: str,
    actor: Actor,
    dry_run: bool = False,
    invite: bool = False,
    tell: Callable[[RunView], None] | None = None,
) -> RunView:
    """Import a landlord's list at once, or rehearse it; a run that was killed goes on where it stopped.

    `invite` sends the invitations by short message; else their links wait on the leases' pages. Raises Refused
    landlord.unidentified.
    """
    options: dict[str, object] = {"landlord": account_id, "invite": invite}
    run_id = open_run(world, kind="leases", table=table, actor=actor, dry_run=dry_run, options=options)
    importer = LeaseImporter(world, table, account_id, actor, invite=invite)
    return run_import(
        world, run_id=run_id, importer=importer, table=table, actor=actor, tell=tell, rows_per_unit=ROWS_PER_UNIT
    )


def find_landlord(world: World, *, phone: str) -> str:
    """The account that signs in with this phone. Raises Refused phone.invalid, import.no_landlord."""
    number = decide_phone(phone)
    if isinstance(number, Refusal):
        raise Refused.of([number])
    with reading() as session:
        token = world.key_ring.blind_index("phone", number)
        account_id = session.scalar(select(Account.id).where(Account.phone_token == token))
    if account_id is None:
        raise Refused("import.no_landlord", "phone")
    return account_id


@dataclass(frozen=True)
class _Planned:
    """A lease that this file makes, kept for the rows behind it while a rehearsal writes nothing."""

    row: int
    kind: str
    term: Term


class LeaseImporter:
    """Applies the rows of one landlord's file; see services.imports for how a run goes."""

    kind = "leases"

    def __init__(self, world: World, table: Table, account_id: str, actor: Actor, *, invite: bool) -> None:
        self._account_id, self._actor, self._invite = account_id, actor, invite
        self._rows: dict[int, LeaseRow] = {}
        self._faults: dict[int, list[Refusal]] = {}
        self._units: dict[int, Unit | Refusal] = {}
        self._doubles: dict[int, int] = {}
        self._planned: dict[str, list[_Planned]] = {}
        self._landlord_id = ""
        today = world.clock.today()
        for row in table.rows:
            if row.fault is None:
                try:
                    self._rows[row.number] = read_lease_row(row.cells, today)
                except Refused as refused:
                    self._faults[row.number] = list(refused.refusals)

    def prepare(self, world: World, rows: Sequence[TableRow]) -> None:
        """Nobody outside has to be asked."""

    def begin(self, world: World, session: Session, run: ImportRun) -> Sequence[RowResult]:
        """Find the landlord's units once, and the rows that say the same as an earlier one."""
        self._landlord_id = landlord_of(session, self._account_id)
        own = session.execute(
            select(Unit, Dwelling)
            .join(Dwelling, Dwelling.id == Unit.dwelling_id)
            .where(Unit.landlord_id == self._landlord_id)
        )
        wanted = [row.unit for row in self._rows.values()]
        finder = UnitFinder(((unit, home) for unit, home in own), "import.unit", wanted)
        seen: dict[tuple[str, bytes, object], int] = {}
        for number, row in self._rows.items():
            unit = self._units[number] = finder.find(row.unit)
            if isinstance(unit, Unit):
                first = seen.setdefault((unit.id, number_token(world, row.document), row.starts_on), number)
                if first != number:
                    self._doubles[number] = first
        if run.dry_run:
            self._remember_planned(session, run)
        return []

    def _remember_planned(self, session: Session, run: ImportRun) -> None:
        """What this rehearsal had found before it was killed still counts for the rows behind."""
        self._planned = {}
        done = select(ImportRow.row_no).where(ImportRow.run_id == run.id, ImportRow.outcome == "new")
        for number in session.scalars(done.order_by(ImportRow.row_no)):
            unit, row = self._units.get(number), self._rows.get(number)
            if isinstance(unit, Unit) and row is not None:
                self._plan(unit, number, row)

    def _plan(self, unit: Unit, number: int, row: LeaseRow) -> None:
        term = Term(row.starts_on, row.ends_on)
        self._planned.setdefault(unit.id, []).append(_Planned(number, row.kind, term))

    def apply(self, world: World, session: Session, run: ImportRun, row: TableRow) -> RowResult:
        """Record one tenancy, or extend the one that it is already."""
        if row.number in self._faults:
            raise Refused.of(self._faults[row.number])
        said, found = self._rows[row.number], self._units[row.number]
        if isinstance(found, Refusal):
            raise Refused.of([found])
        if row.number in self._doubles:
            raise Refused("import.duplicate", "tenant_id_number", row=self._doubles[row.number])
        unit = session.get_one(Unit, found.id, with_for_update=True)
        if unit.landlord_id != self._landlord_id:  # it has changed hands since the run began
            raise Refused("import.unit", "unit_number")
        require_mandate(world, session, unit.id, self._landlord_id)
        token = number_token(world, said.document)
        named = Named(said.tenant_name, said.document, said.tenant_phone, token)
        known = _find_known(session, unit, named, said)
        if known is not None:
            return self._bring(world, session, known, said)
        if run.dry_run:
            self._check_planned(unit, said)
        lease = self._record(world, session, unit, named, said)
        if run.dry_run:
            self._plan(unit, row.number, said)
        return RowResult("new", None if run.dry_run else lease.id, said.notes)

    def _check_planned(self, unit: Unit, said: LeaseRow) -> None:
        """Hold the row against the rows before it, as the leases they will be (HR-7 for the number of people)."""
        term = Term(said.starts_on, said.ends_on)
        along = [other for other in self._planned.get(unit.id, []) if other.term.overlaps(term)]
        joins = any((other.kind, other.term) == (said.kind, term) for other in along) and said.kind != "bed"
        if joins and len(along) >= unit.capacity:
            raise Refused("unit.full", "tenant_name", most=unit.capacity)
        if not joins and len(along) >= beds_of(unit, said.kind):
            raise Refused("import.overlap_row", "starts_on", row=along[0].row)

    def _record(self, world: World, session: Session, unit: Unit, named: Named, said: LeaseRow) -> Lease:
        if session.get_one(Person, self._landlord_id).id_number_token == named.token:
            raise Refused("lease.own", "tenant_id_number")
        term = Term(said.starts_on, said.ends_on)
        joined = _find_to_join(session, unit, said, term)
        if joined is None:
            check_terms(world, session, unit, said.kind, term, said.alias, runs_already=True)
        else:
            _check_room_for_one_more(world, session, unit, joined)
        declared = find_stay(session, unit, named)
        if declared is None:
            check_not_living_there(session, unit, named)
        joint_id = None if joined is None else joined.joint_id or joined.id
        lease = make_lease(world, session, unit, self._landlord_id, said.kind, term, said.alias, named, joint_id)
        lease.rent_cents, lease.deposit_cents = said.rent_cents, said.deposit_cents
        registration = declared or make_registration(
            world,
            session,
            lease,
            said.moved_in_on,
            self._actor,
            "import",
            due_from=max(said.moved_in_on, world.clock.today()),
        )
        key = make_occupants_key(world, session, lease)
        if declared is not None:
            join_stay(world, session, lease, declared, key, self._actor, "import")
        write_leaf(world, session, self._actor, "lease_recorded", object_kind="lease", object_id=lease.id)
        note_lease(world, session, lease, "recorded")
        report_leg(world, session, lease, registration, self._actor, source="import")
        change_key(world, session, key, "invite", self._actor)
        make_invitation(world, session, named.phone, lease_id=lease.id, send=self._invite)
        return lease

    def _bring(self, world: World, session: Session, lease: Lease, said: LeaseRow) -> RowResult:
        """Bring a known lease to what the row says, as far as one side may."""
        if lease.state != "active":
            return RowResult("kept", lease.id, (Refusal("import.lease_over", "starts_on"),))
        faults = [Refusal("import.differs", column) for column in _differences(world, session, lease, said)]
        if faults:
            raise Refused.of(faults)
        changed = False
        if said.says_end and lease.ends_on != said.ends_on:
            extend_in(world, session, self._actor, lease, said.ends_on, source="import")
            changed = True
        for column, value in (("rent_cents", said.rent_cents), ("deposit_cents", said.deposit_cents)):
            if value is not None and getattr(lease, column) != value:
                setattr(lease, column, value)
                changed = True
        return RowResult("changed" if changed else "same", lease.id, said.notes)

    def finish(self, world: World, session: Session, run: ImportRun) -> None:
        """Nothing is left to do."""


def _find_known(session: Session, unit: Unit, named: Named, said: LeaseRow) -> Lease | None:
    """The lease that this row was before: same unit, document and start; one that is over only when none runs."""
    return session.scalar(
        select(Lease)
        .where(
            Lease.unit_id == unit.id,
            Lease.landlord_id == unit.landlord_id,
            Lease.named_id_type == named.document.id_type,
            Lease.named_id_token == named.token,
            Lease.starts_on == said.starts_on,
        )
        .order_by(Lease.state != "active", Lease.created_at.desc(), Lease.id.desc())
        .limit(1)
    )


def _find_to_join(session: Session, unit: Unit, said: LeaseRow, term: Term) -> Lease | None:
    """The active lease of others with the very same kind and dates: two rows of one list, one joint tenancy."""
    if said.kind == "bed":
        return None
    return session.scalar(
        select(Lease)
        .where(
            Lease.unit_id == unit.id,
            Lease.landlord_id == unit.landlord_id,
            Lease.state == "active",
            Lease.kind == said.kind,
            Lease.starts_on == term.starts_on,
            Lease.ends_on.is_(None) if term.ends_on is None else Lease.ends_on == term.ends_on,
        )
        .order_by(Lease.joint_id.is_not(None), Lease.created_at, Lease.id)
        .limit(1)
    )


def _check_room_for_one_more(world: World, session: Session, unit: Unit, joined: Lease) -> None:
    """Raises Refused lease.not_joint, unit.full (HR-7) under a column of the file."""
    try:
        find_joined(world, session, unit, joined.id)
    except Refused as refused:
        found = refused.refusal
        raise Refused(found.code, "tenant_name", allowed=found.allowed, **found.params) from None


def _differences(world: World, session: Session, lease: Lease, said: LeaseRow) -> list[str]:
    """Columns in which the row contradicts what the landlord has recorded; the landlord's own words only."""

    def opened(column: str, sealed: bytes) -> str:
        return vault.unseal(world, session, lease.id, f"leases.{column}", lease.id, sealed)

    compared = {
        "kind": (lease.kind, said.kind),
        "tenant_name": (opened("named_name", lease.named_name_sealed), said.tenant_name),
        "tenant_phone": (opened("named_phone", lease.named_phone_sealed), said.tenant_phone),
    }
    return [column for column, (known, now) in compared.items() if known != now]
