"""An office's paper registrations, taken over with the day on which each was declared.

Unlike a landlord's list this is a declaration: the original lies at the office under its number. It is sent to the
registry like any other; who is named in a landlord's lease for the same room is declared under that lease.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading
from backend.domain.officers import covers
from backend.domain.refusals import Refusal, Refused
from backend.domain.tenancy_rows import PAPER_COLUMNS, PAPER_DATES, PAPER_REQUIRED, PaperRow, read_paper_row
from backend.gateways.table_files import Table, TableRow
from backend.gateways.world import World
from backend.models.dwellings import Dwelling
from backend.models.imports import ImportRun
from backend.models.leases import Lease
from backend.models.officers import Officer
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.queries.imports import RunView
from backend.services.audit import Actor
from backend.services.declarations import Answers, declare_person, make_stay
from backend.services.entered_persons import find_or_enter
from backend.services.imports import RowResult, open_run, run_import
from backend.services.persons import Entry, ask_authority, check_entry, number_token
from backend.services.row_units import UnitFinder

__all__ = ["PAPER_COLUMNS", "PAPER_DATES", "PAPER_REQUIRED", "PaperImporter", "find_importer", "import_registrations"]

ROWS_PER_UNIT = 5  # as leases: a row is a person, a registration and its place in the registry's queue


@dataclass(frozen=True)
class Importer:
    """Who takes the papers over, and for which area; '' is everywhere."""

    actor: Actor
    area: str


def find_importer(*, login: str | None) -> Importer:
    """The officer of this sign-in name with their area, or the operator. Raises Refused import.no_officer."""
    if login is None:
        return Importer(Actor("operator"), "")
    with reading() as session:
        officer = session.scalar(select(Officer).where(Officer.login == login, Officer.active.is_(True)))
        if officer is None:
            raise Refused("import.no_officer", "officer")
        actor = Actor("officer", officer.id, officer.badge, officer.role, officer.office)
        return Importer(actor, officer.area)


def import_registrations(
    world: World,
    *,
    table: Table,
    importer: Importer,
    dry_run: bool = False,
    tell: Callable[[RunView], None] | None = None,
) -> RunView:
    """Take paper registrations over, or rehearse it; the same file again changes nothing, a killed run goes on."""
    run_id = open_run(world, kind="registrations", table=table, actor=importer.actor, dry_run=dry_run)
    papers = PaperImporter(world, table, importer)
    return run_import(
        world,
        run_id=run_id,
        importer=papers,
        table=table,
        actor=importer.actor,
        tell=tell,
        rows_per_unit=ROWS_PER_UNIT,
    )


class PaperImporter:
    """Applies the rows of one file; see services.imports for how a run goes."""

    kind = "registrations"

    def __init__(self, world: World, table: Table, importer: Importer) -> None:
        self._actor, self._area = importer.actor, importer.area
        self._rows: dict[int, tuple[PaperRow, Entry]] = {}
        self._faults: dict[int, list[Refusal]] = {}
        self._units: dict[int, Unit | Refusal] = {}
        self._doubles: dict[int, int] = {}
        self._matched: dict[int, bool | None] = {}
        seen: dict[tuple[object, bytes], int] = {}
        for row in table.rows:
            if row.fault is not None:
                continue
            try:
                said = read_paper_row(row.cells, world.clock.today())
                entry = check_entry(
                    world, said.id_type, said.id_number, said.name, said.birth_on, None, said.hukou_division
                )
            except Refused as refused:
                self._faults[row.number] = list(refused.refusals)
                continue
            self._rows[row.number] = (said, entry)
            first = seen.setdefault((said.unit, number_token(world, entry.document)), row.number)
            if first != row.number:
                self._doubles[row.number] = first

    def begin(self, world: World, session: Session, run: ImportRun) -> Sequence[RowResult]:
        """Find the units of the area that the file speaks of."""
        known = session.execute(
            select(Unit, Dwelling)
            .join(Dwelling, Dwelling.id == Unit.dwelling_id)
            .where(Dwelling.division.startswith(self._area, autoescape=True), Dwelling.retired_on.is_(None))
            .execution_options(yield_per=1000)
        )
        finder = UnitFinder(
            ((unit, home) for unit, home in known), "import.unit_area", [said.unit for said, _ in self._rows.values()]
        )
        self._units = {number: finder.find(said.unit) for number, (said, _) in self._rows.items()}
        return []

    def prepare(self, world: World, rows: Sequence[TableRow]) -> None:
        """Ask the population base whether names and numbers belong together: a call to another office."""
        for row in rows:
            if row.number in self._rows and isinstance(self._units.get(row.number), Unit):
                self._matched[row.number] = ask_authority(world, self._rows[row.number][1])

    def apply(self, world: World, session: Session, run: ImportRun, row: TableRow) -> RowResult:
        """Declare one person by the paper original."""
        if row.number in self._faults:
            raise Refused.of(self._faults[row.number])
        (said, entry), found = self._rows[row.number], self._units[row.number]
        if isinstance(found, Refusal):
            raise Refused.of([found])
        if row.number in self._doubles:
            raise Refused("address.duplicate", "id_number", row=self._doubles[row.number])
        if self._matched.get(row.number) is False:
            raise Refused("person.unmatched", "name")
        unit = session.get_one(Unit, found.id, with_for_update=True)
        if self._area and not covers(self._area, session.get_one(Dwelling, unit.dwelling_id).division):
            raise Refused("import.unit_area", "unit_number")  # it was renumbered since the run began
        token = number_token(world, entry.document)
        known = _find_known(session, unit, entry, token)
        if known is not None and known.tenant_leg == "declared":
            same = _compare(known, said)
            if same is not None:
                return same
            known = None
        person = find_or_enter(
            world,
            session,
            self._actor,
            entry,
            self._matched.get(row.number),
            hukou_division=said.hukou_division,
            source="import",
        )
        waiting = known or _find_waiting(session, unit, entry, token)
        registration = waiting or make_stay(world, session, unit, said.move_in_on)
        answers = Answers(said.move_in_on, registration.planned_end_on, None, said.hukou_division)
        declare_person(
            world,
            session,
            registration,
            person,
            answers,
            declared_by="paper",
            actor=self._actor,
            source="import",
            declared_at=said.declared_at,
            note=said.evidence_no,
        )
        registration.notice_version = None  # the paper had a notice of its own, which is not ours
        return RowResult("new", None if run.dry_run else registration.id)

    def finish(self, world: World, session: Session, run: ImportRun) -> None:
        """Nothing is left to do."""


def _find_known(session: Session, unit: Unit, entry: Entry, token: bytes) -> Registration | None:
    """The registration of this document's person in this unit: the living one, else the newest declared one."""
    return session.scalar(
        select(Registration)
        .join(Person, Person.id == Registration.person_id)
        .where(
            Registration.unit_id == unit.id,
            Person.id_type == entry.document.id_type,
            Person.id_number_token == token,
            (Registration.residence == "living") | (Registration.tenant_leg == "declared"),
        )
        .order_by(Registration.residence != "living", Registration.created_at.desc(), Registration.id.desc())
        .limit(1)
    )


def _compare(known: Registration, said: PaperRow) -> RowResult | None:
    """What is declared already stays; the same paper again is no other declaration. None: they came back later."""
    same = (known.declared_at, known.move_in_on) == (said.declared_at, said.move_in_on)
    if same and known.declared_by == "paper":
        return RowResult("same" if known.residence == "living" else "kept", known.id)
    if known.residence != "living":
        return None
    raise Refused("import.registered", "id_number")


def _find_waiting(session: Session, unit: Unit, entry: Entry, token: bytes) -> Registration | None:
    """The registration of a lease whose landlord has named this document, waiting for its tenant."""
    return session.scalar(
        select(Registration)
        .join(Lease, Lease.id == Registration.lease_id)
        .where(
            Registration.unit_id == unit.id,
            Registration.person_id.is_(None),
            Registration.residence == "living",
            Registration.tenant_leg != "declared",
            Lease.state == "active",
            Lease.named_id_type == entry.document.id_type,
            Lease.named_id_token == token,
        )
        .order_by(Lease.starts_on)
        .limit(1)
    )
