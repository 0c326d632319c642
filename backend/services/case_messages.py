"""Short messages of cases: a request for help to the chosen person, an answer to whoever reported something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from backend.domain.case_reports import CONTACT_KEPT
from backend.domain.help_requests import help_text
from backend.domain.short_messages import REPORT_ANSWERED
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.cases import Case, CaseStep
from backend.models.data_keys import DataKey
from backend.models.dwellings import Dwelling
from backend.models.help_contacts import HelpContact
from backend.models.outbox import OutboxRow
from backend.models.units import Unit
from backend.services import vault

KIND = "help"
PLACE = "help_contacts.phone"
CONTACT = "cases.contact"


@dataclass(frozen=True)
class Sent:
    """What went to the chosen person: `state` is waiting, sent or failed; `phone_masked` None: nobody was chosen."""

    phone_masked: str | None
    with_address: bool
    state: str
    times: int
    last_at: datetime | None


def contact_phone(world: World, session: Session, contact: HelpContact) -> str:
    """The chosen person's number, opened."""
    return vault.unseal(world, session, contact.account_id, PLACE, contact.account_id, contact.phone_sealed)


def find_sent(world: World, session: Session, case: Case) -> Sent | None:
    """What became of the messages of a request for help; None for any other case."""
    if case.kind != "help_request":
        return None
    rows = session.scalars(
        select(OutboxRow)
        .where(OutboxRow.destination == "sms", OutboxRow.aggregate_id == case.id, OutboxRow.kind == KIND)
        .order_by(OutboxRow.id.desc())
    ).all()
    last = rows[0] if rows else None
    return Sent(
        phone_masked=case.evidence.get("told"),
        with_address=bool(case.evidence.get("with_address")),
        state="none" if last is None else "sent" if last.done_at else "failed" if last.parked_at else "waiting",
        times=len(rows),
        last_at=last.created_at if last else None,
    )


def keep_contact(world: World, session: Session, case: Case, number: str) -> None:
    """Keep the number of somebody who called, under the case's own data key."""
    if session.get(DataKey, case.id) is None:
        vault.make_data_key(world, session, case.id)
    case.contact_sealed, case.call_back = vault.seal(world, session, case.id, CONTACT, case.id, number), True


def callers_phone(world: World, session: Session, case: Case) -> str | None:
    """The number of whoever called about a case, opened; None where nobody waits, or it was forgotten."""
    if case.contact_sealed is None or session.get(DataKey, case.id) is None:
        return None
    return vault.unseal(world, session, case.id, CONTACT, case.id, case.contact_sealed)


def forget_contacts(world: World, session: Session) -> None:
    """Retention: a told caller's number goes when they can no longer come back to the case.

    Whoever was not called yet is on a list that a supervisor hears of; only the call, or that it failed, ends it.
    """
    before = world.clock.now() - CONTACT_KEPT
    last = select(func.max(CaseStep.at)).where(CaseStep.case_id == Case.id).correlate(Case).scalar_subquery()
    old = update(Case).where(Case.contact_sealed.is_not(None), Case.state.in_(("answered", "rated")), last < before)
    session.execute(old.values(contact_sealed=None, call_back=False).execution_options(synchronize_session=False))


def compose_help(world: World, session: Session, payload: Mapping[str, Any]) -> tuple[str, str] | None:
    """(phone, text) of the message; None when the tenant has taken the chosen person back meanwhile."""
    case = session.get_one(Case, payload["case_id"])
    contact = session.get(HelpContact, case.reporter_id)
    if contact is None:
        return None
    own = own_phone(world, session, contact.account_id)
    if own is None:
        return None
    address = _address(session, case) if contact.with_address else None
    return contact_phone(world, session, contact), help_text(own[-4:], address)


def compose_answer(world: World, session: Session, payload: Mapping[str, Any]) -> tuple[str, str] | None:
    """(phone, text) that an answer is there, without the matter; None when the case was reopened meanwhile."""
    case = session.get_one(Case, payload["case_id"])
    phone = own_phone(world, session, case.reporter_id) if case.reporter_id else None
    if phone is None or case.answered_at is None or case.version < payload["version"]:
        return None
    language = session.get_one(Account, case.reporter_id).language
    return phone, REPORT_ANSWERED.spoken(language).format(reference=case.reference)


def own_phone(world: World, session: Session, account_id: str) -> str | None:
    """The number an account signs in with; None for one that was entered at a window."""
    account = session.get_one(Account, account_id)
    if account.phone_sealed is None:
        return None
    return vault.unseal(world, session, account.id, "accounts.phone", account.id, account.phone_sealed)


def _address(session: Session, case: Case) -> str:
    unit = session.get_one(Unit, case.unit_id)
    home = session.get_one(Dwelling, unit.dwelling_id)
    return f"{home.street}{home.village}{home.road}{home.door_no}{home.building}{unit.label}"
