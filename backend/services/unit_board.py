"""A landlord's units on one board, however many: states, search, pages, to-dos, by a fixed number of statements.

What a landlord sees of a tenant here is what one lease's page shows: yes and no, never answers, document or phone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from backend.db import reading
from backend.domain.keys import ENDED
from backend.domain.landlord_board import LeaseFacts, Todo, UnitFacts, lease_todos, sort_todos, unit_state, unit_todos
from backend.domain.spaces import is_mandate_over
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.locks import Lock
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit, UnitClaim
from backend.services.key_changes import unit_alias
from backend.services.returned_legs import blocking_errors
from backend.services.tenancies import address_of

PAGE_UNITS = 20


@dataclass(frozen=True)
class UnitLine:
    """One unit on the board; its running leases, the one that began first in front."""

    unit_id: str
    alias: str
    address: str
    state: str
    presence: str | None
    leases: tuple[LeaseFacts, ...]
    mandate_ends_on: date | None = None

    @property
    def lease(self) -> LeaseFacts | None:
        """The lease the board shows."""
        return self.leases[0] if self.leases else None


@dataclass(frozen=True)
class UnitBoard:
    """A page of units; `counts` by state of all that the words find; `next_after` continues, None on the last page."""

    units: tuple[UnitLine, ...]
    counts: dict[str, int]
    total: int
    next_after: str | None
    contested: tuple[str, ...]
    todos: tuple[Todo, ...]


def unit_board(
    world: World,
    *,
    account_id: str,
    words: str = "",
    state: str | None = None,
    after: str | None = None,
    limit: int = PAGE_UNITS,
) -> UnitBoard:
    """The landlord's units by address, from the one after the unit `after`; to-dos of all, the most pressing first.

    `words` are looked for in address, label and the landlord's own name for the lease; each must be found.
    """
    with reading() as session:
        person_id = session.get_one(Account, account_id).person_id
        if person_id is None:
            return UnitBoard((), {}, 0, None, (), ())
        lines = unit_lines(session, person_id, world.clock.today())
        claims = select(UnitClaim.unit_id).where(UnitClaim.person_id == person_id, UnitClaim.state == "contested")
        contested = tuple(unit_alias(session, unit_id) for unit_id in session.scalars(claims))
    found = [line for line in lines if _has(line, words)]
    counts = Counter(line.state for line in found)
    chosen = [line for line in found if state in (None, line.state)]
    page, more = _page(chosen, after, limit)
    todos = sort_todos([todo for line in lines for todo in _todos(world, line)])
    return UnitBoard(tuple(page), dict(counts), len(found), page[-1].unit_id if more else None, contested, todos)


def list_todos(world: World, *, account_id: str) -> tuple[Todo, ...]:
    """What a landlord owes or may do next over all units, the first due first."""
    with reading() as session:
        person_id = session.get_one(Account, account_id).person_id
        lines = unit_lines(session, person_id, world.clock.today()) if person_id is not None else []
    return sort_todos([todo for line in lines for todo in _todos(world, line)])


def _page(lines: Sequence[UnitLine], after: str | None, limit: int) -> tuple[Sequence[UnitLine], bool]:
    """The lines behind the unit `after`; one that has gone meanwhile starts anew."""
    begin = next((at + 1 for at, line in enumerate(lines) if line.unit_id == after), 0)
    return lines[begin : begin + limit], len(lines) > begin + limit


def _has(line: UnitLine, words: str) -> bool:
    text = " ".join((line.alias, line.address, *(lease.alias for lease in line.leases))).casefold()
    return all(word in text for word in words.casefold().split())


def _todos(world: World, line: UnitLine) -> list[Todo]:
    unit = UnitFacts(line.unit_id, line.alias, line.presence, line.mandate_ends_on)
    today = world.clock.today()
    return unit_todos(unit, today) + [todo for lease in line.leases for todo in lease_todos(unit, lease, today)]


def unit_lines(session: Session, person_id: str, today: date) -> list[UnitLine]:
    """All units of a landlord with their running leases, by address, in six statements at the most.

    To a manager whose mandate is over only the unit's name is shown, neither its lock nor its leases.
    """
    mandate = (UnitClaim.person_id == person_id, UnitClaim.state == "accepted", UnitClaim.right_kind == "mandate")
    rows = session.execute(
        select(Unit, Dwelling, Lock.presence, UnitClaim.mandate_ends_on)
        .join(Dwelling, Dwelling.id == Unit.dwelling_id)
        .outerjoin(Lock, and_(Lock.unit_id == Unit.id, Lock.retired_at.is_(None)))
        .outerjoin(UnitClaim, and_(UnitClaim.unit_id == Unit.id, *mandate))
        .where(Unit.landlord_id == person_id)
        .order_by(
            Dwelling.road, func.length(Dwelling.door_no), Dwelling.door_no, Dwelling.building,
            func.length(Unit.label), Unit.label, Unit.id,
        )
    ).all()  # fmt: skip
    leases = _leases(session, person_id)
    lines = []
    for unit, dwelling, presence, ends_on in rows:
        alias = f"{dwelling.road}{dwelling.door_no}{dwelling.building} {unit.label}".strip()
        address = address_of(dwelling, unit)
        if is_mandate_over(ends_on, today):
            lines.append(UnitLine(unit.id, alias, address, "mandate_over", None, (), ends_on))
            continue
        own = tuple(leases.get(unit.id, ()))
        state = unit_state(presence, bool(own), bool(own) and own[0].declared)
        lines.append(UnitLine(unit.id, alias, address, state, presence, own, ends_on))
    return lines


def _leases(session: Session, person_id: str) -> dict[str, list[LeaseFacts]]:
    """Per unit the running leases, with what the landlord may know of their course."""
    rows = session.execute(
        select(Lease, Registration)
        .join(Registration, Registration.lease_id == Lease.id)
        .where(Lease.landlord_id == person_id, Lease.state == "active")
        .order_by(Lease.starts_on, Lease.id)
    ).all()
    keys = _keys(session, person_id)
    people = {row.holder_person for row in keys.values() if row.holder_person}
    reviews = _people_in_review(session, people)
    found: dict[str, list[LeaseFacts]] = defaultdict(list)
    for lease, registration in rows:
        key = keys.get(lease.id)
        in_review = key is not None and key.holder_person in reviews
        found[lease.unit_id].append(_facts(lease, registration, key, in_review))
    return found


@dataclass(frozen=True)
class _KeyRow:
    state: str
    accepted: bool
    holder_person: str | None
    identity: str
    number_token: object


def _keys(session: Session, person_id: str) -> dict[str, _KeyRow]:
    """The living occupant's key of each running lease, else the newest, with its holder's identity state."""
    rows = session.execute(
        select(Key.lease_id, Key.state, Key.holder_account_id, Person.id, Person.identity_state, Person.id_number_token)
        .join(Lease, Lease.id == Key.lease_id)
        .outerjoin(Account, Account.id == Key.holder_account_id)
        .outerjoin(Person, Person.id == Account.person_id)
        .where(Lease.landlord_id == person_id, Lease.state == "active", Key.kind == "occupant")
        .order_by(case((Key.state.in_(ENDED), 0), else_=1), Key.created_at, Key.id)  # the last one wins
    )
    return {
        lease_id: _KeyRow(state, holder is not None, person, identity or "none", token)
        for lease_id, state, holder, person, identity, token in rows
        if lease_id is not None
    }


def _people_in_review(session: Session, people: Collection[str]) -> set[str]:
    if not people:
        return set()
    open_ones = select(Case.person_id).where(
        Case.kind == "identity_review", Case.decided_at.is_(None), Case.person_id.in_(people)
    )
    return {person for person in session.scalars(open_ones) if person is not None}


def _facts(lease: Lease, registration: Registration, key: _KeyRow | None, in_review: bool) -> LeaseFacts:
    identity = "open" if key is None or key.identity == "none" else key.identity
    if identity == "open" and in_review:
        identity = "review"
    known = key is not None and key.holder_person is not None
    reported = registration.landlord_leg == "reported"
    return LeaseFacts(
        id=lease.id,
        alias=lease.alias,
        starts_on=lease.starts_on,
        ends_on=lease.ends_on,
        invited=key is not None and key.state != "draft",
        accepted=key is not None and key.accepted,
        identity=identity,
        declared=registration.tenant_leg == "declared" or registration.scope == "exempt",
        living=registration.residence == "living",
        differs=known and reported and key is not None and key.number_token != lease.named_id_token,
        report_due_on=registration.landlord_due_on if registration.landlord_leg == "due" else None,
        returned=bool(blocking_errors(registration, owner="LANDLORD")),
        owes_report=registration.landlord_leg == "due",
        foreign_due_at=registration.foreign_due_at if registration.foreign_done_at is None else None,
        end_reported=lease.landlord_ended_on is not None,
        tenant_due_on=registration.tenant_due_on,
    )
