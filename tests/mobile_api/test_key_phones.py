"""Codes, new phones, co-tenants and keys issued without network, through the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backend.domain.ids import new_id
from backend.seeding import sample_number
from backend.wire.jwk import jwk_of, make_private_key, thumbprint
from backend.wire.lock_documents import Credential, HolderKey, claims_of
from backend.wire.tokens import sign
from tests.mobile_api.phones import ApiPhone
from tests.mobile_api.test_bad_input import refused
from tests.services import stories
from tests.services.stories import CO_TENANT_NUMBER, CO_TENANT_PHONE, LANDLORD_PHONE, TENANT_PHONE, date

Phones = Callable[..., ApiPhone]
Make = Callable[..., Any]

CO_TENANT = {
    "alias": "小吴",
    "tenant_name": "吴友",
    "tenant_id_type": "111",
    "tenant_id_number": CO_TENANT_NUMBER,
    "tenant_phone": CO_TENANT_PHONE,
}


def test_the_holder_gets_codes_to_keep_and_nobody_else_does(phone: Phones, make: Make) -> None:
    story = make(stories.make_active)
    tenant = phone(TENANT_PHONE)
    path = f"/keys/{story.key_id}/codes"
    make(lambda _world: stories.take_keypad(story.identity.lock_id))
    refused(tenant.post(path), 409, "lock.no_keypad")
    make(lambda _world: stories.give_keypad(story.identity.lock_id))
    codes = tenant.post(path, {"once": 1})
    assert codes.status_code == 201
    assert codes.headers["Cache-Control"].startswith("no-store")
    assert (len(codes.json["days"]), len(codes.json["once"]), codes.json["period"]) == (37, 1, None)
    assert codes.json["once_on"] == codes.json["days"][0]["day"]
    assert tenant.post(path).json["days"] == codes.json["days"]
    for _ in range(3):
        assert tenant.post(path, {"once": 3}).status_code == 201
    refused(tenant.post(path, {"once": 1}), 409, "lock.codes_spent")
    refused(tenant.post(path, {"once": 4}), 422, "input.wrong_type", "once")
    assert phone(LANDLORD_PHONE).post(path).status_code == 404


def test_a_lost_phones_key_is_bound_to_the_new_one_after_a_check(phone: Phones, make: Make) -> None:
    story = make(stories.make_active)
    tenant = phone(TENANT_PHONE)
    body = {"phone_jwk": jwk_of(make_private_key().public_key())}
    path = f"/keys/{story.key_id}/rebinding"
    refused(tenant.post(path, body), 403, "key.identity")
    asked = tenant.post(f"/keys/{story.key_id}/rebinding-requests")
    assert asked.status_code == 201 and asked.json["reference"].startswith("AJ-")
    make(stories.match_face, story.tenant)
    bound = tenant.post(path, body)
    assert (bound.status_code, bound.json["state"], bound.json["replaces_id"]) == (201, "active", story.key_id)
    assert tenant.post(path, body).json["id"] == bound.json["id"]
    assert tenant.get(f"/keys/{story.key_id}").json["state_reason"] == "lost_phone"
    refused(tenant.post(path, {"phone_jwk": {"kty": "RSA"}}), 422, "key.phone_key", "phone_jwk")


def test_a_co_tenant_joins_a_lease(phone: Phones, make: Make) -> None:
    story = make(stories.make_active)
    landlord = phone(LANDLORD_PHONE)
    path = f"/leases/{story.lease_id}/co-tenants"
    made = landlord.post(path, CO_TENANT, key="co-tenant-1")
    assert made.status_code == 201
    assert landlord.post(path, CO_TENANT, key="co-tenant-1").json == made.json
    shown = landlord.get(f"/leases/{made.json['lease_id']}").json
    first = landlord.get(f"/leases/{story.lease_id}").json
    assert (shown["joint_id"], shown["starts_on"], shown["ends_on"]) == (
        story.lease_id, first["starts_on"], first["ends_on"],
    )  # fmt: skip
    third = {**CO_TENANT, "tenant_id_number": sample_number("341822", date(1999, 1, 2)), "tenant_phone": "19900009107"}
    assert refused(landlord.post(path, third), 409, "unit.full")["rule"] == "HR-7"
    assert phone(TENANT_PHONE).post(path, CO_TENANT).status_code == 404


def test_a_key_issued_side_by_side_is_taken_in_when_the_network_is_back(phone: Phones, make: Make, world: Any) -> None:
    story = make(stories.make_invited)
    landlord, tenant = phone(LANDLORD_PHONE), phone(TENANT_PHONE)
    landlords, tenants = make_private_key(), make_private_key()
    path = f"/units/{story.unit_id}/delegates"
    body = {"phone_jwk": jwk_of(landlords.public_key()), "days": 1}
    made = landlord.post(path, body, key="delegate-1").json
    assert landlord.post(path, body, key="delegate-1").json["id"] == made["id"]
    assert [(each["id"], each["token"]) for each in landlord.get(path).json] == [(made["id"], None)]

    now = int(world.clock.now().timestamp())
    document = Credential(iss=made["id"], sub=new_id(), aud=made["lock_id"], nbf=now, exp=now + 3600, iat=now,
                          jti=new_id(), cnf=HolderKey(jwk_of(tenants.public_key())), rights=("unlock",),
                          occ=made["epoch"], cond=("idv",))  # fmt: skip
    credential = sign("ekey", claims_of(document), landlords, thumbprint(landlords.public_key()))
    told = {"credential": credential, "delegate": made["token"]}
    adopted = tenant.post(f"/leases/{story.lease_id}/delegated-key", told)
    assert (adopted.status_code, adopted.json["id"], adopted.json["state"]) == (201, document.sub, "claimed")
    assert landlord.post(f"/leases/{story.lease_id}/delegated-key", told).json["id"] == document.sub
    refused(tenant.post(f"/leases/{story.lease_id}/delegated-key", {**told, "credential": "x.y.z"}), 422,
            "delegate.chain")  # fmt: skip
    assert landlord.delete(f"/delegates/{made['id']}").json["ended_at"]
    refused(tenant.post("/phone/activations", {"phone_jwk": jwk_of(tenants.public_key())}), 409, "person.missing")


def test_an_occupied_unit_takes_no_delegate(phone: Phones, make: Make) -> None:
    story = make(stories.make_active)
    body = {"phone_jwk": jwk_of(make_private_key().public_key())}
    answer = phone(LANDLORD_PHONE).post(f"/units/{story.unit_id}/delegates", body)
    assert refused(answer, 403, "unit.occupied")["rule"] == "HR-12"
