"""The other ways through the API: times, network identity, children, a mismatch; every answer held to the document."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from backend.domain.notices import NOTICES
from backend.gateways.clock import FixedClock
from backend.gateways.identity_authority import UNMATCHED_NAME
from backend.seeding import sample_number
from tests.mobile_api.phones import ApiPhone
from tests.services import stories
from tests.services.stories import TENANT_NUMBER, TENANT_PHONE

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
Phones = Callable[..., ApiPhone]
Make = Callable[..., Any]


def refused(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_a_time_is_listed_chosen_moved_shown_and_given_back(phone: Phones, make: Make) -> None:
    make(stories.make_identified)
    tenant = phone(TENANT_PHONE)
    refused(tenant.get("/identity/appointment"), 404, "appointment.none")
    slots = tenant.get("/identity/slots").json
    assert slots[0]["free"] == 2 and slots[0]["starts_at"].endswith("+00:00")
    chosen = {"way": "live_video", "starts_at": slots[0]["starts_at"]}
    assert tenant.put("/identity/appointment", chosen).json["state"] == "asked"
    moved = tenant.put("/identity/appointment", {"way": "window", "starts_at": slots[1]["starts_at"]}).json
    assert (moved["state"], moved["version"], moved["video_link"]) == ("booked", 2, None)
    assert tenant.get("/identity/appointment").json == moved
    assert tenant.get("/identity").json["case_reference"] == moved["case_reference"]
    assert tenant.delete("/identity/appointment").json["state"] == "cancelled"
    refused(tenant.delete("/identity/appointment"), 404, "appointment.none")


def test_a_time_that_is_none_is_refused_at_its_field(phone: Phones, make: Make) -> None:
    make(stories.make_identified)
    tenant = phone(TENANT_PHONE)
    for wrong in ("2026-11-24", "2026-11-24T09:00:00", "soon", 7):
        answer = tenant.put("/identity/appointment", {"way": "window", "starts_at": wrong})
        refused(answer, 422, "input.wrong_type")
        assert answer.json["field"] == "starts_at"
    free = {"way": "window", "starts_at": "2026-11-24T01:07:00+00:00"}
    refused(tenant.put("/identity/appointment", free), 422, "appointment.slot")
    refused(phone("+8619900009777").get("/identity/slots"), 409, "person.missing")


def test_the_network_identity_is_begun_and_finished_from_the_same_sign_in(
    phone: Phones, make: Make, world: Any, clock: FixedClock
) -> None:
    make(stories.make_identified)
    tenant = phone(TENANT_PHONE)
    begun = tenant.post("/identity/network-requests")
    assert begun.status_code == 201
    service = world.network_identity
    asked = service.requests[begun.json["id"]]
    assert (asked.id_number, asked.name) == (TENANT_NUMBER, "周来福")
    back = {
        "state": parse_qs(urlsplit(asked.return_to).query)["state"][0],
        "ticket": service.confirm(begun.json["id"]),
    }
    path = f"/identity/network-requests/{begun.json['id']}/result"
    clock.move(timedelta(seconds=61))  # a second code is sent after a minute
    refused(phone(TENANT_PHONE).post(path, back), 409, "network.other")
    assert tenant.post(path, back).json == {"result": "verified", "state": "verified"}
    refused(tenant.post(path, back), 409, "network.used")
    refused(phone("+8619900009777").post("/identity/network-requests"), 409, "person.missing")


def test_an_outage_of_the_network_identity_is_503_with_the_other_ways(phone: Phones, make: Make, world: Any) -> None:
    make(stories.make_identified)
    world.network_identity.available = False
    answer = phone(TENANT_PHONE).post("/identity/network-requests")
    refused(answer, 503, "network.unavailable")
    assert answer.json["rule"] == "NID-R" and "其他方式" in answer.json["remedy"]


def test_a_guardian_enters_a_child_and_takes_the_consent_back(phone: Phones, make: Make, world: Any) -> None:
    make(stories.make_active)
    guardian = phone(TENANT_PHONE)
    born = world.clock.today().replace(year=2015)
    body = {"name": "周小福", "id_type": "111", "id_number": sample_number("341822", born), "relation": "father",
            "notice_version": NOTICES["registration_notice"].version}  # fmt: skip
    entered = guardian.post("/me/children", body)
    assert entered.status_code == 201 and entered.json["state"] == "attested"
    assert guardian.get("/me/children").json == [entered.json]
    withdrawn = guardian.delete(f"/me/children/{entered.json['person_id']}/consent")
    assert withdrawn.json["consent"] is None
    landlord = phone(stories.LANDLORD_PHONE)
    refused(landlord.delete(f"/me/children/{entered.json['person_id']}/consent"), 404, "not_found")
    refused(landlord.post("/me/children", body), 403, "guardian.unidentified")
    refused(guardian.post("/me/children", {**body, "id_number": TENANT_NUMBER}), 422, "guardian.grown")


def test_a_mismatch_is_refused_kept_or_corrected(phone: Phones, make: Make) -> None:
    make(stories.make_claimed)
    tenant = phone(TENANT_PHONE)
    body = {"id_type": "111", "id_number": TENANT_NUMBER, "name": UNMATCHED_NAME}
    refused(tenant.put("/me/identity", body), 422, "person.unmatched")
    kept = tenant.put("/me/identity", {**body, "keep_unmatched": True}).json
    assert (kept["document_state"], kept["may_correct"]) == ("unmatched", True)
    assert tenant.put("/me/identity", {**body, "name": "周来福"}).json["document_state"] == "matched"
    refused(tenant.put("/me/identity", {**body, "name": "周来宝"}), 409, "person.already")


def test_after_the_consent_is_withdrawn_neither_challenge_nor_check_goes_on_and_other_ways_remain(
    phone: Phones, make: Make, world: Any
) -> None:
    story = make(stories.make_identified)
    make(stories.read_notice, story.tenant, "face_check")
    tenant = phone(TENANT_PHONE)
    assert tenant.post("/identity/challenges", {"document_sha256": "0" * 64}).status_code == 201
    assert tenant.delete("/consents/face_check").json["withdrawn_at"]
    refused(tenant.post("/identity/challenges", {"document_sha256": "0" * 64}), 409, "consent.missing")
    assert world.faces.asked == 0
    assert tenant.get("/identity").json["network_identity_available"] is True
    assert tenant.get("/identity/slots").json
