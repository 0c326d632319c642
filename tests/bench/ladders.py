"""How residents get in over a simulated month with outages: real platform, locks, phones, codes; only time is moved."""

from __future__ import annotations

from datetime import UTC, datetime

from backend.bootstrap import core_app, upgrade_database
from backend.config import Settings
from backend.db import db
from backend.gateways.clock import FixedClock
from tests.bench.figures import Row, at_least
from tests.bench.stage import Stage
from tests.locks.ladders import RUNGS, Month, Street
from tests.worlds import make_fake_world

BEGINS = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
WORDS = {
    "online": "online",
    "bluetooth": "Bluetooth",
    "code": "keypad code",
    "mechanical": "mechanical key",
    "person": "a person's help",
}


def measure_month(stage: Stage) -> list[Row]:
    """Eight households, 30 days, three homecomings a day; in a quick run six of them and twelve days."""
    month = _lived(stage, households=6 if stage.quick else 8, days=12 if stage.quick else 30)
    anyhow = month.share(*RUNGS)
    goal, ok = at_least(100.0, anyhow)
    rows = [Row(f"got in at any rung, {month.homecomings} homecomings", anyhow, "%", goal=goal, ok=ok)]
    rows.append(Row("  without anybody's help", month.share(*RUNGS[:-1]), "%"))
    by_phone_or_code = month.share("online", "bluetooth", "code")
    goal, ok = at_least(95.0, by_phone_or_code)  # the last rung always holds; this one can be missed
    rows.append(Row("  by phone or code", by_phone_or_code, "%", goal=goal, ok=ok))
    return rows + [Row(f"  at the rung: {WORDS[rung]}", month.share(rung), "%") for rung in RUNGS]


def _lived(stage: Stage, households: int, days: int) -> Month:
    stage.say(f"a month of coming home: {households} households, {days} days")
    folder = stage.folder / "ladder"
    environment = {"ANJU_DEMO": "1", "ANJU_VAR": str(folder), "ANJU_DATABASE_URL": f"sqlite:///{folder / 'anju.db'}"}
    settings, clock = Settings.from_environment(environment), FixedClock(BEGINS)
    app = core_app(settings, make_fake_world(settings, clock))
    upgrade_database(app)
    with app.app_context():
        try:
            return Street(app, clock, households, seed=2026).live(days)
        finally:
            db.session.remove()
            db.engine.dispose()
