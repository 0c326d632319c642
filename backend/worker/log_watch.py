"""The audit log is recomputed by the clock: once after the start, then once a night."""

from __future__ import annotations

from datetime import datetime

from flask import Flask

from backend.domain.log_faults import OLD_AFTER
from backend.gateways.world import World
from backend.queries.audit_checks import find_last_check
from backend.services.audit_verification import LogCheck, keep_check
from backend.services.turns import note_done, was_done
from backend.worker.nights import night_began

CHORE = "audit-check"


class LogWatch:
    """Takes a check of the log a portion further at each call.

    A call costs the worker a tenth of a second or two however long the log is; a million leaves take some minutes.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._started_at = world.clock.now()
        self._check: LogCheck | None = None
        self._began_at = self._started_at  # the check that is on its way

    def go_on(self) -> None:
        """Begin a check when one is due, or look at the next portion; what is found at its end is kept and told."""
        since = self._due_since()
        if self._check is not None and (self._began_at < since or was_done(CHORE, self._began_at)):
            self._check = None  # another worker had the turn since: what this one looked at is of a time before
        if self._check is None:
            if was_done(CHORE, since):
                return
            self._check, self._began_at = LogCheck(self._world), self._world.clock.now()
        if self._check.go_on():
            return
        done, self._check = self._check, None
        keep_check(self._world, done)
        note_done(self._world, CHORE)

    def _due_since(self) -> datetime:
        """Since when a check must have come to its end for none to be due."""
        tonight = night_began(self._world.clock.now())
        return self._started_at if tonight is None else max(self._started_at, tonight)


def count_checked(app: Flask) -> dict[str, int]:
    """The last check in numbers, whoever asked for it, and how many seconds one is good; before the first, that alone.

    `./anju status` asks, which imports nothing of the worker's, and dashboards.
    """
    with app.app_context():
        last = find_last_check()
    good_for = {"audit_check_good_for": int(OLD_AFTER.total_seconds())}
    if last is None:
        return good_for
    return good_for | {
        "audit_checked_at": int(last.at.timestamp()),
        "audit_leaves": last.leaves,
        "audit_faults": last.fault_count,
    }
