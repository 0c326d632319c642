"""An end that came while the declaration was set aside: whatever the registry turns out to hold is ended there too."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select, update

from backend.db import db, transaction
from backend.models.accounts import Account
from backend.models.cases import Case
from backend.models.outbox import OutboxRow
from backend.models.registrations import Registration
from backend.models.registry_returns import RegistryLeg
from backend.queries.reconciliations import list_pairs
from backend.registry.tables import legs, records, versions
from backend.services.amendments import amend
from backend.services.audit import Actor
from backend.services.case_effects import apply_decision
from backend.services.erasure_facts import find_waits
from backend.services.inbox import list_notices
from backend.services.registrations import check_out
from backend.services.registry_reconciliation import Compared, reconcile
from backend.services.registry_upkeep import retry_all_parked
from backend.services.voids import request_void
from tests.services import stories
from tests.services.stories import Story
from tests.worker.telling import Telling

OPERATOR = Actor("operator")


def set_aside(telling: Telling) -> Story:
    """A declaration the registry has filed, with a receipt nobody can verify: its row is parked."""
    story = stories.make_active(telling.world, report_now=False)
    telling.stage.switch_on("bad_receipt")
    telling.settle()
    assert held_as(telling, story) == "ACTIVE"
    return story


def take_up(telling: Telling) -> None:
    """The registry is well again, and the operator takes the parked rows up."""
    telling.stage.registry.faults.switch_off("bad_receipt")
    assert retry_all_parked(telling.world, actor=OPERATOR) == 1
    telling.settle()


def held_as(telling: Telling, story: Story) -> str | None:
    """The state of the record there."""
    with telling.stage.registry.database.reading() as connection:
        return connection.scalar(select(records.c.state).where(records.c.id == story.registration_id))


def leave(telling: Telling, story: Story) -> None:
    today = telling.clock.today()
    check_out(telling.world, account_id=story.tenant, registration_id=story.registration_id, moved_out_on=today,
              reason="left_county")  # fmt: skip


def void(telling: Telling, story: Story) -> None:
    """Asked for by the tenant and decided by a person."""
    request_void(telling.world, account_id=story.tenant, registration_id=story.registration_id, reason="duplicate")
    with transaction() as session:
        case = session.scalars(select(Case).where(Case.kind == "void_request")).one()
        case.decision, case.decision_reason = "voided", "papers_seen"
        assert apply_decision(telling.world, session, case, Actor("officer"), method=None, moved_out_on=None) is None


def become_local(telling: Telling, story: Story) -> None:
    amend(telling.world, account_id=story.tenant, registration_id=story.registration_id,
          move_in_on=telling.clock.today(), hukou_division="330522")  # fmt: skip


def kinds(telling: Telling, story: Story) -> list[str]:
    return [notice.kind for notice in list_notices(telling.world, account_id=story.tenant)]


def compare(telling: Telling) -> Compared:
    telling.move(seconds=1)
    ((day, town),) = list_pairs()
    return reconcile(telling.world, day=day, town=town, actor=OPERATOR)


def test_who_moved_out_while_the_declaration_was_set_aside_is_checked_out_once_it_is_accepted(telling: Telling) -> None:
    story = set_aside(telling)
    leave(telling, story)
    telling.settle()
    assert held_as(telling, story) == "ACTIVE", "no receipt yet by which it could be ended"
    take_up(telling)
    stored = telling.stored(story.registration_id)
    assert stored.state == "accepted" and stored.checkout_receipt_no is not None
    assert held_as(telling, story) == "MOVED_OUT"
    leg = db.session.scalars(select(RegistryLeg)).one()
    assert leg.state == "MOVED_OUT"
    assert "check_out_confirmed" in kinds(telling, story)
    assert compare(telling).outcome == "equal"
    with transaction() as session:
        waits = find_waits(telling.world, session, session.get_one(Account, story.tenant))
    assert "check_out" not in [wait.what for wait in waits], "the data can be deleted in the end"


def test_a_declaration_voided_while_it_was_set_aside_is_voided_there_and_not_sent_again(telling: Telling) -> None:
    story = set_aside(telling)
    void(telling, story)
    telling.settle()
    submitted = telling.client.calls.count("submit")
    take_up(telling)
    assert held_as(telling, story) == "VOIDED"
    assert telling.client.calls.count("submit") == submitted + 1, "the void alone left"
    assert [leg.state for leg in db.session.scalars(select(RegistryLeg))] == ["VOIDED"]
    assert "registration_accepted" not in kinds(telling, story)


def test_who_became_local_while_the_declaration_was_set_aside_is_checked_out_and_lives_on(telling: Telling) -> None:
    story = set_aside(telling)
    become_local(telling, story)
    telling.settle()
    submitted = telling.client.calls.count("submit")
    take_up(telling)
    assert held_as(telling, story) == "MOVED_OUT"
    assert telling.client.calls.count("submit") == submitted + 1, "nothing of a local was sent again (ZJ-2)"
    registration = db.session.get_one(Registration, story.registration_id)
    assert (registration.residence, registration.scope) == ("living", "out_of_scope")
    assert "registration_accepted" not in kinds(telling, story)


def test_what_the_registry_does_not_hold_is_not_sent_once_it_is_void(telling: Telling) -> None:
    story = set_aside(telling)
    with telling.stage.registry.database.writing() as connection:
        for table in (legs, versions, records):
            connection.execute(delete(table))
    void(telling, story)
    telling.settle()
    submitted = telling.client.calls.count("submit")
    take_up(telling)
    assert (telling.client.calls.count("submit"), held_as(telling, story)) == (submitted, None)
    assert telling.open_rows() == []
    assert telling.attempts(story.registration_id)[-1].reason == "voided"


def test_a_question_about_what_cannot_be_sent_any_more_waits_for_the_registry(telling: Telling) -> None:
    story = set_aside(telling)
    void(telling, story)
    telling.settle()
    telling.stage.registry.faults.switch_off("bad_receipt")
    telling.stage.switch_on("http_502", times=2)
    assert retry_all_parked(telling.world, actor=OPERATOR) == 1
    telling.passes()
    assert held_as(telling, story) == "ACTIVE" and len(telling.open_rows()) == 1
    telling.settle()
    assert held_as(telling, story) == "VOIDED"


def test_an_end_that_waits_already_is_not_put_a_second_time(telling: Telling) -> None:
    story = set_aside(telling)
    leave(telling, story)
    telling.stage.registry.faults.switch_off("bad_receipt")
    retry_all_parked(telling.world, actor=OPERATOR)
    telling.settle()
    rows = db.session.scalars(select(OutboxRow.kind).where(OutboxRow.destination == "registry")).all()
    assert sorted(rows) == ["CHECKOUT", "UPSERT"]
    assert held_as(telling, story) == "MOVED_OUT"


def test_the_landlords_leg_alone_is_ended_too(telling: Telling) -> None:
    """The tenant's own was returned and never mended; the landlord's was set aside until they had left."""
    telling.stage.http.put("/_sim/people", json={"id_number": stories.TENANT_NUMBER, "name": "另有其人"})
    story = stories.make_active(telling.world, tenant_name="另有其人")
    with transaction() as session:
        landlords = OutboxRow.payload["leg"].as_string() == "LANDLORD"
        session.execute(update(OutboxRow).where(landlords).values(parked_at=telling.clock.now()))
    telling.settle()
    leave(telling, story)
    telling.settle()
    assert held_as(telling, story) is None
    take_up(telling)
    assert held_as(telling, story) == "MOVED_OUT"


@pytest.mark.parametrize("lost", ["moved out", "voided"])
def test_a_comparison_names_an_end_that_was_never_told_and_tells_it(telling: Telling, lost: str) -> None:
    story = stories.make_active(telling.world)
    telling.passes()
    assert compare(telling).outcome == "equal"
    (leave if lost == "moved out" else void)(telling, story)
    with transaction() as session:
        session.execute(update(OutboxRow).where(OutboxRow.done_at.is_(None)).values(done_at=telling.clock.now()))
    telling.move(hours=1)
    found = compare(telling)
    op, state = ("CHECKOUT", "MOVED_OUT") if lost == "moved out" else ("VOID", "VOIDED")
    assert (found.outcome, found.mended) == ("differs", 2)
    assert {(entry["kind"], tuple(entry["sent"])) for entry in found.details} == {("end_untold", (op,))}
    assert len(telling.open_rows()) == 1
    assert compare(telling).outcome == "equal", "it is on its way"
    telling.settle()
    assert held_as(telling, story) == state
    assert compare(telling).outcome == "equal" and telling.open_rows() == []


def test_an_end_on_its_way_is_not_named(telling: Telling) -> None:
    story = stories.make_active(telling.world)
    telling.passes()
    leave(telling, story)
    assert compare(telling).outcome == "equal"
    assert [row.kind for row in telling.open_rows()] == ["CHECKOUT"]
