"""Duties: one table; counted right across holidays, month ends, leap years and midnight; steps come in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.domain.calendars import day_of, end_of, is_published, is_working_day, start_of, working_days_after
from backend.domain.cases import KINDS, REASON_NAMES
from backend.domain.counts import UNITS, Count, last_moment
from backend.domain.duties import (
    DUTIES,
    OWNERS,
    SORTS,
    Running,
    escalation_kinds,
    next_look_at,
    quiet_until,
    running_duties,
)
from backend.domain.duty_facts import DutyFacts
from backend.domain.notices import INBOX
from backend.domain.rules import RULES

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
MOVED_IN = date(2026, 11, 23)
EXPECTED = DutyFacts(MOVED_IN, tenant_due_on=date(2026, 11, 26), landlord_due_on=date(2026, 11, 26), lease_active=True)
DECLARED_AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
DECLARED = replace(
    EXPECTED, tenant_leg="declared", landlord_leg="reported", declared_at=DECLARED_AT, has_person=True,
    registry_state="accepted", accepted_at=DECLARED_AT,
)  # fmt: skip


def running(code: str, facts: DutyFacts) -> Running:
    [found] = [each for each in running_duties(facts) if each.duty.code == code]
    return found


def codes(facts: DutyFacts) -> set[str]:
    return {each.duty.code for each in running_duties(facts)}


def course(code: str, facts: DutyFacts, until: datetime) -> Iterator[tuple[datetime, str | None]]:
    """When which step is the latest, as a look after look finds it."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    known = None
    while (at := next_look_at(facts, now)) is not None and at <= until:
        now = at
        [found] = [each for each in running_duties(facts) if each.duty.code == code]
        step = found.latest_step(facts, now)
        if step is not None and step.code != known:
            known = step.code
            yield now, known


@pytest.mark.parametrize("code", sorted(DUTIES))
def test_every_row_is_whole(code: str) -> None:
    duty = DUTIES[code]
    assert duty.rule is None or duty.rule in RULES
    assert duty.owner in OWNERS and duty.sort in SORTS and duty.count.unit in UNITS
    known = {field.name for field in fields(DutyFacts)}
    assert code == "identity_review" or {duty.runs_from, duty.stored or duty.runs_from} <= known
    assert all(step.notice is None or step.notice in INBOX for step in duty.steps)
    moments = [step.at(datetime(2026, 11, 26, 15, 59, 59, tzinfo=UTC)) for step in duty.steps]
    assert moments == sorted(moments), "the latest that has come is the last of them"
    if duty.escalation is not None:
        assert duty.rule is not None and duty.escalation.kind in KINDS and duty.escalation.answer in REASON_NAMES


def test_the_rules_with_a_deadline_are_all_there() -> None:
    rules = {duty.rule for duty in DUTIES.values()}
    assert {"HK-15", "ZJ-9-1", "ZJ-9-2", "ZJ-12", "ZJ-13", "ZJ-16", "RP-10", "EEL-39", "HR-12"} <= rules
    assert set(escalation_kinds()) == {"overdue_registration", "overdue_report", "overdue_check_out", "dispute"}


@pytest.mark.parametrize(
    ("code", "fact", "last_day"),
    [
        ("report", date(2026, 2, 13), date(2026, 2, 25)),  # Spring Festival 15 to 23 February; Saturday 14 is worked
        ("report", date(2026, 2, 14), date(2026, 2, 26)),  # from the moved Saturday itself: Tuesday is the first
        ("report", date(2026, 2, 20), date(2026, 2, 26)),  # from within the holidays
        ("report_end", date(2026, 9, 30), date(2026, 10, 10)),  # National Day; Saturday 10 October is worked
        ("report_end", date(2026, 10, 9), date(2026, 10, 13)),
        ("report", date(2026, 12, 30), date(2027, 1, 5)),  # into a year that is not published: 1 January is a Friday
        ("declare", date(2026, 2, 13), date(2026, 2, 16)),  # calendar days know no holidays
        ("declare", date(2024, 2, 26), date(2024, 2, 29)),
        ("declare", date(2026, 2, 26), date(2026, 3, 1)),
        ("declare", date(2026, 12, 30), date(2027, 1, 2)),
        ("change", date(2028, 2, 25), date(2028, 3, 6)),
        ("permit", date(2026, 8, 31), date(2027, 2, 28)),
        ("permit", date(2027, 8, 31), date(2028, 2, 29)),
        ("permit", date(2028, 2, 29), date(2028, 8, 29)),
        ("endorsement", date(2028, 2, 29), date(2029, 2, 28)),
        ("endorsement", date(2026, 3, 31), date(2027, 3, 31)),
        ("lease_end", date(2026, 4, 30), date(2026, 4, 30)),
    ],
)
def test_a_duty_is_counted_by_its_rule(code: str, fact: date, last_day: date) -> None:
    assert DUTIES[code].count.last_day(fact) == last_day
    assert DUTIES[code].count.due_at(fact) == end_of(last_day)


