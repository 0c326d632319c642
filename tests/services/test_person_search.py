"""Search by a whole number, name or address: pages, a leaf per person shown, caps, no name in clear."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from backend.db import db, transaction
from backend.domain.documents import Document
from backend.domain.ids import new_id
from backend.domain.refusals import Refused
from backend.models.audit import AuditLeaf
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.seeding import sample_number
from backend.services.name_tokens import fill_name_tokens
from backend.services.person_search import PER_PAGE, find_person
from backend.services.persons import enter_identity, make_person
from backend.services.staff_notices import list_unread
from tests.services import staff, stories

pytestmark = pytest.mark.usefixtures("core")


def shown_leaves() -> list[AuditLeaf]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditLeaf).where(AuditLeaf.action == "person_found").order_by(AuditLeaf.id)))


def fill_with_namesakes(world: Any, unit_id: str, people: int, name: str = "周来福") -> None:
    """Registered people of one name in a unit, as many as asked for."""
    with transaction() as session:
        for n in range(people):
            birth_on = date(1980, 1, 1) + timedelta(days=n)
            document = Document("111", sample_number("341822", birth_on), birth_on, "male")
            person = make_person(world, session, name, document, birth_on, "male", "341822")
            session.add(
                Registration(
                    id=new_id(), unit_id=unit_id, person_id=person.id, move_in_on=world.clock.today(),
                    tenant_leg="declared", declared_at=world.clock.now(), created_at=world.clock.now(),
                    updated_at=world.clock.now(),
                )
            )  # fmt: skip


def test_a_whole_name_finds_a_person_masked(world: Any) -> None:
    story = stories.make_active(world)
    session_id = staff.make_session(world, purpose="help_request")
    result = find_person(world, session_id=session_id, text=" 周来福 ", by="name")
    assert (result.kind, result.more) == ("name", None)
    [row] = result.found
    assert (row.unit_id, row.name_masked) == (story.unit_id, "周**")
    assert [(leaf.object_id, leaf.purpose) for leaf in shown_leaves()] == [("name", "help_request")]


@pytest.mark.parametrize("typed", ["周", "来福", "周来", "周来福福"])
def test_a_part_of_a_name_finds_nobody(world: Any, typed: str) -> None:
    stories.make_active(world)
    session_id = staff.make_session(world, purpose="help_request")
    assert find_person(world, session_id=session_id, text=typed, by="name").found == ()


@pytest.mark.parametrize(("by", "typed", "code"), [
    ("name", "周%", "search.name"), ("name", "", "search.name"), ("name", "周_福", "search.name"),
    ("address", "陈塘路", "search.address"), ("address", "", "search.address"), ("phase", "x", "input.not_one_of"),
])  # fmt: skip
def test_what_is_no_whole_name_or_address_is_refused(world: Any, by: str, typed: str, code: str) -> None:
    session_id = staff.make_session(world, purpose="help_request")
    with pytest.raises(Refused) as caught:
        find_person(world, session_id=session_id, text=typed, by=by)
    assert caught.value.refusal.code == code


@pytest.mark.parametrize("typed", [
    "陈塘路1号", "陈塘村陈塘路1号101室", " 陈塘路 1号 101", "陈塘路1", "陈塘路１号",
])  # fmt: skip
def test_an_address_as_it_is_written_finds_who_is_registered_there(world: Any, typed: str) -> None:
    story = stories.make_active(world)
    session_id = staff.make_session(world, purpose="help_request")
    [row] = find_person(world, session_id=session_id, text=typed, by="address").found
    assert (row.unit_id, row.name_masked) == (story.unit_id, "周**")


@pytest.mark.parametrize("typed", ["陈塘路1%", "塘路1号", "陈塘路10号", "陈塘路1号102室", "1号"])
def test_a_part_of_an_address_finds_nobody(world: Any, typed: str) -> None:
    stories.make_active(world)
    session_id = staff.make_session(world, purpose="help_request")
    assert find_person(world, session_id=session_id, text=typed, by="address").found == ()


def test_a_receipt_number_finds_its_registration(world: Any) -> None:
    story, receipt = stories.make_active(world), "R-330522000-20261123-000001-7"
    with transaction() as session:
        session.get_one(Registration, story.registration_id).receipt_no = receipt
    session_id = staff.make_session(world, purpose="help_request")
    result = find_person(world, session_id=session_id, text=f" {receipt.lower()} ")
    assert (result.kind, [row.registration_id for row in result.found]) == ("receipt", [story.registration_id])


def test_pages_hold_twenty_each_shows_others_and_each_person_shown_has_a_leaf(world: Any) -> None:
    story = stories.make_active(world)
    fill_with_namesakes(world, story.unit_id, PER_PAGE + 4)
    wide = replace(world, house=replace(world.house, person_reads_per_day=100))
    session_id = staff.make_session(wide, purpose="help_request")
    first = find_person(wide, session_id=session_id, text="周来福", by="name")
    assert (len(first.found), len(shown_leaves())) == (PER_PAGE, PER_PAGE) and first.more
    second = find_person(wide, session_id=session_id, text="周来福", by="name", after=first.more)
    assert (len(second.found), second.more) == (5, None)
    assert len({row.registration_id for row in (*first.found, *second.found)}) == PER_PAGE + 5
    assert len({leaf.subject_id for leaf in shown_leaves()}) == len(shown_leaves()) == PER_PAGE + 5


def test_the_second_page_is_refused_when_the_days_cap_is_reached_and_the_supervisor_reads_it(world: Any) -> None:
    story = stories.make_active(world)
    fill_with_namesakes(world, story.unit_id, PER_PAGE + 15)
    chief = staff.make_officer(world, "supervisor")
    session_id = staff.make_session(world, purpose="help_request")
    first = find_person(world, session_id=session_id, text="周来福", by="name")
    with pytest.raises(Refused) as caught:
        find_person(world, session_id=session_id, text="周来福", by="name", after=first.more)
    assert caught.value.refusal.code == "reads.cap"
    assert len(shown_leaves()) == PER_PAGE
    assert [notice.kind for notice in list_unread(chief.id)] == ["reads_cap"]


def test_names_of_before_the_search_get_their_token_in_pieces_and_only_once(world: Any) -> None:
    story = stories.make_active(world)
    fill_with_namesakes(world, story.unit_id, 4)
    kept = dict(db.session.execute(select(Person.id, Person.name_token)).all())
    db.session.execute(text("UPDATE persons SET name_token = NULL"))
    db.session.commit()
    session_id = staff.make_session(world, purpose="help_request")
    assert find_person(world, session_id=session_id, text="周来福", by="name").found == ()
    assert [fill_name_tokens(world, limit=4), fill_name_tokens(world, limit=4), fill_name_tokens(world)] == [4, 2, 0]
    db.session.rollback()
    assert dict(db.session.execute(select(Person.id, Person.name_token)).all()) == kept
    assert len(find_person(world, session_id=session_id, text="周来福", by="name").found) == 5


def test_a_corrected_name_is_found_by_the_new_one_alone_and_no_name_lies_in_clear(world: Any) -> None:
    story = stories.make_declared(world)
    with transaction() as session:
        registration = session.get_one(Registration, story.registration_id)
        session.get_one(Person, registration.person_id).document_state = "unmatched"
        session.execute(text("DELETE FROM identity_checks"))
    enter_identity(world, account_id=story.tenant, id_type="111", id_number=stories.TENANT_NUMBER, name="周福来")
    session_id = staff.make_session(world, purpose="help_request")
    assert find_person(world, session_id=session_id, text="周来福", by="name").found == ()
    assert len(find_person(world, session_id=session_id, text="周福来", by="name").found) == 1
    for row in db.session.execute(text("SELECT * FROM persons")).all():
        assert all("周福来".encode() not in value for value in row if isinstance(value, bytes))
