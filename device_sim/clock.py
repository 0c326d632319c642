"""A lock's own clock: it may be skewed, drift, jump and lose power, and it knows how far it may be trusted."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

OK_SECONDS = 30  # up to this uncertainty the quality is "ok"
UNKNOWN_SECONDS = 300  # above it the clock is worth nothing: 30 days at 100 ppm stay below
BASE_SECONDS = 2.0
DRIFT_PPM = 100.0

Host = Callable[[], float]  # true time in seconds since 1970 UTC: real in the fleet, virtual in tests


class Moment(NamedTuple):
    """What a lock knows of the time: the second, by how many seconds it may be off, and the word for that."""

    at: int
    uncertainty: int
    quality: str


class LockClock:
    """Seconds since 1970 UTC as the lock believes; it never runs backwards by itself.

    Only the platform's signed time may set it back. `skew` is how far it was wrong when made, `ppm` how fast it drifts.
    """

    def __init__(self, host: Host, *, skew: float = 0.0, ppm: float = 0.0) -> None:
        self._host = host
        self._ppm = ppm
        self._base_host = host()
        self._base_reading = self._base_host + skew
        self.synced_at: float | None = None
        self.high_water = 0.0

    def now(self) -> int:
        """The present second by this lock."""
        elapsed = self._host() - self._base_host
        reading = self._base_reading + elapsed * (1 + self._ppm * 1e-6)
        self.high_water = max(self.high_water, reading)
        return int(self.high_water)

    def ticks(self) -> float:
        """Seconds of the counter that timers run by: no fault and no signed time moves it, and it is no time of day."""
        return self._host()

    def uncertainty(self) -> int:
        """How many seconds the reading may be off: 2 s + 100 ppm since the last sync; not capped."""
        if self.synced_at is None:
            return UNKNOWN_SECONDS + 1
        return int(BASE_SECONDS + max(0.0, self.now() - self.synced_at) * DRIFT_PPM * 1e-6)

    def quality(self) -> str:
        """`ok`, `drifting` or `unknown`."""
        uncertain = self.uncertainty()
        if uncertain > UNKNOWN_SECONDS:
            return "unknown"
        return "ok" if uncertain <= OK_SECONDS else "drifting"

    def moment(self) -> Moment:
        """Time, uncertainty and quality in one."""
        return Moment(self.now(), self.uncertainty(), self.quality())

    def sync(self, at: int) -> int:
        """Take the platform's signed time; answers by how many seconds the reading changed."""
        before = self.now()
        self._base_host, self._base_reading = self._host(), float(at)
        self.high_water = self.synced_at = float(at)
        return at - before

    def restore(self, synced_at: float | None, high_water: float) -> None:
        """Come back after a reboot with what flash remembers; the clock itself ran on a battery meanwhile."""
        self.synced_at = synced_at
        self.high_water = max(self.high_water, high_water)

    def jump(self, seconds: float) -> None:
        """Fault: the reading jumps and nobody notices."""
        self._base_reading += seconds

    def skew(self, seconds: float) -> None:
        """Fault: the reading is off by so much from true time; behind, it stands still until time has caught up."""
        self._base_host = self._host()
        self._base_reading = self._base_host + seconds

    def drift(self, ppm: float) -> None:
        """Fault: from now on it runs so many millionths too fast, or, below nought, too slow."""
        host = self._host()
        self._base_reading += (host - self._base_host) * (1 + self._ppm * 1e-6)
        self._base_host, self._ppm = host, ppm

    def lose_power(self) -> None:
        """Fault: the clock stops; it resumes from the latest moment it remembers and is worth nothing until synced."""
        self._base_host, self._base_reading = self._host(), self.high_water
        self.synced_at = None
