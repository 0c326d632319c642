"""The form of a visitor's key, the same for landlord and tenant: purpose, phone, days, uses, weekly hours."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _

from backend.domain.refusals import Refusal
from backend.domain.visitors import EMERGENCIES, PURPOSES, WeeklyWindow
from backend.domain.whole_numbers import read_whole
from mobile_api.pages.doors import world
from mobile_api.pages.forms import Sheet

DAYS = "1234567"
PURPOSE_OF_EMERGENCY = {"fire": "inspection", "gas": "repair", "water": "repair", "person_in_danger": "care"}


def visitor_sheet() -> Sheet:
    """A blank form: one visit today, until something else is said."""
    today = world().clock.today().isoformat()
    labels = {"purpose": _("做什么"), "phone": _("来访人的手机号"), "starts_on": _("从哪天"), "ends_on": _("到哪天"),
              "uses": _("最多开几次"), "sched": _("每周时段"), "begins": _("几点起"), "ends": _("几点止")}
    return Sheet.of_request(labels, starts_on=today, ends_on=today, uses="1")


def read_visitor(sheet: Sheet) -> dict[str, Any]:
    """What issue_visitor_key takes. Raises Refused with every faulty field."""
    said: dict[str, Any] = {
        "purpose": sheet.choice("purpose", PURPOSES),
        "phone": sheet.text("phone"),
        "starts_on": sheet.day("starts_on"),
        "ends_on": sheet.day("ends_on"),
        "uses": sheet.whole_number("uses") if sheet.value("uses").strip() else None,
        "sched": _windows(sheet),
    }
    sheet.check()
    return said


def emergency_sheet() -> Sheet:
    """A blank form; nothing is ticked beforehand."""
    labels = {"emergency": _("发生了什么"), "phone": _("来访人的手机号"), "sure": _("确认")}
    return Sheet.of_request(labels)


def read_emergency(sheet: Sheet) -> dict[str, Any]:
    """What issue_visitor_key takes in an emergency. Raises Refused with every faulty field."""
    ground, phone = sheet.choice("emergency", EMERGENCIES), sheet.text("phone")
    if not sheet.is_ticked("sure"):
        sheet.faults.append(Refusal("input.missing", "sure"))
    sheet.check()
    return {"purpose": PURPOSE_OF_EMERGENCY[ground], "phone": phone, "emergency": ground}


def _windows(sheet: Sheet) -> tuple[WeeklyWindow, ...]:
    days = "".join(day for day in DAYS if sheet.is_ticked(f"day{day}"))
    if not days:
        return ()
    return (WeeklyWindow(days, _minute(sheet, "begins"), _minute(sheet, "ends")),)


def _minute(sheet: Sheet, name: str) -> int:
    """A time of day as browsers send it, HH:MM, in minutes; 0 stands in until `check` raises."""
    value = sheet.text(name)
    first, _colon, second = value.partition(":")
    hour, minute = read_whole(first, 24), read_whole(second, 59)
    if hour is not None and minute is not None:
        return hour * 60 + minute
    if value:
        sheet.faults.append(Refusal("input.wrong_type", name, {"expected": "08:30"}))
    return 0

