"""The main journey through the JSON API alone, with fakes at the edges; and every way the face check can end."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from flask import Flask

from backend.bootstrap import WORLD, world_of
from backend.gateways.face_matcher import FaceBusy, FaceUnavailable, FakeFaceMatcher
from backend.services.lock_manifests import import_locks
from backend.wire.jwk import jwk_of, make_private_key
from backend.wire.receipts import find_receipt_in_file, verify_receipt
from backend.worker.registry_loop import process_once
from device_sim.identities import make_identity
from tests.mobile_api.phones import ApiPhone
from tests.mobile_api.test_bad_input import RIGHT, document_alone, lease_body, refused, upload
from tests.mobile_api.test_repeats import set_online
from tests.printing.pdf_words import PdfReader
from tests.services import stories
from tests.services.stories import LANDLORD_NUMBER, LANDLORD_PHONE, TENANT_NUMBER, TENANT_PHONE

Phones = Callable[..., ApiPhone]
Make = Callable[..., Any]

DOCUMENT = b"\xff\xd8 a picture"


def put_faces(app: Flask, faces: FakeFaceMatcher) -> None:
    """Let this app's face check answer as told."""
    app.extensions[WORLD] = replace(world_of(app), faces=faces)


def send_all(make: Make) -> None:
    """Let the worker's registry loop send until nothing is due."""
    while make(process_once, sleep=lambda _seconds: None):
        pass


def consent(phone: ApiPhone) -> None:
    for text in phone.get("/consent-texts").json:
        answer = phone.put(f"/consents/{text['purpose']}", {"version": text["version"], "given": True})
        assert answer.json["given"] is True


def check_face(phone: ApiPhone) -> Any:
    asked = phone.post("/identity/challenges", {"document_sha256": sha256(DOCUMENT).hexdigest()})
    assert asked.status_code == 201, asked.json
    challenge = asked.json
    assert len(challenge["actions"]) == 3
    times = json.dumps([250 * n for n in range(24)])
    changes = {"challenge_id": challenge["id"], "nonce": challenge["nonce"], "times": times, "document": DOCUMENT}
    return phone.call("POST", "/identity/checks", **upload(**changes))


def look_at_document(phone: ApiPhone) -> Any:
    return phone.call("POST", "/identity/document-checks", **document_alone(document=DOCUMENT))


