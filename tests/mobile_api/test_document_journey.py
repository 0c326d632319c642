"""The main journey by a client made from the OpenAPI document alone: no address of the API is written here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from flask import Flask

from backend.services.lock_manifests import import_locks
from backend.services.messages import send_due_messages
from backend.wire.jwk import jwk_of, make_private_key
from backend.worker.registry_loop import process_once
from device_sim.identities import make_identity
from tests.mobile_api.document_client import DocumentClient, NotInDocument, ProblemAnswer
from tests.mobile_api.test_repeats import set_online
from tests.services import stories
from tests.services.stories import LANDLORD_NUMBER, LANDLORD_PHONE, TENANT_NUMBER, TENANT_PHONE

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)  # test_journey.py does both databases

Make = Callable[..., Any]
PICTURE = b"\xff\xd8 a picture"
UNTIL_2027 = {"kind": "room", "starts_on": "2026-11-23", "ends_on": "2027-11-22", "alias": "小周"}


@pytest.fixture
def clients(mobile: Flask, world: Any) -> Callable[..., DocumentClient]:
    """Clients made from the document as it is served; `clients("+86…")` is signed in."""

    def make(number: str | None = None) -> DocumentClient:
        browser = mobile.test_client()
        document = browser.get("/api/v1/openapi.json").json
        assert isinstance(document, dict)

        def send(method: str, url: str, **more: Any) -> Any:
            return browser.open(url, method=method, **more)

        client = DocumentClient(document, send)
        if number is not None:
            client.call("sign_ins_ask_code", body={"phone": number})
            with mobile.app_context():
                send_due_messages(world)
            text = next(message.text for message in world.sms.messages() if message.phone == number)
            code = re.findall(r"\d{6}", text)[0]
            client.sign_in_with(client.call("sign_ins_sign_in", body={"phone": number, "code": code}))
        return client

    return make


def let_a_room(landlord: DocumentClient, claim_code: str) -> dict[str, Any]:
    """From the landlord's identity to the invitation; answers the lease's ids with the invitation's link."""
    landlord.call("me_enter_identity", body={"id_type": "111", "id_number": LANDLORD_NUMBER, "name": "沈安一"})
    (home,) = landlord.call("dwellings_search_dwellings", q="陈塘")
    unit_id = landlord.call("dwellings_get_dwelling", dwelling_id=home["id"])["units"][0]["id"]
    right = {"right_kind": "owner", "evidence": "不动产权证书"}
    assert landlord.call("units_claim_unit", unit_id=unit_id, body=right)["state"] == "accepted"
    landlord.call("units_claim_lock", unit_id=unit_id, body={"claim_code": claim_code})
    tenant = {"tenant_name": "周来福", "tenant_id_type": "111", "tenant_id_number": TENANT_NUMBER}
    lease = UNTIL_2027 | tenant | {"tenant_phone": TENANT_PHONE}
    made = landlord.call("leases_record_lease", unit_id=unit_id, body=lease, Idempotency_Key="lease-0001")
    again = landlord.call("leases_record_lease", unit_id=unit_id, body=lease, Idempotency_Key="lease-0001")
    assert made == again, "sent twice, done once"
    invited = landlord.call("leases_invite_tenant", lease_id=made["lease_id"], body={"phone": TENANT_PHONE})
    return {**made, "link": invited["link"], "unit_id": unit_id}


def be_identified(tenant: DocumentClient) -> None:
    """Notices, consents, document, the face check."""
    for text in tenant.call("consents_list_texts"):
        answer = {"version": text["version"], "given": True}
        tenant.call("consents_answer_consent", purpose=text["purpose"], body=answer)
    tenant.call("me_enter_identity", body={"id_type": "111", "id_number": TENANT_NUMBER, "name": "周来福"})
    assert tenant.call("identity_look_at_document", files={"document": PICTURE}) == {"usable": True, "reasons": []}
    digest = sha256(PICTURE).hexdigest()
    challenge = tenant.call("identity_start_challenge", body={"document_sha256": digest})
    pictures = {"document": PICTURE, "frames": [b"\xff\xd8 a frame"] * 24}
    proof = {"challenge_id": challenge["id"], "nonce": challenge["nonce"], "times": json.dumps([*range(0, 6000, 250)])}
    assert tenant.call("identity_check_face", files=proof | pictures)["state"] == "verified"


