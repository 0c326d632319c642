"""Short messages: what the worker sends for the outbox's 'sms' rows."""

from __future__ import annotations

from datetime import timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from backend.db import reading
from backend.domain.short_messages import INVITATION, LOGIN_CODE, VISITOR_INVITATION
from backend.gateways.sms import SmsFailed
from backend.gateways.world import World
from backend.models.accounts import Account, LoginCode
from backend.models.invitations import Invitation
from backend.services import outbox, vault
from backend.services.case_messages import compose_answer, compose_help
from backend.services.door_files import KIND, compose_receipt_link
from backend.services.reminder_messages import compose_reminder, note_reminded, reminder_waits_until

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=30)
LONGEST_SEND = timedelta(seconds=15)  # an SMS service that answers later than this has failed before (see gateways)
TRIES = 5
_COMPOSED = {"help": compose_help, "report_answered": compose_answer, KIND: compose_receipt_link}


def send_due_messages(world: World, *, limit: int = 20) -> int:
    """Send what is due, once each; a failed one is tried again later and parked after five tries.

    One whose text cannot be made is parked at once: it holds up no other.
    """
    # Who waits for a code or an invitation does not wait behind a morning's reminders.
    items = outbox.claim(world, "sms", limit=limit, lease=LEASE, without="duty")
    items = items or outbox.claim(world, "sms", limit=limit, lease=LEASE)
    safe_until = world.clock.now() + LEASE - LONGEST_SEND
    for number, item in enumerate(items):
        if world.clock.now() >= safe_until:  # the next one might be sent by another worker at the same time
            for left in items[number:]:
                outbox.retry(world, left, after=timedelta(0), error="gave back: the lease was running out")
            break
        try:
            _send(world, item)
        except DBAPIError:  # the database is in trouble, not the row: claimed again when the lease is over
            raise
        except Exception as error:  # its text may carry values
            log.error("message_unmade", kind=item.kind, row=item.id, error=type(error).__name__)
            outbox.park(world, item, error=f"unmade: {type(error).__name__}")
    return len(items)


def _send(world: World, item: outbox.OutboxItem) -> None:
    later = reminder_waits_until(world, item.payload["account_id"]) if item.kind == "duty" else None
    if later is not None:
        outbox.retry(world, item, after=later - world.clock.now(), error="quiet hours, or reminded today")
        return
    message = _compose(world, item)
    if message is None:  # what it was about has expired
        outbox.finish(world, [item])
        return
    phone, text = message
    try:
        world.sms.send(phone, text, reference=f"{item.kind}-{item.id}")
    except SmsFailed as error:
        if item.attempts >= TRIES:
            outbox.park(world, item, error=str(error))
        else:
            outbox.retry(world, item, after=timedelta(seconds=5 * 2**item.attempts), error=str(error))
    else:
        if item.kind == "duty":
            note_reminded(world, item.payload["account_id"])
        outbox.finish(world, [item])


def _compose(world: World, item: outbox.OutboxItem) -> tuple[str, str] | None:
    with reading() as session:
        if item.kind == "login_code":
            return _compose_code(world, session, item.payload["login_code_id"])
        if item.kind in _COMPOSED:
            return _COMPOSED[item.kind](world, session, item.payload)
        if item.kind == "duty":
            return compose_reminder(world, session, item.payload["account_id"])
        return _compose_invitation(world, session, item.payload["invitation_id"])


def _compose_code(world: World, session: Session, code_id: str) -> tuple[str, str] | None:
    code = session.get(LoginCode, code_id)
    if code is None or code.expires_at < world.clock.now():
        return None
    sealed = vault.unseal(world, session, code.id, "login_codes.message", code.id, code.message_sealed)
    phone, digits = sealed.split(" ")
    return phone, LOGIN_CODE.spoken(_language_of(session, code.phone_token)).format(digits=digits)


def _compose_invitation(world: World, session: Session, invitation_id: str) -> tuple[str, str] | None:
    invitation = session.get(Invitation, invitation_id)
    if invitation is None or invitation.state != "pending" or invitation.expires_at < world.clock.now():
        return None
    phone = vault.unseal(world, session, invitation.aim_id, "invitations.phone", invitation.id, invitation.phone_sealed)
    token = vault.unseal(world, session, invitation.aim_id, "invitations.token", invitation.id, invitation.token_sealed)
    words = VISITOR_INVITATION if invitation.key_id is not None else INVITATION
    link = f"{world.house.mobile_url}/i/{token}"
    return phone, words.spoken(_language_of(session, invitation.phone_token)).format(link=link)


def _language_of(session: Session, phone_token: bytes) -> str | None:
    """The language of whoever has this phone; None where nobody has signed in with it yet."""
    return session.scalar(select(Account.language).where(Account.phone_token == phone_token))
