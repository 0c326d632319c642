"""Help from the key screen: at once to a person of the tenant's choice and to the top of the case list."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.cases import OPEN_STATES
from backend.domain.help_requests import AGAIN_AFTER, MESSAGES_AT_MOST, help_text
from backend.domain.persons import decide_phone, mask_phone
from backend.domain.refusals import Refusal, Refused
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from backend.models.help_contacts import HelpContact
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services import idempotency, outbox, vault
from backend.services.audit import Actor, write_leaf
from backend.services.case_messages import KIND, PLACE, contact_phone, find_sent, own_phone
from backend.services.case_opening import open_case, open_once
from backend.services.own_registrations import own_registration
from backend.services.report_views import ReportView, report_view

_YOUR_ADDRESS = "〈您的住址 · your address〉"


@dataclass(frozen=True)
class HelpContactView:
    """The chosen person, and the very words they would be sent, in both languages."""

    phone_masked: str
    with_address: bool
    text: str


def find_help_contact(world: World, *, account_id: str) -> HelpContactView | None:
    """Whom this account wants to have told, if anybody."""
    with reading() as session:
        contact = session.get(HelpContact, account_id)
        return _view(world, session, contact) if contact is not None else None


def choose_help_contact(world: World, *, account_id: str, phone: str, with_address: bool = False) -> HelpContactView:
    """Choose whom to tell, or change it; without `with_address` the message says nothing of where one is.

    Raises Refused phone.invalid, help.own_phone.
    """
    number = decide_phone(phone)
    if isinstance(number, Refusal):
        raise Refused.of([number])
    with transaction() as session:
        account = session.get_one(Account, account_id, with_for_update=True)
        if account.phone_token == world.key_ring.blind_index("phone", number):
            raise Refused("help.own_phone", "phone")
        contact = session.get(HelpContact, account_id) or HelpContact(account_id=account_id)
        contact.phone_sealed = vault.seal(world, session, account_id, PLACE, account_id, number)
        contact.with_address, contact.changed_at = with_address, world.clock.now()
        session.add(contact)
        session.flush()
        return _view(world, session, contact)


def forget_help_contact(world: World, *, account_id: str) -> None:
    """Nobody is to be told any more; repeated, nothing changes."""
    with transaction() as session:
        contact = session.get(HelpContact, account_id)
        if contact is not None:
            session.delete(contact)


def ask_for_help(
    world: World, *, account_id: str, registration_id: str, idempotency_key: str | None = None
) -> ReportView:
    """Ask for help where one lives: a message to the chosen person, a case before all others at the office.

    While the case is undecided another request is the same case; the message goes again after five minutes, five
    times at most. Without a chosen person the office alone is told. Raises Refused not_found, report.stay.
    """
    body = {"registration_id": registration_id}
    with transaction() as session:
        known = idempotency.find_answer(session, account_id, idempotency_key, "ask_for_help", body)
        if known is not None:
            return report_view(world, session, session.get_one(Case, known["id"]))
        registration = own_registration(session, account_id, registration_id)
        if registration.residence != "living":
            raise Refused("report.stay")
        case = open_once(
            session,
            lambda: _find_open(session, account_id, registration),
            lambda: _open(world, session, account_id, registration),
        )
        _tell_contact(world, session, account_id, case)
        idempotency.remember(world, session, account_id, idempotency_key, "ask_for_help", body, {"id": case.id})
        return report_view(world, session, case)


def _find_open(session: Session, account_id: str, registration: Registration) -> Case | None:
    return session.scalar(
        select(Case)
        .where(
            Case.reporter_id == account_id,
            Case.kind == "help_request",
            Case.unit_id == registration.unit_id,
            Case.state.in_(OPEN_STATES),
        )
        .limit(1)
    )


def _open(world: World, session: Session, account_id: str, registration: Registration) -> Case:
    unit = session.get_one(Unit, registration.unit_id)
    actor = Actor("resident", account_id)
    case = open_case(
        world,
        session,
        kind="help_request",
        area=session.get_one(Dwelling, unit.dwelling_id).division,
        unit_id=unit.id,
        registration_id=registration.id,
        person_id=session.get_one(Account, account_id).person_id,
        opened_by="tenant",
        reporter_id=account_id,
        call_back=True,
        actor=actor,
    )
    write_leaf(world, session, actor, "case_reported", object_kind="case", object_id=case.reference)
    return case


def _tell_contact(world: World, session: Session, account_id: str, case: Case) -> None:
    """The message carries ids; number and words are put together when it is sent."""
    contact = session.get(HelpContact, account_id)
    before = find_sent(world, session, case)
    if contact is None or before is None or before.times >= MESSAGES_AT_MOST:
        return
    if before.last_at is not None and world.clock.now() - before.last_at < AGAIN_AFTER:
        return
    told = {"told": mask_phone(contact_phone(world, session, contact)), "with_address": contact.with_address}
    case.evidence = {**case.evidence, **told}
    outbox.put(world, session, "sms", case.id, KIND, {"case_id": case.id})
    session.flush()


def _view(world: World, session: Session, contact: HelpContact) -> HelpContactView:
    own = own_phone(world, session, contact.account_id) or ""
    text = help_text(own[-4:], _YOUR_ADDRESS if contact.with_address else None)
    return HelpContactView(mask_phone(contact_phone(world, session, contact)), contact.with_address, text)
