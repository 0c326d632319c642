"""One pass of telling other offices: claim, send, note. No transaction is open while waiting."""

from __future__ import annotations

import structlog

from backend.gateways.office_client import Answer
from backend.gateways.world import World
from backend.services import office_sending
from backend.services.office_sending import Shipment

log = structlog.get_logger(__name__)

# Besides 5xx: the office asks for patience, or its clock or keys are behind (401; each try is signed anew). Any other
# refusal will not change by itself.
_FOR_NOW = (401, 408, 425, 429)


def send_once(world: World) -> int:
    """Make one pass; answers how many outbox rows it handled, 0 when nothing was due."""
    taken = office_sending.claim_shipments(world)
    for shipment in taken.shipments:
        content_type, body = shipment.encode()
        answer = world.offices.deliver(shipment.subscriber, shipment.url, content_type, body, shipment.attempt)
        _note(world, shipment, answer)
    return taken.rows


def _note(world: World, shipment: Shipment, answer: Answer) -> None:
    if answer.status is not None and 200 <= answer.status < 300:
        office_sending.note_delivered(world, shipment)
        return
    log.warning("office_not_told", subscriber=shipment.subscriber, reason=answer.reason)
    if answer.status == 410:
        office_sending.end_by_office(world, shipment)
        return
    refused = answer.status is not None and answer.status < 500 and answer.status not in _FOR_NOW
    office_sending.put_off(
        world, shipment, answer.reason, refused=refused, retry_after_seconds=answer.retry_after_seconds
    )
