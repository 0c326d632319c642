"""Appointments for an identity review: which times are offered, what may become of one, which video links are taken.

A time is a slot of the office's opening hours on a working day, moved days (调休) included, in China's time. A slot has
as many places as the office can serve at once. Nobody needs an appointment to come to the window.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlsplit

from backend.domain.calendars import CHINA, day_of, is_working_day
from backend.domain.refusals import Refusal, illegal_transition

WAYS = ("window", "live_video")
LIVE = ("asked", "booked")  # a live video is asked for until staff have set its link
STATE_NAMES = {
    "asked": ("已约时间，待发链接", "time chosen, link to come"),
    "booked": ("已约好", "booked"),
    "kept": ("已赴约", "kept"),
    "missed": ("未赴约", "missed"),
    "cancelled": ("已取消", "cancelled"),
}
ACTION_NAMES = {
    "move": ("改时间", "move it"),
    "cancel": ("取消", "cancel it"),
    "link": ("发链接", "set the link"),
    "keep": ("记为已赴约", "mark it kept"),
    "miss": ("记为未赴约", "mark it missed"),
}
_BEFORE = ("move", "cancel", "link", "keep", "miss")
TRANSITIONS = {"asked": _BEFORE, "booked": _BEFORE, "kept": (), "missed": (), "cancelled": ()}
ENDS = {"keep": "kept", "miss": "missed", "cancel": "cancelled"}

LEAD = timedelta(hours=1)  # the clerk reads the day's list before somebody stands at the counter
LOOK_DAYS = 60  # a holiday never lasts this long; a bound, so that a wrong calendar cannot make the search endless
_LINK_LENGTH = 300


@dataclass(frozen=True)
class OpeningHours:
    """When the office serves: spans of the day in China's time, the length of a slot, places per slot, days offered."""

    spans: tuple[tuple[time, time], ...] = ((time(8, 30), time(11, 30)), (time(14, 0), time(17, 30)))
    slot: timedelta = timedelta(minutes=30)
    places: int = 2
    days: int = 5


@dataclass(frozen=True)
class Slot:
    """One time on offer; `free` places are left."""

    starts_at: datetime
    ends_at: datetime
    free: int


def read_spans(text: str) -> tuple[tuple[time, time], ...]:
    """Opening hours as a setting writes them: `08:30-11:30,14:00-17:30`. Raises ValueError for anything else."""
    spans: list[tuple[time, time]] = []
    for part in text.split(","):
        begins, dash, ends = part.strip().partition("-")
        span = (time.fromisoformat(begins), time.fromisoformat(ends))
        if not dash or span[0] >= span[1] or (spans and span[0] < spans[-1][1]):
            raise ValueError(text)
        spans.append(span)
    return tuple(spans)


def list_slots(now: datetime, hours: OpeningHours, taken: Mapping[datetime, int]) -> tuple[Slot, ...]:
    """The times on offer from an hour ahead on, over the next working days; full ones are among them with 0 free.

    `taken` counts the living appointments by their start (aware UTC).
    """
    found: list[Slot] = []
    for day in _days(now, hours):
        found += [
            Slot(start, start + hours.slot, max(0, hours.places - taken.get(start, 0)))
            for start in _starts(day, hours)
            if start >= now + LEAD
        ]
    return tuple(found)


def decide_slot(
    starts_at: datetime, now: datetime, hours: OpeningHours, taken: Mapping[datetime, int]
) -> Slot | Refusal:
    """The slot that begins at `starts_at`, or why it cannot be had: appointment.slot, appointment.full."""
    slots = list_slots(now, hours, taken)
    chosen = next((slot for slot in slots if slot.starts_at == starts_at), None)
    if chosen is None:
        return Refusal("appointment.slot", "starts_at")
    return chosen if chosen.free > 0 else Refusal("appointment.full", "starts_at")


def decide_action(state: str, action: str, starts_at: datetime, now: datetime) -> Refusal | None:
    """Whether an appointment takes `action`; nobody can have missed what has not begun."""
    if action not in TRANSITIONS[state]:
        return illegal_transition(STATE_NAMES[state], {name: ACTION_NAMES[name] for name in TRANSITIONS[state]})
    return Refusal("appointment.early") if action == "miss" and now < starts_at else None


def state_after_choice(way: str) -> str:
    """A window is booked by choosing it; a live video still needs its link."""
    return "booked" if way == "window" else "asked"


def decide_link(text: str, field: str = "link") -> str | Refusal:
    """The link of a live video, whoever's tool it is: https with a host, no name or password in it."""
    link = text.strip()
    try:
        parts = urlsplit(link)
        usable = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        usable = False
    plain = link.isascii() and link.isprintable() and not set(link) & set(' "<>\\')
    return link if usable and plain and len(link) <= _LINK_LENGTH else Refusal("appointment.link", field)


def _days(now: datetime, hours: OpeningHours) -> Iterator[date]:
    """The next working days on which there is still a time to be had, today included."""
    first, offered = day_of(now), 0
    for ahead in range(LOOK_DAYS):
        day = first + timedelta(days=ahead)
        if offered == hours.days:
            return
        if is_working_day(day) and any(start >= now + LEAD for start in _starts(day, hours)):
            offered += 1
            yield day


def _starts(day: date, hours: OpeningHours) -> Iterator[datetime]:
    for begins, ends in hours.spans:
        start, last = datetime.combine(day, begins, CHINA), datetime.combine(day, ends, CHINA) - hours.slot
        while start <= last:
            yield start.astimezone(UTC)
            start += hours.slot
