"""What comes back from the registry: corrections wait for the person's answer, reads stand on the access page."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db
from backend.domain.refusals import Refused
from backend.gateways.registry_client import RegistryRead as Told
from backend.models.cases import Case
from backend.models.outbox import OutboxRow
from backend.models.registrations import Registration, RegistrationChange
from backend.models.registry_returns import RegistryCorrection, RegistryLeg, RegistryRead
from backend.services.access_records import my_access_records
from backend.services.inbox import list_notices
from backend.services.registry_corrections import (
    CorrectionView,
    answer_correction,
    decide_unanswered,
    fetch_corrections,
    list_corrections,
)
from backend.services.registry_reads import fetch_reads
from backend.wire.registry_answers import Change
from backend.worker.registry_loop import process_once
from tests.services import stories

pytestmark = pytest.mark.usefixtures("core")


def correct(world: Any, story: stories.Story, sequence: int = 1, **fields: str) -> CorrectionView | None:
    """The registry corrects these fields; answers what the tenant sees, if anything new."""
    change = Change(sequence, story.registration_id, "CORRECTED", world.clock.now(), fields)
    world.registry.corrections.append(change)
    if not fetch_corrections(world):
        return None
    return list_corrections(world, account_id=story.tenant, registration_id=story.registration_id)[0]


def answer(world: Any, story: stories.Story, shown: CorrectionView, accept: bool) -> CorrectionView:
    return answer_correction(
        world,
        account_id=story.tenant,
        registration_id=story.registration_id,
        correction_id=shown.id,
        accept=accept,
    )


def make_accepted(world: Any) -> stories.Story:
    story = stories.make_declared(world)
    assert process_once(world, sleep=lambda _: None) and process_once(world, sleep=lambda _: None)
    return story


def registration(story: stories.Story) -> Registration:
    db.session.rollback()
    return db.session.get_one(Registration, story.registration_id, populate_existing=True)


def cases() -> list[Case]:
    return list(db.session.scalars(select(Case).where(Case.kind == "registry_correction")))


def test_a_correction_is_shown_before_it_counts_and_then_is_not_sent_back(world: Any) -> None:
    story = make_accepted(world)
    before, sent = registration(story).move_in_on, len(list(db.session.scalars(select(OutboxRow.id))))
    day = (before - timedelta(days=2)).isoformat()
    shown = correct(world, story, move_in_on=day)
    assert shown is not None and shown.state == "shown"
    assert [(field.name_zh, field.value_zh) for field in shown.fields] == [("入住日期", day)]
    assert registration(story).move_in_on == before
    assert "registry_correction" in [notice.kind for notice in list_notices(world, account_id=story.tenant)]
    for _ in range(2):  # the same answer again changes nothing
        assert answer(world, story, shown, True).state == "accepted"
    row = registration(story)
    assert row.move_in_on == date.fromisoformat(day) and row.registry_state == "accepted"
    assert len(list(db.session.scalars(select(OutboxRow.id)))) == sent
    (amended,) = db.session.scalars(select(RegistrationChange).where(RegistrationChange.action == "amend"))
    assert (amended.source, amended.fields) == ("registry", ["move_in_on"])
    assert cases() == []


def test_an_objection_goes_to_a_person_and_nothing_changes(world: Any) -> None:
    story = make_accepted(world)
    before = registration(story).reason
    shown = correct(world, story, reason="207")
    assert shown is not None
    answer(world, story, shown, False)
    (case,) = cases()
    assert case.evidence["why"] == "objected" and case.registration_id == story.registration_id
    assert registration(story).reason == before
    with pytest.raises(Refused):
        answer(world, story, shown, True)


def test_silence_of_fifteen_days_goes_to_a_person_once(world: Any, clock: Any) -> None:
    story = make_accepted(world)
    correct(world, story, reason="207")
    clock.move(timedelta(days=15))
    assert decide_unanswered(world) == 0
    clock.move(timedelta(seconds=1))
    assert (decide_unanswered(world), decide_unanswered(world)) == (1, 0)
    assert [case.evidence["why"] for case in cases()] == ["no_answer"]


def test_what_is_not_the_persons_alone_to_change_goes_to_a_person_even_when_accepted(world: Any) -> None:
    story = make_accepted(world)
    shown = correct(world, story, name="周来富", reason="207")
    assert shown is not None
    answer(world, story, shown, True)
    assert [case.evidence["why"] for case in cases()] == ["needs_a_person"]
    assert registration(story).reason == "207"


def test_values_are_sealed_and_the_feed_is_read_once(world: Any) -> None:
    story = make_accepted(world)
    assert correct(world, story, name="周来富") is not None
    assert fetch_corrections(world) == 0
    row = db.session.scalars(select(RegistryCorrection)).one()
    assert "周来富".encode() not in row.values_sealed and "周来富" not in json.dumps(cases() and cases()[0].evidence)
    assert world.registry.calls.count("changes") == 2


def test_a_change_about_nobody_known_is_passed_over(world: Any) -> None:
    story = make_accepted(world)
    world.registry.corrections.append(Change(1, "not-a-record", "CORRECTED", world.clock.now(), {"name": "周"}))
    world.registry.corrections.append(Change(2, story.registration_id, "MERGED", world.clock.now(), {"name": "周"}))
    assert correct(world, story, 3, reason="207") is not None
    assert len(list(db.session.scalars(select(RegistryCorrection)))) == 1


def test_another_tenants_correction_is_not_found(world: Any) -> None:
    story = make_accepted(world)
    shown = correct(world, story, reason="207")
    assert shown is not None
    other = stories.make_account(world, "+8619900009555")
    with pytest.raises(Refused):
        answer_correction(
            world,
            account_id=other,
            registration_id=story.registration_id,
            correction_id=shown.id,
            accept=True,
        )


def test_reads_at_the_registry_stand_on_the_persons_own_access_page_once(world: Any, clock: Any) -> None:
    story = make_accepted(world)
    at = clock.now()
    world.registry.reads[story.registration_id] = [Told(at, "县公安局", "P-9Z", "人口核查")]
    assert fetch_reads(world) == 0  # asked about once a day
    clock.move(timedelta(days=1, seconds=1))
    assert (fetch_reads(world), fetch_reads(world)) == (1, 0)
    world.registry.reads[story.registration_id].append(Told(at, "县公安局", "P-9Z", "人口核查"))
    clock.move(timedelta(days=1, seconds=1))
    assert fetch_reads(world) == 1
    page = my_access_records(world, account_id=story.tenant)
    reads = [item for item in page.items if item.action == "registry_read"]
    assert [(item.office, item.badge, item.purpose, item.at) for item in reads] == [
        ("县公安局", "P-9Z", "人口核查", at)
    ] * 2
    assert my_access_records(world, account_id=story.landlord).items != page.items
    assert "registry_read" not in [i.action for i in my_access_records(world, account_id=story.landlord).items]
    assert len(list(db.session.scalars(select(RegistryRead)))) == 2


def test_pages_of_the_access_page_hold_each_look_once(world: Any, clock: Any) -> None:
    story = make_accepted(world)
    world.registry.reads[story.registration_id] = [Told(clock.now(), "县公安局", f"P-{n}", "核查") for n in range(5)]
    clock.move(timedelta(days=2))
    fetch_reads(world)
    whole = my_access_records(world, account_id=story.tenant, limit=500).items
    seen, before = [], None
    while True:
        page = my_access_records(world, account_id=story.tenant, before=before, limit=2)
        seen += [item.id for item in page.items]
        if page.next is None:
            break
        before = page.next
    assert seen == [item.id for item in whole] and len(seen) > 5


def test_a_record_the_registry_does_not_know_is_not_asked_for_again_at_once(world: Any, clock: Any) -> None:
    story = make_accepted(world)
    world.registry._records.clear()
    clock.move(timedelta(days=2))
    assert fetch_reads(world) == 0
    leg = db.session.get_one(RegistryLeg, (story.registration_id, "TENANT"), populate_existing=True)
    assert leg.reads_asked_at == clock.now()
