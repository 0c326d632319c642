"""The address base, imported version by version: dwellings are added, changed, renumbered in place, or marked as gone.

A dwelling that the new version lacks is retired, never deleted; while somebody lives there it stays, and that is said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from backend.domain.addresses import (
    COLUMNS,
    REQUIRED,
    AddressRow,
    CheckedFile,
    Place,
    RoomRow,
    check_file,
    read_address,
)
from backend.domain.ids import new_id
from backend.domain.keys import LIVE
from backend.domain.refusals import Refusal, Refused
from backend.gateways.table_files import Table, TableRow
from backend.gateways.world import World
from backend.models.dwellings import AddressVersion, Dwelling
from backend.models.imports import ImportRun
from backend.models.keys import Key
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.queries.imports import RunView
from backend.queries.local_standards import get_standard
from backend.queries.unit_facts import short_address
from backend.services.audit import Actor
from backend.services.imports import RowResult, open_run, run_import
from backend.services.renumbering import tell_renumbered
from backend.services.units import make_public_number

__all__ = ["COLUMNS", "REQUIRED", "import_addresses"]


def import_addresses(
    world: World,
    *,
    table: Table,
    actor: Actor,
    dry_run: bool = False,
    version: int | None = None,
    division_version: str | None = None,
    datum: str | None = None,
    tell: Callable[[RunView], None] | None = None,
) -> RunView:
    """Apply a file as the next version of the address base, or rehearse it; a run that was killed goes on.

    The file of the present version again is that version again. Raises Refused address.version when `version` is not
    greater than the latest.
    """
    edition = division_version or f"{world.clock.today().year}"
    options: dict[str, object] = {"version": version, "division_version": edition, "datum": datum}
    run_id = open_run(world, kind="address", table=table, actor=actor, dry_run=dry_run, options=options)
    importer = AddressImporter(_check(world, table, edition, datum), table.sha256, version)
    return run_import(world, run_id=run_id, importer=importer, table=table, actor=actor, tell=tell)


def _check(world: World, table: Table, edition: str, datum: str | None) -> CheckedFile:
    standard = get_standard(world.house, world.clock.today())

    def read(row: TableRow) -> AddressRow | list[Refusal]:
        if row.fault is not None:
            return [Refusal(row.fault[1], row.fault[0])]
        try:
            return read_address(row.cells, division_version=edition, datum=datum, standard=standard)
        except Refused as refused:
            return list(refused.refusals)

    return check_file((row.number, read(row), row.cells) for row in table.rows)


class AddressImporter:
    """Applies the checked rows of one file; see services.imports for how a run goes."""

    kind = "address"

    def __init__(self, checked: CheckedFile, sha256: str, version: int | None) -> None:
        self._checked = checked
        self._sha256 = sha256
        self._wanted = version
        self._number: int | None = None  # none in a rehearsal: the version is undone with the rest
        self._leaving: set[str] = set()  # retired by this file; in a rehearsal they still stand in the table
        good = [row for number, row in checked.rows.items() if row.code and not checked.faults.get(number)]
        self._said_of = {row.code: row for row in good}

    def prepare(self, world: World, rows: Sequence[TableRow]) -> None:
        """Nobody outside has to be asked."""

    def begin(self, world: World, session: Session, run: ImportRun) -> Sequence[RowResult]:
        """Number the version and retire what the file lacks, first, so that a new house may take an old one's door."""
        number = self._version(world, session, run)
        self._number = None if run.dry_run else number
        if self._checked.unreadable:  # a row that cannot be read may be about any of them
            return []
        missing = _missing(session, self._checked)
        lived_in = _lived_in(session, [home.id for home in missing])
        results = []
        for home in missing:
            if home.id in lived_in:
                results.append(RowResult("kept", home.id, (Refusal("address.lived_in"),)))
            else:
                home.retired_on = world.clock.today()
                self._leaving.add(home.id)
                results.append(RowResult("retired", home.id))
        return results

    def _version(self, world: World, session: Session, run: ImportRun) -> int:
        latest = session.scalar(select(AddressVersion).order_by(AddressVersion.number.desc()).limit(1))
        if latest is not None and latest.sha256 == self._sha256 and self._wanted in (None, latest.number):
            return latest.number
        if latest is not None and self._wanted is not None and self._wanted <= latest.number:
            raise Refused("address.version", "version", latest=latest.number)
        number = self._wanted if self._wanted is not None else (latest.number if latest else 0) + 1
        if number < 1:
            raise Refused("address.version", "version", latest=0)
        session.add(AddressVersion(number=number, run_id=run.id, sha256=self._sha256, created_at=world.clock.now()))
        session.flush()
        return number

    def apply(self, world: World, session: Session, run: ImportRun, row: TableRow) -> RowResult:
        """Bring one dwelling, and the unit that the row lists, to what the file says."""
        faults = self._checked.faults.get(row.number)
        if faults:
            raise Refused.of(faults)
        said = self._checked.rows[row.number]
        home = self._find(session, said)
        self._require_free(session, said, home)
        outcome = "new"
        if home is None:
            home = _make(world, session, said, self._number)
        else:
            outcome = _change(home, said, self._number)
            if outcome == "renumbered":
                session.flush()
                tell_renumbered(world, session, home, Actor("operator"), source="import")
        if self._checked.first[said.identity] != row.number:
            outcome = "same"  # the dwelling was counted with its first row
        if said.room is None:
            return RowResult(outcome, home.id)
        of_room, notes = _bring_unit(world, session, home, said.room)
        return RowResult(outcome if outcome != "same" else of_room, home.id, notes)

    def finish(self, world: World, session: Session, run: ImportRun) -> None:
        """Nothing is left to do."""

    def _find(self, session: Session, said: AddressRow) -> Dwelling | None:
        """The dwelling a row is about: by its code; else by its address, which a code that others have does not find.

        Nor does an address find the dwelling that this file moves away from it, before the move or after.
        """
        if said.code is not None:
            known = session.scalar(select(Dwelling).where(Dwelling.address_code == said.code))
            if known is not None:
                return known
        for home in _at_place(session, said.place):
            if home.address_code is None or (said.code is None and not self._moves_from(home, said.place)):
                return home
        return None

    def _moves_from(self, home: Dwelling, place: Place) -> bool:
        there = self._said_of.get(home.address_code)
        return there is not None and there.place != place

    def _require_free(self, session: Session, said: AddressRow, home: Dwelling | None) -> None:
        """Raises Refused address.taken when another dwelling keeps this address after this file too."""
        own = home.id if home is not None else ""
        if not self._will_be_free(session, said.place, {own}):
            raise Refused("address.taken", "door_no")

    def _will_be_free(self, session: Session, place: Place, asking: set[str]) -> bool:
        """Whether whoever stands at `place` goes: retired, or moved by this file to a door that is free in turn.

        `asking` are those whose own move depends on the answer: houses that swap doors let each other pass.
        """
        for other in _at_place(session, place):
            if other.id in asking or other.retired_on is not None or other.id in self._leaving:
                continue
            if not self._moves_from(other, place):
                return False
            if not self._will_be_free(session, self._said_of[other.address_code].place, asking | {other.id}):
                return False
        return True


