"""The right to let, seen by a person: by whom, when, how; what it counts for, and that nothing waits for it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from backend.db import db, transaction
from backend.domain.refusals import Refused
from backend.domain.spaces import ASSUMED_STANDARD
from backend.models.audit import AuditLeaf
from backend.models.officers import Officer
from backend.models.registrations import Registration
from backend.models.units import UnitClaim
from backend.queries.discrepancies import count_discrepancies, list_discrepancies, read_cursor
from backend.queries.visit_lists import list_grounds
from backend.services.access_records import my_access_records
from backend.services.audit import Actor
from backend.services.cases import claim_case, decide_case
from backend.services.disclosures import open_unit
from backend.services.hands import Desk
from backend.services.inbox import list_notices
from backend.services.invitations import look_at_invitation
from backend.services.landlord_views import get_unit
from backend.services.leases import record_lease
from backend.services.letting_right_acts import unsee_right
from backend.services.tenancies import get_tenancy
from backend.services.units import accept_claim, add_unit, claim_unit
from backend.services.visits import plan_visit_of_unit
from backend.services.window_visits import open_visit
from tests.services import staff, stories
from tests.services.letting import claim_of, make_seen, see
from tests.services.staff import OTHER_STREET, STREET
from tests.services.test_cases import make_contest
from tests.services.test_keys_at_the_same_time import wait_until_somebody_waits

pytestmark = pytest.mark.usefixtures("core")


def refused(code: str) -> Any:
    return pytest.raises(Refused, match=f"^{code}$")


def clerk(world: Any, purpose: str | None = "help_request", area: str = STREET) -> str:
    return staff.make_session(world, "window_clerk", area, purpose)


def leaves(action: str) -> list[AuditLeaf]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditLeaf).where(AuditLeaf.action == action).order_by(AuditLeaf.id)))


def told(world: Any, account_id: str) -> list[Any]:
    return [notice for notice in list_notices(world, account_id=account_id) if notice.kind == "right_seen"]


def is_seen(unit_id: str) -> bool:
    return claim_of(unit_id).seen_at is not None


def rename(session_id: str, name: str) -> None:
    """The officer of a session bears this name."""
    with transaction() as session:
        officers = session.scalars(select(Officer).where(Officer.display_name == "测试"))
        for officer in officers:
            officer.display_name = name


def test_who_saw_it_when_and_how_is_kept_and_nothing_else(world: Any) -> None:
    story = stories.make_let_unit(world)
    assert not is_seen(story.unit_id), "a claim alone is seen by nobody"
    session_id = clerk(world)
    see(world, session_id, story.unit_id)
    claim = claim_of(story.unit_id)
    [leaf] = leaves("right_seen")
    assert (claim.seen_at, claim.seen_by, claim.seen_kind) == (world.clock.now(), leaf.actor_id, "at_window")
    assert (leaf.subject_id, leaf.object_id, leaf.fields) == (claim.person_id, story.unit_id, ["right"])
    assert (leaf.purpose, leaf.role, leaf.decision) == ("help_request", "window_clerk", "at_window")


def test_the_landlord_is_told_once_sees_it_on_the_unit_and_reads_who_it_was(world: Any) -> None:
    story = stories.make_let_unit(world)
    unseen = get_unit(world, account_id=story.landlord, unit_id=story.unit_id).right
    assert unseen is not None and (unseen.kind, unseen.seen_at, unseen.office) == ("owner", None, None)
    session_id = clerk(world)
    see(world, session_id, story.unit_id)
    see(world, session_id, story.unit_id, "on_visit")
    see(world, staff.make_session(world, "officer", purpose="visit"), story.unit_id, "on_visit")
    assert claim_of(story.unit_id).seen_kind == "at_window", "seen before, nothing changes"
    assert len(leaves("right_seen")) == 1
    right = get_unit(world, account_id=story.landlord, unit_id=story.unit_id).right
    assert right is not None and (right.seen_at, right.office) == (world.clock.now(), "太湖派出所")
    [notice] = told(world, story.landlord)
    assert "太湖派出所" in notice.text_zh and "陈塘路1号" in notice.text_zh and notice.opens == "unit"
    assert notice.params["unit_id"] == story.unit_id
    record = my_access_records(world, account_id=story.landlord).items[0]
    assert (record.action, record.role, record.fields) == ("right_seen", "window_clerk", ("right",))


def test_the_tenant_reads_whether_it_was_seen_before_and_after_accepting(world: Any) -> None:
    story = stories.make_invited(world)
    face = look_at_invitation(world, token=story.link_token)
    assert face.right_seen is False
    make_seen(world, story.unit_id)
    assert look_at_invitation(world, token=story.link_token).right_seen is True


def test_nothing_waits_for_it(world: Any) -> None:
    story = stories.make_active(world)
    assert not is_seen(story.unit_id)
    assert stories.key_row(story.key_id).state == "active"
    home = get_tenancy(world, account_id=story.tenant, registration_id=story.registration_id)
    assert home.right_seen is False and home.registration.declared_at is not None
    registration = db.session.get_one(Registration, story.registration_id)
    before = (registration.version, registration.landlord_leg, registration.registry_state)
    make_seen(world, story.unit_id)
    after = db.session.get_one(Registration, story.registration_id)
    assert (after.version, after.landlord_leg, after.registry_state) == before
    assert get_tenancy(world, account_id=story.tenant, registration_id=story.registration_id).right_seen is True


@pytest.mark.parametrize(("purpose", "code"), [
    (None, "purpose.missing"), ("address_check", "purpose.unfit"), ("review", "purpose.unfit"),
    ("visit", None), ("help_request", None), ("case", None),
])  # fmt: skip
def test_it_takes_a_purpose_that_fits(world: Any, purpose: str | None, code: str | None) -> None:
    story = stories.make_let_unit(world)
    case_number = "A330522-77" if purpose == "case" else None
    session_id = staff.make_session(world, "officer", STREET, purpose, case_number)
    if code is None:
        see(world, session_id, story.unit_id)
        assert is_seen(story.unit_id)
        return
    for act in (lambda: see(world, session_id, story.unit_id), lambda: take_back(world, session_id, story.unit_id)):
        with refused(code):
            act()
    assert not is_seen(story.unit_id)


def take_back(world: Any, session_id: str, unit_id: str) -> None:
    unsee_right(world, session_id=session_id, unit_id=unit_id, claim_id=claim_of(unit_id).id)


def test_another_area_is_refused_and_written_down_and_so_is_what_is_not_there(world: Any) -> None:
    story = stories.make_let_unit(world)
    far = clerk(world, area=OTHER_STREET)
    for act in (see, take_back):
        with refused("area.foreign"):
            act(world, far, story.unit_id)
    assert [leaf.decision for leaf in leaves("refused")] == ["area.foreign"] * 2
    near = clerk(world)
    with refused("not_found"):
        see(world, near, "01a208de-0000-7000-8000-000000000000", claim_id=claim_of(story.unit_id).id)
    _, rooms = stories.make_dwelling(world, 2)
    with refused("stale"):
        see(world, near, rooms[0], claim_id=claim_of(story.unit_id).id)
    with refused("input.not_one_of"):
        see(world, near, story.unit_id, "in_case")
    assert not is_seen(story.unit_id)


def test_nobody_sees_their_own_right(world: Any) -> None:
    story = stories.make_let_unit(world)
    session_id = clerk(world)
    rename(session_id, "沈安一")
    with refused("right.own"):
        see(world, session_id, story.unit_id)
    assert not is_seen(story.unit_id) and told(world, story.landlord) == [] and leaves("right_seen") == []


def test_an_error_is_taken_back_with_a_leaf_and_it_can_be_seen_anew(world: Any) -> None:
    story = stories.make_let_unit(world)
    session_id = clerk(world)
    take_back(world, session_id, story.unit_id)
    assert leaves("right_unseen") == [], "what was not seen is not taken back"
    see(world, session_id, story.unit_id)
    colleague = staff.make_session(world, "grid_worker", purpose="visit")
    take_back(world, colleague, story.unit_id)
    take_back(world, colleague, story.unit_id)
    claim = claim_of(story.unit_id)
    assert (claim.seen_at, claim.seen_by, claim.seen_kind) == (None, None, None)
    [leaf] = leaves("right_unseen")
    assert (leaf.role, leaf.decision, leaf.subject_id) == ("grid_worker", "entered_in_error", claim.person_id)
    record = my_access_records(world, account_id=story.landlord).items[0]
    assert record.action == "right_unseen"
    world.clock.move(timedelta(minutes=1))
    see(world, colleague, story.unit_id, "on_visit")
    assert claim_of(story.unit_id).seen_kind == "on_visit" and len(told(world, story.landlord)) == 2


@pytest.mark.parametrize("decision", ["accepted", "kept"])
def test_a_claim_that_a_person_decides_for_counts_as_seen_by_them(world: Any, decision: str) -> None:
    first, second, unit_id, case = make_contest(world)
    earlier = claim_of(unit_id).id
    session_id = staff.make_session(world, purpose="visit")
    claim_case(world, session_id=session_id, reference=case.reference)
    decide_case(world, session_id=session_id, reference=case.reference, decision=decision, reason="papers_seen")
    claim = claim_of(unit_id)
    if decision == "kept":
        assert (claim.id, claim.seen_at) == (earlier, None)
        return
    assert claim.id != earlier and (claim.seen_kind, claim.seen_at) == ("in_case", world.clock.now())
    assert [leaf.subject_id for leaf in leaves("right_seen")] == [claim.person_id]
    assert told(world, second) == [] and told(world, first) == [], "the decision says it already"


def test_what_was_seen_of_the_former_landlord_is_not_seen_of_the_next(world: Any) -> None:
    first, _second, unit_id, case = make_contest(world)
    session_id = clerk(world)
    former = claim_of(unit_id).id
    see(world, session_id, unit_id)
    decider = staff.make_session(world, purpose="visit")
    rename(decider, "钱安二")  # the decider's own right, which no decision of theirs makes a seen one
    claim_case(world, session_id=decider, reference=case.reference)
    decide_case(world, session_id=decider, reference=case.reference, decision="accepted", reason="papers_seen")
    assert not is_seen(unit_id)
    with refused("stale"):
        see(world, session_id, unit_id, claim_id=former)
    with refused("stale"):
        unsee_right(world, session_id=session_id, unit_id=unit_id, claim_id=former)
    assert not is_seen(unit_id)


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_unit_that_changes_hands_while_it_is_seen_is_not_seen(core: Flask, world: Any) -> None:
    _first, _second, unit_id, _case = make_contest(world)
    session_id, former = clerk(world), claim_of(unit_id).id
    answers: list[str] = []

    def look() -> None:
        with core.app_context():
            try:
                see(world, session_id, unit_id, claim_id=former)
            except Refused as error:
                answers.append(error.refusal.code)
            db.session.remove()

    looking = threading.Thread(target=look)
    decider = staff.make_officer(world, "officer", STREET, "decider")
    with transaction() as session:
        contested = session.scalars(select(UnitClaim).where(UnitClaim.state == "contested")).one()
        accept_claim(world, session, contested, actor=Actor("officer", decider.id))
        looking.start()
        wait_until_somebody_waits(session)
    looking.join()
    assert answers == ["stale"]
    assert claim_of(unit_id).seen_kind == "in_case" and len(leaves("right_seen")) == 1


def make_mandate(world: Any, days: int = 30) -> tuple[str, str]:
    """A manager who has claimed a unit by a mandate; (account, unit)."""
    manager = stories.make_landlord(world)
    _, rooms = stories.make_dwelling(world)
    renew(world, manager, rooms[0], days)
    return manager, rooms[0]


def renew(world: Any, account_id: str, unit_id: str, days: int) -> None:
    claim_unit(world, account_id=account_id, unit_id=unit_id, right_kind="mandate", evidence="委托书",
               mandate_ends_on=world.clock.today() + timedelta(days=days))  # fmt: skip


def test_a_mandate_that_is_over_is_no_seen_right_and_a_renewed_one_is_seen_anew(world: Any, clock: Any) -> None:
    manager, unit_id = make_mandate(world)
    make_seen(world, unit_id)
    clock.move(timedelta(days=31))
    right = get_unit(world, account_id=manager, unit_id=unit_id).right
    assert right is not None and (right.is_over, right.seen_at) == (True, None)
    session_id = staff.make_session(world, "officer", purpose="help_request")
    take_back(world, session_id, unit_id)
    with refused("right.mandate_over"):
        see(world, session_id, unit_id)
    renew(world, manager, unit_id, 365)
    renewed = get_unit(world, account_id=manager, unit_id=unit_id).right
    assert renewed is not None and (renewed.is_over, renewed.seen_at) == (False, None)
    see(world, session_id, unit_id)
    assert is_seen(unit_id)


def serve(world: Any, session_id: str, channel: str = "window") -> tuple[str, Desk]:
    """A landlord served by a clerk: in person, or by a form on paper."""
    visit = open_visit(world, session_id=session_id, channel=channel, document_seen=True, name="沈安一", id_type="111",
                       id_number=stories.LANDLORD_NUMBER)  # fmt: skip
    return visit.account_id, visit.desk(session_id)


@pytest.mark.parametrize("seen", [False, True])
def test_a_claim_made_at_the_window_is_seen_in_the_same_act_when_the_clerk_says_so(world: Any, seen: bool) -> None:
    session_id = clerk(world)
    account_id, desk = serve(world, session_id)
    dwelling_id, rooms = stories.make_dwelling(world)
    claim_unit(world, account_id=account_id, unit_id=rooms[0], right_kind="owner", evidence="不动产权证书", seen=seen,
               desk=desk)  # fmt: skip
    added = add_unit(world, account_id=account_id, dwelling_id=dwelling_id, label="东间", space_kind="bedroom",
                     usable_area_m2=15, capacity=1, right_kind="owner", evidence="不动产权证书", seen=seen,
                     desk=desk)  # fmt: skip
    for unit_id in (rooms[0], added.unit_id):
        claim = claim_of(unit_id)
        assert claim.seen_kind == ("at_window" if seen else None)
    assert len(leaves("right_seen")) == (2 if seen else 0)
    assert told(world, account_id) == [], "the landlord stands there"


def test_without_an_original_in_hand_nothing_was_seen_and_nothing_is_claimed(world: Any) -> None:
    session_id = clerk(world)
    _, rooms = stories.make_dwelling(world)
    values = {"unit_id": rooms[0], "right_kind": "owner", "evidence": "不动产权证书", "seen": True}
    stories.make_landlord(world)
    account_id, paper = serve(world, session_id, "paper")
    with refused("visit.present"):
        claim_unit(world, account_id=account_id, desk=paper, **values)
    with refused("visit.present"):
        claim_unit(world, account_id=account_id, **values)  # from a phone nobody says so
    _, desk = serve(world, session_id)
    rename(session_id, "沈安一")
    with refused("right.own") as caught:
        claim_unit(world, account_id=account_id, desk=desk, **values)
    assert caught.value.refusal.field == "seen"
    assert db.session.scalars(select(UnitClaim)).all() == []


def test_the_units_page_says_it_to_staff(world: Any) -> None:
    story = stories.make_active(world)
    make_seen(world, story.unit_id)
    session_id = staff.make_session(world, "supervisor", purpose="visit")
    landlord = open_unit(world, session_id=session_id, unit_id=story.unit_id).landlord
    assert landlord is not None and landlord.right is not None
    assert (landlord.right.kind, landlord.right.seen_kind, landlord.right.office) == (
        "owner", "at_window", "太湖派出所",
    )  # fmt: skip


def let(world: Any, account_id: str, unit_id: str) -> None:
    """The unit has a lease from today on."""
    record_lease(world, account_id=account_id, unit_id=unit_id, kind="room", alias="小周", ends_on=None,
                 starts_on=world.clock.today(), tenant_name="周来福", tenant_id_type="111",
                 tenant_id_number=stories.TENANT_NUMBER, tenant_phone=stories.TENANT_PHONE)  # fmt: skip


def unseen(world: Any, area: str = STREET, **page: Any) -> list[Any]:
    db.session.rollback()
    today = world.clock.today()
    lines = list_discrepancies(area, today, ASSUMED_STANDARD, "right_unseen", **page)
    if not page:
        assert count_discrepancies(area, today, ASSUMED_STANDARD)["right_unseen"] == len(lines)
    return list(lines)


def test_units_that_are_let_and_not_seen_stand_on_a_list_of_their_area(world: Any) -> None:
    story = stories.make_let_unit(world)
    assert unseen(world) == [], "nobody rents it yet"
    let(world, story.landlord, story.unit_id)
    [line] = unseen(world)
    assert (line.unit_id, line.since, line.case_reference) == (story.unit_id, world.clock.today(), None)
    assert unseen(world, OTHER_STREET) == []
    make_seen(world, story.unit_id)
    assert unseen(world) == []


def test_the_list_begins_with_the_longest_and_goes_on_by_pages(world: Any, clock: Any) -> None:
    units = []
    for door in (1, 2, 3):
        story = stories.make_let_unit(world, lock=door, door=door)
        let(world, story.landlord, story.unit_id)
        units.append(story.unit_id)
        clock.move(timedelta(days=1))
    assert [line.unit_id for line in unseen(world)] == units
    seen: list[str] = []
    after = None
    while page := unseen(world, limit=1, after=after):
        seen += [line.unit_id for line in page]
        after = read_cursor(page[-1].cursor)
    assert seen == units


@pytest.mark.parametrize("text", ["", "2026-11-23", "2026-11-23_x", "x_01a208de-0000-7000-8000-000000000000"])
def test_what_is_no_place_in_a_list_is_its_beginning(text: str) -> None:
    assert read_cursor(text) is None


def test_a_mandate_that_is_over_stands_on_the_list_again(world: Any, clock: Any) -> None:
    manager, unit_id = make_mandate(world)
    let(world, manager, unit_id)
    make_seen(world, unit_id)
    assert unseen(world) == []
    clock.move(timedelta(days=31))
    assert [line.unit_id for line in unseen(world)] == [unit_id]


def test_it_is_a_ground_for_a_visit_until_it_is_seen(world: Any) -> None:
    story = stories.make_active(world)
    assert list_grounds(STREET, story.unit_id, world.clock.now(), ASSUMED_STANDARD) == ("right_unseen",)
    walker = staff.make_officer(world, "grid_worker", login="walker")
    planner = staff.make_session(world, "officer")
    plan_visit_of_unit(world, session_id=planner, unit_id=story.unit_id, ground="right_unseen",
                       assignee_id=walker.id, due_on=world.clock.today())  # fmt: skip
    [line] = unseen(world)
    assert line.case_reference is not None
    make_seen(world, story.unit_id)
    assert list_grounds(STREET, story.unit_id, world.clock.now(), ASSUMED_STANDARD) == ()


def test_a_visit_for_another_reason_is_not_the_case_of_an_unseen_right(world: Any) -> None:
    story = stories.make_invited(world)
    walker = staff.make_officer(world, "grid_worker", login="walker")
    planner = staff.make_session(world, "officer")
    plan_visit_of_unit(world, session_id=planner, unit_id=story.unit_id, ground="no_one_registered",
                       assignee_id=walker.id, due_on=world.clock.today())  # fmt: skip
    [line] = unseen(world)
    assert line.case_reference is None
