"""Children under 16: entered by a guardian who is known, consented to as a guardian, reviewed at the window (ZJ-7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, reading
from backend.domain.notices import NOTICES
from backend.domain.refusals import Refused
from backend.gateways.identity_authority import UNMATCHED_NAME, FakeAuthority
from backend.models.cases import Case
from backend.models.consents import Consent
from backend.models.persons import Person
from backend.seeding import sample_number
from backend.services.cases import claim_case, decide_case
from backend.services.consents import list_consents
from backend.services.guardians import ChildView, enter_child, guardian_of, list_children, withdraw_for_child
from backend.services.identity_checks import identity_progress
from backend.services.inbox import list_notices
from backend.services.persons import enter_identity
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