def test_one_month_from_the_end_of_january_is_the_end_of_february() -> None:
    one = Count(1, "months")
    assert one.last_day(date(2026, 1, 31)) == date(2026, 2, 28)
    assert one.last_day(date(2024, 1, 31)) == one.last_day(date(2024, 1, 29)) == date(2024, 2, 29)
    assert one.last_day(date(2026, 12, 31)) == date(2027, 1, 31)


def test_hours_run_on_the_clock_over_holidays_and_midnight() -> None:
    arrived = datetime(2026, 2, 16, 15, 30, tzinfo=UTC)  # 23:30 in China on the eve of Spring Festival
    assert DUTIES["foreign"].count.due_at(arrived) == arrived + DAY
    assert DUTIES["identity_review"].count.due_at(arrived) == arrived + 3 * DAY
    assert Count(24, "hours").due_at(date(2026, 2, 16)) == start_of(date(2026, 2, 17)), "of a mere day: its beginning"


def test_a_moment_counts_by_its_day_in_china() -> None:
    before, after = datetime(2026, 8, 30, 15, 59, tzinfo=UTC), datetime(2026, 8, 30, 16, 0, tzinfo=UTC)
    permit = DUTIES["permit"].count
    assert permit.due_at(before) == end_of(date(2027, 2, 28)) == permit.due_at(after)  # the 30th and the 31st clamp
    assert Count(3).due_at(before) + DAY == Count(3).due_at(after)


@given(st.dates(date(2004, 1, 1), date(2060, 1, 1)), st.integers(1, 12))
def test_the_nth_working_day_is_one_and_recounting_gives_n(event: date, n: int) -> None:
    last = Count(n, "working_days").last_day(event)
    assert is_working_day(last)
    assert sum(is_working_day(event + DAY * k) for k in range(1, (last - event).days + 1)) == n
    assert is_published(last) or last.year > 2026 or last.year < 2005 or last.weekday() < 5


@given(
    st.dates(date(2020, 1, 1), date(2032, 1, 1)), st.integers(0, 40), st.integers(0, 12), st.integers(0, 3),
    st.sampled_from(UNITS),
)  # fmt: skip
def test_a_later_fact_or_a_longer_count_is_never_due_earlier(day: date, later: int, n: int, more: int, u: str) -> None:
    assert Count(n, u).due_at(day) <= Count(n, u).due_at(day + DAY * later)
    assert Count(n, u).due_at(day) <= Count(n + more, u).due_at(day)


@given(st.dates(date(2025, 1, 1), date(2027, 12, 31)), st.sampled_from(sorted(DUTIES)))
def test_the_latest_late_fact_divides_the_late_from_those_in_time(today: date, code: str) -> None:
    now, count = start_of(today) + timedelta(hours=10), DUTIES[code].count
    latest = count.latest_late_fact(now)
    assert count.due_at(latest) < now <= count.due_at(latest + DAY)


def test_a_deadline_lasts_to_the_last_moment_of_its_day_in_china() -> None:
    due = running("declare", EXPECTED)
    midnight = datetime(2026, 11, 26, 16, 0, tzinfo=UTC)
    assert due.due_at == midnight - TICK == last_moment(date(2026, 11, 26))
    assert (due.state(midnight - TICK), due.days(midnight - TICK), due.escalates(midnight - TICK)) == ("open", 0, False)
    assert (due.state(midnight), due.days(midnight), due.escalates(midnight)) == ("overdue", 1, True)


def test_steps_come_the_day_before_on_the_day_and_twice_after_it() -> None:
    came = [(day_of(at), step) for at, step in course("declare", EXPECTED, datetime(2027, 1, 1, tzinfo=UTC))]
    assert came == [
        (date(2026, 11, 25), "before"),
        (date(2026, 11, 26), "today"),
        (date(2026, 11, 27), "overdue"),
        (date(2026, 12, 4), "overdue_week"),
    ]


def test_the_landlords_steps_follow_the_working_days_over_spring_festival() -> None:
    facts = replace(EXPECTED, move_in_on=date(2026, 2, 13), landlord_due_on=None, lease_active=False)
    came = [(day_of(at), step) for at, step in course("report", facts, datetime(2026, 4, 1, tzinfo=UTC))]
    assert came[:2] == [(date(2026, 2, 24), "before"), (date(2026, 2, 25), "today")]
    due = running("report", facts)
    assert due.duty.escalation is not None
    assert day_of(due.duty.escalation.at(due.due_at)) == working_days_after(date(2026, 2, 25), 3)


