"""A day's pile of letters is a clerk's ordinary work and has a measure of its own; reading old ones again is a look."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.domain.refusals import Refused
from backend.models.audit import AuditLeaf
from backend.models.persons import Person
from backend.seeding import sample_number
from backend.services.disclosures import open_unit
from backend.services.inbox import tell_person
from backend.services.letters import list_letters, print_letter_pdf
from backend.services.staff_notices import list_unread
from backend.services.window_visits import open_visit
from tests.services import staff, stories

pytestmark = pytest.mark.usefixtures("core")
PILE, READS = 4, 2
NAMES = ("甲一", "乙二", "丙三", "丁四", "戊五")


def refused(code: str) -> Any:
    return pytest.raises(Refused, match=f"^{code}$")


@pytest.fixture
def capped(world: Any) -> Any:
    house = replace(world.house, letters_per_day=PILE, person_reads_by_role={"officer": READS})
    return replace(world, house=house)


def write_letters(world: Any) -> list[str]:
    """A letter to each of five people who have no phone."""
    clerk = staff.make_session(world, "window_clerk", purpose="help_request")
    for number, name in enumerate(NAMES):
        person = open_visit(
            world, session_id=clerk, channel="window", document_seen=True, name=name, id_type="111",
            id_number=sample_number("341822", date(1950, 1, 1 + number)),
        ).person_id  # fmt: skip
        with transaction() as session:
            tell_person(world, session, person, "lease_ends", once=person, rule="HR-12", unit="101室",
                        ends_on="2027-11-23")  # fmt: skip
    return [line.id for line in list_letters(staff.STREET)]


def actions() -> list[str]:
    db.session.rollback()
    found = select(AuditLeaf.action).where(AuditLeaf.action.startswith("letter_")).order_by(AuditLeaf.id)
    return list(db.session.scalars(found))


def test_a_pile_goes_out_and_beyond_it_nothing_is_printed_and_the_supervisor_is_told(capped: Any) -> None:
    letters = write_letters(capped)
    supervisor = staff.make_officer(capped, "supervisor")
    clerk = staff.make_session(capped, "officer", purpose="help_request")

    def put_out(letter_id: str) -> None:
        print_letter_pdf(capped, session_id=clerk, letter_id=letter_id, language="zh")

    for letter_id in (*letters[:PILE], letters[0]):  # a jam: the same letter again on the same day
        put_out(letter_id)
    with refused("reads.cap"):
        put_out(letters[PILE])
    assert actions() == ["letter_printed"] * (PILE + 1)
    assert [line.kind for line in list_unread(supervisor.id)] == ["reads_cap"]
    assert [line.id for line in list_letters(staff.STREET)] == letters[PILE:], "it still waits"


def test_the_pile_uses_up_no_looks(capped: Any, world: Any) -> None:
    story = stories.make_active(world)
    letters = write_letters(world)
    clerk = staff.make_session(capped, "officer", purpose="help_request")
    for letter_id in letters[:PILE]:
        print_letter_pdf(capped, session_id=clerk, letter_id=letter_id, language="zh")
    assert open_unit(capped, session_id=clerk, unit_id=story.unit_id).occupants[0].name == "周来福"


def test_letters_of_earlier_days_are_looks_like_any_other(capped: Any, clock: Any) -> None:
    letters = write_letters(capped)
    first = staff.make_session(capped, "supervisor", purpose="help_request")
    for letter_id in letters[:PILE]:
        print_letter_pdf(capped, session_id=first, letter_id=letter_id, language="zh")
    clock.move(timedelta(days=1))
    clerk = staff.make_session(capped, "officer", purpose="help_request")
    for letter_id in letters[:READS]:
        print_letter_pdf(capped, session_id=clerk, letter_id=letter_id, language="zh")
    with refused("reads.cap"):
        print_letter_pdf(capped, session_id=clerk, letter_id=letters[READS], language="zh")
    assert actions() == ["letter_printed"] * PILE + ["letter_reprinted"] * READS
    reached = select(AuditLeaf.subject_id).where(AuditLeaf.action == "letter_reprinted")
    assert len(set(db.session.scalars(reached)) & set(db.session.scalars(select(Person.id)))) == READS
