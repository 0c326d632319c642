"""Children under 16: entered by a guardian who is known, consented to as a guardian, reviewed at the window (ZJ-7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, reading, transaction
from backend.domain.notices import NOTICES
from backend.domain.refusals import Refused
from backend.gateways.identity_authority import UNMATCHED_NAME, FakeAuthority
from backend.models.accounts import Account
from backend.models.cases import Case
from backend.models.consents import Consent
from backend.models.letters import Letter
from backend.models.persons import Person
from backend.seeding import sample_number
from backend.services.cases import claim_case, decide_case
from backend.services.consents import list_consents
from backend.services.guardians import ChildView, enter_child, guardian_of, list_children, withdraw_for_child
from backend.services.household_children import declare_child
from backend.services.identity_checks import identity_progress
from backend.services.inbox import list_notices, tell_person
from backend.services.invitations import accept_invitation, invite_tenant
from backend.services.leases import record_lease
from backend.services.own_duties import list_duties
from backend.services.persons import enter_identity
from backend.services.registrations import declare
from backend.services.units import claim_unit
from backend.wire.jwk import jwk_of, make_private_key
from tests.services import staff, stories

pytestmark = pytest.mark.usefixtures("core")
CHILD_NUMBER = sample_number("341822", date(2015, 3, 4))
TEEN_NUMBER = sample_number("341822", date(2011, 3, 4))


def refused(code: str) -> Any:
    return pytest.raises(Refused, match=f"^{code}$")


def enter(world: Any, account_id: str, **changes: Any) -> ChildView:
    entry: dict[str, Any] = {
        "name": "周小福", "id_type": "111", "id_number": CHILD_NUMBER, "relation": "father",
        "notice_version": NOTICES["registration_notice"].version, **changes,
    }  # fmt: skip
    return enter_child(world, account_id=account_id, **entry)


def test_a_known_guardian_enters_a_child_who_stands_attested_until_the_window_has_seen_them(world: Any) -> None:
    story = stories.make_active(world)
    child = enter(world, story.tenant)
    assert (child.state, child.relation, child.age_band, child.consent) == ("attested", "father", "under_14", True)
    assert enter(world, story.tenant) == child and list_children(world, account_id=story.tenant) == (child,)
    assert CHILD_NUMBER not in repr(child)
    case = db.session.scalars(select(Case).where(Case.person_id == child.person_id)).one()
    assert (case.area, case.opened_by, case.evidence) == ("330522003900", "guardian", {"way": "guardian"})
    session_id = staff.make_session(world, "window_clerk", purpose="review")
    claim_case(world, session_id=session_id, reference=case.reference)
    decide_case(world, session_id=session_id, reference=case.reference, decision="confirmed", reason="same_person",
                method="window")  # fmt: skip
    assert list_children(world, account_id=story.tenant)[0].state == "verified"


def test_the_consent_is_the_guardians_for_the_child_and_no_answer_of_their_own(world: Any) -> None:
    story = stories.make_active(world)
    own = list_consents(world, account_id=story.tenant)
    child = enter(world, story.tenant)
    row = db.session.scalars(select(Consent).where(Consent.subject_id == child.person_id)).one()
    assert (row.account_id, row.channel, row.purpose) == (story.tenant, "guardian", "registration_notice")
    assert list_consents(world, account_id=story.tenant) == own
    assert withdraw_for_child(world, account_id=story.tenant, child_id=child.person_id).consent is None
    assert list_consents(world, account_id=story.tenant) == own
    assert enter(world, story.tenant).consent is True
    with refused("consent.text"):
        enter(world, story.tenant, notice_version="2020-01")


def test_only_a_known_adult_answers_for_a_child(world: Any) -> None:
    story = stories.make_claimed(world)
    with refused("person.missing"):
        enter(world, story.tenant)
    enter_identity(world, account_id=story.tenant, id_type="111", name="周来福", id_number=stories.TENANT_NUMBER)
    with refused("guardian.unidentified") as caught:
        enter(world, story.tenant)
    assert caught.value.refusal.reason.rule == "ZJ-7"
    young = stories.make_account(world, "+8619900009555")
    enter_identity(world, account_id=young, id_type="111", name="周大福", id_number=TEEN_NUMBER)
    stories.verify_at_window(world, young)
    with refused("person.minor"):
        enter(world, young)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"relation": "neighbour"}, "input.not_one_of"),
        ({"id_number": sample_number("341822", date(2010, 11, 23))}, "guardian.grown"),
        ({"id_number": CHILD_NUMBER[:-1] + "?"}, "document.form"),
        ({"name": UNMATCHED_NAME}, "person.unmatched"),
        ({"id_number": stories.TENANT_NUMBER}, "guardian.grown"),
    ],
)
def test_a_faulty_entry_makes_no_person(world: Any, changes: dict[str, str], code: str) -> None:
    story = stories.make_active(world)
    before = len(db.session.scalars(select(Person.id)).all())
    with refused(code):
        enter(world, story.tenant, **changes)
    db.session.rollback()
    assert len(db.session.scalars(select(Person.id)).all()) == before


def test_a_child_who_began_alone_is_joined_with_its_guardian_and_another_guardian_is_sent_to_the_window(
    world: Any,
) -> None:
    story = stories.make_active(world)
    alone = stories.make_account(world, "+8619900009555")
    mine = enter_identity(world, account_id=alone, id_type="111", name="周小福", id_number=CHILD_NUMBER)
    assert not identity_progress(world, account_id=alone).face_allowed
    with refused("document.taken"):
        enter(world, story.tenant, name="别小福")
    child = enter(world, story.tenant)
    assert (child.person_id, child.state) == (mine.person_id, "attested")
    assert "guardian_entered" in [notice.kind for notice in list_notices(world, account_id=alone)]
    stories.verify_at_window(world, story.landlord)
    with refused("guardian.another"):
        enter(world, story.landlord, relation="other")


def test_another_accounts_child_is_not_found(world: Any) -> None:
    story = stories.make_active(world)
    child = enter(world, story.tenant)
    with refused("not_found"):
        withdraw_for_child(world, account_id=story.landlord, child_id=child.person_id)
    assert list_children(world, account_id=story.landlord) == ()
    assert list_children(world, account_id=stories.make_account(world, "+8619900009555")) == ()


def test_a_registration_finds_who_answers_for_the_child(world: Any) -> None:
    story = stories.make_active(world)
    child = enter(world, story.tenant, relation="mother")
    with reading() as session:
        person = session.get_one(Person, child.person_id)
        facts = guardian_of(world, session, person)
        assert facts is not None
        assert (facts.name, facts.id_number, facts.relation) == ("周来福", stories.TENANT_NUMBER, "mother")
        assert guardian_of(world, session, session.get_one(Person, facts.person_id)) is None


def test_an_authority_that_is_away_does_not_keep_a_child_out(world: Any) -> None:
    story = stories.make_active(world)
    child = enter(replace(world, authority=FakeAuthority(available=False)), story.tenant)
    assert (child.state, child.document_state) == ("attested", "unavailable")


GROWN_PHONE, ELSEWHERE_PHONE = "+8619900007799", "+8619900008888"
TEN_YEARS = timedelta(days=3660)


def rent_elsewhere(world: Any, child_id: str, number: str) -> str:
    """The child, grown now, accepts a lease of another landlord with a phone of its own; answers its account."""
    landlord = stories.make_landlord(world, ELSEWHERE_PHONE, sample_number("330522", date(1960, 5, 5)))
    _, rooms = stories.make_dwelling(world, 9)
    claim_unit(world, account_id=landlord, unit_id=rooms[0], right_kind="owner", evidence="不动产权证书")
    today = world.clock.today()
    made = record_lease(world, account_id=landlord, unit_id=rooms[0], kind="room", starts_on=today, ends_on=today,
                        alias="小福", tenant_name="周小福", tenant_id_type="111", tenant_id_number=number,
                        tenant_phone=GROWN_PHONE)  # fmt: skip
    link = invite_tenant(world, account_id=landlord, lease_id=made.lease_id).link.rsplit("/", 1)[1]
    grown = stories.make_account(world, GROWN_PHONE)
    accept_invitation(world, account_id=grown, token=link, phone_jwk=jwk_of(make_private_key().public_key()))
    stories.read_notice(world, grown)
    with transaction() as session:  # what a window leaves behind that has linked the phone
        session.get_one(Account, grown).person_id = child_id
    declare(world, account_id=grown, registration_id=made.registration_id, move_in_on=today, hukou_division="341822")
    return grown


def test_who_was_the_guardian_learns_nothing_of_a_grown_child(world: Any, clock: Any) -> None:
    story = stories.make_active(world)
    child = enter(world, story.tenant, id_number=TEEN_NUMBER)
    before = [duty.unit_alias for duty in list_duties(world, account_id=story.tenant)]
    clock.move(TEN_YEARS)
    grown = rent_elsewhere(world, child.person_id, TEEN_NUMBER)
    clock.move(timedelta(days=2))
    assert any("9号" in duty.unit_alias for duty in list_duties(world, account_id=grown))
    seen = list_duties(world, account_id=story.tenant)
    assert before and not [duty for duty in seen if "9号" in duty.unit_alias]
    assert list_children(world, account_id=story.tenant) == ()
    with refused("not_found"):
        withdraw_for_child(world, account_id=story.tenant, child_id=child.person_id)


def test_a_child_is_the_guardians_until_the_sixteenth_birthday(world: Any, clock: Any) -> None:
    story = stories.make_active(world)
    enter(world, story.tenant, id_number=TEEN_NUMBER)
    clock.set(datetime(2027, 3, 3, 4, tzinfo=UTC))
    assert [child.age_band for child in list_children(world, account_id=story.tenant)] == ["under_16"]
    clock.set(datetime(2027, 3, 4, 4, tzinfo=UTC))
    assert list_children(world, account_id=story.tenant) == ()


def test_a_grown_child_without_a_phone_is_written_to_and_its_guardian_is_told_no_more(world: Any, clock: Any) -> None:
    story = stories.make_active(world)
    child = enter(world, story.tenant, id_number=TEEN_NUMBER)
    declare_child(world, account_id=story.tenant, registration_id=story.registration_id, child_id=child.person_id,
                  move_in_on=world.clock.today(), hukou_division="341822", relation="child")  # fmt: skip

    def tell(once: str) -> set[str]:
        with transaction() as session:
            tell_person(world, session, child.person_id, "registration_accepted", once=once, receipt_no="R-1")
        with reading() as session:
            return set(session.scalars(select(Letter.person_id)))

    assert child.person_id not in tell("1"), "the guardian of a child is told"
    clock.move(TEN_YEARS)
    assert child.person_id in tell("2")
