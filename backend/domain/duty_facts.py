"""The facts duties run from, as plain values of one registration with its lease, and when a duty is still owed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class DutyFacts:
    """One registration and its lease (if it has one). Nothing here is about what a person is or does."""

    move_in_on: date
    scope: str = "in_scope"
    residence: str = "living"
    tenant_leg: str = "invited"
    tenant_due_on: date | None = None
    draft_expires_at: datetime | None = None
    declared_at: datetime | None = None
    changed_on: date | None = None
    landlord_leg: str = "due"
    landlord_due_on: date | None = None
    exempt_until: date | None = None
    foreign_due_at: datetime | None = None
    foreign_done_at: datetime | None = None
    registry_state: str = "unsent"
    accepted_at: datetime | None = None
    disputed: bool = False
    has_person: bool = False
    lease_active: bool = False
    lease_ends_on: date | None = None
    landlord_ended_on: date | None = None
    landlord_end_reported_at: datetime | None = None
    permit_counted_from: date | None = None  # issue or last endorsement; known once permits are kept here


Owed = Callable[[DutyFacts], bool]


def owes_declaration(facts: DutyFacts) -> bool:
    """Somebody is expected to live there and has not declared it."""
    return facts.residence == "living" and facts.scope == "in_scope" and facts.tenant_leg != "declared"


def owes_report(facts: DutyFacts) -> bool:
    """The landlord has not reported the tenant."""
    return facts.residence == "living" and facts.scope == "in_scope" and facts.landlord_leg == "due"


def owes_report_of_end(facts: DutyFacts) -> bool:
    """The lease's planned end came and the landlord has neither extended it nor said that the tenant has left."""
    return facts.residence == "living" and facts.lease_active and facts.landlord_ended_on is None


def owes_foreign_form(facts: DutyFacts) -> bool:
    """A foreigner's accommodation registration is not done."""
    return facts.residence == "living" and facts.scope == "foreign" and facts.foreign_done_at is None


def owes_change(facts: DutyFacts) -> bool:
    """A change was reported and came back: until it is mended it is still owed."""
    return _declared(facts) and facts.scope == "in_scope" and facts.registry_state == "rejected"


def owes_end_of_exemption(facts: DutyFacts) -> bool:
    """An exemption that ends on a day still stands; who is exempt has not declared."""
    return facts.residence == "living" and facts.scope == "exempt"


def waits_for_permit(facts: DutyFacts) -> bool:
    """Declared, living there, and no permit is known."""
    return _declared(facts) and facts.scope == "in_scope" and facts.permit_counted_from is None


def holds_permit(facts: DutyFacts) -> bool:
    """A permit is known; its endorsement comes every year."""
    return _declared(facts) and facts.scope == "in_scope" and facts.permit_counted_from is not None


def is_draft(facts: DutyFacts) -> bool:
    """A declaration was begun and not completed."""
    return facts.residence == "living" and facts.tenant_leg == "draft"


def owes_answer(facts: DutyFacts) -> bool:
    """The landlord says "left"; the tenant, whose registration may be void, has neither agreed nor contradicted."""
    said = facts.landlord_ended_on is not None and facts.landlord_end_reported_at is not None
    there = facts.residence in ("living", "voided") and facts.lease_active
    return said and there and not facts.disputed and facts.has_person


def waits_for_registry(facts: DutyFacts) -> bool:
    """Declared, in scope, and never yet accepted by the registry."""
    return _declared(facts) and facts.scope == "in_scope" and facts.accepted_at is None


def never(facts: DutyFacts) -> bool:
    """A duty that runs from something else than a registration."""
    return False


def _declared(facts: DutyFacts) -> bool:
    return facts.residence == "living" and facts.tenant_leg == "declared"
