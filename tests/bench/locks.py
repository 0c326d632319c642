"""The bench of keys and locks: what is measured, in this order. A measurement takes the stage and answers its rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.bench import events, fleets, ladders, unlocks
from tests.bench.figures import Row
from tests.bench.stage import Stage

MEASUREMENTS: Sequence[Callable[[Stage], list[Row]]] = (
    unlocks.measure_on_postgres,
    unlocks.measure_on_sqlite,
    events.measure_replay,
    events.measure_live,
    fleets.measure_thousand,
    ladders.measure_month,
)
