"""Reminders by short message and the inbox's lines: one a day, none in the night, many are one, silence is kept."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from backend.db import transaction
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.models.registrations import Registration
from backend.services import inbox
from backend.services.duties import keep_duties
from backend.services.inbox import count_unread, list_lines, list_notices, list_topics, mark_all_read, silence_topics
from backend.services.leases import record_lease
from backend.services.messages import send_due_messages
from backend.services.sign_ins import set_preferences
from tests.services import stories
from tests.services.test_unit_board import take_over

pytestmark = pytest.mark.usefixtures("core")
HOUR = timedelta(hours=1)
MANY = 12


def keep(world: Any) -> None:
    while keep_duties(world):
        pass


def send(world: Any) -> None:
    while send_due_messages(world):
        pass


def texts(world: Any, phone: str) -> list[str]:
    return [message.text for message in reversed(world.sms.messages()) if message.phone == phone]


def many_leases(world: Any) -> stories.Story:
    """A landlord who has let many units and reported nobody."""
    story = stories.make_claimed(world, report_now=False)
    _, rooms = stories.make_dwelling(world, door=2, units=MANY)
    take_over(story.landlord, stories.db.session.get_one(stories.Unit, rooms[0]).dwelling_id)
    for number, room in enumerate(rooms):
        record_lease(
            world, account_id=story.landlord, unit_id=room, kind="room", starts_on=world.clock.today(), ends_on=None,
            alias=f"租客{number}", tenant_name="吴友", tenant_id_type="111", report_now=False,
            tenant_id_number=stories.sample_number("341822", date(1990, 1, 1) + timedelta(days=number)),
            tenant_phone=f"199000094{number:02d}",
        )  # fmt: skip
    return story


def test_a_landlord_of_many_units_gets_one_short_message_and_reads_one_line(world: Any, clock: FixedClock) -> None:
    story = many_leases(world)
    send(world)
    clock.set(datetime(2026, 11, 25, 2, 0, tzinfo=UTC))
    keep(world)
    send(world)
    [text] = texts(world, stories.LANDLORD_PHONE)
    assert f"{MANY + 1} 项" in text and "2026-11-26" in text
    assert len(list_notices(world, account_id=story.landlord, kind="report_due", limit=500)) == MANY + 1
    lines = list_lines(world, account_id=story.landlord)
    assert [(line.notice.kind, line.count, line.unread) for line in lines if line.notice.kind == "report_due"] == [
        ("report_due", MANY + 1, MANY + 1)
    ]
    assert count_unread(world, account_id=story.landlord) == MANY + 2, "and the tenant has accepted"
    assert mark_all_read(world, account_id=story.landlord, kind="report_due", day=date(2026, 11, 25)) == MANY + 1
    assert mark_all_read(world, account_id=story.landlord, kind="report_due") == 0
    assert count_unread(world, account_id=story.landlord) == 1
    assert count_unread(world, account_id=story.tenant) == 1, "another's are untouched"


def test_one_reminder_a_day_and_the_next_morning_the_rest(world: Any, clock: FixedClock) -> None:
    story = stories.make_claimed(world, report_now=True, ends_on=date(2026, 11, 26))
    send(world)
    known = len(texts(world, stories.TENANT_PHONE))
    clock.set(datetime(2026, 11, 25, 2, 0, tzinfo=UTC))  # the day before: declare, and the lease ends
    keep(world)
    send(world)
    [text] = texts(world, stories.TENANT_PHONE)[known:]
    assert "2 项" in text
    clock.set(datetime(2026, 11, 25, 9, 0, tzinfo=UTC))
    with transaction() as session:  # something more becomes due on the same day
        session.get_one(Registration, story.registration_id).tenant_due_on = date(2026, 11, 25)
    keep(world)
    send(world)
    assert len(texts(world, stories.TENANT_PHONE)) == known + 1, "once a day"
    clock.set(datetime(2026, 11, 25, 23, 59, tzinfo=UTC))
    keep(world)
    send(world)
    assert len(texts(world, stories.TENANT_PHONE)) == known + 1, "07:59 in China"
    clock.set(datetime(2026, 11, 26, 0, 0, tzinfo=UTC))
    send(world)
    assert len(texts(world, stories.TENANT_PHONE)) == known + 2
    assert "2026-11-25" in texts(world, stories.TENANT_PHONE)[-1]


@pytest.mark.parametrize(("language", "words"), [("zh", "申报居住登记"), ("en", "declare your residence")])
def test_a_reminder_speaks_the_persons_language(world: Any, clock: FixedClock, language: str, words: str) -> None:
    story = stories.make_claimed(world)
    set_preferences(world, account_id=story.tenant, language=language)
    send(world)
    clock.set(datetime(2026, 11, 25, 2, 0, tzinfo=UTC))
    keep(world)
    send(world)
    text = texts(world, stories.TENANT_PHONE)[-1]
    assert words in text and len(text) <= 70
    assert not any(secret in text for secret in ("陈塘", "101", "周", "19900", "http"))


def test_what_is_silenced_is_kept_as_read_and_what_is_owed_is_told_all_the_same(world: Any, clock: FixedClock) -> None:
    story = stories.make_invited(world, ends_on=date(2026, 11, 26))
    convenient = [topic.code for topic in list_topics(world, account_id=story.landlord) if topic.may_be_silenced]
    silence_topics(world, account_id=story.landlord, topics=convenient)
    story.tenant = stories.make_account(world, stories.TENANT_PHONE)
    silence_topics(world, account_id=story.tenant, topics=convenient)
    jwk = stories.jwk_of(stories.make_private_key().public_key())
    stories.accept_invitation(world, account_id=story.tenant, token=story.link_token, phone_jwk=jwk)
    [accepted] = list_notices(world, account_id=story.landlord)
    assert (accepted.kind, accepted.topic, accepted.read_at) == ("invitation_accepted", "progress", clock.now())
    send(world)
    known = len(texts(world, stories.TENANT_PHONE))
    clock.set(datetime(2026, 11, 25, 2, 0, tzinfo=UTC))
    keep(world)
    send(world)
    told = {notice.kind: notice.read_at is not None for notice in list_notices(world, account_id=story.tenant)}
    assert told == {"declare_due": False, "lease_ends": True}
    [text] = texts(world, stories.TENANT_PHONE)[known:]
    assert "申报居住登记" in text, "one matter: the lease is silenced"


def test_a_duty_cannot_be_silenced_and_what_is_unknown_is_refused(world: Any) -> None:
    account = stories.make_account(world, stories.TENANT_PHONE)
    for topics, code in ((["duties"], "notices.duty"), (["permits", "decisions"], "notices.duty"),
                         (["weather"], "input.not_one_of")):  # fmt: skip
        with pytest.raises(Refused) as refused:
            silence_topics(world, account_id=account, topics=topics)
        assert refused.value.refusals[0].code == code
    assert not any(topic.silenced for topic in list_topics(world, account_id=account))


def test_lines_are_paged_without_a_gap_or_a_double(world: Any, clock: FixedClock) -> None:
    account = stories.make_account(world, stories.TENANT_PHONE)
    kinds = ["key_active", "key_suspended", "key_resumed"]
    with transaction() as session:
        for number in range(30):
            clock.move(HOUR)
            inbox.tell_account(world, session, account, kinds[number % 3], once=str(number), unit="1-101")
    whole = [line.notice.id for line in list_lines(world, account_id=account)]
    paged: list[str] = []
    while page := list_lines(world, account_id=account, before=paged[-1] if paged else None, limit=2):
        paged += [line.notice.id for line in page]
    assert paged == whole and len(whole) == len(set(whole))
    lines = list_lines(world, account_id=account)
    assert sum(line.count for line in lines) == 30 and all(line.count == 1 or line.count > inbox.MANY for line in lines)
