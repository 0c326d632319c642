"""A relative declares for a tenant with a lease of their own; the key stays the tenant's (ZJ-7)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from backend.db import db
from backend.domain.refusals import Refused
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.seeding import sample_number
from backend.services import declared_for, tenancies
from backend.services.household_members import MemberView
from backend.services.inbox import list_notices
from backend.services.invitations import accept_invitation
from backend.services.persons import enter_identity
from backend.services.representations import declare_for_relative
from backend.wire.jwk import jwk_of, make_private_key
from tests.services import stories

pytestmark = pytest.mark.usefixtures("core")
SON = sample_number("341822", date(1975, 5, 6))
SON_PHONE = "+8619900009401"


def refused(code: str) -> Any:
    return pytest.raises(Refused, match=f"^{code}$")


def make_son(world: Any, identified: bool = True) -> str:
    account = stories.make_account(world, SON_PHONE)
    enter_identity(world, account_id=account, id_type="111", id_number=SON, name="周大江")
    if identified:
        stories.verify_at_window(world, account)
    return account


def speak(world: Any, account: str, story: stories.Story, **changes: Any) -> MemberView:
    entry: dict[str, Any] = {
        "unit_number": db.session.get_one(Unit, story.unit_id).public_number, "kinship": "parent",
        "representation": "elderly", "name": "周来福", "id_type": "111", "id_number": stories.TENANT_NUMBER,
        "told": True, "move_in_on": world.clock.today(), "hukou_division": "341822", **changes,
    }  # fmt: skip
    return declare_for_relative(world, account_id=account, **entry)


def registration(story: stories.Story) -> Registration:
    db.session.rollback()
    return db.session.get_one(Registration, story.registration_id)


def test_the_declaration_stands_at_once_and_gives_the_relative_no_key(world: Any) -> None:
    story = stories.make_invited(world)
    son = make_son(world)
    made = speak(world, son, story, idempotency_key="for-1")
    assert made == speak(world, son, story, idempotency_key="for-1") == speak(world, son, story)
    row = registration(story)
    assert (row.declared_by, row.representation, row.declared_at) == ("relative", "elderly", world.clock.now())
    assert stories.TENANT_NUMBER not in repr(made) and made.manages == "you"
    assert stories.key_row(story.key_id).holder_account_id is None
    assert tenancies.my_tenancies(world, account_id=son) == ()
    with refused("household.represented"):
        accept_invitation(
            world, account_id=_on_the_invited_phone(world, son), token=story.link_token,
            phone_jwk=jwk_of(make_private_key().public_key()),
        )  # fmt: skip
    for attempt in (declared_for.withdraw_for, _check_out):
        with refused("household.lease"):
            attempt(world, account_id=son, registration_id=story.registration_id)


def _check_out(world: Any, **named: Any) -> None:
    declared_for.check_out_for(world, **named, moved_out_on=world.clock.today(), reason="lease_end")


def _on_the_invited_phone(world: Any, son: str) -> str:
    """The invitation went to a phone with which another relative, known by their own name, has signed in."""
    account = stories.make_account(world, stories.TENANT_PHONE)
    number = sample_number("341822", date(1978, 7, 8))
    enter_identity(world, account_id=account, id_type="111", id_number=number, name="周二江")
    return account


def test_the_tenant_takes_over_with_a_phone_of_their_own(world: Any) -> None:
    story = stories.make_invited(world)
    son = make_son(world)
    speak(world, son, story)
    story.tenant = stories.make_account(world, stories.TENANT_PHONE)
    accept_invitation(
        world, account_id=story.tenant, token=story.link_token, phone_jwk=jwk_of(make_private_key().public_key())
    )
    enter_identity(world, account_id=story.tenant, id_type="111", id_number=stories.TENANT_NUMBER, name="周来福")
    assert stories.key_row(story.key_id).state == "claimed"
    stories.verify_at_window(world, story.tenant)
    assert stories.key_row(story.key_id).state == "active"
    with refused("household.theirs"):
        declared_for.amend_for(
            world, account_id=son, registration_id=story.registration_id, move_in_on=world.clock.today()
        )
    declared_for.object_to_declaration(world, account_id=story.tenant, registration_id=story.registration_id)
    assert stories.key_row(story.key_id).state == "active"


def test_a_tenant_with_an_account_is_told(world: Any) -> None:
    story = stories.make_identified(world)
    stories.verify_at_window(world, story.tenant)
    speak(world, make_son(world), story, representation="ill")
    assert "declared_for_you" in [notice.kind for notice in list_notices(world, account_id=story.tenant)]
    assert stories.key_row(story.key_id).state == "active"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"unit_number": "U-NOWHERE1"}, "household.unit"),
        ({"id_number": sample_number("341822", date(1950, 1, 2))}, "household.unit"),
        ({"kinship": "other"}, "household.kin"),
        ({"representation": "busy"}, "input.not_one_of"),
        ({"told": False}, "household.told"),
    ],
)
def test_a_relative_finds_out_nothing_and_says_why(world: Any, changes: dict[str, Any], code: str) -> None:
    story = stories.make_invited(world)
    with refused(code):
        speak(world, make_son(world), story, **changes)
    assert registration(story).tenant_leg == "invited"


def test_only_an_identified_relative_speaks_and_never_over_a_declaration(world: Any) -> None:
    story = stories.make_invited(world)
    with refused("household.unidentified"):
        speak(world, make_son(world, identified=False), story)
    declared = stories.make_account(world, stories.TENANT_PHONE)
    with refused("person.missing"):
        speak(world, declared, story)
