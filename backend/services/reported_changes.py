"""The inbound door's use cases: take a reported change once, and say what became of it.

A report is identified by the office's own id: the same content again is answered alike and does nothing, another
content under the same id is refused. What was reported is sealed under a data key of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.ids import new_id
from backend.domain.refusals import Refusal, Refused
from backend.domain.reported import BECAME_LOCAL, PERSON_REPORTS_PER_DAY, find_report_faults, state_for_office
from backend.gateways.world import World
from backend.models.sharing import DataSharingAgreement, InboundChange
from backend.services import vault
from backend.services.agreements import terms_of
from backend.services.reported_matching import take_in
from backend.wire.cloud_events import CloudEvent, decode_event
from backend.wire.codec import MessageRejected
from backend.wire.office_calls import reporter_of
from backend.wire.registry_messages import canonical_json

PLACE = "inbound_changes.payload"
_CLOCKS_APART = timedelta(minutes=5)


@dataclass(frozen=True)
class ReportView:
    """A reported change as its office sees it: nothing about a person, nor whether there is one."""

    id: str
    office_change_id: str
    kind: str
    received_at: datetime
    state: str
    decided_at: datetime | None


def receive_change(world: World, *, agreement_id: str, body: bytes) -> ReportView:
    """Take one reported change, match it, and show it to whom it concerns; received twice, it is done once.

    Raises Refused office.agreement, report.event, report.reused, report.cap and every faulty member.
    """
    event = _read(body)
    with transaction() as session:
        # held to the end: two deliveries of one report wait for each other instead of meeting at the constraint
        agreement = session.get_one(DataSharingAgreement, agreement_id, with_for_update=True)
        _require_in_force(world, agreement)
        _require_own(world, agreement, event)
        body_hash = sha256(canonical_json(event.as_json())).hexdigest()
        known = session.scalar(
            select(InboundChange).where(
                InboundChange.subscriber == agreement.subscriber, InboundChange.office_change_id == event.id
            )
        )
        if known is not None:
            if known.body_hash != body_hash:
                raise Refused("report.reused", "id")
            return _view(known)
        faults = find_report_faults(terms_of(agreement), event.type, event.data, world.clock.today())
        if faults:
            raise Refused.of(faults)
        _require_below_cap(world, session, agreement, event.type)
        change = _keep(world, session, agreement, event, body_hash)
        take_in(world, session, agreement, change, {name: str(value) for name, value in event.data.items()})
        return _view(change)


def get_report(world: World, *, agreement_id: str, change_id: str) -> ReportView:
    """What became of a change this office has reported. Raises Refused not_found, for another's too."""
    with reading() as session:
        agreement = session.get_one(DataSharingAgreement, agreement_id)
        change = session.get(InboundChange, change_id)
        if change is None or change.subscriber != agreement.subscriber:
            raise Refused("not_found", "change_id")
        return _view(change)


def payload_of(world: World, session: Session, change: InboundChange) -> dict[str, str]:
    """What was reported, opened; empty when it has been forgotten."""
    if not change.payload_sealed:
        return {}
    opened: dict[str, str] = json.loads(
        vault.unseal(world, session, change.id, PLACE, change.id, change.payload_sealed)
    )
    return opened


def _read(body: bytes) -> CloudEvent:
    try:
        return decode_event(body)
    except MessageRejected as rejected:
        raise Refused("report.event", rejected.member or "body") from None


def _require_in_force(world: World, agreement: DataSharingAgreement) -> None:
    terms, today = terms_of(agreement), world.clock.today()
    if terms.state != "active" or not terms.starts_on <= today <= terms.ends_on or terms.direction == "out":
        raise Refused("office.agreement")


def _require_own(world: World, agreement: DataSharingAgreement, event: CloudEvent) -> None:
    """Its envelope names this office, this agreement, and a time that is not to come; ids fit the column."""
    faults = []
    if event.source != reporter_of(agreement.subscriber):
        faults.append(Refusal("report.form", "source"))
    if event.agreement != agreement.id:
        faults.append(Refusal("report.form", "agreement"))
    if len(event.id) > 120:
        faults.append(Refusal("report.form", "id"))
    if event.time > world.clock.now() + _CLOCKS_APART:
        faults.append(Refusal("input.future_date", "time"))
    if faults:
        raise Refused.of(faults)


def _require_below_cap(world: World, session: Session, agreement: DataSharingAgreement, kind: str) -> None:
    if kind != BECAME_LOCAL:
        return
    today = select(func.count()).where(
        InboundChange.subscriber == agreement.subscriber,
        InboundChange.kind == kind,
        InboundChange.received_at > world.clock.now() - timedelta(days=1),
    )
    if (session.scalar(today) or 0) >= PERSON_REPORTS_PER_DAY:
        raise Refused("report.cap", None, most=PERSON_REPORTS_PER_DAY)


def _keep(
    world: World, session: Session, agreement: DataSharingAgreement, event: CloudEvent, body_hash: str
) -> InboundChange:
    change_id = new_id()
    vault.make_data_key(world, session, change_id)
    change = InboundChange(
        id=change_id,
        agreement_id=agreement.id,
        subscriber=agreement.subscriber,
        office_change_id=event.id,
        body_hash=body_hash,
        kind=event.type,
        received_at=world.clock.now(),
        payload_sealed=vault.seal(world, session, change_id, PLACE, change_id, _written(event.data)),
        state="received",
    )
    session.add(change)
    session.flush()
    return change


def _written(data: Mapping[str, object]) -> str:
    return json.dumps(dict(data), ensure_ascii=False, sort_keys=True)


def _view(change: InboundChange) -> ReportView:
    state = state_for_office(change.state)
    settled = change.decided_at if state in ("counted", "refused") else None
    return ReportView(change.id, change.office_change_id, change.kind, change.received_at, state, settled)
