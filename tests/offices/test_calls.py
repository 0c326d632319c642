"""The offices' door: signed calls only, the feed with its cursor, and every fetch on the person's page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from backend.db import db
from backend.domain.reported import LEASE_FILED
from backend.domain.sharing import OUT_KINDS
from backend.gateways.world import World
from backend.offices.app import create_offices_app
from backend.services.access_records import my_access_records
from backend.services.agreements import end_agreement
from backend.services.change_feed import number_events
from backend.services.leases import extend_lease
from backend.web import check_policy, load_policy
from backend.wire.cloud_events import CONTENT_TYPE, read_event
from backend.wire.office_calls import SIGNATURE_HEADER, SUBSCRIBER_HEADER, TIME_HEADER, signing_input
from backend.wire.registry_messages import write_time
from backend.wire.tokens import sign_detached
from tests.services import reporting, sharing, stories

LEASES = [kind for kind in OUT_KINDS if ".lease." in kind]
Call = Callable[..., TestResponse]


@pytest.fixture
def door(core: Any, settings: Any, world: World) -> Iterator[Flask]:
    """The app, over the test's database."""
    app = create_offices_app(settings, world)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def call(door: Flask, world: World) -> Call:
    """GET a target as the housing authority; what is given instead replaces what would be right."""

    def get(target: str, *, signed: str | None = None, key: Any = None, **headers: str) -> TestResponse:
        at = world.clock.now()
        made = {
            SUBSCRIBER_HEADER: "housing-authority",
            TIME_HEADER: write_time(at),
            SIGNATURE_HEADER: sign_detached(
                signing_input("housing-authority", "GET", signed or target, at, b""),
                key or sharing.OFFICE_KEY,
                sharing.OFFICE_KID,
            ),
        }
        return door.test_client().get(target, headers={**made, **headers})

    return get


