"""Who lives along, at the real registry: a record and a receipt each, told to the one who declared."""

from __future__ import annotations

import pytest

from backend.db import db
from backend.models.registrations import Registration
from backend.services.declared_for import check_out_for, withdraw_for
from backend.services.inbox import list_notices
from tests.services import stories
from tests.services.test_households import add, add_child
from tests.worker.telling import Telling


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_each_of_a_household_has_a_record_and_a_receipt_of_their_own(telling: Telling) -> None:
    world = telling.world
    story = stories.make_active(world)
    wife, child = add(world, story, representation="ill"), add_child(world, story)
    telling.passes()
    receipts = {telling.receipt(one).number for one in (story.registration_id, wife.registration_id,
                                                       child.registration_id)}  # fmt: skip
    assert len(receipts) == 3
    kinds = [notice.kind for notice in list_notices(world, account_id=story.tenant)]
    assert kinds.count("member_accepted") == 2 and kinds.count("registration_accepted") == 1
    withdraw_for(world, account_id=story.tenant, registration_id=wife.registration_id)
    check_out_for(
        world, account_id=story.tenant, registration_id=child.registration_id, moved_out_on=world.clock.today(),
        reason="left_county",
    )  # fmt: skip
    telling.passes()
    db.session.rollback()
    voided, left = (db.session.get_one(Registration, one.registration_id) for one in (wife, child))
    assert (voided.residence, left.residence) == ("voided", "moved_out")
    assert voided.checkout_receipt_no and left.checkout_receipt_no
    assert "member_check_out_confirmed" in [n.kind for n in list_notices(world, account_id=story.tenant)]
