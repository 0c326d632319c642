"""Name and number with the authority: matched, not matched (3002), and not answered in time; never a dead end."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.db import db, transaction
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.gateways.identity_authority import UNMATCHED_NAME, FakeAuthority
from backend.models.identity_checks import IdentityCheck
from backend.models.outbox import OutboxRow
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.seeding import sample_number
from backend.services.access_records import export_my_data
from backend.services.document_checks import ask_again
from backend.services.identity_reviews import ask_a_person, attest
from backend.services.inbox import list_notices
from backend.services.persons import IdentityView, enter_identity, my_identity
from backend.services.registrations import declare
from backend.services.tenancies import get_tenancy
from tests.services import stories

pytestmark = pytest.mark.usefixtures("core")
OTHER_NUMBER = sample_number("341822", date(1996, 7, 2))


def refused(code: str) -> Any:
    return pytest.raises(Refused, match=f"^{code}$")


def enter(world: Any, account_id: str, **changes: Any) -> IdentityView:
    entry: dict[str, Any] = {"id_type": "111", "id_number": stories.TENANT_NUMBER, "name": "周来福", **changes}
    return enter_identity(world, account_id=account_id, **entry)


def away(world: Any) -> Any:
    return replace(world, authority=FakeAuthority(available=False))


def tasks(world: Any, story: stories.Story) -> dict[str, str]:
    view = get_tenancy(world, account_id=story.tenant, registration_id=story.registration_id)
    return {task.kind: task.state for task in view.tasks}


def only_person() -> Person:
    db.session.rollback()
    return db.session.scalars(select(Person).order_by(Person.created_at.desc(), Person.id.desc())).first()  # type: ignore[return-value]


def declare_as_a_foreigner(world: Any, **changes: Any) -> stories.Story:
    """A tenant whose passport was entered while the authority was away, and who has declared with it."""
    story = stories.make_claimed(world, **changes)
    stories.read_notice(world, story.tenant)
    enter(away(world), story.tenant, id_type="414", id_number="E12345678", birth_on=date(1995, 6, 1), sex="male",
          nationality="USA")  # fmt: skip
    declare(world, account_id=story.tenant, registration_id=story.registration_id, move_in_on=world.clock.today())
    return story


def to_the_registry() -> list[tuple[str, str]]:
    db.session.rollback()
    rows = select(OutboxRow).where(OutboxRow.destination == "registry").order_by(OutboxRow.id)
    return [(row.kind, row.payload["leg"]) for row in db.session.scalars(rows)]


def test_an_identity_card_in_a_passports_place_needs_the_household_registration(world: Any) -> None:
    story = declare_as_a_foreigner(world)
    with refused("input.missing") as caught:
        enter(world, story.tenant)
    assert caught.value.refusal.field == "hukou_division"
    assert only_person().id_type == "414", "nothing was changed"
    shown = enter(world, story.tenant, hukou_division="341822")
    assert (shown.id_type, shown.hukou_division, only_person().nationality) == ("111", "341822", "CHN")


def test_who_turns_out_to_be_local_is_never_sent(world: Any) -> None:
    story = declare_as_a_foreigner(world)
    enter(world, story.tenant, hukou_division="330522")
    db.session.rollback()
    assert db.session.get_one(Registration, story.registration_id).scope == "out_of_scope"
    assert to_the_registry() == []


def test_who_turns_out_to_be_no_foreigner_is_sent_with_the_landlords_report(world: Any) -> None:
    story = declare_as_a_foreigner(world)
    assert to_the_registry() == [], "a foreigner's stay is another path (EEL-39)"
    enter(world, story.tenant, hukou_division="341822")
    assert to_the_registry() == [("UPSERT", "TENANT"), ("UPSERT", "LANDLORD")]


def test_a_card_corrected_to_another_keeps_where_its_holder_is_registered(world: Any) -> None:
    story = stories.make_claimed(world)
    stories.read_notice(world, story.tenant)
    enter(away(world), story.tenant, hukou_division="341822")
    declare(world, account_id=story.tenant, registration_id=story.registration_id, move_in_on=world.clock.today())
    enter(world, story.tenant, id_number=OTHER_NUMBER)
    assert only_person().hukou_division == "341822"


def test_a_mismatch_is_said_and_another_entry_is_open_at_once(world: Any) -> None:
    story = stories.make_claimed(world)
    with refused("person.unmatched") as caught:
        enter(world, story.tenant, name=UNMATCHED_NAME)
    assert "3002" in caught.value.refusal.sentence("en") and "window" in caught.value.refusal.remedy("en")
    assert my_identity(world, account_id=story.tenant) is None
    assert enter(world, story.tenant).document_state == "matched"


def test_who_is_sure_keeps_the_entry_and_goes_to_the_window(world: Any) -> None:
    story = stories.make_claimed(world)
    stories.read_notice(world, story.tenant)
    kept = enter(world, story.tenant, name=UNMATCHED_NAME, keep_unmatched=True)
    assert (kept.document_state, kept.document_checked, kept.may_correct) == ("unmatched", False, True)
    assert tasks(world, story)["identity"] == "next"
    assert ask_a_person(world, account_id=story.tenant, way="window").reference
    assert tasks(world, story)["identity"] == "person"
    stories.verify_at_window(world, story.tenant)
    assert tasks(world, story)["identity"] == "done"
    with refused("person.already"):
        enter(world, story.tenant)


def test_a_correction_replaces_the_entry_and_keeps_nothing_of_it(world: Any) -> None:
    story = stories.make_claimed(world)
    first = enter(world, story.tenant, name=UNMATCHED_NAME, id_number=OTHER_NUMBER, keep_unmatched=True)
    second = enter(world, story.tenant)
    assert (second.person_id, second.name, second.document_state) == (first.person_id, "周来福", "matched")
    assert UNMATCHED_NAME not in repr(export_my_data(world, account_id=story.tenant))
    with refused("person.already"):
        enter(world, story.tenant, id_number=OTHER_NUMBER)


def test_a_correction_does_not_take_somebody_elses_document(world: Any) -> None:
    story = stories.make_claimed(world)
    enter(world, story.tenant, name=UNMATCHED_NAME, keep_unmatched=True)
    with refused("document.taken"):
        enter(world, story.tenant, id_number=stories.LANDLORD_NUMBER, name="沈安一")


def test_what_a_landlord_has_attested_is_corrected_at_the_window_only(world: Any) -> None:
    story = stories.make_claimed(world)
    enter(away(world), story.tenant)
    attest(world, account_id=story.landlord, lease_id=story.lease_id, met_in_person=True, saw_document=True)
    with refused("person.already"):
        enter(world, story.tenant, id_number=OTHER_NUMBER)


def test_a_correction_after_the_declaration_is_sent_again_and_keeps_the_time(world: Any, clock: FixedClock) -> None:
    story = stories.make_claimed(world)
    stories.read_notice(world, story.tenant)
    enter(world, story.tenant, name=UNMATCHED_NAME, keep_unmatched=True)
    declared = declare(world, account_id=story.tenant, registration_id=story.registration_id,
                       move_in_on=world.clock.today(), hukou_division="341822")  # fmt: skip
    clock.move(timedelta(hours=1))
    enter(world, story.tenant)
    db.session.rollback()
    registration = db.session.get_one(Registration, story.registration_id)
    assert (registration.declared_at, registration.version) == (declared.declared_at, declared.version + 1)
    sent = db.session.scalars(
        select(OutboxRow.kind).where(OutboxRow.destination == "registry", OutboxRow.kind == "AMEND")
    )
    assert sent.all() == ["AMEND"]


def test_an_authority_that_is_away_holds_nobody_up_and_is_asked_ever_more_rarely(world: Any, clock: FixedClock) -> None:
    story = stories.make_claimed(world)
    stories.read_notice(world, story.tenant)
    assert enter(away(world), story.tenant).document_state == "unavailable"
    assert (tasks(world, story)["identity"], tasks(world, story)["face"]) == ("done", "next")
    pauses = []
    for _ in range(9):
        due = only_person().document_ask_at
        assert due is not None
        pauses.append((due - clock.now()).total_seconds() / 60)
        assert ask_again(world) == 0, "not before its time"
        clock.move(due - clock.now())
        assert ask_again(away(world)) == 0
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    clock.move(timedelta(hours=1))
    assert ask_again(world) == 1
    assert (only_person().document_state, only_person().document_ask_at) == ("matched", None)
    assert [n.kind for n in list_notices(world, account_id=story.tenant)].count("document_matched") == 1
    assert ask_again(world) == 0


def test_a_late_mismatch_reaches_the_tenant_who_can_correct_it(world: Any, clock: FixedClock) -> None:
    story = stories.make_claimed(world)
    stories.read_notice(world, story.tenant)
    enter(away(world), story.tenant, name=UNMATCHED_NAME)
    clock.move(timedelta(minutes=1))
    assert ask_again(world) == 1
    assert only_person().document_state == "unmatched" and tasks(world, story)["identity"] == "next"
    [notice] = [n for n in list_notices(world, account_id=story.tenant) if n.kind == "document_unmatched"]
    assert "3002" in notice.text_zh and "window" in notice.text_en
    check = db.session.scalars(select(IdentityCheck).where(IdentityCheck.outcome == "fail")).one()
    assert check.reasons == ["3002"]
    assert enter(world, story.tenant).document_state == "matched"


def test_an_answer_to_an_entry_that_was_corrected_meanwhile_is_not_kept(world: Any, clock: FixedClock) -> None:
    story = stories.make_claimed(world)
    enter(away(world), story.tenant, name=UNMATCHED_NAME, id_number=OTHER_NUMBER)
    clock.move(timedelta(minutes=1))

    class Slow(FakeAuthority):
        def check(self, id_type: str, id_number: str, name: str) -> Any:
            enter(world, story.tenant)
            return super().check(id_type, id_number, name)

    ask_again(replace(world, authority=Slow(matched=False)))
    assert only_person().document_state == "matched"


def test_one_silence_ends_the_round(world: Any, clock: FixedClock) -> None:
    story = stories.make_claimed(world)
    enter(away(world), story.tenant)
    other = stories.make_account(world, "+8619900009555")
    enter(away(world), other, id_number=OTHER_NUMBER, name="钱来宝")
    clock.move(timedelta(minutes=1))
    ask_again(away(world))
    db.session.rollback()
    tries = select(func.sum(Person.document_tries)).where(Person.document_state == "unavailable")
    assert db.session.scalar(tries) == 3  # one each at the entry, one more for the first
    with transaction() as session:
        assert session.scalar(select(func.count()).where(Person.document_ask_at > clock.now())) == 1
