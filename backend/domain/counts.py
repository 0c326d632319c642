"""How a deadline is counted from a fact: working days, calendar days, calendar months, or hours on the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from backend.domain.calendars import day_of, end_of, months_after, start_of, working_days_after

UNITS = ("working_days", "days", "months", "hours")
Fact = date | datetime


@dataclass(frozen=True)
class Count:
    """`n` of `unit` after a fact. Days and months last to the end of the last day in China, hours to the moment."""

    n: int
    unit: str = "days"

    def last_day(self, day: date) -> date:
        """The last day in time when the fact lies on `day`; for hours the day itself, since they need a moment."""
        if self.unit == "working_days":
            return working_days_after(day, self.n)
        if self.unit == "months":
            return months_after(day, self.n)
        return day + timedelta(days=self.n) if self.unit == "days" else day

    def due_at(self, fact: Fact) -> datetime:
        """The last moment in time, aware UTC. Hours from a mere day run from its beginning."""
        moment = fact if isinstance(fact, datetime) else None
        if self.unit == "hours":
            return (moment or start_of(fact)) + timedelta(hours=self.n)
        return end_of(self.last_day(day_of(moment) if moment else fact))

    def latest_late_fact(self, now: datetime) -> date:
        """The latest day of a fact whose deadline has passed at `now`: every earlier one has passed too."""
        day = day_of(now)
        while self.due_at(day) >= now:
            day -= timedelta(days=1)
        return day


def last_moment(due: Fact) -> datetime:
    """A stored deadline as a moment: a day lasts to its end in China."""
    return due if isinstance(due, datetime) else end_of(due)