def test_a_landlord_lets_a_room_and_a_tenant_moves_in_and_out(phone: Phones, make: Make, mobile: Flask) -> None:
    dwelling_id, rooms = make(stories.make_dwelling)
    identity = make_identity(7, 1)
    make(import_locks, [identity.public_part()])

    landlord = phone(LANDLORD_PHONE)
    refused(landlord.post(f"/units/{rooms[0]}/claims", RIGHT), 403, "landlord.unidentified")
    body = {"id_type": "111", "id_number": LANDLORD_NUMBER, "name": "沈安一"}
    assert landlord.put("/me/identity", body).json["document_checked"] is True
    found = landlord.get("/dwellings?q=陈塘").json
    assert [home["id"] for home in found] == [dwelling_id]
    claim = landlord.post(f"/units/{rooms[0]}/claims", RIGHT, key="claim-0001").json
    assert claim["state"] == "accepted"
    locked = landlord.put(f"/units/{rooms[0]}/lock", {"claim_code": identity.claim_code})
    assert locked.json["lock_id"] == identity.lock_id
    made = landlord.post(f"/units/{rooms[0]}/leases", lease_body(), key="lease-0001").json
    assert made["landlord_receipt_no"]
    invitation = landlord.post(f"/leases/{made['lease_id']}/invitation").json
    assert landlord.get("/units").json["units"][0]["state"] == "awaiting"

    tenant = phone(TENANT_PHONE)
    token = invitation["link"].rsplit("/", 1)[1]
    assert phone().post("/invitations/look", {"token": token}).json["landlord_alias"] == "沈*"
    accepted = tenant.post(
        "/invitations/accept", {"token": token, "phone_jwk": jwk_of(make_private_key().public_key())}
    ).json
    assert accepted == {name: made[name] for name in ("lease_id", "registration_id", "key_id")}
    path = f"/registrations/{made['registration_id']}"
    assert [task["state"] for task in tenant.get(path).json["tasks"]][:2] == ["next", "later"]
    declaration = {"move_in_on": "2026-11-23", "reason": "204", "hukou_division": "341822"}
    refused(tenant.post(f"{path}/declaration", declaration), 409, "notice.missing")
    consent(tenant)
    tenant.put("/me/identity", {"id_type": "111", "id_number": TENANT_NUMBER, "name": "周来福"})
    assert look_at_document(tenant).json == {"usable": True, "reasons": []}
    outcome = check_face(tenant)
    assert (outcome.status_code, outcome.json["decision"], outcome.json["state"]) == (201, "match", "verified")
    assert tenant.post(f"{path}/declaration", declaration, key="declare-01").json["state"] == "declared"
    assert tenant.get(f"/keys/{made['key_id']}").json["state"] == "active"
    assert len(tenant.post(f"/keys/{made['key_id']}/credentials").json["doors"]) == 1

    send_all(make)
    shown = tenant.get(path).json["registration"]
    assert (shown["state"], shown["state_zh"], shown["permit_from"]) == ("registered", "已登记", "2027-05-23")
    receipt = tenant.get(f"{path}/receipt").json
    keys = world_of(mobile).registry.receipt_keys()  # type: ignore[attr-defined]
    assert verify_receipt(receipt["token"], keys).number == receipt["receipt_no"]
    assert landlord.get(f"/leases/{made['lease_id']}").json["progress"] == {
        "invited": True, "accepted": True, "identity": "verified", "declared": True, "receipt": True,
        "difference": None,
    }  # fmt: skip

    ack = landlord.get(f"/leases/{made['lease_id']}/receipt.pdf", headers={"Accept-Language": "en"})
    said = PdfReader(ack.data).text()
    assert "Receipt of the landlord's report" in said and "周来福" not in said and TENANT_NUMBER not in said
    number = verify_receipt(find_receipt_in_file(ack.data), keys).number
    assert number == landlord.get(f"/leases/{made['lease_id']}").json["landlord_receipt_no"]
    assert tenant.get(f"{path}/check-out-receipt.pdf").status_code == 404
    assert landlord.get(f"{path}/receipt.pdf").status_code == 404, "the tenant's own"

    out = tenant.post(f"{path}/check-out", {"moved_out_on": "2026-11-23", "reason": "lease_end"}, key="check-out")
    assert out.json["state"] == "moved_out"
    assert tenant.get(f"/keys/{made['key_id']}").json["state"] == "revoking"
    set_online(make, identity.lock_id)
    refused(tenant.post(f"/keys/{made['key_id']}/unlocks", key="unlock-01"), 409, "key.not_active")
    refused(tenant.post(f"/keys/{made['key_id']}/credentials"), 409, "key.not_active")
    send_all(make)
    left = tenant.get(path).json["registration"]["checkout_receipt_no"]
    paper = tenant.get(f"{path}/check-out-receipt.pdf").data
    assert left in PdfReader(paper).text() and verify_receipt(find_receipt_in_file(paper), keys).op == "CHECKOUT"
    assert landlord.get("/units").json["units"][0]["state"] == "vacant"


