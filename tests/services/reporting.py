"""What other offices report, for tests: an agreement that carries everything, and events as an office writes them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from backend.db import db
from backend.domain.sharing import IN_KINDS, INBOUND_FIELDS
from backend.gateways.world import World
from backend.models.sharing import InboundChange
from backend.services.agreements import AgreementView
from backend.services.reported_changes import ReportView, receive_change
from backend.wire.cloud_events import CloudEvent, encode_event
from backend.wire.office_calls import reporter_of
from tests.services import sharing, stories

OFFICE = "reporting-office"
LOCAL = {
    "person.id_type": "111",
    "person.id_number": stories.TENANT_NUMBER,
    "person.hukou_division": "330522",
    "person.since_on": "2026-11-20",
}


def make_reporter(world: World, **changes: Any) -> AgreementView:
    """An agreement in force under which every kind of change may be reported."""
    said = {
        "subscriber": OFFICE, "direction": "in", "kinds": list(IN_KINDS), "fields": list(INBOUND_FIELDS),
        "purpose": "residence_facts", "legal_basis": "ZJ-2", "delivery": "pull", "webhook_url": None, **changes,
    }  # fmt: skip
    return sharing.make_agreement(world, sharing.make_supervisors(world, "3305"), **said)


def body(world: World, agreement: AgreementView, kind: str, data: dict[str, Any], **changes: Any) -> bytes:
    """One reported change as it is sent."""
    said: dict[str, Any] = {
        "id": "change-1", "source": reporter_of(agreement.subscriber), "type": kind, "subject": "change/1",
        "time": world.clock.now(), "dataschema": "urn:anju:schema:inbound:1", "agreement": agreement.id, "data": data,
        **changes,
    }  # fmt: skip
    return encode_event(CloudEvent(**said))


def report(world: World, agreement: AgreementView, kind: str, data: dict[str, Any], **changes: Any) -> ReportView:
    """Report it."""
    return receive_change(world, agreement_id=agreement.id, body=body(world, agreement, kind, data, **changes))


def row(change_id: str) -> InboundChange:
    """The change as it is stored now."""
    db.session.rollback()
    return db.session.scalars(select(InboundChange).where(InboundChange.id == change_id)).one()
