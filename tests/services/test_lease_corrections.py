"""What was mistyped in a lease is mended: the tenant's phone, name and document, and the day it starts."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from backend.db import db
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.gateways.world import World
from backend.models.leases import Lease
from backend.seeding import sample_number
from backend.services import vault
from backend.services.identity_reviews import attest
from backend.services.inbox import list_notices
from backend.services.invitations import accept_invitation, invite_tenant
from backend.services.landlord_views import get_lease
from backend.services.lease_corrections import MOST_CORRECTIONS, correct_named, move_start
from backend.services.registrations import check_out
from tests.services import stories
from tests.services.stories import CO_TENANT_NUMBER, TENANT_NUMBER, TENANT_PHONE
from tests.services.test_journey_of_a_tenancy import refused

pytestmark = pytest.mark.usefixtures("core")
WRONG_PHONE = "+8619900009999"


def correct(world: World, story: stories.Story, number: str = TENANT_NUMBER, name: str = "周来福") -> None:
    correct_named(world, account_id=story.landlord, lease_id=story.lease_id, tenant_name=name, tenant_id_type="111",
                  tenant_id_number=number)  # fmt: skip


def written(world: World, story: stories.Story) -> tuple[str, str, str]:
    """Name, number and phone as the lease holds them."""
    db.session.rollback()
    lease = db.session.get_one(Lease, story.lease_id)

    def opened(column: str) -> str:
        sealed = getattr(lease, f"named_{column}_sealed")
        return vault.unseal(world, db.session, lease.id, f"leases.named_{column}", lease.id, sealed)

    return opened("name"), opened("id_number"), opened("phone")


def kinds(world: World, account: str) -> list[str]:
    return [notice.kind for notice in list_notices(world, account_id=account)]


def move(world: World, story: Any, days: int) -> None:
    starts_on = world.clock.today() + timedelta(days=days)
    move_start(world, account_id=story.landlord, lease_id=story.lease_id, starts_on=starts_on)


def test_a_mistyped_phone_is_mended_by_inviting_another_and_the_lease_keeps_it(world: World) -> None:
    story = stories.make_invited(world, tenant_phone=WRONG_PHONE)
    account = stories.make_account(world, TENANT_PHONE)
    jwk = stories.jwk_of(stories.make_private_key().public_key())
    with refused("invitation.other_phone"):
        accept_invitation(world, account_id=account, token=story.link_token, phone_jwk=jwk)
    link = invite_tenant(world, account_id=story.landlord, lease_id=story.lease_id, phone=TENANT_PHONE).link
    assert written(world, story)[2] == TENANT_PHONE, "whoever holds the wrong number is no party to the lease any more"
    accept_invitation(world, account_id=account, token=link.rsplit("/", 1)[1], phone_jwk=jwk)
    with refused("invitation.not_open"):
        invite_tenant(world, account_id=story.landlord, lease_id=story.lease_id, phone=WRONG_PHONE)


def test_a_mistyped_document_is_corrected_after_the_tenant_accepted_who_is_told_and_then_attested(world: World) -> None:
    story = stories.make_identified(world, tenant_id_number=CO_TENANT_NUMBER)
    with refused("attestation.ending"):
        attest(world, account_id=story.landlord, lease_id=story.lease_id, met_in_person=True, saw_document=True,
               number_ends=TENANT_NUMBER[-4:])  # fmt: skip
    correct(world, story)
    assert written(world, story)[:2] == ("周来福", TENANT_NUMBER)
    assert kinds(world, story.tenant).count("lease_named_corrected") == 1
    found = get_lease(world, account_id=story.landlord, lease_id=story.lease_id)
    assert found.progress.difference is None and found.can_correct
    done = attest(world, account_id=story.landlord, lease_id=story.lease_id, met_in_person=True, saw_document=True,
                  number_ends=TENANT_NUMBER[-4:])  # fmt: skip
    assert done.state == "attested"


def test_the_same_correction_again_changes_nothing_and_few_are_made(world: World) -> None:
    story = stories.make_invited(world, tenant_id_number=CO_TENANT_NUMBER)
    numbers = [sample_number("341822", date(1980, 1, day)) for day in range(1, MOST_CORRECTIONS + 1)]
    for number in numbers:
        correct(world, story, number)
        correct(world, story, number)
    with refused("lease.corrected_often"):
        correct(world, story)
    assert written(world, story)[1] == numbers[-1]


def test_a_report_that_has_gone_is_not_rewritten(world: World) -> None:
    story = stories.make_declared(world, tenant_id_number=CO_TENANT_NUMBER)
    assert not get_lease(world, account_id=story.landlord, lease_id=story.lease_id).can_correct
    with refused("lease.reported"):
        correct(world, story)


def test_a_correction_does_not_name_oneself_and_each_fault_is_said(world: World) -> None:
    story = stories.make_invited(world)
    with refused("lease.own"):
        correct(world, story, stories.LANDLORD_NUMBER)
    with pytest.raises(Refused) as caught:
        correct(world, story, "1", name="<b>")
    fields = {refusal.field for refusal in caught.value.refusals}
    assert fields == {"tenant_name", "tenant_id_number"}
    with refused("not_found"):
        correct_named(world, account_id=stories.make_account(world, WRONG_PHONE), lease_id=story.lease_id,
                      tenant_name="周来福", tenant_id_type="111", tenant_id_number=TENANT_NUMBER)  # fmt: skip


def test_before_anybody_accepted_a_start_moves_either_way_and_key_and_deadlines_follow(world: World) -> None:
    story = stories.make_invited(world, report_now=False)
    before = get_lease(world, account_id=story.landlord, lease_id=story.lease_id)
    move(world, story, 20)
    found = get_lease(world, account_id=story.landlord, lease_id=story.lease_id)
    assert found.key is not None and before.landlord_due_on is not None and found.landlord_due_on is not None
    day = world.clock.today() + timedelta(days=20)
    assert (found.starts_on, found.key.starts_on) == (day, day)
    assert found.landlord_due_on > before.landlord_due_on
    move(world, story, 0)
    again = get_lease(world, account_id=story.landlord, lease_id=story.lease_id)
    assert again.landlord_due_on == before.landlord_due_on


def test_once_accepted_a_start_is_only_moved_earlier_and_the_tenant_is_told(world: World, clock: FixedClock) -> None:
    begins = world.clock.today() + timedelta(days=10)
    story = stories.make_active(world, starts_on=begins)
    with refused("lease.start_later"):
        move(world, story, 11)
    assert stories.key_row(story.key_id).starts_on == begins
    for _ in range(2):
        move(world, story, 0)
    key = stories.key_row(story.key_id)
    assert (key.starts_on, key.state) == (world.clock.today(), "active")
    assert kinds(world, story.tenant).count("lease_start_moved") == 1
    assert not get_lease(world, account_id=story.landlord, lease_id=story.lease_id).can_move_start


def test_a_start_moves_over_no_other_lease_until_that_one_is_over(world: World) -> None:
    story = stories.make_active(world)
    ends_on = world.clock.today() + timedelta(days=365)
    made = stories.record_lease(
        world, account_id=story.landlord, unit_id=story.unit_id, kind="room", starts_on=ends_on + timedelta(days=1),
        ends_on=None, alias="下一位", tenant_name="吴友", tenant_id_type="111", tenant_id_number=CO_TENANT_NUMBER,
        tenant_phone=stories.CO_TENANT_PHONE,
    )  # fmt: skip
    next_one = stories.Story(story.landlord, story.unit_id, story.dwelling_id, story.identity, made.lease_id)
    with refused("lease.overlap"):
        move(world, next_one, 30)
    check_out(world, account_id=story.tenant, registration_id=story.registration_id,
              moved_out_on=world.clock.today(), reason="lease_end")  # fmt: skip
    move(world, next_one, 0)
    found = get_lease(world, account_id=story.landlord, lease_id=made.lease_id)
    assert found.starts_on == world.clock.today()
    with refused("transition"):
        move(world, story, -1)


def test_the_start_of_a_joint_tenancy_is_everyones(world: World) -> None:
    begins = world.clock.today() + timedelta(days=10)
    story = stories.make_invited(world, starts_on=begins)
    other = stories.record_lease(
        world, account_id=story.landlord, unit_id=story.unit_id, kind="room", starts_on=begins, ends_on=None,
        alias="合租", tenant_name="吴友", tenant_id_type="111", tenant_id_number=CO_TENANT_NUMBER,
        tenant_phone=stories.CO_TENANT_PHONE, joint_with=story.lease_id,
    )  # fmt: skip
    move(world, story, 3)
    for lease_id in (story.lease_id, other.lease_id):
        found = get_lease(world, account_id=story.landlord, lease_id=lease_id)
        assert found.starts_on == world.clock.today() + timedelta(days=3)
