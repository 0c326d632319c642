"""One pass of telling the registry: claim, send, ask, record. No transaction is open while waiting."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from backend.gateways.registry_client import RegistryRefused, RegistryUnavailable
from backend.gateways.world import World
from backend.services import registry_sync, registry_upkeep
from backend.services.registry_sync import Shipment

log = structlog.get_logger(__name__)

# All well, a batch is judged within a few tens of milliseconds: ask quickly at first, then leave it for later passes.
FIRST_POLLS_SECONDS = (0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0)


def process_once(world: World, *, sleep: Callable[[float], None] = time.sleep) -> int:
    """Make one pass; answers how many outbox rows it handled, 0 when nothing was due."""
    shipments = registry_sync.claim_shipments(world)
    for shipment in shipments:
        _handle(world, shipment, sleep)
    return sum(len(shipment.rows) for shipment in shipments)


def check_contact(world: World) -> None:
    """Ask something small, so that an outage shows even when there is nothing to send."""
    try:
        world.registry.codes("id_type", since=2**31)
    except (RegistryUnavailable, RegistryRefused) as failure:
        registry_upkeep.note_contact(world, _reason_of(failure))
    else:
        registry_upkeep.note_contact(world, None)


def _handle(world: World, shipment: Shipment, sleep: Callable[[float], None]) -> None:
    try:
        if shipment.batch is not None:
            received = world.registry.submit(shipment.batch, shipment.idempotency_key)
            shipment = registry_sync.note_received(world, shipment, received.batch_id)
            _ask(world, shipment, FIRST_POLLS_SECONDS, sleep)
        else:
            _ask(world, shipment, (), sleep)
    except RegistryUnavailable as failure:
        log.warning("registry_unavailable", reason=failure.reason, rows=len(shipment.rows))
        registry_sync.put_off_shipment(world, shipment, failure.reason, failure.retry_after_seconds)
        registry_upkeep.note_contact(world, _reason_of(failure))
    except RegistryRefused as refused:
        registry_sync.refuse_shipment(world, shipment, refused.errors, refused.code)
        registry_upkeep.note_contact(world, _reason_of(refused))
    else:
        registry_upkeep.note_contact(world, None)


def _ask(world: World, shipment: Shipment, waits: tuple[float, ...], sleep: Callable[[float], None]) -> None:
    """Ask what became of a batch until it is finished or the waits are used up."""
    batch_id = shipment.remote_batch_id or ""
    status = world.registry.batch_status(batch_id)
    for wait in waits:
        if status.is_finished or not status.is_known:
            break
        sleep(wait)
        status = world.registry.batch_status(batch_id)
    if status.is_known and not status.is_finished:
        registry_sync.leave_open(world, shipment)
        return
    for row in registry_sync.record_batch_result(world, shipment, status):
        registry_sync.resolve_stale(world, row, world.registry.find_record(row.item.aggregate_id))


def _reason_of(failure: RegistryUnavailable | RegistryRefused) -> str:
    return failure.reason if isinstance(failure, RegistryUnavailable) else f"refused {failure.code}"
