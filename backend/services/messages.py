"""Short messages: what the worker sends for the outbox's 'sms' rows."""

from __future__ import annotations

from datetime import timedelta

from backend.db import reading
from backend.domain.duties import quiet_until
from backend.gateways.sms import SmsFailed
from backend.gateways.world import World
from backend.models.accounts import LoginCode
from backend.models.invitations import Invitation
from backend.services import outbox, vault
from backend.services.case_messages import compose_answer, compose_help
from backend.services.door_files import KIND, compose_receipt_link
from backend.services.duty_rows import compose_reminder

LEASE = timedelta(seconds=30)
LONGEST_SEND = timedelta(seconds=15)  # an SMS service that answers later than this has failed before (see gateways)
TRIES = 5
_COMPOSED = {
    "duty": compose_reminder,
    "help": compose_help,
    "report_answered": compose_answer,
    KIND: compose_receipt_link,
}


def send_due_messages(world: World, *, limit: int = 20) -> int:
    """Send what is due, once each; a failed one is tried again later and parked after five tries."""
    # Who waits for a code or an invitation does not wait behind a morning's reminders.
    items = outbox.claim(world, "sms", limit=limit, lease=LEASE, without="duty")
    items = items or outbox.claim(world, "sms", limit=limit, lease=LEASE)
    safe_until = world.clock.now() + LEASE - LONGEST_SEND
    for number, item in enumerate(items):
        if world.clock.now() >= safe_until:  # the next one might be sent by another worker at the same time
            for left in items[number:]:
                outbox.retry(world, left, after=timedelta(0), error="gave back: the lease was running out")
            break
        morning = quiet_until(world.clock.now()) if item.kind == "duty" else None
        if morning is not None:
            outbox.retry(world, item, after=morning - world.clock.now(), error="quiet hours")
            continue
        message = _compose(world, item)
        if message is None:  # what it was about has expired
            outbox.finish(world, [item])
            continue
        phone, text = message
        try:
            world.sms.send(phone, text, reference=f"{item.kind}-{item.id}")
        except SmsFailed as error:
            if item.attempts >= TRIES:
                outbox.park(world, item, error=str(error))
            else:
                outbox.retry(world, item, after=timedelta(seconds=5 * 2**item.attempts), error=str(error))
        else:
            outbox.finish(world, [item])
    return len(items)


def _compose(world: World, item: outbox.OutboxItem) -> tuple[str, str] | None:
    with reading() as session:
        if item.kind == "login_code":
            code = session.get(LoginCode, item.payload["login_code_id"])
            if code is None or code.expires_at < world.clock.now():
                return None
            sealed = vault.unseal(world, session, code.id, "login_codes.message", code.id, code.message_sealed)
            phone, digits = sealed.split(" ")
            return phone, f"【安居】验证码 {digits}，5 分钟内有效。Your Anju code is {digits}."
        if item.kind in _COMPOSED:
            return _COMPOSED[item.kind](world, session, item.payload)
        invitation = session.get(Invitation, item.payload["invitation_id"])
        if invitation is None or invitation.state != "pending" or invitation.expires_at < world.clock.now():
            return None
        phone = vault.unseal(
            world, session, invitation.aim_id, "invitations.phone", invitation.id, invitation.phone_sealed
        )
        token = vault.unseal(
            world, session, invitation.aim_id, "invitations.token", invitation.id, invitation.token_sealed
        )
        link = f"{world.house.mobile_url}/i/{token}"
        if invitation.key_id is not None:
            return phone, f"【安居】您收到一把临时电子钥匙：{link} A visitor's key for you: {link}"
        return phone, f"【安居】房东邀请您领取电子钥匙：{link} Your landlord invites you: {link}"