def test_an_undecided_face_goes_on_by_the_landlords_attestation(phone: Phones, make: Make, mobile: Flask) -> None:
    story = make(stories.make_identified)
    put_faces(mobile, FakeFaceMatcher(FakeFaceMatcher.verdict("review", distance=0.47)))
    tenant, landlord = phone(TENANT_PHONE), phone(LANDLORD_PHONE)
    consent(tenant)
    outcome = check_face(tenant).json
    assert outcome["decision"] == "review" and outcome["case_reference"]
    assert "attestation" in outcome["other_ways"]
    assert tenant.get("/identity").json["case_reference"] == outcome["case_reference"]
    path = f"/leases/{story.lease_id}/attestation"
    words = landlord.post(path, {"met_in_person": True, "saw_document": False})
    assert refused(words, 422, "attestation.words", "saw_document")["rule"] == "PSAL-68"
    made = landlord.post(path, {"met_in_person": True, "saw_document": True}).json
    assert made["state"] == "attested" and made["review_due_at"]
    body = {"move_in_on": "2026-11-23", "hukou_division": "341822"}
    tenant.post(f"/registrations/{story.registration_id}/declaration", body)
    assert tenant.get(f"/keys/{story.key_id}").json["state"] == "active"


def test_a_picture_without_a_face_gives_a_tip_and_costs_no_try(phone: Phones, make: Make, mobile: Flask) -> None:
    make(stories.make_identified)
    put_faces(mobile, FakeFaceMatcher(FakeFaceMatcher.verdict("retake", "document_no_face")))
    tenant = phone(TENANT_PHONE)
    consent(tenant)
    before = tenant.get("/identity").json["tries_left"]
    outcome = check_face(tenant).json
    assert (outcome["decision"], outcome["reasons"][0]["code"]) == ("retake", "document_no_face")
    assert outcome["reasons"][0]["tip_zh"] and outcome["reasons"][0]["tip_en"]
    assert outcome["tries_left"] == before


def test_two_different_people_are_not_refused_by_a_machine_but_go_to_a_person(
    phone: Phones, make: Make, mobile: Flask
) -> None:
    make(stories.make_identified)
    put_faces(mobile, FakeFaceMatcher(FakeFaceMatcher.verdict("no_match", distance=0.71)))
    tenant = phone(TENANT_PHONE)
    consent(tenant)
    outcomes = [check_face(tenant).json for _ in range(3)]
    assert [outcome["tries_left"] for outcome in outcomes] == [2, 1, 0]
    assert outcomes[-1]["case_reference"] and outcomes[0]["other_ways"]
    refused(tenant.post("/identity/challenges", {"document_sha256": "0" * 64}), 409, "face.tries")
    assert tenant.post("/identity/cases", {"way": "window"}).json["reference"] == outcomes[-1]["case_reference"]


def test_a_document_that_cannot_be_used_is_told_before_the_burst_and_costs_no_try(
    phone: Phones, make: Make, mobile: Flask
) -> None:
    make(stories.make_identified)
    put_faces(mobile, FakeFaceMatcher(faults=("document_blurred",)))
    tenant = phone(TENANT_PHONE)
    refused(look_at_document(tenant), 409, "consent.missing")
    consent(tenant)
    before = tenant.get("/identity").json["tries_left"]
    answer = look_at_document(tenant)
    assert (answer.status_code, answer.json["usable"]) == (200, False)
    (reason,) = answer.json["reasons"]
    assert reason["code"] == "document_blurred" and reason["tip_zh"] and reason["tip_en"]
    for _ in range(5):
        look_at_document(tenant)
    too_many = look_at_document(tenant)
    refused(too_many, 429, "rate")
    assert too_many.headers["Retry-After"] == "60" and tenant.get("/identity").json["tries_left"] == before


@pytest.mark.parametrize(
    ("failure", "code"), [(FaceBusy(7), "face.busy"), (FaceUnavailable("no engine"), "face.unavailable")]
)
def test_a_busy_or_missing_engine_says_so_and_names_what_to_do(
    phone: Phones, make: Make, mobile: Flask, failure: Exception, code: str
) -> None:
    make(stories.make_identified)
    put_faces(mobile, FakeFaceMatcher(failure, faults=failure))
    tenant = phone(TENANT_PHONE)
    consent(tenant)
    for answer in (look_at_document(tenant), check_face(tenant)):
        refused(answer, 503, code)
        assert answer.headers.get("Retry-After") == ("7" if code == "face.busy" else None)