def test_the_document_alone_leads_from_the_landlords_sign_in_to_the_tenants_receipt_and_out(
    clients: Callable[..., DocumentClient], make: Make
) -> None:
    make(stories.make_dwelling)
    lock = make_identity(7, 1)
    make(import_locks, [lock.public_part()])
    landlord, tenant = clients(LANDLORD_PHONE), clients(TENANT_PHONE)
    made = let_a_room(landlord, lock.claim_code)

    token = made["link"].rsplit("/", 1)[1]  # as the document says at `link`
    assert clients().call("invitations_look", body={"token": token})["landlord_alias"] == "沈*"
    phone_key = jwk_of(make_private_key().public_key())
    key_id = tenant.call("invitations_accept", body={"token": token, "phone_jwk": phone_key})["key_id"]
    mine = {"registration_id": made["registration_id"]}
    be_identified(tenant)
    declared = tenant.call(
        "registrations_declare", body={"move_in_on": "2026-11-23", "reason": "204", "hukou_division": "341822"}, **mine
    )
    assert declared["state"] == "declared"

    assert tenant.call("keys_get_key", key_id=key_id)["state"] == "active"
    assert len(tenant.call("keys_fetch_credential", key_id=key_id)["doors"]) == 1
    set_online(make, lock.lock_id)
    sent, headers = tenant.call_whole("keys_unlock", key_id=key_id, Idempotency_Key="unlock-01")
    assert headers["Location"].endswith(sent["id"])
    assert tenant.call("keys_get_command", command_id=sent["id"])["state"] in ("queued", "sent")

    while make(process_once, sleep=lambda _seconds: None):
        pass
    tenancy, headers = tenant.call_whole("registrations_get_tenancy", **mine)
    assert tenancy["registration"]["state"] == "registered"
    assert tenant.call("registrations_get_tenancy", If_None_Match=headers["ETag"], **mine) is None, "304: no news"
    assert tenant.call("registrations_get_receipt", **mine)["receipt_no"]
    assert tenant.call("access_records_list_access_records", limit=5)["items"], "the registry was told: it is listed"

    assert tenant.call("registrations_check_out", body={"moved_out_on": "2026-11-23", "reason": "lease_end"}, **mine)
    assert landlord.call("units_get_unit", unit_id=made["unit_id"])
    with pytest.raises(ProblemAnswer, match="key.not_active"):
        tenant.call("keys_unlock", key_id=key_id, Idempotency_Key="unlock-02")


def test_a_change_needs_the_version_it_was_read_at(clients: Callable[..., DocumentClient], make: Make) -> None:
    story = make(stories.make_active)
    landlord = clients(LANDLORD_PHONE)
    lease, later = {"lease_id": story.lease_id}, {"ends_on": "2028-01-31"}
    with pytest.raises(NotInDocument, match="needs If_Match"):
        landlord.call("leases_extend_lease", body=later, **lease)
    _, headers = landlord.call_whole("leases_get_lease", **lease)
    landlord.call("leases_extend_lease", body=later, If_Match=headers["ETag"], **lease)
    with pytest.raises(ProblemAnswer) as stale:
        landlord.call("leases_extend_lease", body={"ends_on": "2028-02-29"}, If_Match=headers["ETag"], **lease)
    assert stale.value.status == 412


def test_the_client_does_nothing_that_the_document_does_not_say(clients: Callable[..., DocumentClient]) -> None:
    nobody = clients()
    for wrong in (
        lambda: nobody.call("sign_ins_ask_kode", body={}),
        lambda: nobody.call("sign_ins_ask_code", body={"phone": TENANT_PHONE, "mobile": "1"}),
        lambda: nobody.call("sign_ins_ask_code", body={"phone": TENANT_PHONE}, colour="red"),
        lambda: nobody.call("me_get_account"),
        lambda: nobody.call("invitations_look", body=None),
    ):
        with pytest.raises(NotInDocument):
            wrong()
