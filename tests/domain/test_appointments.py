"""Appointments: times on offer by China's working days, what may become of one, which links are taken."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from backend.domain import appointments
from backend.domain.appointments import OpeningHours, decide_action, decide_link, decide_slot, list_slots, read_spans
from backend.domain.calendars import CHINA, day_of
from backend.domain.cases import returning_kinds
from backend.domain.refusals import Refusal

MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 10:00 in China
HOURS = OpeningHours(((time(9), time(10)), (time(14), time(15, 10))), timedelta(minutes=30), places=2, days=2)


def in_china(moment: datetime) -> str:
    return moment.astimezone(CHINA).strftime("%d %H:%M")


def test_slots_fill_the_opening_hours_of_working_days_from_an_hour_ahead() -> None:
    slots = list_slots(MONDAY, HOURS, {})
    assert [in_china(slot.starts_at) for slot in slots] == [
        "23 14:00", "23 14:30", "24 09:00", "24 09:30", "24 14:00", "24 14:30",
    ]  # fmt: skip
    assert all(slot.ends_at - slot.starts_at == timedelta(minutes=30) and slot.free == 2 for slot in slots)
    late = list_slots(datetime(2026, 11, 23, 5, 45, tzinfo=UTC), HOURS, {})  # 13:45
    assert in_china(late[0].starts_at) == "24 09:00"


def test_a_day_without_a_time_left_does_not_use_up_an_offered_day() -> None:
    evening = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    assert [day.day for day in sorted({day_of(slot.starts_at) for slot in list_slots(evening, HOURS, {})})] == [24, 25]


@pytest.mark.parametrize(
    ("now", "days"),
    [
        (datetime(2026, 9, 30, 10, tzinfo=UTC), [date(2026, 10, 8), date(2026, 10, 9)]),  # National Day: 1 to 7 October
        (datetime(2026, 9, 19, 0, tzinfo=UTC), [date(2026, 9, 20), date(2026, 9, 21)]),  # a Sunday worked for it
        (datetime(2026, 11, 27, 10, tzinfo=UTC), [date(2026, 11, 30), date(2026, 12, 1)]),  # a weekend
    ],
)
def test_holidays_and_moved_working_days_are_the_state_councils(now: datetime, days: list[date]) -> None:
    assert sorted({day_of(slot.starts_at) for slot in list_slots(now, HOURS, {})}) == days


def test_a_slot_is_full_when_its_places_are_taken_and_another_time_is_none_of_the_list() -> None:
    first = list_slots(MONDAY, HOURS, {})[0].starts_at
    assert list_slots(MONDAY, HOURS, {first: 1})[0].free == 1
    full = decide_slot(first, MONDAY, HOURS, {first: 2})
    assert isinstance(full, Refusal) and full.code == "appointment.full"
    odd = decide_slot(first + timedelta(minutes=5), MONDAY, HOURS, {})
    assert isinstance(odd, Refusal) and odd.code == "appointment.slot"
    past = decide_slot(MONDAY - timedelta(hours=1), MONDAY, HOURS, {})
    assert isinstance(past, Refusal)


def test_only_a_living_appointment_changes_and_none_is_missed_before_its_time() -> None:
    assert decide_action("booked", "keep", MONDAY, MONDAY - timedelta(minutes=5)) is None
    early = decide_action("asked", "miss", MONDAY, MONDAY - timedelta(minutes=5))
    assert early is not None and early.code == "appointment.early"
    assert decide_action("booked", "miss", MONDAY, MONDAY) is None
    for state in ("kept", "missed", "cancelled"):
        gone = decide_action(state, "move", MONDAY, MONDAY)
        assert gone is not None and gone.code == "transition"
    assert set(appointments.TRANSITIONS) == set(appointments.STATE_NAMES)


@pytest.mark.parametrize("link", ["https://meeting.example/j/123?pwd=a", " https://v.example/ "])
def test_any_tools_https_link_is_taken(link: str) -> None:
    assert decide_link(link) == link.strip()


@pytest.mark.parametrize(
    "link",
    ["", "http://meeting.example/", "javascript:alert(1)", "https://", "https://u:p@meeting.example/", "https:///x",
     "https://meeting.example/ x", 'https://meeting.example/"', "https://meeting.example/" + "x" * 300,
     "https://[meeting", "https://meeting.example:99999/", "https://视频.example/"],
)  # fmt: skip
def test_no_other_link_is(link: str) -> None:
    refused = decide_link(link)
    assert isinstance(refused, Refusal) and refused.code == "appointment.link"


def test_opening_hours_are_read_from_a_setting() -> None:
    assert read_spans("08:30-11:30, 14:00-17:30") == OpeningHours().spans
    for wrong in ("", "08:30", "10:00-09:00", "09:00-12:00,11:00-13:00", "9-10-11", "25:00-26:00"):
        with pytest.raises(ValueError):
            read_spans(wrong)


def test_cases_decided_at_a_meeting_go_back_when_left_alone() -> None:
    assert returning_kinds() == ("identity_review", "rebind")