def _at_place(session: Session, place: Place) -> Sequence[Dwelling]:
    division, road, door_no, building = place
    return session.scalars(
        select(Dwelling)
        .where(
            Dwelling.division == division,
            Dwelling.road == road,
            Dwelling.door_no == door_no,
            Dwelling.building == building,
        )
        .order_by(Dwelling.retired_on.is_not(None), Dwelling.id.desc())
    ).all()


def _make(world: World, session: Session, said: AddressRow, number: int | None) -> Dwelling:
    home = Dwelling(id=new_id(), imported_at=world.clock.now(), former_address=None, known_rental=False)
    _write(home, said, number)
    session.add(home)
    session.flush()
    return home


def _change(home: Dwelling, said: AddressRow, number: int | None) -> str:
    """Bring a dwelling to what the row says; answers the outcome. Units and whoever lives in them are not touched."""
    place_before, shown_before, was_retired = _place(home), short_address(home), home.retired_on is not None
    facts_before = _facts(home)
    _write(home, said, number)
    if _place(home) != place_before:
        home.former_address = shown_before[:120]
        return "renumbered"
    return "changed" if was_retired or _facts(home) != facts_before else "same"


def _write(home: Dwelling, said: AddressRow, number: int | None) -> None:
    home.address_code = said.code or home.address_code
    home.division, home.road, home.door_no, home.building = said.place
    home.division_version = said.division_version
    home.province, home.city, home.county, home.street, home.village = said.names
    if said.known_rental is not None:
        home.known_rental = said.known_rental
    if said.point is not None:
        home.longitude, home.latitude, home.datum = said.point
        home.outline = [list(corner) for corner in said.outline] if said.outline else None
    home.retired_on = None
    home.seen_version = number


