"""The hours in which fewest people wait: what is done once a night is done then."""

from __future__ import annotations

from datetime import datetime, time

from backend.gateways.clock import CHINA

NIGHT_BEGINS, NIGHT_ENDS = time(1), time(6)  # in China


def night_began(now: datetime) -> datetime | None:
    """When the present night began, or None by day."""
    local = now.astimezone(CHINA)
    if not NIGHT_BEGINS <= local.time() < NIGHT_ENDS:
        return None
    return datetime.combine(local.date(), NIGHT_BEGINS, CHINA)
