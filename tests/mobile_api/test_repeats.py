"""A repeated request makes one thing; a change needs the version it was read at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.db import db
from backend.models.commands import Command
from backend.models.leases import Lease
from backend.models.locks import Lock
from backend.models.registrations import Registration
from backend.models.units import UnitClaim
from tests.mobile_api.phones import ApiPhone
from tests.mobile_api.test_bad_input import RIGHT, lease_body, refused
from tests.services import stories
from tests.services.stories import LANDLORD_PHONE, TENANT_PHONE

Phones = Callable[..., ApiPhone]
Make = Callable[..., Any]


def count(make: Make, model: Any) -> int:
    return int(make(lambda _world: db.session.scalar(select(func.count()).select_from(model))))


def set_online(make: Make, lock_id: str) -> None:
    """The lock as it is after its birth message."""

    def change(world: Any) -> None:
        lock = db.session.get_one(Lock, lock_id)
        lock.presence, lock.boot_id, lock.last_seen_at = "online", "boot-1", world.clock.now()
        db.session.commit()

    make(change)


def test_a_claim_sent_twice_is_one_claim(phone: Phones, make: Make) -> None:
    make(stories.make_landlord)
    _, rooms = make(stories.make_dwelling)
    landlord = phone(LANDLORD_PHONE)
    first = landlord.post(f"/units/{rooms[0]}/claims", RIGHT, key="claim-unit-1")
    again = landlord.post(f"/units/{rooms[0]}/claims", RIGHT, key="claim-unit-1")
    assert first.json == again.json and first.status_code == again.status_code == 201
    assert count(make, UnitClaim) == 1


def test_a_lease_sent_twice_is_one_lease_and_another_body_under_the_key_is_refused(phone: Phones, make: Make) -> None:
    story = make(stories.make_let_unit)
    landlord = phone(LANDLORD_PHONE)
    path = f"/units/{story.unit_id}/leases"
    first = landlord.post(path, lease_body(), key="lease-0001")
    assert first.status_code == 201
    assert landlord.post(path, lease_body(), key="lease-0001").json == first.json
    refused(landlord.post(path, lease_body(ends_on="2028-01-01"), key="lease-0001"), 409, "input.key_reused")
    assert count(make, Lease) == 1


def test_a_key_of_a_wrong_form_is_refused(phone: Phones, make: Make) -> None:
    story = make(stories.make_let_unit)
    answer = phone(LANDLORD_PHONE).post(f"/units/{story.unit_id}/leases", lease_body(), key="ü")
    refused(answer, 422, "input.wrong_type", "Idempotency-Key")


def test_a_declaration_sent_twice_is_one_declaration(phone: Phones, make: Make, clock: Any) -> None:
    story = make(stories.make_identified)
    tenant = phone(TENANT_PHONE)
    body = {"move_in_on": "2026-11-23", "hukou_division": "341822"}
    path = f"/registrations/{story.registration_id}/declaration"
    first = tenant.post(path, body, key="declare-1")
    again = tenant.post(path, body, key="declare-1")
    assert first.json["declared_at"] == again.json["declared_at"]
    assert count(make, Registration) == 1
    twice = refused(tenant.post(path, body, key="declare-2"), 409, "transition")
    assert twice["allowed"] == ["amend", "check_out", "request_void"]


def test_an_unlock_needs_a_key_and_sent_twice_is_one_command(phone: Phones, make: Make) -> None:
    story = make(stories.make_active)
    set_online(make, story.identity.lock_id)
    tenant = phone(TENANT_PHONE)
    path = f"/keys/{story.key_id}/unlocks"
    refused(tenant.post(path), 422, "input.missing", "Idempotency-Key")
    first = tenant.post(path, key="unlock-01")
    assert first.status_code == 202
    assert first.headers["Location"] == f"/api/v1/commands/{first.json['id']}"
    again = tenant.post(path, key="unlock-01")
    assert again.json["id"] == first.json["id"]
    assert count(make, Command) == 1
    assert tenant.get(f"/commands/{first.json['id']}?wait_s=0").json["state"] == "queued"


def test_an_unlock_may_wait_for_its_word_in_the_same_request(
    phone: Phones, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from backend.services import commands

    waits: list[float] = []
    monkeypatch.setattr(commands, "_wait", lambda _listener, view, *_: waits.append(1) or view)
    story = make(stories.make_active)
    set_online(make, story.identity.lock_id)
    tenant = phone(TENANT_PHONE)
    for number, wish in enumerate(("wait=3", "respond-async, wait=99", "wait=0", "wait=x", "await=3")):
        answer = tenant.post(f"/keys/{story.key_id}/unlocks", key=f"unlock-{number}0", prefer=wish)
        assert (answer.status_code, answer.json["state"]) == (202, "queued")
    assert len(waits) == 2, "a preference that cannot be read is none"


def test_an_unlock_of_an_offline_lock_is_refused_at_once_and_never_kept(phone: Phones, make: Make) -> None:
    story = make(stories.make_active)
    refused(phone(TENANT_PHONE).post(f"/keys/{story.key_id}/unlocks", key="unlock-02"), 409, "lock_offline")
    assert count(make, Command) == 0


def test_an_extension_needs_the_version_it_was_read_at(phone: Phones, make: Make) -> None:
    story = make(stories.make_active)
    landlord = phone(LANDLORD_PHONE)
    path = f"/leases/{story.lease_id}"
    tag = landlord.get(path).headers["ETag"]
    refused(landlord.patch(path, {"ends_on": "2028-11-22"}), 428, "precondition_missing")
    done = landlord.patch(path, {"ends_on": "2028-11-22"}, tag)
    assert (done.status_code, done.json["ends_on"], done.json["key"]["ends_on"]) == (200, "2028-11-22", "2028-11-22")
    assert done.json["key"]["id"] == story.key_id
    refused(landlord.patch(path, {"ends_on": "2029-11-22"}, tag), 412, "stale")
    refused(landlord.patch(path, {"ends_on": "2027-01-01"}, done.headers["ETag"]), 409, "lease.shorten")


def test_the_holder_suspends_and_resumes_a_key_at_any_time(phone: Phones, make: Make) -> None:
    story = make(stories.make_active)
    tenant = phone(TENANT_PHONE)
    path = f"/keys/{story.key_id}"
    tag = tenant.get(path).headers["ETag"]
    suspended = tenant.patch(path, {"state": "suspended"}, tag)
    assert suspended.json["state"] == "suspended"
    refused(tenant.patch(path, {"state": "active"}, tag), 412, "stale")
    assert tenant.patch(path, {"state": "active"}, suspended.headers["ETag"]).json["state"] == "active"


def test_polling_an_unchanged_thing_costs_nothing(phone: Phones, make: Make) -> None:
    story = make(stories.make_active)
    tenant = phone(TENANT_PHONE)
    for path in (f"/registrations/{story.registration_id}", "/registrations", f"/keys/{story.key_id}"):
        tag = tenant.get(path).headers["ETag"]
        unchanged = tenant.get(path, headers={"If-None-Match": tag})
        assert (unchanged.status_code, unchanged.data, unchanged.headers["ETag"]) == (304, b"", tag)


def test_a_lock_being_heard_from_does_not_spoil_a_change(phone: Phones, make: Make, clock: Any) -> None:
    story = make(stories.make_active)
    set_online(make, story.identity.lock_id)
    tenant = phone(TENANT_PHONE)
    tag = tenant.get(f"/keys/{story.key_id}").headers["ETag"]
    clock.move(timedelta(seconds=5))
    set_online(make, story.identity.lock_id)
    assert tenant.patch(f"/keys/{story.key_id}", {"state": "suspended"}, tag).status_code == 200
