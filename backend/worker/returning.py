"""What comes back from the registry, step by step: corrections, reads, and the nightly comparison."""

from __future__ import annotations

import structlog

from backend.gateways.registry_client import RegistryRefused, RegistryUnavailable
from backend.gateways.world import World
from backend.queries.reconciliations import list_due
from backend.services import registry_corrections, registry_reads, registry_reconciliation
from backend.services.audit import SYSTEM
from backend.worker.nights import night_began

log = structlog.get_logger(__name__)

DAYS_AT_ONCE = 10


def take_corrections(world: World) -> int:
    """Fetch corrections, and give to a person what nobody has answered."""
    registry_corrections.decide_unanswered(world)
    try:
        return registry_corrections.fetch_corrections(world)
    except (RegistryUnavailable, RegistryRefused):
        return 0  # that it is away is seen and told elsewhere


def take_reads(world: World) -> int:
    """Fetch who has read records at the registry."""
    try:
        return registry_reads.fetch_reads(world)
    except RegistryUnavailable:
        return 0


def compare_at_night(world: World) -> int:
    """Compare some days and towns that have not been compared tonight; answers how many, 0 by day."""
    now = world.clock.now()
    begun = night_began(now)
    if begun is None:
        return 0
    due = list_due(now, world.clock.today(), limit=DAYS_AT_ONCE, checked_before=begun)
    for done, (day, town) in enumerate(due):
        try:
            compared = registry_reconciliation.reconcile(world, day=day, town=town, actor=SYSTEM)
        except (RegistryUnavailable, RegistryRefused):
            return done
        if compared.outcome in ("differs", "digest_skew"):
            log.warning("registry_differs", day=day.isoformat(), town=town, outcome=compared.outcome)
    return len(due)
