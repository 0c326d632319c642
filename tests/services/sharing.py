"""Agreements and offices for tests: the two that the demo has, approved by two supervisors, and what reached them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from backend.db import db, transaction
from backend.domain.ids import new_id
from backend.domain.sharing import FIELDS, OUT_KINDS
from backend.gateways.office_client import FakeOfficeClient
from backend.gateways.world import World
from backend.models.audit import AuditLeaf
from backend.models.officers import Officer
from backend.models.sharing import FeedEvent, OfficeDelivery
from backend.services.agreements import AgreementView, add_agreement, approve_agreement
from backend.services.change_feed import number_events
from backend.wire.cloud_events import BATCH_CONTENT_TYPE, CloudEvent, decode_event, decode_events
from backend.wire.jwk import keys_to_jwks, make_private_key, thumbprint
from backend.worker.office_loop import send_once

AREA = "330522003"
OFFICE_KEY = make_private_key()
OFFICE_KID = thumbprint(OFFICE_KEY.public_key())


def jwks() -> dict[str, Any]:
    """A fresh office's public keys."""
    key = make_private_key()
    return keys_to_jwks({thumbprint(key.public_key()): key.public_key()})


def written(world: World, **changes: Any) -> dict[str, Any]:
    """An agreement as it is handed in: everything there is to tell, unless changed."""
    today = world.clock.today()
    return {
        "subscriber": "housing-authority",
        "office_zh": "长兴县住房和城乡建设局",
        "office_en": "Changxing housing authority",
        "direction": "out",
        "areas": [AREA],
        "purpose": "lease_filing",
        "legal_basis": "HR-8",
        "kinds": list(OUT_KINDS),
        "fields": list(FIELDS),
        "starts_on": today.isoformat(),
        "ends_on": (today + timedelta(days=30)).isoformat(),
        "delivery": "webhook",
        "webhook_url": "https://housing.example/anju",
        "keys": keys_to_jwks({OFFICE_KID: OFFICE_KEY.public_key()}),
        **changes,
    }


def make_supervisors(world: World, area: str = AREA) -> tuple[str, str]:
    """Two supervisors, who never sign in here: the hash of a password takes longer than a whole test."""
    with transaction() as session:
        made = [new_id(), new_id()]
        for officer_id in made:
            session.add(
                Officer(
                    id=officer_id, login=f"supervisor-{officer_id}", display_name="所长", badge=f"S-{officer_id[-12:]}",
                    office="太湖派出所", role="supervisor", area=area, password_hash="-", totp_sealed=b"-",
                    created_at=world.clock.now(),
                )
            )  # fmt: skip
    return made[0], made[1]


def make_agreement(world: World, supervisors: tuple[str, str], **changes: Any) -> AgreementView:
    """An agreement in force."""
    draft = add_agreement(world, written=written(world, **changes))
    approve_agreement(world, agreement_id=draft.id, officer_id=supervisors[0])
    return approve_agreement(world, agreement_id=draft.id, officer_id=supervisors[1])


def tell(world: World) -> None:
    """Number and send until nothing is due."""
    number_events(world)
    while send_once(world):
        pass


def office(world: World) -> FakeOfficeClient:
    """The offices' end."""
    assert isinstance(world.offices, FakeOfficeClient)
    return world.offices


def came(world: World, subscriber: str | None = None) -> list[CloudEvent]:
    """Every event that reached an office (or one of them), in order."""
    events: list[CloudEvent] = []
    for to, _url, content_type, body, _attempt in office(world).came:
        if subscriber in (None, to):
            events += decode_events(body) if content_type == BATCH_CONTENT_TYPE else (decode_event(body),)
    return events


def types(events: list[CloudEvent]) -> list[str]:
    """The last two parts of each type."""
    return [event.type.removeprefix("cn.anju.") for event in events]


def deliveries() -> list[OfficeDelivery]:
    """Every delivery, oldest first."""
    db.session.rollback()
    return list(db.session.scalars(select(OfficeDelivery).order_by(OfficeDelivery.first_at, OfficeDelivery.id)))


def leaves() -> list[AuditLeaf]:
    """Every leaf about an office, oldest first."""
    db.session.rollback()
    return list(db.session.scalars(select(AuditLeaf).where(AuditLeaf.actor_kind == "office").order_by(AuditLeaf.id)))


def noted() -> list[FeedEvent]:
    """Every event noted."""
    db.session.rollback()
    return list(db.session.scalars(select(FeedEvent).order_by(FeedEvent.id)))
