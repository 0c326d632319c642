"""What the registry's answers mean for us: receipts stored, rejections handed to their owner, doubts raised as alarms.

Everything here runs inside the caller's write unit, so that receipt and state are one. Only an ACCEPTED item (or the
repeated end of a record, DUPLICATE) whose receipt verifies counts as accepted (registry.md, rule 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import structlog
from sqlalchemy.orm import Session

from backend.domain.registry_rules import IDENTITY_CODES, TRIES_BEFORE_PARKED, decide_owner, wait_after_fault
from backend.domain.rejection_words import explain_rejection
from backend.gateways.world import World
from backend.models.dwellings import Dwelling
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.registry_attempts import RegistryAttempt
from backend.models.units import Unit
from backend.services.audit import Actor
from backend.services.case_opening import open_case
from backend.services.document_states import UNMATCHED_CODE
from backend.services.inbox import tell_person
from backend.services.key_changes import unit_alias
from backend.services.outbox import OutboxItem
from backend.services.registry_settlement import Settlement
from backend.wire.receipts import Receipt, ReceiptInvalid, verify_receipt
from backend.wire.registry_codes import ItemError, is_blocking

log = structlog.get_logger(__name__)

REGISTRY = Actor("registry", office="居住登记机关")


def check_receipt(
    settlement: Settlement, attempt: RegistryAttempt, number: str | None, token: str | None
) -> Receipt | str:
    """The receipt, if it verifies and is for exactly what was sent; else the reason why it does not count."""
    if not number or not token:
        return "missing"
    try:
        receipt = verify_receipt(token, settlement.receipt_keys)
    except ReceiptInvalid as invalid:
        return invalid.reason
    same = receipt.number == number and receipt.record_id == attempt.registration_id and receipt.op == attempt.op
    return receipt if same else "for_something_else"


def is_for_attempt(receipt: Receipt, attempt: RegistryAttempt) -> bool:
    """Whether a verified receipt is for this very version with this very content."""
    return (receipt.record_version, receipt.leg, receipt.payload_hash) == (
        attempt.version,
        attempt.leg,
        attempt.payload_hash,
    )


def accept(
    settlement: Settlement,
    item: OutboxItem,
    attempt: RegistryAttempt,
    receipt: Receipt,
    token: str,
    warnings: Sequence[ItemError] = (),
) -> bool:
    """Store the receipt with the state it proves. False when another worker has finished this row already."""
    if not settlement.finish(item):
        return False
    registration = settlement.registration(attempt)
    _close(settlement, attempt, "accepted", None, warnings)
    attempt.receipt_no = receipt.number
    if attempt.op in ("UPSERT", "AMEND") and attempt.leg == "LANDLORD":
        registration.landlord_receipt_no, registration.landlord_receipt_token = receipt.number, token
    elif attempt.op in ("UPSERT", "AMEND"):
        registration.receipt_no, registration.receipt_token = receipt.number, token
        registration.accepted_at, registration.registry_version = receipt.accepted_at, attempt.version
    else:
        registration.checkout_receipt_no, registration.checkout_receipt_token = receipt.number, token
    kept = [error for error in registration.registry_errors if error.get("leg") != attempt.leg]
    registration.registry_errors = kept + [{**error.as_json(), "leg": attempt.leg} for error in warnings]
    if attempt.leg == "TENANT" and registration.receipt_no is not None and not settlement.has_later(item):
        registration.registry_state = "accepted"
    settlement.keep_leg(attempt, receipt)
    if attempt.op in ("UPSERT", "AMEND"):
        settlement.end_what_is_over(registration)
    settlement.note(REGISTRY, attempt, "registry_accepted", receipt.number)
    if attempt.leg == "TENANT" and attempt.op in ("UPSERT", "AMEND"):
        settlement.tell_offices(registration)
    _tell_accepted(settlement, registration, attempt, receipt)
    return True


def reject(settlement: Settlement, item: OutboxItem, attempt: RegistryAttempt, errors: Sequence[ItemError]) -> None:
    """The registry refuses what was sent: its owner gets the task with the field, and identity doubts a person."""
    if not settlement.finish(item):
        return
    world, session = settlement.world, settlement.session
    registration = settlement.registration(attempt)
    _close(settlement, attempt, "rejected", errors[0].code if errors else "no_code", errors)
    kept = [error for error in registration.registry_errors if error.get("leg") != attempt.leg]
    registration.registry_errors = kept + [{**error.as_json(), "leg": attempt.leg} for error in errors]
    if attempt.leg == "TENANT":
        registration.registry_state = "rejected"
        if registration.person_id is not None and any(error.code == UNMATCHED_CODE for error in errors):
            session.get_one(Person, registration.person_id).document_state = "unmatched"  # so it can be corrected
    settlement.note(REGISTRY, attempt, "registry_rejected", attempt.reason)
    blocking = [error for error in errors if is_blocking(error)]
    owner = decide_owner(error.owner for error in blocking)
    told = _tell_rejected(settlement, registration, attempt, owner, blocking)
    if not told or any(error.code in IDENTITY_CODES for error in blocking):
        open_rejection_case(world, session, registration, attempt, owner)


def put_off(
    settlement: Settlement,
    item: OutboxItem,
    attempt: RegistryAttempt,
    reason: str,
    *,
    errors: Sequence[ItemError] = (),
    wait: timedelta | None = None,
) -> None:
    """Nothing was decided (an outage, a busy registry): close the attempt and try again, however long it takes."""
    _close(settlement, attempt, "failed", reason, errors)
    faults = settlement.count(attempt, "failed", "alarm")
    settlement.retry(item, after=wait or wait_after_fault(faults), error=reason)


def raise_alarm(
    settlement: Settlement,
    item: OutboxItem,
    attempt: RegistryAttempt,
    reason: str,
    errors: Sequence[ItemError] = (),
) -> None:
    """An answer nobody can rely on: not accepted, seen by the operator, tried again, parked with a case in the end."""
    _close(settlement, attempt, "alarm", reason, errors)
    log.error("registry_alarm", reason=reason, registration_id=attempt.registration_id, version=attempt.version)
    if settlement.count(attempt, "alarm") < TRIES_BEFORE_PARKED:
        faults = settlement.count(attempt, "failed", "alarm")
        settlement.retry(item, after=wait_after_fault(faults), error=reason)
    elif settlement.park(item, error=f"OPERATOR: {reason}"):
        registration = settlement.registration(attempt)
        open_rejection_case(settlement.world, settlement.session, registration, attempt, "OPERATOR")


def give_up(settlement: Settlement, item: OutboxItem, attempt: RegistryAttempt) -> None:
    """The registry does not hold what cannot be sent any more: there is nothing left to tell."""
    if settlement.finish(item):
        _close(settlement, attempt, "failed", attempt.reason, ())


def supersede(settlement: Settlement, item: OutboxItem, attempt: RegistryAttempt, reason: str) -> None:
    """The registry already holds something later: what it accepted of that is the registration's state again."""
    if not settlement.finish(item):
        return
    _close(settlement, attempt, "superseded", reason, ())
    registration = settlement.registration(attempt)
    if attempt.leg == "TENANT" and registration.receipt_no is not None and not settlement.has_later(item):
        registration.registry_state = "accepted"