def test_an_office_fetches_what_is_agreed_and_goes_on_from_the_cursor(core: Any, world: World, call: Call) -> None:
    fields = ["lease.kind", "lease.ends_on", "tenant.name"]
    supervisors = sharing.make_supervisors(world)
    agreement = sharing.make_agreement(
        world, supervisors, kinds=LEASES, fields=fields, delivery="pull", webhook_url=None
    )
    story = stories.make_declared(world)
    extend_lease(world, account_id=story.landlord, lease_id=story.lease_id, ends_on=None)
    assert call("/v1/changes").get_json() == {"events": [], "next": "0", "more": False}, "not numbered yet"
    number_events(world)

    first = call("/v1/changes?cursor=0&limit=1").get_json()
    assert first["more"] is True
    event = read_event(first["events"][0])
    assert (event.type, event.agreement) == ("cn.anju.lease.recorded", agreement.id)
    assert set(event.data) == {"lease.kind", "tenant.name"}, "an open end has no field; the lease is read as it is now"
    second = call(f"/v1/changes?cursor={first['next']}&limit=500").get_json()
    assert [item["type"] for item in second["events"]] == ["cn.anju.lease.extended"]
    last = call(f"/v1/changes?cursor={second['next']}").get_json()
    assert last == {"events": [], "next": second["next"], "more": False}
    looks = [look for look in my_access_records(world, account_id=story.tenant).items if look.actor == "office"]
    assert [look.action for look in looks] == ["office_fetched", "office_fetched"]
    own = call("/v1/agreement").get_json()
    assert (own["id"], own["state"], own["fields"]) == (agreement.id, "active", fields)
    assert "keys" not in own

    end_agreement(world, agreement_id=agreement.id, reason="test")
    refused = call("/v1/changes")
    assert (refused.status_code, refused.get_json()["code"]) == (403, "office.agreement")
    assert call("/v1/agreement").get_json()["state"] == "ended"


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_call_that_is_not_exactly_what_an_approved_key_signed_is_refused(
    core: Any, world: World, door: Flask, call: Call, clock: Any
) -> None:
    supervisors = sharing.make_supervisors(world)
    sharing.make_agreement(world, supervisors, delivery="pull", webhook_url=None)
    assert call("/v1/agreement").status_code == 200
    wrong: list[TestResponse] = [
        call("/v1/changes?cursor=5", signed="/v1/changes?cursor=0"),
        call("/v1/agreement", key=sharing.make_private_key()),
        call("/v1/agreement", **{SUBSCRIBER_HEADER: "precinct-module"}),
        call("/v1/agreement", **{SUBSCRIBER_HEADER: ""}),
        call("/v1/agreement", **{TIME_HEADER: write_time(clock.now() - timedelta(minutes=6))}),
        call("/v1/agreement", **{SIGNATURE_HEADER: "x.y.z"}),
    ]
    for answer in wrong:
        assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
        assert answer.get_json()["code"] == "office.signature"
    unsigned = door.test_client().get("/v1/changes")
    assert (unsigned.status_code, unsigned.get_json()["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_every_route_stands_in_the_policy_and_bad_questions_are_answered_in_kind(
    core: Any, world: World, door: Flask, call: Call
) -> None:
    check_policy(door, "offices", load_policy())
    sharing.make_agreement(world, sharing.make_supervisors(world), delivery="pull", webhook_url=None)
    assert door.test_client().get("/healthz").get_json() == {"status": "ok"}
    for target in ("?cursor=-1", "?cursor=x", "?limit=0", "?limit=501", "?cursor=²", "?cursor=" + "9" * 30):
        answer = call(f"/v1/changes{target}")
        assert answer.status_code in (401, 422), target
    assert call("/v1/persons").status_code == 404


def test_a_change_is_reported_once_and_its_state_is_asked_for(core: Any, world: World, door: Flask) -> None:
    agreement = reporting.make_reporter(world, fields=["lease.reference", "lease.filing_no", "lease.filed_on"])
    story = stories.make_invited(world)
    data = {"lease.reference": story.lease_id, "lease.filing_no": "备2026-0001", "lease.filed_on": "2026-11-23"}

    def call(method: str, target: str, body: bytes = b"", **headers: str) -> TestResponse:
        at = world.clock.now()
        signed = signing_input(reporting.OFFICE, method, target, at, body)
        made = {
            SUBSCRIBER_HEADER: reporting.OFFICE, TIME_HEADER: write_time(at), "Content-Type": CONTENT_TYPE,
            SIGNATURE_HEADER: sign_detached(signed, sharing.OFFICE_KEY, sharing.OFFICE_KID), **headers,
        }  # fmt: skip
        return door.test_client().open(target, method=method, data=body, headers=made)

    body = reporting.body(world, agreement, LEASE_FILED, data)
    first, second = (call("POST", "/v1/changes", body) for _ in range(2))
    assert (first.status_code, first.get_json()) == (202, second.get_json())
    assert first.get_json()["state"] == "counted"
    asked = call("GET", first.headers["Location"])
    assert asked.get_json() == first.get_json()
    other = reporting.body(world, agreement, LEASE_FILED, data | {"lease.filing_no": "备2026-0002"})
    wrong = {
        409: call("POST", "/v1/changes", other),
        404: call("GET", f"/v1/changes/{agreement.id}"),
        401: call("POST", "/v1/changes", body, **{SIGNATURE_HEADER: "x.y.z"}),
        422: call("POST", "/v1/changes", reporting.body(
            world, agreement, LEASE_FILED, data | {"unit.public_number": "U-1"}, id="change-3",
        )),
    }  # fmt: skip
    for status, answer in wrong.items():
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert wrong[422].get_json()["field"] == "data/unit.public_number", "not in the agreement, and named"
    for broken in (b"", b"[]", b"{", reporting.body(world, agreement, "cn.anju.person.moved", data, id="4")):
        assert call("POST", "/v1/changes", broken).status_code == 422
    assert call("POST", "/v1/changes", body, **{"Content-Type": "application/json"}).status_code == 422
    another = reporting.body(world, agreement, LEASE_FILED, data, source="urn:anju:office:another")
    assert call("POST", "/v1/changes", another).get_json()["field"] == "source"
    under = body.replace(agreement.id.encode(), story.lease_id.encode())
    assert call("POST", "/v1/changes", under).get_json()["field"] == "agreement"
    end_agreement(world, agreement_id=agreement.id, reason="test")
    assert call("POST", "/v1/changes", body).get_json()["code"] == "office.agreement"
