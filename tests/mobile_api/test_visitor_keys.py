"""Visitors' keys through the API: issue, answer, take, use, end; and what each side is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backend.wire.jwk import jwk_of, make_private_key
from tests.mobile_api.phones import ApiPhone
from tests.mobile_api.test_bad_input import refused
from tests.mobile_api.test_repeats import set_online
from tests.services import stories
from tests.services.stories import LANDLORD_PHONE, TENANT_PHONE, VISITOR_PHONE

Phones = Callable[..., ApiPhone]
Make = Callable[..., Any]

VISIT = {
    "purpose": "repair",
    "phone": VISITOR_PHONE,
    "ends_on": "2026-11-25",
    "sched": [{"days": "12345", "start": 540, "end": 1020}],
    "uses": 4,
}


def take(phone: Phones, link: str) -> tuple[ApiPhone, dict[str, Any]]:
    """The visitor signs in with the invited phone and takes the key."""
    visitor = phone(VISITOR_PHONE)
    token = link.rsplit("/", 1)[1]
    assert phone().post("/invitations/look", {"token": token}).json["purpose"] == "repair"
    body = {"token": token, "phone_jwk": jwk_of(make_private_key().public_key())}
    taken = visitor.post("/invitations/accept", body)
    assert taken.status_code == 201
    return visitor, taken.json


def test_the_landlord_asks_the_tenant_consents_and_the_visitor_opens(phone: Phones, make: Make) -> None:
    story = make(stories.make_active)
    set_online(make, story.identity.lock_id)
    landlord, tenant = phone(LANDLORD_PHONE), phone(TENANT_PHONE)
    path = f"/units/{story.unit_id}/visitor-keys"
    issued = landlord.post(path, VISIT, key="visit-0001")
    assert issued.status_code == 201
    assert landlord.post(path, VISIT, key="visit-0001").json["key"]["id"] == issued.json["key"]["id"]
    card = issued.json
    assert (card["key"]["consent"], card["may_answer"], card["is_mine"]) == ("asked", False, True)
    assert card["invitation"]["phone_masked"] == "199******01"
    visitor, taken = take(phone, card["invitation"]["link"])
    assert (taken["lease_id"], taken["registration_id"]) == (None, None)
    key = f"/keys/{taken['key_id']}"
    refused(visitor.post(f"{key}/unlocks", key="unlock-01"), 409, "key.not_active")

    (seen,) = tenant.get(path).json
    assert seen["may_answer"] and seen["invitation"] is None
    consent = f"/visitor-keys/{taken['key_id']}/consent"
    assert landlord.put(consent, {"agrees": True}).status_code == 404
    assert tenant.put(consent, {"agrees": True}).json["key"]["state"] == "active"
    refused(tenant.put(consent, {"agrees": False}), 409, "visitor.answered")

    assert [visit["id"] for visit in visitor.get("/visits").json] == [taken["key_id"]]
    assert visitor.post(f"{key}/unlocks", key="unlock-02").status_code == 202
    credential = visitor.post(f"{key}/credentials").json
    assert credential["activation"] is None and len(credential["doors"]) == 1
    assert visitor.get(f"{key}/door-events").status_code == 404, "the door is the tenant's"
    assert visitor.get(path).status_code == 404

    ended = tenant.delete(f"/visitor-keys/{taken['key_id']}")
    assert (ended.json["key"]["state"], ended.json["may_end"]) == ("revoking", False)
    assert landlord.get(f"/visitor-keys/{taken['key_id']}").json["key"]["state_reason"] == "occupant_request"
    refused(visitor.post(f"{key}/unlocks", key="unlock-03"), 409, "key.not_active")


def test_the_landlord_is_shown_no_number_of_an_occupants_visitor(phone: Phones, make: Make) -> None:
    story = make(stories.make_active)
    phone(TENANT_PHONE).post(f"/units/{story.unit_id}/visitor-keys", VISIT)
    landlord = phone(LANDLORD_PHONE)
    for path in (f"/units/{story.unit_id}/visitor-keys", "/me/notices"):
        text = landlord.get(path).get_data(as_text=True)
        assert "维修" in text or "repair" in text
        assert VISITOR_PHONE not in text and "199******" not in text


def test_faults_of_a_visitors_key_are_named_at_their_fields(phone: Phones, make: Make) -> None:
    story = make(stories.make_active)
    tenant = phone(TENANT_PHONE)
    path = f"/units/{story.unit_id}/visitor-keys"
    refused(tenant.post(path, {**VISIT, "purpose": "party"}), 422, "input.not_one_of", "purpose")
    refused(tenant.post(path, {**VISIT, "ends_on": "2027-01-01"}), 422, "visitor.dates", "ends_on")
    refused(tenant.post(path, {**VISIT, "ends_on": None}), 422, "input.missing", "ends_on")
    refused(tenant.post(path, {**VISIT, "sched": [], "uses": None}), 422, "visitor.unlimited", "sched")
    night = [{"days": "1", "start": 0, "end": 60}]
    refused(tenant.post(path, {**VISIT, "sched": night}), 422, "visitor.windows", "sched")
    refused(tenant.post(path, {**VISIT, "sched": [{"days": "1", "start": 600}]}), 422, "input.missing", "sched/0/end")
    refused(tenant.post(path, {**VISIT, "uses": 99}), 422, "input.wrong_type", "uses")
    refused(tenant.post(path, {**VISIT, "emergency": "gas", "uses": 2}), 409, "visitor.no_emergency", "emergency")


def test_an_emergency_through_the_api_needs_no_dates(phone: Phones, make: Make) -> None:
    story = make(stories.make_active)
    body = {"purpose": "repair", "phone": VISITOR_PHONE, "emergency": "water"}
    card = phone(LANDLORD_PHONE).post(f"/units/{story.unit_id}/visitor-keys", body).json
    assert (card["emergency"], card["key"]["consent"], card["key"]["uses"]) == ("water", "emergency", 2)
    assert card["key"]["ends_at"] == "2026-11-23T06:00:00+00:00"