def open_rejection_case(
    world: World, session: Session, registration: Registration, attempt: RegistryAttempt, owner: str
) -> None:
    """Give the matter to a person: codes and places only, no personal data."""
    unit = session.get_one(Unit, registration.unit_id)
    dwelling = session.get_one(Dwelling, unit.dwelling_id)
    evidence = {
        "owner": owner,
        "leg": attempt.leg,
        "reason": attempt.reason,
        "codes": [error["code"] for error in attempt.errors],
        "pointers": [error["pointer"] for error in attempt.errors],
    }
    open_case(
        world,
        session,
        kind="registry_rejection",
        area=dwelling.division,
        unit_id=unit.id,
        registration_id=registration.id,
        person_id=registration.person_id,
        opened_by="rule",
        evidence=evidence,
    )


def _close(
    settlement: Settlement, attempt: RegistryAttempt, outcome: str, reason: str | None, errors: Sequence[ItemError]
) -> None:
    attempt.outcome, attempt.reason = outcome, reason[:120] if reason else None
    attempt.errors = [error.as_json() for error in errors]
    attempt.answered_at = settlement.world.clock.now()
    settlement.close(attempt, outcome)


def _tell_accepted(
    settlement: Settlement, registration: Registration, attempt: RegistryAttempt, receipt: Receipt
) -> None:
    is_news = attempt.op != "UPSERT" or (registration.residence != "voided" and registration.scope == "in_scope")
    if attempt.leg == "LANDLORD" or not is_news:
        return
    told_id = settlement.spokesperson(registration)
    if told_id is None:
        return
    once = f"{registration.id}:{attempt.version}"
    member = "member_" if told_id != registration.person_id else ""
    if attempt.op == "UPSERT":
        kind = "member_accepted" if member else "registration_accepted"
        settlement.tell(told_id, kind, once, receipt_no=receipt.number, registration_id=registration.id)
    elif attempt.op == "CHECKOUT" and registration.residence == "moved_out":  # not: became local and lives on there
        alias = unit_alias(settlement.session, registration.unit_id)
        settlement.tell(
            told_id, f"{member}check_out_confirmed", once, unit=alias, registration_id=registration.id
        )


def _tell_rejected(
    settlement: Settlement,
    registration: Registration,
    attempt: RegistryAttempt,
    owner: str,
    errors: Sequence[ItemError],
) -> bool:
    """Tell the person who must mend it; False when it is nobody with an inbox."""
    session = settlement.session
    person_id = settlement.spokesperson(registration) if owner == "TENANT" else None
    if owner == "LANDLORD" and registration.lease_id is not None:
        person_id = session.get_one(Lease, registration.lease_id).landlord_id
    mine = [error for error in errors if error.owner == owner]
    if person_id is None or not mine:
        return False
    first = mine[0]
    words = explain_rejection(first.code, owner, reader=owner)
    told = {"message_zh": f"{words.zh}{words.todo_zh}", "message_en": f"{words.en} {words.todo_en}", "code": first.code,
            "pointer": first.pointer}  # fmt: skip
    once, world = f"{registration.id}:{attempt.leg}:{attempt.version}", settlement.world
    if owner == "LANDLORD":
        told["lease_id"] = registration.lease_id or ""
        return tell_person(world, session, person_id, "report_returned", once=once, **told)
    told["registration_id"] = registration.id
    return tell_person(world, session, person_id, "registration_rejected", once=once, **told)
