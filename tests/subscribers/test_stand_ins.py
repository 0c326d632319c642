"""The stand-in offices: strict receivers, and one change that reaches every reader once and is seen by the person."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from backend.db import db, transaction
from backend.gateways.fake_registry import FakeRegistryClient
from backend.gateways.office_client import Answer
from backend.gateways.world import World
from backend.models.dwellings import Dwelling
from backend.models.leases import Lease
from backend.models.sharing import DataSharingAgreement
from backend.services.access_records import my_access_records
from backend.services.amendments import amend
from backend.services.change_feed import number_events
from backend.services.leases import extend_lease
from backend.services.office_sending import LEASE, claim_shipments
from backend.services.reported_answers import list_reported
from backend.wire.office_calls import SIGNATURE_HEADER, SUBSCRIBER_HEADER, TIME_HEADER, signing_input
from backend.wire.registry_messages import write_time
from backend.worker.office_loop import send_once
from backend.worker.registry_loop import process_once
from tests.services import sharing, stories
from tests.subscribers.stand_ins import StandIns, stand_ins

HOUSING, PRECINCT = "housing-authority", "precinct-module"


@pytest.fixture
def offices(core: Any, settings: Any, world: World, tmp_path: Path) -> Iterator[StandIns]:
    """They, with their agreements in force."""
    with stand_ins(settings, world, tmp_path) as made:
        yield made


def test_one_change_reaches_both_offices_and_the_registry_and_the_filing_comes_back(offices: StandIns) -> None:
    world = offices.world
    story = stories.make_declared(world)
    _tell(offices)
    process_once(world)
    assert isinstance(world.registry, FakeRegistryClient)
    assert [row["type"] for row in offices.store.events(HOUSING)] == ["cn.anju.lease.recorded"]
    assert [row["type"] for row in offices.store.events(PRECINCT)][-1] == "cn.anju.registration.declared"
    looks = my_access_records(world, account_id=story.tenant).items
    assert {(look.actor, look.office) for look in looks} >= {
        ("office", "长兴县住房和城乡建设局"), ("office", "太湖派出所模块"),
    }  # fmt: skip
    assert any(look.actor == "registry" or look.action == "registry_sent" for look in looks)

    assert offices.reporter.send_waiting() == 1
    db.session.rollback()
    filing_no = db.session.get_one(Lease, story.lease_id).filing_no
    assert filing_no is not None and filing_no.startswith("备2026-")
    (report,) = offices.store.reports(office=HOUSING)
    assert report.state == "counted"
    assert "office_reported" in {look.action for look in my_access_records(world, account_id=story.tenant).items}


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_only_what_the_platform_signed_for_this_office_now_is_taken(offices: StandIns) -> None:
    world, client = offices.world, offices.app.test_client()
    body = b"{}"

    def send(to: str = HOUSING, subscriber: str = HOUSING, late: int = 0, key: Any = None, **more: str) -> int:
        at = world.clock.now() - timedelta(seconds=late)
        signed = signing_input(subscriber, "POST", f"/hooks/{to}", at, body)
        headers = {
            SUBSCRIBER_HEADER: subscriber, TIME_HEADER: write_time(at), "Content-Type": "application/cloudevents+json",
            SIGNATURE_HEADER: (key or world.tokens).sign_body(signed), **more,
        }  # fmt: skip
        return client.post(f"/hooks/{to}", data=body, headers=headers).status_code

    assert send() == 422, "well signed, no event"
    assert send(**{"Content-Type": "application/json"}) == 415
    assert send(to=PRECINCT) == send(late=301) == send(**{SIGNATURE_HEADER: "x.y.z"}) == 401
    assert send(to="address-office") == send(to="nobody") == 404
    assert client.post(f"/hooks/{HOUSING}", data=body).status_code == 401
    assert offices.store.events(HOUSING) == []


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_the_page_masks_what_they_hold_and_reports_from_its_own_forms_only(offices: StandIns) -> None:
    world, client = offices.world, offices.app.test_client()
    story = stories.make_active(world)
    with transaction() as session:
        session.execute(update(Dwelling).values(address_code="A-0001"))
    _tell(offices)
    for language in ("zh", "en"):
        html = client.get(f"/?lang={language}").get_data(as_text=True)
        assert stories.TENANT_NUMBER not in html and stories.LANDLORD_NUMBER not in html
        assert "周来福" not in html and "周**" in html
    said = {
        "person.id_type": "111", "person.id_number": stories.TENANT_NUMBER, "person.hukou_division": "330522",
        "person.since_on": "2026-11-20",
    }  # fmt: skip
    assert client.post("/reports/became_local", data=said).status_code == 403
    own = {"Origin": "http://localhost"}
    assert client.post("/reports/became_local", data=said, headers=own).status_code == 303
    assert "done=known" in client.post("/reports/became_local", data=said, headers=own).headers["Location"]
    house = {
        "address.code": "A-0001", "address.division": "330522003900", "address.road": "新路", "address.door_no": "2号",
    }  # fmt: skip
    client.post("/reports/renumbered", data=house, headers=own)
    while offices.reporter.send_waiting():
        pass
    client.post("/refresh", headers=own)
    waiting = list_reported(world, account_id=story.tenant, waiting=True)
    assert [one.kind for one in waiting] == ["cn.anju.person.became-local"]
    assert [one.kind for one in list_reported(world, account_id=story.landlord, waiting=True)] == [
        "cn.anju.address.renumbered"
    ]
    html = client.get("/?lang=en").get_data(as_text=True)
    assert "delivered, waits for those it concerns" in html and "in force" in html


@pytest.mark.parametrize("seed", [1, 2])
def test_under_random_faults_each_office_holds_each_event_once_and_in_order(
    offices: StandIns, clock: Any, seed: int
) -> None:
    world, chance = offices.world, random.Random(seed)
    story = stories.make_active(world)
    kills, moved_in = 0, world.clock.today()
    for step in range(14):
        if step % 2:
            ends_on = world.clock.today() + timedelta(days=400 + step)
            extend_lease(world, account_id=story.landlord, lease_id=story.lease_id, ends_on=ends_on)
        else:
            amend(
                world, account_id=story.tenant, registration_id=story.registration_id, move_in_on=moved_in,
                planned_end_on=world.clock.today() + timedelta(days=200 + step),
            )  # fmt: skip
        for name in chance.sample(["down", "slow", "http_500", "busy", "clock", "lost_answer"], 2):
            offices.faults.switch_on(name, {"times": chance.randint(1, 2)})
        number_events(world)
        for _ in range(chance.randint(1, 3)):
            if chance.random() < 0.4:
                kills += _kill_after(offices, chance.choice(["claimed", "delivered"]))
            else:
                send_once(world)
        clock.move(timedelta(seconds=chance.choice([1, 30, 120])))
    offices.faults.switch_off()
    for _ in range(40):
        clock.move(timedelta(minutes=61))
        _tell(offices)
    for office in (HOUSING, PRECINCT):
        held = offices.store.events(office)
        feed = _feed(office)
        assert sorted(row["id"] for row in held) == sorted(event.id for event in feed), "each exactly once"
        for subject in {row["subject"] for row in held}:
            kind, _, object_id = subject.partition("/")
            came = [row["id"] for row in held if row["subject"] == subject]
            assert came == [event.id for event in feed if event.object_id == object_id], "in order per subject"
    assert kills and {row.outcome for row in sharing.deliveries()} == {"delivered"}
    assert any(row.attempts > 1 for row in sharing.deliveries()), "no fault has shown: this test proves nothing"
    for _ in range(3):
        offices.reporter.send_waiting()
    (report,) = offices.store.reports(office=HOUSING)
    assert report.state == "counted", "one lease is filed once, however often it was heard of"


def _tell(offices: StandIns) -> None:
    number_events(offices.world)
    while send_once(offices.world):
        pass


def _kill_after(offices: StandIns, where: str) -> int:
    """A worker that ends between its steps: it has claimed, and perhaps delivered, and notes nothing."""
    world = offices.world
    taken = claim_shipments(world)
    for shipment in taken.shipments if where == "delivered" else ():
        content_type, body = shipment.encode()
        answer = world.offices.deliver(shipment.subscriber, shipment.url, content_type, body, shipment.attempt)
        assert isinstance(answer, Answer)
    if taken.shipments:
        world.clock.move(LEASE + timedelta(seconds=1))  # type: ignore[attr-defined]
    return len(taken.shipments)


def _feed(office: str) -> list[Any]:
    agreement = db.session.scalars(select(DataSharingAgreement).where(DataSharingAgreement.subscriber == office)).one()
    return sorted((e for e in sharing.noted() if e.kind in agreement.kinds), key=lambda event: event.sequence or 0)
