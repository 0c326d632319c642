"""Help from the key screen: to the chosen person at once, to the office before all else, and never too often."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from backend.db import db
from backend.domain.help_requests import AGAIN_AFTER, MESSAGES_AT_MOST
from backend.gateways.clock import FixedClock
from backend.models.help_contacts import HelpContact
from backend.queries.case_lists import list_cases
from backend.services.case_files import look_at_case
from backend.services.cases import claim_case
from backend.services.help_requests import (
    ask_for_help,
    choose_help_contact,
    find_help_contact,
    forget_help_contact,
)
from backend.services.messages import send_due_messages
from backend.services.registrations import check_out
from backend.services.reports import file_report, get_report
from tests.services import staff, stories
from tests.services.reporting_cases import WIRES, case_of
from tests.services.test_cases import refused_code

pytestmark = pytest.mark.usefixtures("core")
FRIEND = "+8619900009555"


def sent_to_friend(world: Any) -> list[str]:
    while send_due_messages(world):
        pass
    return [message.text for message in world.sms.messages() if message.phone == FRIEND]


def ask(world: Any, story: stories.Story, once: str | None = None) -> Any:
    return ask_for_help(world, account_id=story.tenant, registration_id=story.registration_id, idempotency_key=once)


def test_the_chosen_person_is_told_at_once_without_name_and_address(world: Any) -> None:
    story = stories.make_active(world)
    choose_help_contact(world, account_id=story.tenant, phone=FRIEND)
    made = ask(world, story)
    assert made.sent is not None and made.sent.state == "waiting"
    [text] = sent_to_friend(world)
    assert stories.TENANT_PHONE[-4:] in text and "110" in text
    assert not any(word in text for word in ("周来福", "陈塘", stories.TENANT_PHONE, stories.TENANT_NUMBER))
    seen = get_report(world, account_id=story.tenant, report_id=made.id).sent
    assert seen is not None and (seen.state, seen.phone_masked) == ("sent", "199******55")


def test_the_address_goes_along_only_where_the_tenant_chose_so(world: Any) -> None:
    story = stories.make_active(world)
    chosen = choose_help_contact(world, account_id=story.tenant, phone=FRIEND, with_address=True)
    assert "您的住址" in chosen.text
    ask(world, story)
    [text] = sent_to_friend(world)
    assert "太湖街道陈塘村陈塘路1号101室" in text and "周来福" not in text


def test_the_case_stands_before_everything_and_shows_who_asks(world: Any, clock: FixedClock) -> None:
    story = stories.make_active(world)
    file_report(world, account_id=story.tenant, **WIRES)
    clock.move(timedelta(days=9))  # long overdue, and still second
    made = ask(world, story)
    lines = list_cases(staff.STREET, ("help_request", "unsafe_dwelling"))
    assert [line.kind for line in lines] == ["help_request", "unsafe_dwelling"]
    session_id = staff.make_session(world, purpose="help_request")
    claim_case(world, session_id=session_id, reference=made.reference)
    file = look_at_case(world, session_id=session_id, reference=made.reference)
    assert ([person.name for person in file.persons], file.phone) == (["周来福"], stories.TENANT_PHONE)


def test_asked_again_it_is_the_same_case_and_the_message_goes_at_intervals(world: Any, clock: FixedClock) -> None:
    story = stories.make_active(world)
    choose_help_contact(world, account_id=story.tenant, phone=FRIEND)
    first = ask(world, story)
    assert ask(world, story).id == first.id and len(sent_to_friend(world)) == 1, "too soon for another"
    for _ in range(MESSAGES_AT_MOST + 2):
        clock.move(AGAIN_AFTER)
        assert ask(world, story).id == first.id
    assert len(sent_to_friend(world)) == MESSAGES_AT_MOST


def test_a_double_tap_is_one_request(world: Any) -> None:
    story = stories.make_active(world)
    choose_help_contact(world, account_id=story.tenant, phone=FRIEND)
    assert ask(world, story, "tap").id == ask(world, story, "tap").id
    assert len(sent_to_friend(world)) == 1


def test_without_a_chosen_person_the_office_alone_is_told_and_the_page_says_so(world: Any) -> None:
    story = stories.make_active(world)
    made = ask(world, story)
    assert made.sent is not None and (made.sent.phone_masked, made.sent.state) == (None, "none")
    assert case_of(made.reference).state == "routed" and sent_to_friend(world) == []


def test_a_person_taken_back_before_the_message_left_gets_none(world: Any) -> None:
    story = stories.make_active(world)
    choose_help_contact(world, account_id=story.tenant, phone=FRIEND)
    ask(world, story)
    forget_help_contact(world, account_id=story.tenant)
    forget_help_contact(world, account_id=story.tenant)
    assert sent_to_friend(world) == [] and find_help_contact(world, account_id=story.tenant) is None


def test_the_number_is_sealed_and_is_not_the_own_one(world: Any) -> None:
    story = stories.make_active(world)
    own = refused_code(choose_help_contact, world, account_id=story.tenant, phone=stories.TENANT_PHONE)
    assert own == "help.own_phone"
    assert refused_code(choose_help_contact, world, account_id=story.tenant, phone="12") == "phone.invalid"
    choose_help_contact(world, account_id=story.tenant, phone="19900009555")
    choose_help_contact(world, account_id=story.tenant, phone="19900009556")
    db.session.rollback()
    [row] = db.session.query(HelpContact).all()
    assert b"9900009556" not in row.phone_sealed
    found = find_help_contact(world, account_id=story.tenant)
    assert found is not None and found.phone_masked == "199******56"


def test_only_where_one_lives(world: Any) -> None:
    story = stories.make_active(world)
    stranger = {"account_id": story.landlord, "registration_id": story.registration_id}
    assert refused_code(ask_for_help, world, **stranger) == "not_found"
    check_out(world, account_id=story.tenant, registration_id=story.registration_id,
              moved_out_on=world.clock.today(), reason="lease_end")  # fmt: skip
    mine = {"account_id": story.tenant, "registration_id": story.registration_id}
    assert refused_code(ask_for_help, world, **mine) == "report.stay"