def test_without_the_separate_consent_no_face_is_checked(phone: Phones, make: Make) -> None:
    make(stories.make_identified)
    tenant = phone(TENANT_PHONE)
    answer = tenant.post("/identity/challenges", {"document_sha256": "0" * 64})
    assert refused(answer, 409, "consent.missing")["rule"] == "FACE-6"
    consent(tenant)
    assert tenant.delete("/consents/face_check").json["withdrawn_at"]
    refused(tenant.post("/identity/challenges", {"document_sha256": "0" * 64}), 409, "consent.missing")


def test_a_challenge_is_good_once_and_only_for_its_document(phone: Phones, make: Make, mobile: Flask) -> None:
    make(stories.make_identified)
    put_faces(mobile, FakeFaceMatcher(FakeFaceMatcher.verdict("retake", "document_blurred")))
    tenant = phone(TENANT_PHONE)
    consent(tenant)
    challenge = tenant.post("/identity/challenges", {"document_sha256": sha256(DOCUMENT).hexdigest()}).json
    given = {"challenge_id": challenge["id"], "nonce": challenge["nonce"]}
    other = tenant.call("POST", "/identity/checks", **upload(**given, document=b"\xff\xd8 another picture"))
    refused(other, 409, "challenge.other")
    wrong = {**given, "nonce": "x"}
    refused(tenant.call("POST", "/identity/checks", **upload(**wrong, document=DOCUMENT)), 409, "challenge.other")
    assert tenant.call("POST", "/identity/checks", **upload(**given, document=DOCUMENT)).status_code == 201
    refused(tenant.call("POST", "/identity/checks", **upload(**given, document=DOCUMENT)), 409, "challenge.used")


def test_uploaded_pictures_stay_in_memory(mobile: Flask) -> None:
    large = {"data": upload(document=b"\xff" * 2_000_000)["data"], "content_type": "multipart/form-data; boundary=x"}
    with mobile.test_request_context("/api/v1/identity/checks", method="POST", **large) as context:
        stream = context.request.files["document"].stream
        assert type(stream).__name__ == "BytesIO"


def test_the_export_holds_ones_own_data_and_the_number_masked(phone: Phones, make: Make) -> None:
    make(stories.make_active)
    tenant = phone(TENANT_PHONE)
    data = tenant.get("/me/data")
    assert data.json["data"]["identity"]["name"] == "周来福"
    assert TENANT_NUMBER not in data.get_data(as_text=True)
    assert data.json["data"]["tenancies"][0]["starts_on"] == "2026-11-23"


def test_the_inbox_is_read_and_stays_read(phone: Phones, make: Make) -> None:
    make(stories.make_active)
    tenant = phone(TENANT_PHONE)
    notice = tenant.get("/me/notices").json[0]
    assert tenant.put(f"/me/notices/{notice['id']}/read", {}).status_code == 204
    assert tenant.get("/me/notices").json[0]["read_at"]


def test_preferences_and_code_tables(phone: Phones) -> None:
    tenant = phone(TENANT_PHONE)
    changed = tenant.patch("/me", {"language": "en", "elder_mode": True}).json
    assert (changed["language"], changed["elder_mode"]) == ("en", True)
    assert tenant.get("/me").json == changed
    tables = phone().get("/code-tables").json
    assert {"code": "kitchen", "zh": "厨房", "en": "Kitchen", "allowed": False} in tables["space_kinds"]


def test_the_access_page_goes_on_where_it_ended(phone: Phones, make: Make) -> None:
    make(stories.make_active)
    page = phone(TENANT_PHONE).get("/me/access-records?limit=1").json
    assert set(page) == {"items", "next"}
    refused(phone("+8619900009555").get("/me/access-records?limit=0"), 422, "input.wrong_type", "limit")
    refused(phone("+8619900009556").get("/me/access-records?page=2"), 422, "input.unknown_field", "page")
