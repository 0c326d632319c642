"""Failures the registry can be told to show (registry.md, rule 7). They live in its database and survive a restart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, select, update

from backend.registry.database import Database
from backend.registry.tables import faults

# name → what it does; parameters in brackets with their defaults
FAULTS: Mapping[str, str] = {
    "slow": "batches are judged only `seconds` (60) after they came: minutes or days",
    "http_502": "calls are answered 502 and nothing is done",
    "timeout": "calls wait `seconds` (30) and are answered 504, nothing done",
    "lost_answer": "filings are done and committed, then answered 502",
    "busy": "calls are answered 503 with code 9001",
    "maintenance": "calls are answered 503 with code 9003",
    "partial": "every second item of a batch ends as `state` (REJECTED with 9002, or PENDING)",
    "unknown_state": "accepted items carry a state nobody agreed on",
    "reordered": "results come in another order than the items",
    "duplicated": "each result comes twice",
    "code_changed": "from `place` (1) on in a batch, place type `code` (30) counts as expired",
    "bad_receipt": "receipts are signed with a key nobody published",
    "digest_skew": "digests have a wrong root",
    "strict_population": "numbers the population base does not know are not matched (3002)",
    "unknown_units": "the units listed in `units` are not registered (4001)",
    "clock": "the registry's clock is off by `seconds` (0)",
}
# These do not touch a call but the judgement; they are read, not used up, unless they have `times`.
_SECONDS_MOST = 40 * 24 * 3600


class UnknownFault(Exception):
    """There is no failure of that name, or its parameters are not usable."""


class Faults:
    """The switches."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> dict[str, dict[str, Any]]:
        """What is switched on: name → parameters, with `times` where it is limited."""
        with self._database.reading() as connection:
            rows = connection.execute(select(faults)).all()
        return {row.name: _shown(row.params, row.times_left) for row in rows}

    def switch_on(self, name: str, params: Mapping[str, Any]) -> None:
        """Switch a failure on; `times` limits how often it shows. Raises UnknownFault."""
        if name not in FAULTS:
            raise UnknownFault(name)
        params = dict(params)
        times = params.pop("times", None)
        if times is not None and (type(times) is not int or times < 1):
            raise UnknownFault("times")
        seconds = params.get("seconds", 0)
        if type(seconds) not in (int, float) or not -_SECONDS_MOST <= seconds <= _SECONDS_MOST:
            raise UnknownFault("seconds")
        with self._database.writing() as connection:
            connection.execute(delete(faults).where(faults.c.name == name))
            connection.execute(insert(faults).values(name=name, params=params, times_left=times))

    def switch_off(self, name: str | None = None) -> None:
        """Switch one failure off, or all of them."""
        with self._database.writing() as connection:
            connection.execute(delete(faults).where(faults.c.name == name) if name else delete(faults))

    def peek(self, name: str) -> dict[str, Any] | None:
        """The parameters of a failure that is on, not using it up; None when it is off."""
        with self._database.reading() as connection:
            row = connection.execute(select(faults).where(faults.c.name == name)).first()
        return None if row is None else dict(row.params)

    def take(self, name: str) -> dict[str, Any] | None:
        """The parameters of a failure that shows now (one of its `times` is used up); None when it is off."""
        if self.peek(name) is None:
            return None  # the usual case writes nothing
        with self._database.writing() as connection:
            row = connection.execute(select(faults).where(faults.c.name == name)).first()
            if row is None:
                return None
            if row.times_left == 1:
                connection.execute(delete(faults).where(faults.c.name == name))
            elif row.times_left is not None:
                connection.execute(update(faults).where(faults.c.name == name).values(times_left=row.times_left - 1))
            return dict(row.params)


def _shown(params: Mapping[str, Any], times_left: int | None) -> dict[str, Any]:
    return dict(params) if times_left is None else {**params, "times": times_left}
