"""The mechanical side of a lock: bolt, door, battery, and what can go wrong with them."""

from __future__ import annotations

import math
from dataclasses import dataclass

LOW_PERCENT = 20
CRITICAL_PERCENT = 8
DEAD_PERCENT = 2  # below, the motor does not turn: the mechanical key remains
# Four AA cells: ten openings a day, each with its locking, last some eleven months.
TURN_PERCENT = 0.01
DAY_PERCENT = 0.1


@dataclass
class Body:
    """What can be seen and touched."""

    bolt: str = "locked"
    door: str = "closed"
    charge: float = 100.0
    jammed: bool = False
    privacy: bool = False
    signal_dbm: int = -60
    temperature_c: int = 20

    @property
    def battery_percent(self) -> int:
        """The charge in whole percent, 0 to 100."""
        return math.ceil(self.charge)

    def set_charge(self, percent: float) -> str | None:
        """The charge changes; answers the event of a limit passed downwards."""
        before, self.charge = self.battery_percent, max(0.0, percent)
        if self.battery_percent <= CRITICAL_PERCENT < before:
            return "battery.critical"
        return "battery.low" if self.battery_percent <= LOW_PERCENT < before else None

    def refuse(self) -> str | None:
        """Why the motor may not or can not turn: the mode first, then the battery."""
        if self.privacy:
            return "privacy"
        return "battery" if self.battery_percent <= DEAD_PERCENT else None

    def turn(self, action: str) -> bool:
        """Turn the bolt; False when it is jammed."""
        if self.jammed:
            return False
        self.bolt = "unlocked" if action == "unlock" else "locked"
        return True

    def shown_bolt(self) -> str:
        """The bolt as telemetry tells it."""
        return "jammed" if self.jammed else self.bolt
