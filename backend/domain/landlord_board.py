"""What a landlord's board says of a unit and its lease: one state, and what is to be done by which rule."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from backend.domain.calendars import day_of
from backend.domain.registrations import landlord_end_due_on
from backend.domain.spaces import is_mandate_over

STATES = ("let", "awaiting", "vacant", "lock_offline", "mandate_over")
MANDATE_NOTICE = timedelta(days=14)  # so long before its end a manager is asked to have the mandate renewed


@dataclass(frozen=True)
class Todo:
    """Something the landlord owes or may do next."""

    kind: str
    unit_id: str
    lease_id: str | None
    unit_alias: str
    due_on: date | None
    rule: str | None

    @property
    def name(self) -> str:
        """What tells it from the others, for paging."""
        return f"{self.kind}.{self.lease_id or self.unit_id}"


@dataclass(frozen=True)
class UnitFacts:
    """A unit by name; `presence` is its lock's, None without a lock; `mandate_ends_on` is a manager's."""

    unit_id: str
    alias: str
    presence: str | None
    mandate_ends_on: date | None = None


@dataclass(frozen=True)
class LeaseFacts:
    """A running lease as its landlord may know it: yes and no, and days."""

    id: str
    alias: str
    starts_on: date
    ends_on: date | None
    invited: bool
    accepted: bool
    identity: str
    declared: bool
    living: bool
    differs: bool
    owes_report: bool
    returned: bool  # the registry has returned what the landlord can mend
    report_due_on: date | None
    foreign_due_at: datetime | None
    end_reported: bool
    tenant_due_on: date | None


def unit_state(presence: str | None, is_let: bool, is_declared: bool) -> str:
    """let, awaiting, vacant; or lock_offline, which hides the others since somebody may stand before the door."""
    if presence == "offline":
        return "lock_offline"
    if not is_let:
        return "vacant"
    return "let" if is_declared else "awaiting"


def unit_todos(unit: UnitFacts, today: date) -> list[Todo]:
    """What the unit itself asks for; of a manager whose mandate is over, the renewal alone."""
    ends_on = unit.mandate_ends_on
    if is_mandate_over(ends_on, today):
        return [Todo("mandate_over", unit.unit_id, None, unit.alias, None, None)]
    kind = {None: "claim_lock", "offline": "lock_offline"}.get(unit.presence)
    found = [] if kind is None else [Todo(kind, unit.unit_id, None, unit.alias, None, None)]
    if ends_on is not None and ends_on - today <= MANDATE_NOTICE:
        found.append(Todo("mandate_ends", unit.unit_id, None, unit.alias, ends_on, None))
    return found


def lease_todos(unit: UnitFacts, lease: LeaseFacts, today: date) -> list[Todo]:
    """What a lease asks of its landlord, each with its last day and rule where the law sets one."""
    found: list[tuple[str, date | None, str | None]] = []
    if lease.returned:
        found.append(("report_returned", None, "ZJ-9-1"))
    if lease.owes_report:
        found.append(("report_tenant", lease.report_due_on, "ZJ-9-1"))
    if lease.foreign_due_at is not None and lease.living:
        found.append(("foreign_form", day_of(lease.foreign_due_at), "EEL-39"))
    if not lease.invited:
        found.append(("invite", None, None))
    if lease.accepted and lease.identity == "review":
        found.append(("attest", None, "PSAL-68"))
    if lease.differs:
        found.append(("difference", None, "PSAL-68"))
    if lease.ends_on is not None and lease.ends_on < today and not lease.end_reported:
        found.append(("lease_over", landlord_end_due_on(lease.ends_on), "ZJ-9-2"))
    return [Todo(kind, unit.unit_id, lease.id, unit.alias, due_on, rule) for kind, due_on, rule in found]


def sort_todos(todos: Iterable[Todo]) -> tuple[Todo, ...]:
    """Those with a day first, by their day; the others as they come."""
    return tuple(sorted(todos, key=lambda todo: (todo.due_on is None, todo.due_on or date.max)))


def may_be_reminded(lease: LeaseFacts, today: date) -> str:
    """Whether a tenant can be reminded to declare: 'yes', or why not: declared, not_accepted, not_due."""
    if lease.declared:
        return "declared"
    if not lease.accepted:
        return "not_accepted"
    due = lease.tenant_due_on
    return "yes" if due is not None and due < today else "not_due"


def page_of_todos(todos: tuple[Todo, ...], after: str | None, limit: int) -> tuple[tuple[Todo, ...], str | None]:
    """The to-dos behind the one named `after`, and the name that continues; what has gone meanwhile starts anew."""
    begin = next((at + 1 for at, todo in enumerate(todos) if todo.name == after), 0)
    page = todos[begin : begin + limit]
    return page, page[-1].name if len(todos) > begin + limit else None
