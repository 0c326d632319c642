"""What other offices report: taken once, matched, shown, and counted only by the word of whom it concerns."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from backend.db import db, transaction
from backend.domain.ids import new_id
from backend.domain.refusals import Refused
from backend.domain.reported import ANSWER_WITHIN, BECAME_LOCAL, LEASE_FILED, OBJECT_WITHIN, RENUMBERED
from backend.domain.sharing import OUT_KINDS
from backend.gateways.world import World
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from backend.models.leases import Lease
from backend.models.outbox import OutboxRow
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services.access_records import my_access_records
from backend.services.audit import Actor
from backend.services.case_effects import apply_decision
from backend.services.change_feed import number_events
from backend.services.household_children import declare_child
from backend.services.inbox import list_notices
from backend.services.registry_items import NothingToSend, build_item
from backend.services.reported_answers import answer_reported, list_reported, settle_late_reports
from backend.services.reported_changes import get_report
from tests.services import reporting, sharing, stories

PLACE = {
    "address.code": "A-0001", "address.division": "330522003900", "address.road": "新陈塘路", "address.door_no": "18号",
}  # fmt: skip


def test_a_filing_counts_at_once_and_both_parties_are_told(core: Any, world: World) -> None:
    agreement = reporting.make_reporter(world)
    story = stories.make_declared(world)
    data = {"lease.reference": story.lease_id, "lease.filing_no": "备2026-0001", "lease.filed_on": "2026-11-23"}
    first = reporting.report(world, agreement, LEASE_FILED, data)
    assert (first.state, first.kind) == ("counted", LEASE_FILED)
    assert reporting.report(world, agreement, LEASE_FILED, data) == first, "the same id and body: the same answer"
    with pytest.raises(Refused) as refused:
        reporting.report(world, agreement, LEASE_FILED, data | {"lease.filing_no": "备2026-0002"})
    assert refused.value.refusal.code == "report.reused"
    for account in (story.tenant, story.landlord):
        assert [n.kind for n in list_notices(world, account_id=account)].count("lease_filed") == 1
        (look,) = [item for item in my_access_records(world, account_id=account).items if item.actor == "office"]
        assert (look.action, look.decision, look.case_ref) == ("office_reported", LEASE_FILED, "reporting-office-v1")
    db.session.rollback()
    assert db.session.get_one(Lease, story.lease_id).filing_no == "备2026-0001"
    again = reporting.report(world, agreement, LEASE_FILED, data | {"lease.filing_no": "备2026-0002"}, id="change-2")
    assert again.state == "shown" and reporting.row(again.id).case_id, "which number counts is for a person to say"
    assert db.session.get_one(Lease, story.lease_id).filing_no == "备2026-0001"


def test_who_became_local_says_so_and_the_registration_ends_while_the_key_lives(core: Any, world: World) -> None:
    agreement = reporting.make_reporter(world)
    sharing.make_agreement(
        world, sharing.make_supervisors(world, "33"), subscriber="precinct", keys=sharing.jwks(),
        kinds=[kind for kind in OUT_KINDS if ".unit." in kind], fields=["unit.registered_people"],
    )  # fmt: skip
    story = stories.make_active(world)
    declared_at = db.session.get_one(Registration, story.registration_id).declared_at
    seen = reporting.report(world, agreement, BECAME_LOCAL, reporting.LOCAL)
    assert seen.state == "shown"
    registration = _registration(story)
    assert registration.scope == "in_scope", "nothing counts before it was shown and confirmed"
    (shown,) = list_reported(world, account_id=story.tenant)
    assert shown.may_answer and shown.due_at == world.clock.now() + ANSWER_WITHIN
    number = next(field.value for field in shown.fields if field.field == "person.id_number")
    assert stories.TENANT_NUMBER not in number and number.startswith("341")
    assert list_reported(world, account_id=story.landlord) == (), "the landlord learns nothing of it"
    with pytest.raises(Refused):
        answer_reported(world, account_id=story.landlord, change_id=shown.id, accept=True)

    for _ in range(2):  # confirmed twice is confirmed once
        assert answer_reported(world, account_id=story.tenant, change_id=shown.id, accept=True).state == "counted"
    registration = _registration(story)
    assert (registration.scope, registration.residence) == ("out_of_scope", "living")
    assert registration.declared_at == declared_at
    assert stories.key_row(story.key_id).state == "active"
    sent = db.session.scalars(
        select(OutboxRow.kind).where(OutboxRow.aggregate_id == story.registration_id).order_by(OutboxRow.id)
    ).all()
    assert sent[-1] == "CHECKOUT"
    assert get_report(world, agreement_id=agreement.id, change_id=seen.id).state == "counted"
    sharing.tell(world)
    last = sharing.came(world, "precinct")[-1]
    assert (last.type, last.data) == ("cn.anju.unit.changed", {"unit.registered_people": 0})


@pytest.mark.parametrize("how", ["objected", "silence"])
def test_an_objection_or_silence_goes_to_a_person_and_never_counts_by_itself(
    core: Any, world: World, clock: Any, how: str
) -> None:
    agreement = reporting.make_reporter(world)
    story = stories.make_declared(world)
    seen = reporting.report(world, agreement, BECAME_LOCAL, reporting.LOCAL)
    if how == "objected":
        view = answer_reported(world, account_id=story.tenant, change_id=seen.id, accept=False)
        assert view.state == "objected"
    else:
        clock.move(ANSWER_WITHIN - timedelta(seconds=1))
        assert settle_late_reports(world) == 0
        clock.move(timedelta(seconds=1))
        assert (settle_late_reports(world), settle_late_reports(world)) == (1, 0)
    assert get_report(world, agreement_id=agreement.id, change_id=seen.id).state == "shown", "the office is not told"
    case = _case(seen.id)
    assert (case.kind, case.evidence["why"]) == ("office_change", "objected" if how == "objected" else "no_answer")
    assert _registration(story).scope == "in_scope"
    with pytest.raises(Refused) as refused:
        answer_reported(world, account_id=story.tenant, change_id=seen.id, accept=True)
    assert refused.value.refusal.code == "report.settled"

    _decide(world, seen.id, "refused" if how == "objected" else "counted")
    assert _registration(story).scope == ("in_scope" if how == "objected" else "out_of_scope")
    assert get_report(world, agreement_id=agreement.id, change_id=seen.id).state in ("refused", "counted")
    assert list_notices(world, account_id=story.tenant)[0].kind == "office_change_decided"


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_whoever_is_not_here_or_not_in_the_agreed_area_is_answered_alike(core: Any, world: World) -> None:
    agreement = reporting.make_reporter(world, areas=["330522004"])
    here = reporting.make_reporter(world, subscriber="another-office", keys=sharing.jwks())
    story = stories.make_declared(world)
    unknown = stories.sample_number("411522", world.clock.today().replace(year=1980))
    answers = [
        reporting.report(world, agreement, BECAME_LOCAL, reporting.LOCAL, id="elsewhere"),
        reporting.report(world, agreement, BECAME_LOCAL, reporting.LOCAL | {"person.id_number": unknown}, id="unknown"),
        reporting.report(world, here, BECAME_LOCAL, reporting.LOCAL | {"person.name": "王别人"}, id="other-name"),
        reporting.report(world, here, BECAME_LOCAL, reporting.LOCAL | {"person.hukou_division": "341822"}, id="same"),
        reporting.report(world, here, LEASE_FILED, {
            "lease.reference": story.registration_id, "lease.filing_no": "备2026-1", "lease.filed_on": "2026-11-23",
        }, id="no-lease"),
        reporting.report(world, here, RENUMBERED, PLACE, id="no-dwelling"),
    ]  # fmt: skip
    assert {answer.state for answer in answers} == {"unmatched"}
    assert list_reported(world, account_id=story.tenant) == ()
    with pytest.raises(Refused):
        get_report(world, agreement_id=agreement.id, change_id=answers[2].id)


def test_a_plain_renumbering_is_shown_to_the_landlord_and_counts_without_an_objection(
    core: Any, world: World, clock: Any
) -> None:
    agreement = reporting.make_reporter(world, areas=["330522003"])
    sharing.make_agreement(
        world, sharing.make_supervisors(world, "33"), subscriber="precinct", keys=sharing.jwks(),
        kinds=["cn.anju.unit.renumbered"], fields=["unit.address", "unit.public_number"],
    )  # fmt: skip
    story = stories.make_let_unit(world)
    _code(story)
    public_number = db.session.get_one(Unit, story.unit_id).public_number
    seen = reporting.report(world, agreement, RENUMBERED, PLACE)
    assert seen.state == "shown"
    assert _home(story).road == "陈塘路"
    assert list_notices(world, account_id=story.landlord)[0].kind == "office_renumbered"
    (shown,) = list_reported(world, account_id=story.landlord, waiting=True)
    assert shown.due_at == world.clock.now() + OBJECT_WITHIN
    clock.move(OBJECT_WITHIN)
    assert settle_late_reports(world) == 1
    home = _home(story)
    assert (home.road, home.door_no, home.former_address) == ("新陈塘路", "18号", "陈塘村陈塘路1号")
    assert db.session.get_one(Unit, story.unit_id).public_number == public_number
    sharing.tell(world)
    told = sharing.came(world, "precinct")
    assert len(told) == 2 and "新陈塘路18号" in str(told[0].data["unit.address"])
    assert number_events(world) == 0


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_renumbering_that_is_not_plain_or_objected_to_is_decided_by_a_person(core: Any, world: World) -> None:
    agreement = reporting.make_reporter(world, areas=["330522003"])
    story = stories.make_let_unit(world)
    _code(story)
    plain = reporting.report(world, agreement, RENUMBERED, PLACE)
    answer_reported(world, account_id=story.landlord, change_id=plain.id, accept=False)
    assert _case(plain.id).evidence["why"] == "objected"
    taken = reporting.report(
        world, agreement, RENUMBERED, PLACE | {"address.division": "330522003901"}, id="another-village"
    )
    assert _case(taken.id).evidence["why"] == "ambiguous"
    assert _case(taken.id).evidence["said"] == "330522003901 新陈塘路 18号"
    _decide(world, plain.id, "counted")
    assert _home(story).road == "新陈塘路"
    with transaction() as session:
        case = session.get_one(Case, _case(taken.id).id)
        case.decision, case.decision_reason = "handled", "explained"
        refusal = apply_decision(world, session, case, Actor("officer"), method=None, moved_out_on=None)
        assert refusal is not None and refusal.allowed == ("counted", "refused")


def _other_village() -> None:
    with transaction() as session:
        here = session.scalars(select(Dwelling)).first()
        assert here is not None
        session.add(
            Dwelling(
                id=new_id(), division="330522003901", division_version="test-2", province=here.province,
                city=here.city, county=here.county, street=here.street, village="样本村", road="样本路", door_no="1号",
                building="", imported_at=here.imported_at,
            )
        )  # fmt: skip


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_house_that_now_belongs_to_another_village_gets_its_code_and_its_names(core: Any, world: World) -> None:
    agreement = reporting.make_reporter(world, areas=["330522003"])
    story = stories.make_declared(world)
    _code(story)
    _other_village()
    moved = PLACE | {"address.division": "330522003901"}
    taken = reporting.report(world, agreement, RENUMBERED, moved)
    _decide(world, taken.id, "counted")
    home = _home(story)
    assert (home.division, home.division_version, home.village, home.road) == (
        "330522003901", "test-2", "样本村", "新陈塘路",
    )  # fmt: skip
    assert home.former_address == "陈塘村陈塘路1号"
    with transaction() as session:
        row = session.get_one(Registration, story.registration_id)
        item = build_item(world, session, row, op="AMEND", leg="TENANT", version=row.version)
        assert not isinstance(item, NothingToSend)
        assert (item.payload["division"], "样本村新陈塘路18号" in item.payload["address"]) == ("330522003901", True)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("division", ["330522003901", "330523003900"])
def test_a_village_that_the_base_does_not_know_or_in_another_county_is_not_counted(
    core: Any, world: World, division: str
) -> None:
    agreement = reporting.make_reporter(world, areas=["3305"])
    story = stories.make_declared(world)
    _code(story)
    taken = reporting.report(world, agreement, RENUMBERED, PLACE | {"address.division": division})
    before = (_home(story).division, _home(story).road)
    with transaction() as session:
        case = session.get_one(Case, _case(taken.id).id)
        case.decision, case.decision_reason = "counted", "both_sides_heard"
        refusal = apply_decision(world, session, case, Actor("officer"), method=None, moved_out_on=None)
        assert refusal is not None and refusal.allowed == ("refused",)
    assert (_home(story).division, _home(story).road) == before


def test_a_childs_guardian_is_asked_and_reads_what_was_said(core: Any, world: World) -> None:
    agreement = reporting.make_reporter(world)
    story = stories.make_active(world)
    child = stories.make_child(world, story.tenant)
    number = stories.sample_number("341822", world.clock.today().replace(year=world.clock.today().year - 10))
    declare_child(
        world, account_id=story.tenant, registration_id=story.registration_id, child_id=child,
        move_in_on=world.clock.today(), hukou_division="341822",
    )  # fmt: skip
    seen = reporting.report(world, agreement, BECAME_LOCAL, reporting.LOCAL | {"person.id_number": number})
    (shown,) = list_reported(world, account_id=story.tenant, waiting=True)
    assert (shown.id, shown.about) == (seen.id, "周小福")
    (look,) = [item for item in my_access_records(world, account_id=story.tenant).items if item.actor == "office"]
    assert (look.action, look.about) == ("office_reported", "周小福")
    assert answer_reported(world, account_id=story.tenant, change_id=seen.id, accept=True).state == "counted"
    assert _registration(story).scope == "in_scope", "the guardian's own registration is another matter"


def _code(story: stories.Story) -> None:
    with transaction() as session:
        session.execute(update(Dwelling).where(Dwelling.id == story.dwelling_id).values(address_code="A-0001"))


def _home(story: stories.Story) -> Dwelling:
    db.session.rollback()
    return db.session.get_one(Dwelling, story.dwelling_id)


def _registration(story: stories.Story) -> Registration:
    db.session.rollback()
    return db.session.get_one(Registration, story.registration_id)


def _case(change_id: str) -> Case:
    case_id = reporting.row(change_id).case_id
    assert case_id is not None
    return db.session.get_one(Case, case_id)


def _decide(world: World, change_id: str, decision: str) -> None:
    with transaction() as session:
        case = session.get_one(Case, _case(change_id).id)
        case.decision, case.decision_reason = decision, "both_sides_heard"
        assert apply_decision(world, session, case, Actor("officer"), method=None, moved_out_on=None) is None
