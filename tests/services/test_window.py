"""The window beside its walk: paper forms, who may serve whom, a phone that comes later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.domain.calendars import start_of
from backend.domain.notices import NOTICES
from backend.domain.refusals import Refused
from backend.models.accounts import Account
from backend.models.audit import AuditLeaf
from backend.models.consents import Consent
from backend.models.letters import Letter
from backend.models.outbox import OutboxRow
from backend.models.registrations import Registration, RegistrationChange
from backend.services.consents import answer_consent
from backend.services.inbox import tell_person
from backend.services.letters import list_letters, print_letter_pdf
from backend.services.persons import enter_identity, my_identity
from backend.services.registrations import check_out, declare
from backend.services.reports import file_report
from backend.services.tenancies import my_tenancies
from backend.services.window_leases import list_offers, take_lease
from backend.services.window_visits import Visit, end_visit, get_visit, link_phone, open_visit
from tests.printing.pdf_words import PdfReader
from tests.services import staff, stories
from tests.services.reporting_cases import WIRES, answer, make_crew

pytestmark = pytest.mark.usefixtures("core")
NOTICE = NOTICES["registration_notice"].version


def refused(code: str) -> Any:
    return pytest.raises(Refused, match=f"^{code}$")


def visit_of(world: Any, session_id: str, channel: str = "window", **changes: Any) -> Visit:
    entry = {"name": "周来福", "id_type": "111", "id_number": stories.TENANT_NUMBER, **changes}
    return open_visit(world, session_id=session_id, channel=channel, document_seen=channel == "window", **entry)


def served(world: Any, channel: str = "window") -> tuple[str, Visit, str]:
    """A clerk, an open visit of the named tenant, and the registration of the lease taken in it."""
    story = stories.make_invited(world)
    session_id = staff.make_session(world, "window_clerk", purpose="help_request")
    visit = visit_of(world, session_id, channel)
    desk = visit.desk(session_id)
    answer_consent(
        world, account_id=visit.account_id, purpose="registration_notice", version=NOTICE, given=True, desk=desk
    )
    taken = take_lease(world, account_id=visit.account_id, lease_id=story.lease_id, desk=desk)
    return session_id, visit, taken.registration_id


def leaves(action: str) -> list[AuditLeaf]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditLeaf).where(AuditLeaf.action == action)))


def test_a_paper_form_counts_from_the_day_of_its_stamp_and_proves_no_identity(world: Any) -> None:
    session_id, visit, home = served(world, "paper")
    today = world.clock.today()
    stamped, written = today - timedelta(days=4), today - timedelta(days=6)

    def hand_in(move_in_on: Any = stamped, received_on: Any = stamped) -> None:
        desk = visit.desk(session_id, received_on, written)
        declare(world, account_id=visit.account_id, registration_id=home, move_in_on=move_in_on,
                hukou_division="341822", desk=desk)  # fmt: skip

    for day in (today + timedelta(days=1), today - timedelta(days=31)):
        with refused("paper.received"):
            hand_in(received_on=day)
    with refused("registration.move_in"):  # nobody can have declared a move that was still to come
        hand_in(move_in_on=today)
    hand_in()
    db.session.rollback()
    row = db.session.get_one(Registration, home)
    assert (row.declared_at, row.declared_by) == (start_of(stamped), "paper")
    change = db.session.scalars(select(RegistrationChange).where(RegistrationChange.action == "declare")).one()
    assert (change.source, change.reason) == ("officer", f"form_dated:{written}")
    assert db.session.scalars(select(Consent.channel)).all() == ["paper"]
    identity = my_identity(world, account_id=visit.account_id)
    assert identity is not None and identity.state == "none"
    with refused("visit.present"):
        check_out(world, account_id=visit.account_id, registration_id=home, moved_out_on=today, reason="left_county",
                  desk=visit.desk(session_id))  # fmt: skip


def test_an_act_needs_a_purpose_a_visit_that_lasts_the_person_of_it_and_the_own_area(world: Any) -> None:
    session_id, visit, home = served(world)

    def act(session: str, account_id: str = visit.account_id) -> None:
        declare(world, account_id=account_id, registration_id=home, move_in_on=world.clock.today(),
                hukou_division="341822", desk=visit.desk(session))  # fmt: skip

    with refused("purpose.missing"):
        act(staff.make_session(world, "officer"))
    with refused("purpose.unfit"):
        act(staff.make_session(world, "officer", staff.STREET + "900", "visit"))
    far = staff.make_session(world, "officer", staff.OTHER_STREET, "help_request")
    for turned_away in (lambda: act(far), lambda: get_visit(world, session_id=far, visit_id=visit.id)):
        with refused("area.foreign"):
            turned_away()
    assert [leaf.decision for leaf in leaves("refused")] == ["purpose.unfit", "area.foreign", "area.foreign"]
    with refused("not_found"):
        act(session_id, stories.make_account(world, "+8619900009555"))
    end_visit(world, session_id=session_id, visit_id=visit.id)
    with refused("visit.over"):
        act(session_id)
    assert db.session.get_one(Registration, home).declared_at is None


def test_a_file_is_opened_by_document_and_name_with_the_person_seen(world: Any) -> None:
    session_id = staff.make_session(world, "window_clerk", purpose="help_request")
    first, again = visit_of(world, session_id), visit_of(world, session_id)
    assert (first.account_id, first.has_phone) == (again.account_id, False)
    with refused("person.unmatched"):
        visit_of(world, session_id, name="周来贵")
    with refused("visit.seen"):
        open_visit(world, session_id=session_id, channel="window", document_seen=False, name="周来福", id_type="111",
                   id_number=stories.TENANT_NUMBER)  # fmt: skip
    assert my_identity(world, account_id=first.account_id).state == "verified"  # type: ignore[union-attr]
    assert list_offers(world, account_id=first.account_id, area=staff.STREET) == ()


def test_a_phone_that_comes_later_is_linked_where_the_person_was_seen_and_never_by_its_number(world: Any) -> None:
    session_id, visit, home = served(world)
    phone = stories.make_account(world, stories.TENANT_PHONE)
    with refused("document.taken"):  # name and number, which others know too, are not enough
        enter_identity(world, account_id=phone, id_type="111", id_number=stories.TENANT_NUMBER, name="周来福")
    taken = stories.make_account(world, "+8619900009777")
    enter_identity(world, account_id=taken, id_type="111", id_number=stories.CO_TENANT_NUMBER, name="吴友")
    with refused("window.phone_taken"):
        link_phone(world, account_id=visit.account_id, phone="19900009777", desk=visit.desk(session_id))
    for _ in range(2):
        link_phone(world, account_id=visit.account_id, phone=stories.TENANT_PHONE, desk=visit.desk(session_id))
    assert stories.make_account(world, stories.TENANT_PHONE) == visit.account_id
    assert [t.registration_id for t in my_tenancies(world, account_id=visit.account_id)] == [home]
    with refused("window.has_phone"):
        link_phone(world, account_id=visit.account_id, phone="19900009888", desk=visit.desk(session_id))
    assert db.session.get_one(Account, phone).phone_token is None


def test_a_letter_is_printed_once_in_its_area_and_the_person_reads_by_whom(world: Any) -> None:
    session_id, visit, _ = served(world)
    for _ in range(2):
        with transaction() as session:
            tell_person(world, session, visit.person_id, "lease_ends", once="x", rule="HR-12", unit="陈塘路1号 101室",
                        ends_on="2027-11-23")  # fmt: skip
    [line] = list_letters(staff.STREET)
    assert line.kind == "lease_ends" and list_letters(staff.OTHER_STREET) == ()
    far = staff.make_session(world, "officer", staff.OTHER_STREET, "help_request")
    with refused("area.foreign"):
        print_letter_pdf(world, session_id=far, letter_id=line.id, language="zh")
    assert print_letter_pdf(world, session_id=session_id, letter_id=line.id, language="en").startswith(b"%PDF")
    assert list_letters(staff.STREET) == () and len(list_letters(staff.STREET, printed=True)) == 1
    [leaf] = leaves("letter_printed")
    assert (leaf.subject_id, leaf.role) == (visit.person_id, "window_clerk")
    assert db.session.scalars(select(Letter.printed_at)).one() is not None


def test_a_report_at_the_window_is_answered_by_a_letter_with_the_answer_in_it(world: Any) -> None:
    session_id, visit, _ = served(world)
    made = file_report(world, account_id=visit.account_id, desk=visit.desk(session_id), **WIRES)
    assert [leaf.decision for leaf in leaves("served_at_window")][-1] == "file_report"
    answer(world, make_crew(world), made.reference)
    [line] = [each for each in list_letters(staff.STREET) if each.kind == "report_answered"]
    pdf = print_letter_pdf(world, session_id=session_id, letter_id=line.id, language="zh")
    words = PdfReader(pdf).text().replace("\n", "")
    assert made.reference in words and "已请电工更换线路并加装线管" in words
    row = db.session.scalars(select(Letter).where(Letter.id == line.id)).one()
    assert "电工" not in repr(row.params), "on the list of letters nothing of it is told"
    assert db.session.scalar(select(OutboxRow.id).where(OutboxRow.kind == "report_answered")) is None


def test_a_visit_that_is_begun_twice_in_a_minute_is_one(world: Any, clock: Any) -> None:
    session_id, visit, _ = served(world)
    assert visit_of(world, session_id).id == visit.id
    assert visit_of(world, session_id, "paper").id != visit.id
    clock.move(timedelta(minutes=2))
    assert visit_of(world, session_id).id != visit.id
