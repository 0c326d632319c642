"""The duties of one account: what is due when, by which rule, and where it is done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from backend.db import reading
from backend.domain.duties import Running, running_duties
from backend.gateways.world import World
from backend.models.leases import Lease
from backend.models.registrations import Registration
from backend.services.duty_rows import SIDES, facts_of, rows_of_account
from backend.services.unit_names import unit_alias

_ORDER = {"overdue": 0, "open": 1, "information": 2}


@dataclass(frozen=True)
class DutyView:
    """One duty. `side` is the part this account has in it; `days` are left (open) or late (overdue).

    `code` is a key of domain.duties.DUTIES and names the page where it is done; `home_id` is the registration whose
    pages lead there (of who lives along: the tenant's).
    """

    code: str
    side: str
    title_zh: str
    title_en: str
    rule: str | None
    state: str
    due_on: date
    due_at: datetime
    days: int
    unit_alias: str
    registration_id: str
    home_id: str
    lease_id: str | None
    unit_id: str


def list_duties(world: World, *, account_id: str) -> tuple[DutyView, ...]:
    """What this account owes, as tenant, guardian or landlord: overdue first, then by the day; information last.

    What lies ahead (a lease that ends next year) is left out until its first reminder.
    """
    with reading() as session:
        found = []
        for side, registration, lease in rows_of_account(world, session, account_id):
            facts = facts_of(registration, lease)
            for running in running_duties(facts):
                sides = SIDES if running.duty.owner == "both" else (running.duty.owner,)
                if side in sides and running.has_begun(facts, world.clock.now()):
                    found.append(_view(world, session, side, running, registration, lease))
    return tuple(sorted(found, key=lambda duty: (_ORDER[duty.state], duty.due_at, duty.unit_alias)))


def _view(
    world: World, session: Session, side: str, running: Running, registration: Registration, lease: Lease | None
) -> DutyView:
    now, duty = world.clock.now(), running.duty
    return DutyView(
        code=duty.code,
        side=side,
        title_zh=duty.zh,
        title_en=duty.en,
        rule=duty.rule,
        state=running.state(now),
        due_on=running.due_on,
        due_at=running.due_at,
        days=running.days(now),
        unit_alias=unit_alias(session, registration.unit_id),
        registration_id=registration.id,
        home_id=registration.household_of_id or registration.id,
        lease_id=registration.lease_id,
        unit_id=registration.unit_id,
    )
