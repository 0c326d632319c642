"""Calendars: working days with the State Council's moved days, and calendar months clamped to the month's end.

Days are calendar days in China (Asia/Shanghai). A year whose calendar is not published yet falls back to Monday to
Friday without the holidays whose day the law itself fixes, and says so through `is_published`.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar

CHINA = ZoneInfo("Asia/Shanghai")
FIXED_HOLIDAYS = {(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)}  # 全国年节及纪念日放假办法 (2025); the others move


FIRST_YEAR, LAST_YEAR = 1900, 2200  # what a form or an address may name; days are reckoned with on both sides of it


def read_day(text: str) -> date | None:
    """The day that an ISO text names, None where it names none or one outside `FIRST_YEAR`–`LAST_YEAR`."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if FIRST_YEAR <= found.year <= LAST_YEAR else None


def is_published(day: date) -> bool:
    """Whether the State Council's calendar for that year is in the package."""
    try:
        chinese_calendar.is_workday(day)
    except NotImplementedError:
        return False
    return True


def is_working_day(day: date) -> bool:
    """Whether `day` is a working day in China, moved days (调休) included."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5 and (day.month, day.day) not in FIXED_HOLIDAYS


def working_days_after(day: date, count: int) -> date:
    """The `count`-th working day after `day`; the event's own day does not count (ZJ-9-1, ZJ-9-2)."""
    while count > 0:
        day += timedelta(days=1)
        if is_working_day(day):
            count -= 1
    return day


def months_after(day: date, count: int) -> date:
    """The same calendar day `count` months on, clamped to the month's end (ZJ-16: half a year is six months)."""
    month = day.month - 1 + count
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def day_of(moment: datetime) -> date:
    """The calendar day in China of an aware moment."""
    return moment.astimezone(CHINA).date()


def end_of(day: date) -> datetime:
    """The last moment of `day` in China, as aware UTC: a deadline lasts until then."""
    return datetime.combine(day + timedelta(days=1), time(0), CHINA).astimezone(UTC) - timedelta(microseconds=1)


def start_of(day: date) -> datetime:
    """The first moment of `day` in China, as aware UTC."""
    return datetime.combine(day, time(0), CHINA).astimezone(UTC)