@pytest.mark.parametrize(
    ("changes", "ended"),
    [
        ({"tenant_leg": "declared", "declared_at": DECLARED_AT}, {"declare", "draft"}),
        ({"landlord_leg": "reported"}, {"report"}),
        ({"residence": "moved_out"}, {"declare", "report", "report_end", "lease_end", "draft"}),
        ({"landlord_ended_on": date(2026, 12, 1)}, {"report_end", "lease_end"}),
        ({"lease_active": False}, {"report_end", "lease_end"}),
        ({"lease_ends_on": None}, {"report_end", "lease_end"}),
        ({"tenant_leg": "invited", "draft_expires_at": None}, {"draft"}),
    ],
)
def test_what_is_done_is_owed_no_longer(changes: dict[str, object], ended: set[str]) -> None:
    begun = replace(EXPECTED, tenant_leg="draft", draft_expires_at=DECLARED_AT + 15 * DAY, lease_ends_on=MOVED_IN)
    assert codes(begun) - codes(replace(begun, **changes)) == ended  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "owed"),
    [
        ({}, {"permit"}),
        ({"accepted_at": None, "registry_state": "sent"}, {"permit", "registry"}),
        ({"registry_state": "rejected", "changed_on": date(2026, 11, 20)}, {"permit", "change"}),
        ({"changed_on": date(2026, 11, 20)}, {"permit"}),
        ({"scope": "out_of_scope"}, set()),
        ({"scope": "exempt"}, set()),
        ({"scope": "exempt", "exempt_until": date(2026, 12, 20)}, {"exemption"}),
        ({"scope": "foreign", "foreign_due_at": DECLARED_AT + DAY}, {"foreign"}),
        ({"scope": "foreign", "foreign_due_at": DECLARED_AT, "foreign_done_at": DECLARED_AT}, set()),
        ({"permit_counted_from": date(2027, 6, 1)}, {"endorsement"}),
        ({"landlord_ended_on": MOVED_IN, "landlord_end_reported_at": DECLARED_AT}, {"permit", "answer_left"}),
        ({"landlord_ended_on": MOVED_IN, "landlord_end_reported_at": DECLARED_AT, "disputed": True}, {"permit"}),
    ],
)
def test_what_a_declared_residence_still_owes(changes: dict[str, object], owed: set[str]) -> None:
    assert codes(replace(DECLARED, **changes)) == owed  # type: ignore[arg-type]


def test_information_is_never_overdue_and_never_sent_to_a_phone() -> None:
    much_later = datetime(2030, 1, 1, tzinfo=UTC)
    permit = running("permit", DECLARED)
    assert (permit.state(much_later), permit.days(much_later), permit.escalates(much_later)) == (
        "information",
        0,
        False,
    )
    for duty in DUTIES.values():
        for step in duty.steps:
            if duty.goes_by_sms(step):
                assert duty.sort not in ("information", "house") and step.is_near and step.notice
    assert [step.code for step in DUTIES["lease_end"].steps if DUTIES["lease_end"].goes_by_sms(step)] == [
        "before", "overdue"]  # fmt: skip


def test_the_registrys_steps_wait_until_a_declaration_is_not_just_there() -> None:
    last_evening = datetime(2026, 11, 26, 15, 0, tzinfo=UTC)
    early = replace(DECLARED, accepted_at=None, registry_state="sent")
    assert list(course("registry", early, datetime(2026, 12, 1, tzinfo=UTC))) == [
        (end_of(date(2026, 11, 26)) - DAY, "alarm"),
        (end_of(date(2026, 11, 26)) - timedelta(hours=4), "paper"),
    ]
    late = replace(early, declared_at=last_evening)
    assert list(course("registry", late, datetime(2026, 12, 1, tzinfo=UTC))) == [
        (last_evening + timedelta(minutes=15), "alarm"),
        (last_evening + timedelta(minutes=30), "paper"),
    ]


@pytest.mark.parametrize(
    ("utc_hour", "minute", "waits_until"),
    [
        (12, 59, None),  # 20:59 in China
        (13, 0, datetime(2026, 11, 24, 0, 0, tzinfo=UTC)),  # 21:00, until 08:00 the next day
        (16, 30, datetime(2026, 11, 24, 0, 0, tzinfo=UTC)),  # half past midnight: this morning
        (23, 59, datetime(2026, 11, 24, 0, 0, tzinfo=UTC)),
    ],
)
def test_short_messages_keep_the_nights_quiet(utc_hour: int, minute: int, waits_until: datetime | None) -> None:
    now = datetime(2026, 11, 23, utc_hour, minute, tzinfo=UTC)
    assert quiet_until(now) == waits_until
    assert quiet_until(datetime(2026, 11, 24, 0, 0, tzinfo=UTC)) is None


def test_nothing_more_is_looked_at_when_everything_was_said() -> None:
    assert next_look_at(EXPECTED, datetime(2027, 1, 1, tzinfo=UTC)) is None
    assert next_look_at(replace(EXPECTED, residence="moved_out"), DECLARED_AT) is None
