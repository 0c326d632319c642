"""Duties through the services: said once per step, ended when fulfilled, a case for a person, never a key."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, update

from backend.db import db, transaction
from backend.domain.calendars import start_of
from backend.domain.notices import NOTICES
from backend.gateways.clock import FixedClock
from backend.models.base import AT_ONCE
from backend.models.cases import Case
from backend.models.leases import Lease
from backend.models.notices import Notice
from backend.models.registrations import Registration
from backend.queries.duty_lists import count_near_deadline, list_overdue, list_paper_due
from backend.services import duties
from backend.services.consents import answer_consent
from backend.services.duties import keep_duties
from backend.services.inbox import list_notices
from backend.services.leases import extend_lease, report_tenant
from backend.services.messages import send_due_messages
from backend.services.own_duties import list_duties
from backend.services.registrations import declare
from tests.architecture.test_door_events import reached
from tests.architecture.test_imports import MODULES
from tests.services import stories

pytestmark = pytest.mark.usefixtures("core")
HOUR = timedelta(hours=1)
AREA = "330522003"


def keep(world: Any) -> int:
    looks = 0
    while done := keep_duties(world):
        looks += done
    return looks


def kinds(world: Any, account_id: str) -> Counter[str]:
    return Counter(notice.kind for notice in list_notices(world, account_id=account_id))


def live_until(world: Any, clock: FixedClock, day: date) -> None:
    """Every six hours of the simulated time, as the worker would each second."""
    while clock.now() < start_of(day):
        keep(world)
        send_due_messages(world)
        clock.move(6 * HOUR)


def cases(kind: str) -> list[Case]:
    db.session.rollback()
    return list(db.session.scalars(select(Case).where(Case.kind == kind)))


def texts(world: Any) -> list[str]:
    return [message.text for message in world.sms.messages()]


def test_a_quarter_of_a_village_says_each_step_once_and_stops_when_it_is_done(world: Any, clock: FixedClock) -> None:
    story = stories.make_claimed(world, report_now=False, ends_on=date(2027, 1, 31))
    key = stories.key_row(story.key_id)
    before = (key.state, key.epoch, key.version, key.ends_on)
    live_until(world, clock, date(2026, 12, 15))
    steps = Counter(declare_due=2, declare_overdue=2, draft_expires=1)
    assert kinds(world, story.tenant) == steps
    assert kinds(world, story.landlord) == Counter(invitation_accepted=1, report_due=2, report_overdue=2)
    assert [(case.rule, case.evidence["due_on"]) for case in cases("overdue_registration")] == [("HK-15", "2026-11-26")]
    assert [case.rule for case in cases("overdue_report")] == ["ZJ-9-1"]

    notice = NOTICES["registration_notice"]
    answer_consent(world, account_id=story.tenant, purpose=notice.purpose, version=notice.version, given=True)
    stories.enter_identity(
        world, account_id=story.tenant, id_type="111", id_number=stories.TENANT_NUMBER, name="周来福"
    )
    declare(world, account_id=story.tenant, registration_id=story.registration_id, move_in_on=date(2026, 11, 23),
            hukou_division="341822")  # fmt: skip
    report_tenant(world, account_id=story.landlord, lease_id=story.lease_id)
    keep(world)
    for kind in ("overdue_registration", "overdue_report"):
        [case] = cases(kind)
        assert (case.evidence["suggestion"], case.state) == ("declared_now", "routed"), "a person still closes it"
    live_until(world, clock, date(2027, 2, 24))
    assert kinds(world, story.tenant) - steps == Counter(lease_ends=2, lease_over=1)
    assert [case.rule for case in cases("overdue_check_out")] == ["HR-12"]
    assert kinds(world, story.landlord)["report_end_due"] == kinds(world, story.landlord)["report_end_overdue"] == 2
    extend_lease(world, account_id=story.landlord, lease_id=story.lease_id, ends_on=date(2027, 12, 31))
    keep(world)
    assert cases("overdue_check_out")[0].evidence["suggestion"] == "mended"
    told = db.session.scalars(select(Notice.once)).all()
    live_until(world, clock, date(2027, 4, 1))
    assert db.session.scalars(select(Notice.once)).all() == told, "nothing is owed, nothing is said"
    key = stories.key_row(story.key_id)
    assert (key.state, key.epoch) == before[:2], "no duty touches a key"


def test_a_short_message_waits_for_the_morning_says_nobodys_name_and_falls_when_it_is_done(
    world: Any, clock: FixedClock
) -> None:
    story = stories.make_claimed(world, report_now=False)
    send_due_messages(world)
    known = len(texts(world))
    clock.set(datetime(2026, 11, 24, 17, 0, tzinfo=UTC))  # 01:00 in China, the day before both deadlines
    keep(world)
    send_due_messages(world)
    assert len(texts(world)) == known
    report_tenant(world, account_id=story.landlord, lease_id=story.lease_id)
    clock.set(datetime(2026, 11, 25, 0, 0, tzinfo=UTC))
    send_due_messages(world)
    keep(world)
    send_due_messages(world)
    [text] = texts(world)[: len(texts(world)) - known]
    assert "2026-11-26" in text, "the tenant's; the landlord has reported meanwhile"
    assert not any(word in text for word in ("陈塘", "101", "周", "19900", "HK-15"))


def test_a_reminder_that_was_put_off_into_the_night_waits_for_the_next_morning(world: Any, clock: FixedClock) -> None:
    stories.make_claimed(world)
    send_due_messages(world)
    clock.set(datetime(2026, 11, 25, 3, 0, tzinfo=UTC))
    keep(world)
    known = len(texts(world))
    clock.set(datetime(2026, 11, 25, 14, 0, tzinfo=UTC))  # the gateway was down until 22:00 in China
    send_due_messages(world)
    assert len(texts(world)) == known
    clock.set(datetime(2026, 11, 26, 0, 0, tzinfo=UTC))
    send_due_messages(world)
    assert len(texts(world)) == known + 1


def test_only_what_is_due_is_read_and_every_write_asks_for_a_look(world: Any, clock: FixedClock) -> None:
    story = stories.make_claimed(world)
    assert keep(world) == 1
    assert keep_duties(world) == 0
    statements: list[str] = []

    @event.listens_for(db.engine, "before_cursor_execute")
    def _note(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        statements.append(statement)

    keep_duties(world)
    assert len([text for text in statements if text.startswith("SELECT")]) == 2, "one question to each of two indexes"
    with transaction() as session:
        session.execute(update(Lease).where(Lease.id == story.lease_id).values(version=7))
    assert keep(world) == 1
    with transaction() as session:
        session.get_one(Registration, story.registration_id).reason = "204"
        session.flush()
        look_at = select(Registration.duties_look_at).where(Registration.id == story.registration_id)
        assert session.scalar(look_at) == AT_ONCE
    assert keep(world) == 1
    db.session.rollback()
    assert db.session.scalar(look_at) == start_of(date(2026, 11, 25))


def test_one_row_that_cannot_be_read_holds_nobody_else_up(world: Any, clock: FixedClock) -> None:
    story = stories.make_claimed(world)
    keep(world)
    with transaction() as session:  # a unit that is gone: only a fault of the database can make it so
        bad = Registration(id="01936f0c-7a10-7cc3-8d21-5f2b6a4c9e01", unit_id=story.unit_id, place_type="30",
                           move_in_on=date(2026, 11, 23), tenant_due_on=date(2026, 11, 26), tenant_leg="draft",
                           registry_state="unsent", registry_errors=[], draft_expires_at=clock.now(),
                           created_at=clock.now(), updated_at=clock.now())  # fmt: skip
        session.add(bad)
    clock.set(start_of(date(2026, 11, 25)))
    act = duties._ACTS["draft"]

    def fail(world: Any, session: Any, registration: Registration, running: Any, facts: Any) -> None:
        if registration.id == bad.id:
            raise RuntimeError("unreadable")
        act(world, session, registration, running, facts)

    duties._ACTS["draft"] = fail
    try:
        keep(world)
    finally:
        duties._ACTS["draft"] = act
    assert kinds(world, story.tenant)["declare_due"] == 1
    db.session.rollback()
    assert db.session.get_one(Registration, bad.id).duties_look_at == clock.now() + HOUR


def test_an_end_written_down_before_years_were_bounded_is_an_open_end(world: Any, clock: FixedClock) -> None:
    story = stories.make_active(world)
    with transaction() as session:
        session.get_one(Lease, story.lease_id).ends_on = date(9999, 12, 31)
    keep(world)
    for account_id in (story.tenant, story.landlord):
        assert "lease_end" not in {duty.code for duty in list_duties(world, account_id=account_id)}


def test_the_operator_is_alarmed_a_day_before_and_paper_is_due_four_hours_before(world: Any, clock: FixedClock) -> None:
    story = stories.make_declared(world)
    deadline = datetime(2026, 11, 26, 16, 0, tzinfo=UTC)
    clock.set(deadline - 25 * HOUR)
    keep(world)
    row = select(Registration.registry_alarmed_at, Registration.paper_due_at)
    assert db.session.execute(row).one() == (None, None)
    clock.set(deadline - 24 * HOUR)
    keep(world)
    db.session.rollback()
    assert db.session.execute(row).one() == (clock.now(), None)
    assert (count_near_deadline(), list_paper_due(AREA)) == ((1, 0), ())
    clock.set(deadline - 4 * HOUR)
    keep(world)
    [form] = list_paper_due(AREA)
    assert (form.registration_id, form.paper_due_at, count_near_deadline()) == (
        story.registration_id,
        clock.now(),
        (1, 1),
    )
    assert list_paper_due("3301") == ()
    with transaction() as session:
        session.get_one(Registration, story.registration_id).accepted_at = clock.now()
    assert count_near_deadline() == (0, 0)
    assert keep(world) == 1 and keep(world) == 0


def test_an_account_sees_what_it_owes_with_day_and_rule(world: Any, clock: FixedClock) -> None:
    story = stories.make_claimed(world, report_now=False)
    [declares] = list_duties(world, account_id=story.tenant)
    assert (declares.code, declares.rule, declares.due_on, declares.days) == ("declare", "HK-15", date(2026, 11, 26), 3)
    assert [d.code for d in list_duties(world, account_id=story.landlord)] == ["report"], "its end lies a year ahead"
    clock.move(timedelta(days=5))
    assert list_duties(world, account_id=story.tenant)[0].state == "overdue"
    assert [(line.code, line.days_late) for line in list_overdue(AREA, clock.now())] == [("declare", 2), ("report", 2)]
    assert list_duties(world, account_id=stories.make_account(world, "+8619900009555")) == ()


def test_the_office_sees_leases_that_are_over_and_reports_of_their_end(world: Any, clock: FixedClock) -> None:
    story = stories.make_active(world, ends_on=date(2027, 1, 29))  # a Friday
    clock.set(datetime(2027, 1, 30, 2, 0, tzinfo=UTC))
    assert [line.code for line in list_overdue(AREA, clock.now())] == ["lease_end"]
    clock.set(datetime(2027, 2, 3, 16, 0, tzinfo=UTC))  # Thursday 4 February has begun in China
    assert [line.code for line in list_overdue(AREA, clock.now())] == ["lease_end", "report_end"]
    assert stories.key_row(story.key_id).state == "active"


def test_no_code_of_a_duty_reaches_a_key_or_a_lock() -> None:
    modules = reached("backend.services.duties") | reached("backend.services.own_duties")
    rooms = ("backend.services.", "backend.models.")  # what could do something; words and forms do nothing
    inside = {name.rpartition(".")[2] for name in modules if name.startswith(rooms)}
    assert {"duties", "outbox", "case_opening"} <= inside, "or the walk finds nothing"
    touching = ("key", "lock", "command", "rebind", "visitor", "tenanc", "occupan")
    found = {name for name in inside if any(word in name for word in touching)}
    assert found == {"data_keys"}, "the keys that seal personal fields"
    sources = [MODULES[f"backend.services.{name}"].read_text(encoding="utf-8") for name in ("duties", "duty_rows")]
    assert not [text for text in sources if re.search(r'"lock"|models\.(keys|locks|commands)', text)]
