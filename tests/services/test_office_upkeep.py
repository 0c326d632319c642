"""Upkeep of sharing: what is parked is taken up, an office that ends is somebody's case, old books are closed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db
from backend.domain.refusals import Refused
from backend.domain.reported import BECAME_LOCAL, LEASE_FILED, SETTLED_KEPT, UNMATCHED_KEPT
from backend.domain.sharing import DELIVERIES_KEPT, PARKED_AFTER
from backend.gateways.office_client import Answer
from backend.gateways.world import World
from backend.models.cases import Case
from backend.models.data_keys import DataKey
from backend.services.access_records import my_access_records
from backend.services.change_feed import number_events
from backend.services.housekeeping import HOURLY, keep_house
from backend.services.leases import extend_lease
from backend.services.office_retries import retry_parked
from backend.worker.office_loop import send_once
from tests.services import reporting, sharing, stories

LEASES = ["cn.anju.lease.recorded", "cn.anju.lease.extended"]


def test_a_parked_delivery_is_taken_up_and_has_its_time_again(core: Any, world: World, clock: Any) -> None:
    agreement = sharing.make_agreement(world, sharing.make_supervisors(world), kinds=LEASES)
    stories.make_invited(world)
    number_events(world)
    clock.move(PARKED_AFTER)
    sharing.office(world).answers = [Answer(500, "http_500"), Answer(500, "http_500")]
    send_once(world)
    (parked,) = sharing.deliveries()
    assert parked.outcome == "parked"
    with pytest.raises(Refused) as refused:
        retry_parked(world, agreement_id=agreement.id, event_id=agreement.id)
    assert refused.value.refusal.code == "delivery.not_parked"
    assert retry_parked(world, agreement_id=agreement.id, event_id=parked.event_id) == 1
    assert retry_parked(world, agreement_id=agreement.id) == 0
    send_once(world)
    assert sharing.deliveries()[0].outcome == "open", "another failure does not park it at once"
    clock.move(timedelta(minutes=5))
    sharing.tell(world)
    assert sharing.deliveries()[0].outcome == "delivered"


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_an_office_that_ends_its_subscription_is_a_case_for_the_supervisors(core: Any, world: World) -> None:
    sharing.make_agreement(world, sharing.make_supervisors(world), kinds=LEASES)
    stories.make_invited(world)
    sharing.office(world).answers = [Answer(410, "http_410")]
    sharing.tell(world)
    (case,) = db.session.scalars(select(Case).where(Case.kind == "office_change"))
    assert (case.evidence["why"], case.area, case.person_id) == ("gone", sharing.AREA, None)


def test_old_books_are_closed_and_the_leaves_and_the_last_number_stay(core: Any, world: World, clock: Any) -> None:
    supervisors = sharing.make_supervisors(world)
    sharing.make_agreement(world, supervisors, kinds=LEASES, ends_on="2027-12-31")
    agreement = reporting.make_reporter(world, keys=sharing.jwks())
    story = stories.make_declared(world)
    extend_lease(world, account_id=story.landlord, lease_id=story.lease_id, ends_on=None)
    sharing.tell(world)
    filed = reporting.report(world, agreement, LEASE_FILED, {
        "lease.reference": story.lease_id, "lease.filing_no": "备2026-0001", "lease.filed_on": "2026-11-23",
    })  # fmt: skip
    unknown = {**reporting.LOCAL, "person.hukou_division": "341822"}
    lost = reporting.report(world, agreement, BECAME_LOCAL, unknown, id="unmatched")
    looks = len(my_access_records(world, account_id=story.tenant).items)
    clock.move(UNMATCHED_KEPT + timedelta(seconds=1))
    keep_house(world, HOURLY)
    db.session.rollback()
    assert db.session.get(DataKey, lost.id) is None and db.session.get(DataKey, filed.id) is not None
    assert len(sharing.noted()) == len(sharing.deliveries()) == 2
    clock.move(max(DELIVERIES_KEPT, SETTLED_KEPT))
    keep_house(world, HOURLY)
    assert [event.sequence for event in sharing.noted()] == [2], "the last number stays: cursors hang on it"
    assert reporting.row(filed.id).payload_sealed == b"" and db.session.get(DataKey, filed.id) is None
    assert len(my_access_records(world, account_id=story.tenant).items) == looks
