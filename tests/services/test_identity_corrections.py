"""A matched name or number is corrected where somebody has seen the papers: at the window, or in the case about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.gateways.identity_authority import UNMATCHED_NAME, FakeAuthority
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.audit import AuditLeaf
from backend.models.cases import Case
from backend.models.identity_checks import IdentityCheck
from backend.models.outbox import OutboxRow
from backend.models.persons import Person
from backend.models.registrations import FieldSource, Registration, RegistrationChange
from backend.seeding import sample_number
from backend.services.access_records import export_my_data
from backend.services.case_files import look_at_case
from backend.services.cases import claim_case, decide_case
from backend.services.document_checks import ask_again
from backend.services.field_sources import earlier_value
from backend.services.household_children import declare_child
from backend.services.identity_corrections import correct_identity
from backend.services.inbox import list_notices
from backend.services.officer_sessions import begin_task
from backend.services.persons import birth_of, enter_identity, my_identity, name_of
from backend.services.registry_corrections import answer_correction, fetch_corrections, list_corrections
from backend.services.registry_items import build_item
from backend.services.window_visits import Visit, open_visit
from backend.wire.registry_answers import Change
from backend.wire.registry_messages import Item
from tests.services import staff, stories
from tests.services.stories import Story

pytestmark = pytest.mark.usefixtures("core")
NEW_NUMBER = sample_number("341822", date(1995, 6, 2))


def refused(code: str) -> Any:
    return pytest.raises(Refused, match=f"^{code}$")


def at_window(world: World, channel: str = "window") -> tuple[str, Visit]:
    """A clerk and an open visit of the tenant, found by the document as it stands."""
    session_id = staff.make_session(world, "window_clerk", purpose="help_request")
    entry = {"name": "周来福", "id_type": "111", "id_number": stories.TENANT_NUMBER}
    seen = channel == "window"
    return session_id, open_visit(world, session_id=session_id, channel=channel, document_seen=seen, **entry)


def correct(world: World, session_id: str, visit: Visit, **changes: Any) -> None:
    entry: dict[str, Any] = {"name": "周来富", "id_type": "111", "id_number": stories.TENANT_NUMBER,
                             "saw_document": True, **changes}  # fmt: skip
    correct_identity(world, account_id=visit.account_id, desk=visit.desk(session_id), **entry)


def person_of(account_id: str) -> Person:
    db.session.rollback()
    account = db.session.get_one(Account, account_id)
    return db.session.get_one(Person, account.person_id, populate_existing=True)


def registration(story: Story) -> Registration:
    db.session.rollback()
    return db.session.get_one(Registration, story.registration_id, populate_existing=True)


def sent(since: int = 0) -> list[tuple[str, str]]:
    db.session.rollback()
    rows = db.session.scalars(select(OutboxRow).where(OutboxRow.destination == "registry").order_by(OutboxRow.id))
    return [(row.kind, row.payload["leg"]) for row in rows][since:]


def accepted_there(story: Story) -> None:
    with transaction() as session:
        row = session.get_one(Registration, story.registration_id)
        row.receipt_no, row.receipt_token, row.registry_state = "R-330522003-20261123-000001-5", "x", "accepted"


def payload(world: World, story: Story, leg: str = "TENANT") -> dict[str, str]:
    row = registration(story)
    item = build_item(world, db.session(), row, op="AMEND", leg=leg, version=row.version + 1)
    assert isinstance(item, Item)
    return dict(item.payload)


def kinds(world: World, story: Story) -> list[str]:
    return [notice.kind for notice in list_notices(world, account_id=story.tenant)]


# at the window


def test_a_matched_name_is_corrected_at_the_window_and_goes_out_again(world: World, clock: FixedClock) -> None:
    story = stories.make_active(world)
    declared_at, before = registration(story).declared_at, len(sent())
    session_id, visit = at_window(world)
    clock.move(timedelta(minutes=5))
    correct(world, session_id, visit)
    person = person_of(story.tenant)
    assert name_of(world, db.session(), person) == "周来富"
    assert (person.identity_state, person.document_state) == ("verified", "matched")
    assert registration(story).declared_at == declared_at
    assert sent(before) == [("AMEND", "TENANT")]
    assert payload(world, story)["name"] == "周来富"
    assert "details_corrected" in kinds(world, story)


def test_the_earlier_value_stays_sealed_and_the_officer_is_named(world: World, clock: FixedClock) -> None:
    story = stories.make_active(world)
    session_id, visit = at_window(world)
    clock.move(timedelta(minutes=5))
    correct(world, session_id, visit)
    person = person_of(story.tenant)
    source = db.session.scalars(
        select(FieldSource).where(FieldSource.object_id == person.id, FieldSource.field == "name")
        .order_by(FieldSource.at.desc()).limit(1)
    ).one()  # fmt: skip
    assert (source.source, source.actor_kind) == ("officer", "officer")
    assert earlier_value(world, db.session(), source) == "周来福"
    leaves = db.session.scalars(select(AuditLeaf).where(AuditLeaf.subject_id == person.id)).all()
    assert {"served_at_window", "identity_corrected", "identity_window"} <= {leaf.action for leaf in leaves}
    assert [leaf.actor_kind for leaf in leaves if leaf.action == "identity_corrected"] == ["officer"]
    check = db.session.scalars(
        select(IdentityCheck).where(IdentityCheck.method == "window").order_by(IdentityCheck.id.desc()).limit(1)
    ).one()
    assert check.operator_id is not None
    assert "周来福" not in repr(export_my_data(world, account_id=story.tenant)["identity"])


def test_a_number_brings_its_birth_and_is_no_other_persons(world: World) -> None:
    story = stories.make_active(world)
    session_id, visit = at_window(world)
    with refused("document.taken"):
        correct(world, session_id, visit, name="沈安一", id_number=stories.LANDLORD_NUMBER)
    correct(world, session_id, visit, name="周来福", id_number=NEW_NUMBER)
    person = person_of(story.tenant)
    assert birth_of(world, db.session(), person) == date(1995, 6, 2)
    told = payload(world, story)
    assert (told["id_number"], told["birth_on"]) == (NEW_NUMBER, "1995-06-02")
    case = db.session.scalars(select(Case).where(Case.kind == "leg_difference")).one()
    assert case.evidence == {"differs_in": "document"}, "the landlord named another number; a person sees to it"


def test_the_same_again_changes_nothing(world: World) -> None:
    stories.make_active(world)
    session_id, visit = at_window(world)
    before = len(sent())
    correct(world, session_id, visit, name="周来福")
    assert sent(before) == []
    changes = db.session.scalars(select(RegistrationChange.action)).all()
    assert "declare" in changes and "identity_corrected" not in changes


def test_only_who_stands_there_with_the_document_is_corrected(world: World) -> None:
    story = stories.make_active(world)
    session_id, visit = at_window(world)
    with refused("visit.seen"):
        correct(world, session_id, visit, saw_document=False)
    with refused("person.unmatched"):
        correct(world, session_id, visit, name=UNMATCHED_NAME)
    with refused("document.check_digit"):
        correct(world, session_id, visit, id_number=stories.TENANT_NUMBER[:-1] + "0")
    assert my_identity(world, account_id=story.tenant).name == "周来福"  # type: ignore[union-attr]


def test_a_form_on_paper_corrects_no_identity(world: World) -> None:
    stories.make_active(world)
    session_id, visit = at_window(world, "paper")
    with refused("visit.present"):
        correct(world, session_id, visit)


def test_an_authority_that_is_away_is_asked_afterwards(world: World, clock: FixedClock) -> None:
    story = stories.make_active(world)
    session_id, visit = at_window(world)
    correct(replace(world, authority=FakeAuthority(available=False)), session_id, visit)
    assert person_of(story.tenant).document_state == "unavailable"
    with refused("person.already"):  # the window has bound it: not to be typed over on the phone meanwhile
        enter_identity(world, account_id=story.tenant, id_type="111", id_number=stories.TENANT_NUMBER, name="周来福")
    clock.move(timedelta(minutes=2))
    assert ask_again(world) == 1
    assert person_of(story.tenant).document_state == "matched"


def test_a_guardians_correction_goes_out_with_the_childs_residence(world: World) -> None:
    story = stories.make_active(world)
    child = stories.make_child(world, story.tenant)
    declare_child(world, account_id=story.tenant, registration_id=story.registration_id, child_id=child,
                  relation="child", move_in_on=world.clock.today(), hukou_division="341822")  # fmt: skip
    session_id, visit = at_window(world)
    before = len(sent())
    correct(world, session_id, visit)
    assert sent(before) == [("AMEND", "TENANT"), ("AMEND", "TENANT")]
    childs = db.session.scalars(select(Registration).where(Registration.person_id == child)).one()
    item = build_item(world, db.session(), childs, op="AMEND", leg="TENANT", version=9)
    assert isinstance(item, Item) and item.payload["guardian_name"] == "周来富"


# by the registry


def corrected_there(world: World, story: Story, accept: bool = True, **fields: str) -> Case | None:
    """The registry corrects; the person answers; the case that is opened then, if one is."""
    accepted_there(story)
    world.registry.corrections.append(  # type: ignore[attr-defined]
        Change(1, story.registration_id, "CORRECTED", world.clock.now(), fields)
    )
    assert fetch_corrections(world) == 1
    (shown,) = list_corrections(world, account_id=story.tenant, registration_id=story.registration_id)
    answer_correction(world, account_id=story.tenant, registration_id=story.registration_id, correction_id=shown.id,
                      accept=accept)  # fmt: skip
    db.session.rollback()
    return db.session.scalar(select(Case).where(Case.kind == "registry_correction"))


def decide(world: World, case: Case, decision: str, reason: str) -> None:
    session_id = staff.make_session(world, "officer")
    claim_case(world, session_id=session_id, reference=case.reference)
    begin_task(world, session_id=session_id, purpose="help_request", case_number=case.reference)
    decide_case(world, session_id=session_id, reference=case.reference, decision=decision, reason=reason)


def test_an_accepted_correction_is_not_undone_while_it_waits_for_a_person(world: World, clock: FixedClock) -> None:
    story = stories.make_active(world)
    clock.move(timedelta(hours=1))
    case = corrected_there(world, story, name="周来富")
    assert case is not None and payload(world, story)["name"] == "周来富"
    decide(world, case, "handled", "mended")
    assert payload(world, story)["name"] == "周来富", "decided, but not carried out here"
    assert payload(world, story, "LANDLORD")["name"] == "周来福", "what the landlord wrote stays the landlord's"
    assert name_of(world, db.session(), person_of(story.tenant)) == "周来福"


def test_what_was_not_accepted_is_not_said(world: World, clock: FixedClock) -> None:
    story = stories.make_active(world)
    clock.move(timedelta(hours=1))
    corrected_there(world, story, accept=False, name="周来富")
    assert payload(world, story)["name"] == "周来福"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"id_number": NEW_NUMBER}, {"id_number": NEW_NUMBER, "birth_on": "1995-06-02"}),
        ({"address": "陈塘路99号"}, {"address": "陈塘路99号"}),
        ({"hukou_division": "341825"}, {"hukou_division": "341825"}),
        ({"hukou_division": "330522"}, {"hukou_division": None}),  # out of scope: for a person to decide
        ({"relation": "01"}, {"relation": "01"}),
    ],
)
def test_every_accepted_field_is_kept(
    world: World, clock: FixedClock, fields: dict[str, str], said: dict[str, str | None]
) -> None:
    story = stories.make_active(world)
    clock.move(timedelta(hours=1))
    corrected_there(world, story, **fields)
    told = payload(world, story)
    assert {name: told.get(name) for name in said} == said


def test_a_later_word_at_the_window_counts_more_than_the_correction(world: World, clock: FixedClock) -> None:
    story = stories.make_active(world)
    clock.move(timedelta(hours=1))
    corrected_there(world, story, name="周来富")
    clock.move(timedelta(hours=1))
    session_id, visit = at_window(world)
    correct(world, session_id, visit, name="周来贵")
    assert payload(world, story)["name"] == "周来贵"


def test_an_officer_carries_out_what_was_corrected_there(world: World, clock: FixedClock) -> None:
    story = stories.make_active(world)
    clock.move(timedelta(hours=1))
    case = corrected_there(world, story, name="周来富", reason="207")
    assert case is not None
    before = len(sent())
    decide(world, case, "counted", "papers_seen")
    person = person_of(story.tenant)
    assert name_of(world, db.session(), person) == "周来富"
    assert sent(before) == [("AMEND", "TENANT")] and payload(world, story)["name"] == "周来富"
    assert "details_corrected" in kinds(world, story)
    source = db.session.scalars(
        select(FieldSource).where(FieldSource.object_id == person.id, FieldSource.field == "name")
        .order_by(FieldSource.at.desc()).limit(1)
    ).one()  # fmt: skip
    assert (source.source, source.actor_kind, earlier_value(world, db.session(), source)) == (
        "registry", "officer", "周来福",
    )  # fmt: skip
    assert registration(story).case_id is None
    clock.move(timedelta(minutes=2))
    assert ask_again(world) == 1, "the authority is asked about the new name"


def test_whoever_decides_reads_what_was_corrected_and_the_person_reads_that_they_did(
    world: World, clock: FixedClock
) -> None:
    story = stories.make_active(world)
    clock.move(timedelta(hours=1))
    case = corrected_there(world, story, name="周来富", id_number=NEW_NUMBER)
    assert case is not None
    session_id = staff.make_session(world, "officer", purpose="help_request", case_number=case.reference)
    file = look_at_case(world, session_id=session_id, reference=case.reference)
    assert [line.field for line in file.corrected] == ["id_number", "name"]
    assert NEW_NUMBER not in repr(file), "a number is shown with its ends alone"
    leaf = db.session.scalars(select(AuditLeaf).where(AuditLeaf.action == "case_opened")).one()
    assert leaf.subject_id == case.person_id and "registry_correction" in leaf.fields


def test_what_was_objected_to_counts_once_an_officer_finds_so(world: World, clock: FixedClock) -> None:
    story = stories.make_active(world)
    clock.move(timedelta(hours=1))
    case = corrected_there(world, story, accept=False, reason="207", hukou_division="341825")
    assert case is not None and registration(story).reason is None
    decide(world, case, "counted", "both_sides_heard")
    assert registration(story).reason == "207"
    assert person_of(story.tenant).hukou_division == "341825"


def test_who_turns_out_to_be_local_is_checked_out_there_and_lives_on(world: World, clock: FixedClock) -> None:
    story = stories.make_active(world)
    clock.move(timedelta(hours=1))
    case = corrected_there(world, story, hukou_division="330522")
    assert case is not None
    before = len(sent())
    decide(world, case, "counted", "papers_seen")
    assert sent(before) == [("CHECKOUT", "TENANT")]
    assert (registration(story).scope, registration(story).residence) == ("out_of_scope", "living")


@pytest.mark.parametrize("fields", [{"unit_no": "U-TEST0102"}, {"name": "周1"}, {"move_in_on": "2999-01-01"}])
def test_what_cannot_stand_here_is_refused_and_changes_nothing(
    world: World, clock: FixedClock, fields: dict[str, str]
) -> None:
    story = stories.make_active(world)
    clock.move(timedelta(hours=1))
    case = corrected_there(world, story, accept=False, **fields)
    assert case is not None
    version = registration(story).version
    with pytest.raises(Refused) as caught:
        decide(world, case, "counted", "papers_seen")
    assert caught.value.refusal.field == "decision"
    assert registration(story).version == version
    assert db.session.get_one(Case, case.id, populate_existing=True).state == "assigned"


