"""The mechanical side of a lock: bolt, door, battery, and what can go wrong with them."""

from __future__ import annotations

from dataclasses import dataclass

LOW_PERCENT = 20
CRITICAL_PERCENT = 8
DEAD_PERCENT = 2  # below, the motor does not turn: the mechanical key remains


@dataclass
class Body:
    """What can be seen and touched."""

    bolt: str = "locked"
    door: str = "closed"
    battery_percent: int = 100
    jammed: bool = False
    privacy: bool = False
    signal_dbm: int = -60
    temperature_c: int = 20

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
