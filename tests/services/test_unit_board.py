"""A landlord of two hundred units: states, search and pages, in a number of statements that does not grow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from backend.db import db, transaction
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.gateways.world import World
from backend.models.locks import Lock
from backend.models.outbox import OutboxRow
from backend.models.units import Unit
from backend.services.inbox import list_notices
from backend.services.landlord_reminders import Reminded, list_late_tenants, remind_tenants
from backend.services.landlord_views import landlord_home
from backend.services.unit_board import unit_board
from tests.services import stories

pytestmark = pytest.mark.usefixtures("core")


@contextmanager
def counted() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def take_over(landlord: str, dwelling_id: str) -> None:
    """All units of a dwelling are this landlord's, without the claims' ceremony."""
    with transaction() as session:
        person = session.get_one(stories.Account, landlord).person_id
        for unit in session.scalars(select(Unit).where(Unit.dwelling_id == dwelling_id)):
            unit.landlord_id = person


def test_who_lives_without_a_lease_is_counted_in_one_statement_for_all_units(world: World) -> None:
    story = stories.make_let_unit(world)
    dwelling, _ = stories.make_dwelling(world, door=2, units=9)
    take_over(story.landlord, dwelling)
    with counted() as statements:
        home = landlord_home(world, account_id=story.landlord)
    assert len(home.units) > 9 and {card.without_lease for card in home.units} == {0}
    assert len([each for each in statements if "landlord_due_on IS NOT NULL" in each]) == 1


def test_two_hundred_units_take_as_many_statements_as_two(world: World) -> None:
    story = stories.make_active(world)
    with counted() as few:
        unit_board(world, account_id=story.landlord)
    dwelling, rooms = stories.make_dwelling(world, door=2, units=199)
    take_over(story.landlord, dwelling)
    with counted() as many:
        board = unit_board(world, account_id=story.landlord)
    assert len(many) == len(few) <= 8
    assert board.total == 200 and len(board.units) == 20 and board.counts == {"let": 1, "vacant": 199}
    seen, after = [unit.unit_id for unit in board.units], board.next_after
    while after:
        board = unit_board(world, account_id=story.landlord, after=after)
        seen, after = seen + [unit.unit_id for unit in board.units], board.next_after
    assert sorted(seen) == sorted([story.unit_id, *rooms]) and len(seen) == 200


def test_words_and_a_state_narrow_the_board(world: World) -> None:
    story = stories.make_active(world)
    take_over(story.landlord, story.dwelling_id)

    def found(**wishes: Any) -> list[str]:
        return [unit.alias for unit in unit_board(world, account_id=story.landlord, **wishes).units]

    assert found(words="小周") == ["陈塘路1号 101室"], "by the landlord's own name for the lease"
    assert found(words="陈塘路 102") == ["陈塘路1号 102室"]
    assert found(words="周来福") == found(words="nobody") == [], "a tenant's name finds nothing"
    assert found(state="vacant") == ["陈塘路1号 102室"] and found(state="let") == ["陈塘路1号 101室"]
    with transaction() as session:
        session.get_one(Lock, story.identity.lock_id).presence = "offline"
    assert found(state="lock_offline") == ["陈塘路1号 101室"]


@pytest.mark.parametrize("made", ["make_let_unit", "make_invited", "make_claimed", "make_declared", "make_active"])
def test_the_board_and_the_single_pages_say_the_same(world: World, made: str, clock: FixedClock) -> None:
    story = getattr(stories, made)(world)
    for days in (0, 400):
        clock.move(timedelta(days=days))
        board, home = unit_board(world, account_id=story.landlord), landlord_home(world, account_id=story.landlord)
        assert [(unit.unit_id, unit.state, unit.address) for unit in board.units] == [
            (unit.unit_id, unit.state, unit.address) for unit in home.units
        ]
        assert {(todo.kind, todo.lease_id, todo.due_on) for todo in board.todos} == {
            (todo.kind, todo.lease_id, todo.due_on) for todo in home.todos
        }


def test_only_tenants_who_are_late_are_reminded_once_a_day(world: World, clock: FixedClock) -> None:
    story = stories.make_claimed(world)
    assert list_late_tenants(world, account_id=story.landlord) == ()
    clock.move(timedelta(days=5))
    late = list_late_tenants(world, account_id=story.landlord)
    assert [each.lease_id for each in late] == [story.lease_id]
    told = {"account_id": story.landlord, "lease_ids": [story.lease_id]}
    assert remind_tenants(world, **told, idempotency_key="r-1") == Reminded(1, 0, 0)
    assert remind_tenants(world, **told, idempotency_key="r-1") == Reminded(1, 0, 0), "sent twice is once"
    assert remind_tenants(world, **told) == Reminded(0, 1, 0)
    clock.move(timedelta(days=1))
    assert remind_tenants(world, **told) == Reminded(1, 0, 0)
    kinds = [notice.kind for notice in list_notices(world, account_id=story.tenant)]
    assert kinds.count("landlord_reminds") == 2
    assert len(db.session.scalars(select(OutboxRow).where(OutboxRow.kind == "duty")).all()) == 1, "one waits at a time"


def test_who_has_declared_needs_no_reminder_and_another_landlords_tenant_is_not_found(
    world: World, clock: FixedClock
) -> None:
    story = stories.make_declared(world)
    clock.move(timedelta(days=5))
    assert remind_tenants(world, account_id=story.landlord, lease_ids=[story.lease_id]) == Reminded(0, 0, 1)
    other = stories.make_landlord(world, "+8619900009002", stories.sample_number("330522", stories.date(1970, 1, 2)))
    with pytest.raises(Refused, match="not_found"):
        remind_tenants(world, account_id=other, lease_ids=[story.lease_id])
    with pytest.raises(Refused, match="input.missing"):
        remind_tenants(world, account_id=story.landlord, lease_ids=[])


def make_late_beside(world: World, story: stories.Story) -> str:
    """A co-tenant who has accepted and not declared; answers the lease."""
    other = stories.record_lease(
        world, account_id=story.landlord, unit_id=story.unit_id, kind="room", starts_on=world.clock.today(),
        ends_on=None, alias="合租", tenant_name="吴友", tenant_id_type="111", tenant_id_number=stories.CO_TENANT_NUMBER,
        tenant_phone=stories.CO_TENANT_PHONE, joint_with=story.lease_id,
    )  # fmt: skip
    link = stories.invite_tenant(world, account_id=story.landlord, lease_id=other.lease_id).link
    account = stories.make_account(world, stories.CO_TENANT_PHONE)
    jwk = stories.jwk_of(stories.make_private_key().public_key())
    stories.accept_invitation(world, account_id=account, token=link.rsplit("/", 1)[1], phone_jwk=jwk)
    return other.lease_id


def test_who_was_never_or_longest_not_reminded_stands_first(world: World, clock: FixedClock) -> None:
    story = stories.make_claimed(world)
    make_late_beside(world, story)
    clock.move(timedelta(days=5))

    def order() -> list[tuple[str, object]]:
        late = list_late_tenants(world, account_id=story.landlord)
        return [(each.lease_id, each.reminded_on) for each in late]

    first, second = (lease_id for lease_id, _ in order())
    for lease_id in (first, second):
        remind_tenants(world, account_id=story.landlord, lease_ids=[lease_id])
        day = world.clock.today()
        assert order()[-1] == (lease_id, day), "who has just been reminded waits longest for the next one"
        clock.move(timedelta(days=1))
    assert [lease_id for lease_id, _ in order()] == [first, second]
