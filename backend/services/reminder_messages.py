"""Reminders by short message: one a day for each account, however many matters there are, and none in the night.

The row of the outbox names the account alone; the text is made when it is sent, out of what is still owed then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.calendars import start_of
from backend.domain.duties import QUIET_UNTIL, quiet_until, running_duties
from backend.domain.notice_kinds import is_silenced
from backend.domain.short_messages import REMINDERS, SEVERAL
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.outbox import OutboxRow
from backend.services import outbox, vault
from backend.services.duty_rows import SIDES, facts_of, rows_of_account


@dataclass(frozen=True)
class _Matter:
    """Something that is owed and near: what is said of it, and its last day."""

    kind: str
    due_on: date


def remind_by_sms(world: World, session: Session, account_id: str) -> None:
    """Have an account reminded inside the present write unit: one message waits at a time."""
    account = session.get_one(Account, account_id)
    if account.phone_token is None:  # told by letter (see inbox)
        return
    aim = f"duty:{account_id}"
    waiting = select(OutboxRow.id).where(
        OutboxRow.destination == "sms", OutboxRow.aggregate_id == aim, OutboxRow.done_at.is_(None),
        OutboxRow.parked_at.is_(None),
    )  # fmt: skip
    if session.scalar(waiting.limit(1)) is None:
        payload = {"account_id": account_id}
        outbox.put(world, session, "sms", aim, "duty", payload, not_before=_not_before(world, account))


def reminder_waits_until(world: World, account_id: str) -> datetime | None:
    """Until when a reminder that is to be sent now waits, in the night or after one today; None when it does not."""
    with reading() as session:
        account = session.get(Account, account_id)
        return None if account is None else _not_before(world, account)


def compose_reminder(world: World, session: Session, account_id: str) -> tuple[str, str] | None:
    """(phone, text) of what is owed and near, None when nothing is: no name, address or number."""
    account = session.get(Account, account_id)
    if account is None or account.phone_sealed is None:
        return None
    matters = _matters(world, session, account)
    if not matters:
        return None
    first = min(matters, key=lambda matter: matter.due_on)
    words = REMINDERS[first.kind] if len(matters) == 1 else SEVERAL
    phone = vault.unseal(world, session, account.id, "accounts.phone", account.id, account.phone_sealed)
    return phone, words.spoken(account.language).format(n=len(matters), due_on=first.due_on)


def note_reminded(world: World, account_id: str) -> None:
    """A reminder has left: the next one goes tomorrow."""
    with transaction() as session:
        session.get_one(Account, account_id).reminded_on = world.clock.today()


def _not_before(world: World, account: Account) -> datetime | None:
    if account.reminded_on == world.clock.today():
        return start_of(world.clock.today() + timedelta(days=1)) + timedelta(hours=QUIET_UNTIL.hour)
    return quiet_until(world.clock.now())


def _matters(world: World, session: Session, account: Account) -> list[_Matter]:
    found, now = [], world.clock.now()
    for side, registration, lease in rows_of_account(world, session, account.id):
        facts = facts_of(registration, lease)
        for running in running_duties(facts):
            step = running.latest_step(facts, now)
            sides = SIDES if running.duty.owner == "both" else (running.duty.owner,)
            if step is None or step.notice is None or side not in sides or not running.duty.goes_by_sms(step):
                continue
            if not is_silenced(step.notice, account.silenced):
                found.append(_Matter(step.notice, running.due_on))
    return found
