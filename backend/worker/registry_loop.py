"""One pass of telling the registry: claim, send, ask, record. No transaction is open while waiting."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from backend.gateways.registry_client import RegistryRefused, RegistryUnavailable
from backend.gateways.world import World
from backend.services import registry_sync, registry_upkeep
from backend.services.registry_sync import Shipment
from backend.wire.registry_messages import MOST_ITEMS

log = structlog.get_logger(__name__)

# All well, a batch is judged within a few tens of milliseconds: ask quickly at first, then leave it for later passes.
FIRST_POLLS_SECONDS = (0.0, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0)
# A full batch is waited for longer: putting it down to send yet another would only lengthen the registry's queue. Each
# answer carries every item, so it is not asked for before it can well be done.
FULL_POLLS_SECONDS = (0.3, 0.4, *(0.5,) * 24)

FULL = MOST_ITEMS // 2  # a claim of that many rows means a backlog
SILENCE = frozenset({"timeout", "connect", "tls"})  # who does not answer one call will not answer the next either


def process_once(
    world: World, *, sleep: Callable[[float], None] = time.sleep, on_full: Callable[[], object] = lambda: None
) -> int:
    """Make one pass; answers how many outbox rows it handled, 0 when nothing was due.

    `on_full` is called as soon as the claim shows that there is more to do than one pass carries. Once the registry
    is silent the rest of the pass is put off without another call, so that no lease runs out while waiting in vain.
    """
    shipments = registry_sync.claim_shipments(world)
    handled = sum(len(shipment.rows) for shipment in shipments)
    if handled >= FULL:
        on_full()
    silence: str | None = None
    for shipment in shipments:
        if silence is None:
            silence = _handle(world, shipment, sleep)
        else:
            registry_sync.put_off_shipment(world, shipment, silence)
    return handled


def check_contact(world: World) -> None:
    """Ask something small, so that an outage shows even when there is nothing to send."""
    try:
        world.registry.codes("id_type", since=2**31)
    except (RegistryUnavailable, RegistryRefused) as failure:
        registry_upkeep.note_contact(world, _reason_of(failure))
    else:
        registry_upkeep.note_contact(world, None)


def _handle(world: World, shipment: Shipment, sleep: Callable[[float], None]) -> str | None:
    """Handle one shipment; answers the reason when the registry fell silent."""
    try:
        if shipment.batch is not None:
            received = world.registry.submit(shipment.batch, shipment.idempotency_key)
            shipment = registry_sync.note_received(world, shipment, received.batch_id)
            waits = FULL_POLLS_SECONDS if len(shipment.rows) >= FULL else FIRST_POLLS_SECONDS
            _ask(world, shipment, waits, sleep)
        elif shipment.remote_batch_id is None:
            for row in shipment.rows:
                registry_sync.resolve_unsendable(world, row, world.registry.find_record(row.item.aggregate_id))
        else:
            _ask(world, shipment, (0.0, *FULL_POLLS_SECONDS) if len(shipment.rows) >= FULL else (0.0,), sleep)
    except RegistryUnavailable as failure:
        log.warning("registry_unavailable", reason=failure.reason, rows=len(shipment.rows))
        registry_sync.put_off_shipment(world, shipment, failure.reason, failure.retry_after_seconds)
        registry_upkeep.note_contact(world, _reason_of(failure))
        return failure.reason if failure.reason in SILENCE else None
    except RegistryRefused as refused:
        registry_sync.refuse_shipment(world, shipment, refused.errors, refused.code)
        registry_upkeep.note_contact(world, _reason_of(refused))
    else:
        registry_upkeep.note_contact(world, None)
    return None


def _ask(world: World, shipment: Shipment, waits: tuple[float, ...], sleep: Callable[[float], None]) -> None:
    """Ask what became of a batch, after each wait, until it is finished or the waits are used up."""
    for wait in waits:
        if wait:
            sleep(wait)
        status = world.registry.batch_status(shipment.remote_batch_id or "")
        if status.is_finished or not status.is_known:
            break
    if status.is_known and not status.is_finished:
        registry_sync.leave_open(world, shipment)
        return
    for row in registry_sync.record_batch_result(world, shipment, status):
        registry_sync.resolve_stale(world, row, world.registry.find_record(row.item.aggregate_id))


def _reason_of(failure: RegistryUnavailable | RegistryRefused) -> str:
    return failure.reason if isinstance(failure, RegistryUnavailable) else f"refused {failure.code}"
