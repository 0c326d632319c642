"""Cases: one decider, decisions with effect, and everyone concerned is told."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.models.audit import AuditLeaf
from backend.models.cases import Case
from backend.models.keys import Key, KeyDelegate
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit, UnitClaim
from backend.services.access_records import my_access_records
from backend.services.case_files import look_at_case
from backend.services.case_opening import open_case
from backend.services.cases import claim_case, decide_case, release_case
from backend.services.delegates import make_delegate
from backend.services.inbox import list_notices
from backend.services.leases import end_lease
from backend.services.lock_manifests import import_locks
from backend.services.persons import enter_identity
from backend.services.registrations import answer_still_here
from backend.services.units import claim_lock, claim_unit
from backend.services.visitor_keys import issue_visitor_key
from backend.wire.jwk import jwk_of, make_private_key
from device_sim.identities import make_identity
from tests.services import staff, stories

pytestmark = pytest.mark.usefixtures("core")
VILLAGE = "330522003900"


def refused_code(call: Any, *args: Any, **named: Any) -> str:
    with pytest.raises(Refused) as caught:
        call(*args, **named)
    return caught.value.refusal.code


def only_case(kind: str) -> Case:
    db.session.rollback()
    return db.session.scalars(select(Case).where(Case.kind == kind)).one()


def make_review(world: Any) -> tuple[stories.Story, Case]:
    """A declared tenant whose identity a person has to decide."""
    story = stories.make_declared(world)
    person_id = db.session.scalars(select(Registration.person_id)).one()
    with transaction() as session:
        case = open_case(world, session, kind="identity_review", area=VILLAGE, unit_id=story.unit_id,
                         registration_id=story.registration_id, person_id=person_id, rule="FACE-6",
                         opened_by="tenant", evidence={"way": "window"})  # fmt: skip
    return story, case


def make_dispute(world: Any, clock: FixedClock) -> tuple[stories.Story, Case]:
    """The landlord says "left", the tenant says "still here"."""
    story = stories.make_active(world)
    clock.move(timedelta(days=10))
    end_lease(world, account_id=story.landlord, lease_id=story.lease_id, ended_on=world.clock.today())
    answer_still_here(world, account_id=story.tenant, registration_id=story.registration_id)
    return story, only_case("dispute")


def kinds(world: Any, account_id: str) -> list[str]:
    return [notice.kind for notice in list_notices(world, account_id=account_id)]


def test_references_count_up_within_a_day_and_begin_anew(world: Any, clock: FixedClock) -> None:
    def opened() -> str:
        with transaction() as session:
            return open_case(world, session, kind="resident_report", area=VILLAGE, opened_by="resident").reference

    assert [opened(), opened()] == ["AJ-20261123-0001", "AJ-20261123-0002"]
    clock.move(timedelta(days=1))
    assert opened() == "AJ-20261124-0001"


def test_a_confirmed_identity_opens_the_door_and_the_tenant_learns_why(world: Any) -> None:
    story, case = make_review(world)
    session_id = staff.make_session(world, "reviewer", purpose="review")
    claim_case(world, session_id=session_id, reference=case.reference)
    decide_case(world, session_id=session_id, reference=case.reference, decision="confirmed", reason="same_person",
                method="window")  # fmt: skip
    db.session.rollback()
    assert db.session.scalars(select(Person.identity_state).where(Person.id == case.person_id)).one() == "verified"
    assert db.session.get_one(Key, story.key_id).state == "active"
    [notice] = [n for n in list_notices(world, account_id=story.tenant) if n.kind == "identity_reviewed"]
    assert "身份确认" in notice.text_zh and "本人与证件一致" in notice.text_zh
    record = my_access_records(world, account_id=story.tenant).items[0]
    assert (record.action, record.decision) == ("case_decided", "confirmed")


def test_an_identity_not_confirmed_takes_nothing_away(world: Any) -> None:
    story, case = make_review(world)
    session_id = staff.make_session(world, "reviewer", purpose="review")
    claim_case(world, session_id=session_id, reference=case.reference)
    decide_case(world, session_id=session_id, reference=case.reference, decision="not_confirmed",
                reason="document_expired", method="live_video")  # fmt: skip
    db.session.rollback()
    assert db.session.get_one(Registration, story.registration_id).tenant_leg == "declared"
    assert db.session.get_one(Key, story.key_id).state == "claimed"
    [notice] = [n for n in list_notices(world, account_id=story.tenant) if n.kind == "identity_reviewed"]
    assert "证件已过期" in notice.text_zh


def test_a_case_has_one_decider(world: Any) -> None:
    _, case = make_review(world)
    first = staff.make_session(world, "reviewer", purpose="review")
    second = staff.make_session(world, "supervisor", purpose="review")
    how = {"reference": case.reference, "decision": "confirmed", "reason": "same_person", "method": "window"}
    assert refused_code(decide_case, world, session_id=first, **how) == "case.not_taken"
    claim_case(world, session_id=first, reference=case.reference)
    claim_case(world, session_id=first, reference=case.reference)
    assert refused_code(claim_case, world, session_id=second, reference=case.reference) == "case.taken"
    assert refused_code(decide_case, world, session_id=second, **how) == "case.taken"
    decide_case(world, session_id=first, **how)
    assert refused_code(decide_case, world, session_id=first, **how) == "transition"


def test_only_its_taker_or_a_supervisor_gives_a_case_back(world: Any) -> None:
    _, case = make_review(world)
    taker = staff.make_session(world, "reviewer")
    clerk = staff.make_session(world, "window_clerk")
    supervisor = staff.make_session(world, "supervisor")
    claim_case(world, session_id=taker, reference=case.reference)
    assert refused_code(release_case, world, session_id=clerk, reference=case.reference) == "case.taken"
    release_case(world, session_id=supervisor, reference=case.reference)
    assert only_case("identity_review").state == "routed"
    assert refused_code(release_case, world, session_id=taker, reference=case.reference) == "transition"


def test_a_kind_is_decided_by_its_roles_alone(world: Any) -> None:
    _, case = make_review(world)
    session_id = staff.make_session(world, "grid_worker", purpose="visit")
    for call in (claim_case, look_at_case, release_case):
        assert refused_code(call, world, session_id=session_id, reference=case.reference) == "forbidden"


def test_a_case_of_another_area_is_refused_and_written_down(world: Any) -> None:
    _, case = make_review(world)
    session_id = staff.make_session(world, "reviewer", staff.OTHER_STREET, "review")
    for call in (claim_case, look_at_case, release_case):
        assert refused_code(call, world, session_id=session_id, reference=case.reference) == "area.foreign"
    db.session.rollback()
    refused = db.session.scalars(select(AuditLeaf).where(AuditLeaf.decision == "area.foreign")).all()
    assert {leaf.object_id for leaf in refused} == {case.reference} and len(refused) == 3


def test_a_decision_names_every_fault_and_changes_nothing(world: Any) -> None:
    _, case = make_review(world)
    session_id = staff.make_session(world, "reviewer", purpose="review")
    claim_case(world, session_id=session_id, reference=case.reference)
    with pytest.raises(Refused) as caught:
        decide_case(world, session_id=session_id, reference=case.reference, decision="confirmed", reason="because")
    assert [(f.field, f.code) for f in caught.value.refusals] == [
        ("reason", "case.reason"), ("method", "input.missing"),
    ]  # fmt: skip
    assert only_case("identity_review").state == "assigned"


def test_looking_at_a_case_needs_a_purpose_that_fits(world: Any) -> None:
    _, case = make_review(world)
    without = staff.make_session(world, "reviewer")
    unfit = staff.make_session(world, "supervisor", purpose="address_check")
    assert refused_code(look_at_case, world, session_id=without, reference=case.reference) == "purpose.missing"
    assert refused_code(look_at_case, world, session_id=unfit, reference=case.reference) == "purpose.unfit"


def test_a_case_shows_its_person_masked_and_the_person_reads_it(world: Any) -> None:
    story, case = make_review(world)
    session_id = staff.make_session(world, "reviewer", purpose="review")
    file = look_at_case(world, session_id=session_id, reference=case.reference)
    assert [(p.part, p.name) for p in file.persons] == [("subject", "周来福")]
    assert stories.TENANT_NUMBER not in repr(file)
    assert my_access_records(world, account_id=story.tenant).items[0].action == "case_opened"


def test_still_living_keeps_key_and_registration_and_tells_both(world: Any, clock: FixedClock) -> None:
    story, case = make_dispute(world, clock)
    session_id = staff.make_session(world, purpose="visit")
    file = look_at_case(world, session_id=session_id, reference=case.reference)
    assert {p.part for p in file.persons} == {"subject", "landlord"}
    assert file.landlord_says_left_on == world.clock.today()
    claim_case(world, session_id=session_id, reference=case.reference)
    decide_case(world, session_id=session_id, reference=case.reference, decision="still_living", reason="seen_on_site")
    db.session.rollback()
    registration = db.session.get_one(Registration, story.registration_id)
    assert (registration.residence, registration.disputed, registration.case_id) == ("living", False, None)
    assert db.session.get_one(Key, story.key_id).state == "active"
    assert "dispute_decided" in kinds(world, story.tenant) and "dispute_decided" in kinds(world, story.landlord)


def test_moved_out_ends_residence_and_key_on_a_persons_word(world: Any, clock: FixedClock) -> None:
    story, case = make_dispute(world, clock)
    session_id = staff.make_session(world, purpose="visit")
    claim_case(world, session_id=session_id, reference=case.reference)
    how = {"session_id": session_id, "reference": case.reference, "decision": "moved_out", "reason": "seen_on_site"}
    early = refused_code(decide_case, world, moved_out_on=date(2026, 1, 1), **how)
    assert early == "checkout.date" and only_case("dispute").state == "assigned"
    decide_case(world, moved_out_on=world.clock.today(), **how)
    db.session.rollback()
    registration = db.session.get_one(Registration, story.registration_id)
    assert (registration.residence, registration.moved_out_by) == ("moved_out", "officer")
    assert db.session.get_one(Key, story.key_id).state == "revoking"


def make_contest(world: Any) -> tuple[str, str, str, Case]:
    first = stories.make_landlord(world)
    _, rooms = stories.make_dwelling(world)
    claim_unit(world, account_id=first, unit_id=rooms[0], right_kind="owner", evidence="不动产权证书")
    second = stories.make_account(world, "+8619900009002")
    enter_identity(world, account_id=second, id_type="111", name="钱安二",
                   id_number=stories.sample_number("330522", date(1970, 1, 1)))  # fmt: skip
    claim_unit(world, account_id=second, unit_id=rooms[0], right_kind="owner", evidence="继承公证书")
    return first, second, rooms[0], only_case("unit_claim")


def give_away(world: Any, landlord: str, unit_id: str) -> tuple[str, str]:
    """The landlord gives a visitor a key of the unit, and the own phone the right to issue more without network."""
    identity = make_identity(7, 1)
    import_locks(world, [identity.public_part()])
    claim_lock(world, account_id=landlord, unit_id=unit_id, claim_code=identity.claim_code)
    made = make_delegate(world, account_id=landlord, unit_id=unit_id, phone_jwk=jwk_of(make_private_key().public_key()))
    visit = issue_visitor_key(world, account_id=landlord, unit_id=unit_id, purpose="viewing", phone="+8619900009201",
                              ends_on=world.clock.today(), uses=1)  # fmt: skip
    return visit.key.id, made.id


@pytest.mark.parametrize(
    ("decision", "states"), [("accepted", ["ended", "accepted"]), ("kept", ["accepted", "refused"])]
)
def test_a_contested_unit_belongs_to_whom_a_person_says(world: Any, decision: str, states: list[str]) -> None:
    first, second, unit_id, case = make_contest(world)
    given = give_away(world, first, unit_id)
    session_id = staff.make_session(world, purpose="visit")
    file = look_at_case(world, session_id=session_id, reference=case.reference)
    assert {(p.part, p.name) for p in file.persons} == {("present_landlord", "沈安一"), ("claimant", "钱安二")}
    claim_case(world, session_id=session_id, reference=case.reference)
    decide_case(world, session_id=session_id, reference=case.reference, decision=decision, reason="papers_seen")
    db.session.rollback()
    claims = db.session.scalars(select(UnitClaim).order_by(UnitClaim.created_at, UnitClaim.id)).all()
    assert [claim.state for claim in claims] == states
    owner = next(claim.person_id for claim in claims if claim.state == "accepted")
    assert db.session.get_one(Unit, unit_id).landlord_id == owner
    assert "claim_decided" in kinds(world, first) and "claim_decided" in kinds(world, second)
    visitor, delegate = db.session.get_one(Key, given[0]), db.session.get_one(KeyDelegate, given[1])
    lost = decision == "accepted"
    assert (visitor.state == "revoked", delegate.revoked_at is not None) == (lost, lost), "given away by who lost it"

