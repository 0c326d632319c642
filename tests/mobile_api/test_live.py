"""Pages that follow what happens: 304 costs two statements, moves with what is shown and with nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from backend.db import transaction
from backend.domain.ids import new_id
from backend.models.accounts import Session
from backend.models.commands import Command
from backend.models.lock_events import LockEvent
from backend.models.locks import Lock
from backend.queries.live_marks import PAGES, mark_page
from backend.services import invitations, leases, registrations
from backend.services.audit import Actor, write_leaf
from backend.services.keys import suspend_key
from tests.mobile_api.page_phones import ORIGIN, PagePhone
from tests.services import letting, stories
from tests.services.stories import LANDLORD_PHONE, TENANT_NUMBER, TENANT_PHONE, Story
from tests.services.test_unit_board import counted, take_over

Browser, Make = Callable[..., PagePhone], Callable[..., Any]
LIVE_PAGES = {
    "home": "/t/homes/{home}",
    "board": "/l/",
    "unit": "/l/units/{unit}",
    "lease": "/l/leases/{lease}",
    "messages": "/me/messages",
}


def address(page: str, story: Story) -> str:
    named = {"home": story.registration_id, "unit": story.unit_id, "lease": story.lease_id}
    return LIVE_PAGES[page].format(**named)


def ask(phone: PagePhone, path: str, mark: str = "") -> Any:
    """What live.js asks."""
    asked = {"X-Anju-Live": "1", "If-None-Match": mark}
    return phone.client.get(path, base_url=ORIGIN, headers=asked)


@pytest.mark.parametrize("page", ["home", "unit", "lease", "board", "messages"])
def test_an_unchanged_page_is_304_by_two_statements_however_much_there_is(
    page: str, browser: Browser, make: Make, mobile: Flask
) -> None:
    story = make(stories.make_active)
    phone = browser(TENANT_PHONE if page == "home" else LANDLORD_PHONE)
    counts = []
    for units_more in (0, 60):
        if units_more:
            dwelling, _ = make(stories.make_dwelling, 2, units_more)
            make(lambda _world, dwelling=dwelling: take_over(story.landlord, dwelling))
        first = ask(phone, address(page, story))
        assert first.status_code == 200 and first.headers["Cache-Control"] == "no-store"
        with mobile.app_context(), counted() as statements:
            again = ask(phone, address(page, story), first.headers["ETag"])
        assert (again.status_code, again.data) == (304, b"")
        counts.append(len([text for text in statements if not text.startswith(("BEGIN", "ROLLBACK"))]))
    assert counts == [2, 2], "who is asking, and whether anything has moved"


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(browser: Browser, make: Make, clock: Any) -> None:
    story = make(stories.make_active)
    phone = browser(TENANT_PHONE)

    def ends(_world: Any) -> Any:
        with transaction() as session:
            return session.query(Session.expires_at).order_by(Session.created_at.desc()).first()[0]

    before = make(ends)
    clock.move(timedelta(hours=2))
    assert ask(phone, address("home", story)).status_code == 200
    assert make(ends) == before, "nobody was there"
    phone.get(address("home", story))
    assert make(ends) == before + timedelta(hours=2), "now somebody is"
    clock.move(timedelta(days=15))
    assert ask(phone, address("home", story)).status_code == 401


def declare_all(world: Any, story: Story) -> None:
    stories.read_notice(world, story.tenant)
    stories.enter_identity(world, account_id=story.tenant, id_type="111", id_number=TENANT_NUMBER, name="周来福")
    registrations.declare(world, account_id=story.tenant, registration_id=story.registration_id,
                          move_in_on=world.clock.today(), hukou_division="341822")  # fmt: skip


def change_lock(world: Any, story: Story, **values: Any) -> None:
    with transaction() as session:
        lock = session.get_one(Lock, story.identity.lock_id)
        for name, value in values.items():
            setattr(lock, name, value)


def accept(world: Any, story: Story) -> None:
    story.tenant = stories.make_account(world, TENANT_PHONE)
    jwk = stories.jwk_of(stories.make_private_key().public_key())
    invitations.accept_invitation(world, account_id=story.tenant, token=story.link_token, phone_jwk=jwk)


MOVES: dict[str, tuple[Callable[..., Any], set[str]]] = {
    "accepted": (accept, {"lease", "board", "homes"}),
    "declared": (declare_all, {"lease", "home", "homes", "board"}),
    "verified": (lambda world, story: stories.verify_at_window(world, story.tenant), {"lease", "home"}),
    "offline": (lambda world, story: change_lock(world, story, presence="offline"), {"home", "unit", "board", "lease"}),
    "right seen": (lambda world, story: letting.make_seen(world, story.unit_id), {"home", "unit"}),
    "suspended": (lambda world, story: suspend_key(world, account_id=story.tenant, key_id=story.key_id),
                  {"home", "lease", "board", "homes"}),
    "extended": (
        lambda world, story: leases.extend_lease(
            world, account_id=story.landlord, lease_id=story.lease_id,
            ends_on=world.clock.today() + timedelta(days=500)),
        {"home", "lease", "unit", "board", "homes"}),
    "left": (
        lambda world, story: registrations.check_out(
            world, account_id=story.tenant, registration_id=story.registration_id, moved_out_on=world.clock.today(),
            reason="lease_end"),
        {"home", "lease", "unit", "board", "homes"}),
}  # fmt: skip


def marks(world: Any, story: Story) -> dict[str, str]:
    owners = {"home": (story.tenant, story.registration_id), "homes": (story.tenant, ""),
              "lease": (story.landlord, story.lease_id), "unit": (story.landlord, story.unit_id),
              "board": (story.landlord, "")}  # fmt: skip
    return {page: mark_page(page, *owner, world.clock.now()) for page, owner in owners.items()}


def test_each_event_moves_the_marks_of_the_pages_that_show_it(make: Make) -> None:
    story = make(stories.make_invited)
    story.tenant = make(stories.make_account, TENANT_PHONE)
    for name, (act, shown_on) in MOVES.items():
        before = make(marks, story)
        assert before == make(marks, story)
        make(act, story)
        after = make(marks, story)
        still = {page for page in shown_on if before[page] == after[page]}
        assert not still, f"{name} is not seen on {still}"


def open_door(world: Any, story: Story) -> None:
    """The tenant opens the door, by the network and at the lock."""
    now = world.clock.now()
    with transaction() as session:
        session.add(Command(id=new_id(), lock_id=story.identity.lock_id, key_id=story.key_id, account_id=story.tenant,
                            idempotency_key="once", action="unlock", state="executed", counter=7, created_at=now,
                            expires_at=now, answered_at=now))  # fmt: skip
        for seq, kind in enumerate(("lock.unlocked", "door.opened", "door.closed"), start=1):
            session.add(LockEvent(lock_id=story.identity.lock_id, seq=seq, kind=kind, at=now, received_at=now,
                                  text="{}", hash=b"h" * 32, key_id=story.key_id))  # fmt: skip
        lock = session.get_one(Lock, story.identity.lock_id)
        lock.last_seen_at, lock.stored_seq, lock.command_counter, lock.stored_head = now, 3, 7, b"h" * 32


def test_comings_and_goings_move_the_tenants_page_alone(make: Make) -> None:
    story = make(stories.make_active)
    before = make(marks, story)
    make(open_door, story)
    after = make(marks, story)
    assert {page for page in before if before[page] != after[page]} == {"home"}


def test_a_mark_is_ones_own_and_is_looked_at_anyway_once_a_minute(make: Make, world: Any, clock: Any) -> None:
    story = make(stories.make_active)
    own = make(lambda _: mark_page("lease", story.landlord, story.lease_id, clock.now()))
    assert own != make(lambda _: mark_page("lease", story.tenant, story.lease_id, clock.now()))
    clock.move(timedelta(minutes=1))
    assert own != make(lambda _: mark_page("lease", story.landlord, story.lease_id, clock.now()))


@pytest.mark.parametrize("page", sorted(PAGES))
def test_every_mark_is_one_statement(page: str, make: Make, world: Any, mobile: Flask) -> None:
    story = make(stories.make_active)
    with mobile.app_context(), counted() as statements:
        mark_page(page, story.landlord, story.lease_id, world.clock.now())
    assert len([text for text in statements if text.startswith("SELECT")]) == 1


def test_a_look_at_a_child_moves_the_guardians_page_of_looks_and_one_at_a_grown_child_does_not(
    browser: Browser, make: Make, clock: Any
) -> None:
    story = make(stories.make_active)
    child_id = make(stories.make_child, story.tenant)
    phone = browser(TENANT_PHONE)

    def mark() -> str:
        return ask(phone, "/me/access").headers["ETag"]

    def look(world: Any) -> None:
        with transaction() as session:
            write_leaf(world, session, Actor("officer"), "person_opened", subject_id=child_id)

    first = mark()
    assert mark() == first
    make(look)
    second = mark()
    assert second != first
    clock.move(timedelta(days=7 * 366))
    phone = browser(TENANT_PHONE)
    third = mark()
    make(look)
    assert mark() == third
