"""The bench of keys and locks: what is measured, in this order. A measurement takes the stage and answers its rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.bench import events, fleets, ladders, unlocks
from tests.bench.figures import Row
from tests.bench.stage import Stage

Measurement = Callable[[Stage], list[Row]]

WITH_GOALS: Sequence[Measurement] = (
    unlocks.measure_on_postgres,
    events.measure_replay,
    fleets.measure_thousand,
    ladders.measure_month,
)
FOR_INFORMATION: Sequence[Measurement] = (  # left out of a quick run
    unlocks.measure_on_sqlite,
    events.measure_live,
    fleets.measure_bridge,
)


def measurements(quick: bool) -> Sequence[Measurement]:
    """What a run measures, those with a goal first."""
    return WITH_GOALS if quick else (*WITH_GOALS, *FOR_INFORMATION)