def _place(home: Dwelling) -> Place:
    return home.division, home.road, home.door_no, home.building


def _facts(home: Dwelling) -> tuple[object, ...]:
    return (
        home.address_code, home.division_version, home.province, home.city, home.county, home.street, home.village,
        home.known_rental, home.longitude, home.latitude, home.datum, home.outline,
    )  # fmt: skip


def _bring_unit(world: World, session: Session, home: Dwelling, said: RoomRow) -> tuple[str, tuple[Refusal, ...]]:
    unit = session.scalar(select(Unit).where(Unit.dwelling_id == home.id, Unit.label == said.label))
    if unit is None:
        session.add(
            Unit(
                id=new_id(),
                dwelling_id=home.id,
                public_number=make_public_number(),
                label=said.label,
                space_kind=said.space_kind,
                usable_area_m2=said.usable_area_m2,
                capacity=said.capacity,
                created_at=world.clock.now(),
            )
        )
        return "new", ()
    wanted = (said.space_kind, said.usable_area_m2, said.capacity)
    if (unit.space_kind, unit.usable_area_m2, unit.capacity) == wanted:
        return "same", ()
    if unit.landlord_id is not None:  # leases were made on what the landlord showed
        return "same", (Refusal("address.unit_claimed", "unit"),)
    unit.space_kind, unit.usable_area_m2, unit.capacity = wanted
    unit.version += 1
    return "changed", ()


def _missing(session: Session, checked: CheckedFile) -> list[Dwelling]:
    """Dwellings in force, in the villages of which the file speaks, that it does not name."""
    divisions = sorted({row.place[0] for row in checked.rows.values()})
    found = session.scalars(
        select(Dwelling).where(Dwelling.division.in_(divisions), Dwelling.retired_on.is_(None)).order_by(Dwelling.id)
    )
    return [home for home in found if not checked.speaks_of(home.address_code, _place(home))]


def _lived_in(session: Session, dwelling_ids: Sequence[str]) -> set[str]:
    """Which of these dwellings somebody lives in or holds an occupant's key of, invited ones included."""
    if not dwelling_ids:
        return set()
    living = select(Registration.id).where(Registration.unit_id == Unit.id, Registration.residence == "living")
    keys = select(Key.id).where(Key.unit_id == Unit.id, Key.kind == "occupant", Key.state.in_(LIVE))
    rows: set[str] = set()
    for start in range(0, len(dwelling_ids), 500):  # SQLite takes a limited number of values
        part = dwelling_ids[start : start + 500]
        rows |= set(
            session.scalars(
                select(Unit.dwelling_id).where(Unit.dwelling_id.in_(part), or_(living.exists(), keys.exists()))
            )
        )
    return rows
