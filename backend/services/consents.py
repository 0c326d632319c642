"""Consents: what was asked in which words, what was answered, and that it can be taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading
from backend.domain.ids import new_id
from backend.domain.notices import NOTICES
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.consents import Consent
from backend.services.audit import Actor, write_leaf
from backend.services.hands import Desk, Hand, acting_for


@dataclass(frozen=True)
class ConsentView:
    """One answer to one version of one text."""

    id: str
    purpose: str
    version: str
    given: bool
    at: datetime
    withdrawn_at: datetime | None


def answer_consent(
    world: World,
    *,
    account_id: str,
    purpose: str,
    version: str,
    given: bool,
    channel: str = "phone",
    desk: Desk | None = None,
) -> ConsentView:
    """Keep an answer; the same answer to the same text again changes nothing.

    Raises Refused consent.text when the words shown were not the present ones.
    """
    text = NOTICES.get(purpose)
    if text is None:
        raise Refused("input.not_one_of", "purpose", allowed=tuple(NOTICES))
    if version != text.version:
        raise Refused("consent.text", "version")
    with acting_for(world, account_id, desk, "answer_consent") as (session, hand):
        last = find_last(session, account_id, purpose)
        if last is not None and last.withdrawn_at is None and (last.given, last.text_version) == (given, version):
            return _view(last)
        row = Consent(
            id=new_id(),
            account_id=account_id,
            purpose=purpose,
            text_version=version,
            text_hash=text.named(world.house.handler).fingerprint,
            given=given,
            channel=channel if desk is None else hand.channel,
            officer_id=hand.officer_id,
            at=world.clock.now(),
        )
        session.add(row)
        _leaf(world, session, hand.actor, account_id, "consent_given" if given else "consent_refused", row)
        return _view(row)


def withdraw_consent(world: World, *, account_id: str, purpose: str, desk: Desk | None = None) -> ConsentView:
    """Take a consent back; what was finished under it stays. Raises Refused not_found when there is none."""
    with acting_for(world, account_id, desk, "withdraw_consent") as (session, hand):
        last = find_last(session, account_id, purpose)
        if last is None or not last.given:
            raise Refused("not_found")
        if last.withdrawn_at is None:
            last.withdrawn_at = world.clock.now()
            _leaf(world, session, hand.actor, account_id, "consent_withdrawn", last)
        return _view(last)


def answer_for_child(
    world: World, session: Session, account_id: str, child_id: str, purpose: str, version: str, given: bool, hand: Hand
) -> Consent:
    """Keep a guardian's answer for their child inside the present write unit (ZJ-7), recorded as the guardian's.

    Raises Refused input.not_one_of, consent.text. The same answer to the same text again changes nothing.
    """
    text = NOTICES.get(purpose)
    if text is None:
        raise Refused("input.not_one_of", "purpose", allowed=tuple(NOTICES))
    if version != text.version:
        raise Refused("consent.text", "version")
    last = find_for_child(session, child_id, purpose)
    if last is not None and last.withdrawn_at is None and (last.given, last.text_version) == (given, version):
        return last
    row = Consent(
        id=new_id(),
        account_id=account_id,
        subject_id=child_id,
        purpose=purpose,
        text_version=version,
        text_hash=text.named(world.house.handler).fingerprint,
        given=given,
        channel="guardian" if hand.channel == "phone" else hand.channel,
        officer_id=hand.officer_id,
        at=world.clock.now(),
    )
    session.add(row)
    _leaf(world, session, hand.actor, account_id, "consent_given" if given else "consent_refused", row)
    return row


def find_for_child(session: Session, child_id: str, purpose: str) -> Consent | None:
    """The newest answer a guardian has given for a child."""
    return session.scalar(
        select(Consent)
        .where(Consent.subject_id == child_id, Consent.purpose == purpose)
        .order_by(Consent.at.desc(), Consent.id.desc())
        .limit(1)
    )


def list_consents(world: World, *, account_id: str) -> tuple[ConsentView, ...]:
    """All of an account's answers for its own person, newest first."""
    with reading() as session:
        rows = session.scalars(
            select(Consent)
            .where(Consent.account_id == account_id, Consent.subject_id.is_(None))
            .order_by(Consent.at.desc(), Consent.id.desc())
        )
        return tuple(_view(row) for row in rows)


def find_last(session: Session, account_id: str, purpose: str) -> Consent | None:
    """The newest answer for a purpose that the account has given for its own person."""
    return session.scalar(
        select(Consent)
        .where(Consent.account_id == account_id, Consent.purpose == purpose, Consent.subject_id.is_(None))
        .order_by(Consent.at.desc(), Consent.id.desc())
        .limit(1)
    )


def is_given(session: Session, account_id: str, purpose: str) -> bool:
    """Whether the newest answer is yes, to the present text, and not withdrawn."""
    last = find_last(session, account_id, purpose)
    return (
        last is not None and last.given and last.withdrawn_at is None and last.text_version == NOTICES[purpose].version
    )


def _leaf(world: World, session: Session, actor: Actor, account_id: str, action: str, row: Consent) -> None:
    account = session.get_one(Account, account_id)
    write_leaf(
        world,
        session,
        actor,
        action,
        subject_id=row.subject_id or account.person_id,
        object_kind="consent",
        object_id=row.id,
        fields=[row.purpose],
    )


def _view(row: Consent) -> ConsentView:
    return ConsentView(row.id, row.purpose, row.text_version, row.given, row.at, row.withdrawn_at)
