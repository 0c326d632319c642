"""Bad input is answered with problem details that name field, reason, rule and remedy; nothing is half done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.db import db
from backend.models.identity_checks import IdentityCheck
from backend.models.invitations import Invitation
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.units import Unit, UnitClaim
from backend.seeding import sample_number
from backend.wire.jwk import jwk_of, make_private_key
from tests.mobile_api.phones import ApiPhone
from tests.services import stories
from tests.services.stories import LANDLORD_PHONE, TENANT_NUMBER, TENANT_PHONE

Phones = Callable[..., ApiPhone]
Make = Callable[..., Any]

IDENTITY = {"id_type": "111", "id_number": TENANT_NUMBER, "name": "周来福"}
RIGHT = {"right_kind": "owner", "evidence": "不动产权证书"}


def lease_body(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "room",
        "starts_on": "2026-11-23",
        "ends_on": "2027-11-22",
        "alias": "小周",
        "tenant_name": "周来福",
        "tenant_id_type": "111",
        "tenant_id_number": TENANT_NUMBER,
        "tenant_phone": TENANT_PHONE,
        **changes,
    }


def count(make: Make, model: Any) -> int:
    return int(make(lambda _world: db.session.scalar(select(func.count()).select_from(model))))


def refused(answer: Any, status: int, code: str, field: str | None = None) -> dict[str, Any]:
    """The problem, after looking at status, code, field, remedy and form."""
    body = answer.json
    assert (answer.status_code, body["code"]) == (status, code), body
    assert answer.mimetype == "application/problem+json"
    assert body["remedy"] and body["detail"] and body["request_id"] == answer.headers["X-Request-Id"]
    if field is not None:
        assert field in [error["pointer"].removeprefix("/") for error in body["errors"]], body
    return dict(body)


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"phone": TENANT_PHONE, "mobile": "1"}, "input.unknown_field", "mobile"),
        ({}, "input.missing", "phone"),
        ({"phone": None}, "input.missing", "phone"),
        ({"phone": 19900009101}, "input.wrong_type", "phone"),
        ({"phone": "12345"}, "phone.invalid", "phone"),
        ({"phone": "1" * 33}, "input.length", "phone"),
        ({"phone": "199\x0000009101"}, "input.no_text", "phone"),
        ({"phone": "199\x0100009101"}, "input.wrong_type", "phone"),
        ([], "input.malformed", None),
        ("phone", "input.malformed", None),
    ],
)
def test_a_wrong_shape_is_named_at_its_field(phone: Phones, body: Any, code: str, field: str | None) -> None:
    refused(phone().post("/auth/codes", body), 422, code, field)


@pytest.mark.parametrize(
    "raw", [b"{", b"\xff", b'{"phone": NaN}', b"[" * 50_000, b'{"phone": 1' + b"0" * 5000 + b"}", b"null"]
)
def test_a_body_that_is_no_json_object_is_refused_not_a_failure(phone: Phones, raw: bytes) -> None:
    answer = phone().call("POST", "/auth/codes", data=raw, content_type="application/json")
    refused(answer, 422, "input.malformed")


def test_a_body_of_another_kind_is_refused(phone: Phones) -> None:
    answer = phone().call("POST", "/auth/codes", data=b"phone=1", content_type="text/plain")
    refused(answer, 422, "input.malformed")


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(phone: Phones) -> None:
    answer = phone().call("POST", "/auth/codes", data=b" " * 70_000, content_type="application/json")
    refused(answer, 413, "input.too_large")


def test_refusals_speak_the_callers_language(phone: Phones) -> None:
    nobody = phone()
    chinese = nobody.call("POST", "/auth/codes", json={"phone": "1"}, headers={"Accept-Language": "zh-CN"}).json
    english = nobody.call("POST", "/auth/codes", json={"phone": "1"}, headers={"Accept-Language": "en"}).json
    assert (chinese["detail"], english["detail"]) == ("手机号不正确。", "This is not a mobile number.")
    assert chinese["title"] == english["title"]


def test_a_wrong_check_digit_is_named_with_its_remedy(phone: Phones) -> None:
    tenant = phone(TENANT_PHONE)
    wrong = TENANT_NUMBER[:-1] + ("1" if TENANT_NUMBER[-1] != "1" else "2")
    answer = tenant.put("/me/identity", {**IDENTITY, "id_number": wrong})
    body = refused(answer, 422, "document.check_digit", "id_number")
    assert body["errors"][0]["remedy"]
    assert tenant.get("/me/identity").status_code == 404


def test_every_faulty_field_is_named_at_once(phone: Phones) -> None:
    body = {"id_type": "111", "id_number": "1", "name": "<script>", "hukou_division": "33"}
    answer = phone(TENANT_PHONE).put("/me/identity", body)
    assert {error["pointer"] for error in answer.json["errors"]} == {"/id_number", "/name", "/hukou_division"}


def test_a_date_of_birth_in_the_future_is_refused(phone: Phones) -> None:
    body = {"id_type": "414", "id_number": "X1234567", "name": "Alex Sample", "birth_on": "2030-01-01"}
    refused(phone(TENANT_PHONE).put("/me/identity", body), 422, "input.future_date", "birth_on")


def test_a_move_in_date_in_the_future_is_refused(phone: Phones, make: Make) -> None:
    story = make(stories.make_identified)
    body = {"move_in_on": "2026-12-24", "hukou_division": "341822"}
    path = f"/registrations/{story.registration_id}/declaration"
    refused(phone(TENANT_PHONE).post(path, body), 422, "registration.move_in", "move_in_on")


def test_five_wrong_codes_end_the_code(phone: Phones) -> None:
    tenant = phone()
    assert tenant.post("/auth/codes", {"phone": TENANT_PHONE}).status_code == 202
    right = tenant.code(TENANT_PHONE)
    wrong = "000000" if right != "000000" else "111111"
    for left in (4, 3, 2, 1):
        body = refused(tenant.post("/auth/sessions", {"phone": TENANT_PHONE, "code": wrong}), 422, "code.wrong", "code")
        assert str(left) in body["detail"]
    locked = tenant.post("/auth/sessions", {"phone": TENANT_PHONE, "code": wrong})
    refused(locked, 429, "code.locked")
    assert int(locked.headers["Retry-After"]) > 0
    refused(tenant.post("/auth/sessions", {"phone": TENANT_PHONE, "code": right}), 429, "code.locked")


def test_a_second_code_within_a_minute_is_refused_with_the_seconds_left(phone: Phones) -> None:
    tenant = phone()
    tenant.post("/auth/codes", {"phone": TENANT_PHONE})
    answer = tenant.post("/auth/codes", {"phone": TENANT_PHONE})
    refused(answer, 429, "code.too_soon")
    assert 1 <= int(answer.headers["Retry-After"]) <= 61


def test_a_kitchen_may_not_be_let(phone: Phones, make: Make) -> None:
    story = make(stories.make_let_unit)
    room = {"label": "厨房", "space_kind": "kitchen", "usable_area_m2": 8, "capacity": 1, **RIGHT}
    answer = phone(LANDLORD_PHONE).post(f"/dwellings/{story.dwelling_id}/units", room)
    body = refused(answer, 422, "unit.space", "space_kind")
    assert body["rule"] == "HR-7"
    assert "bedroom" in body["allowed"]
    assert count(make, Unit) == 2


def test_too_many_persons_for_the_area_are_refused(phone: Phones, make: Make) -> None:
    story = make(stories.make_let_unit)
    room = {"label": "301", "space_kind": "bedroom", "usable_area_m2": 8.5, "capacity": 4, **RIGHT}
    answer = phone(LANDLORD_PHONE).post(f"/dwellings/{story.dwelling_id}/units", room)
    assert refused(answer, 422, "unit.capacity", "capacity")["rule"] == "HR-7"


def test_a_unit_claimed_twice_by_one_landlord_is_refused(phone: Phones, make: Make) -> None:
    story = make(stories.make_let_unit)
    refused(phone(LANDLORD_PHONE).post(f"/units/{story.unit_id}/claims", RIGHT), 409, "unit.claimed")
    assert count(make, UnitClaim) == 1


def test_a_unit_is_given_up_only_when_it_is_not_let_and_the_same_again_changes_nothing(
    phone: Phones, make: Make
) -> None:
    story = make(stories.make_invited)
    landlord = phone(LANDLORD_PHONE)
    refused(landlord.delete(f"/units/{story.unit_id}"), 409, "unit.let", "unit_id")
    assert landlord.post(f"/leases/{story.lease_id}/end", {"ended_on": "2026-11-23"}).json["state"] == "ended"
    assert landlord.delete(f"/units/{story.unit_id}").json == {"unit_id": story.unit_id}
    assert landlord.delete(f"/units/{story.unit_id}").status_code == 200
    refused(landlord.get(f"/units/{story.unit_id}"), 404, "unit.not_yours")


def test_a_unit_claimed_by_two_landlords_goes_to_a_person(phone: Phones, make: Make) -> None:
    story = make(stories.make_let_unit)
    other = "+8619900009002"
    make(stories.make_landlord, other, sample_number("330522", date(1971, 3, 4)))
    answer = phone(other).post(f"/units/{story.unit_id}/claims", RIGHT)
    assert (answer.status_code, answer.json["state"]) == (201, "contested")
    assert answer.json["case_reference"]
    assert phone(LANDLORD_PHONE).get(f"/units/{story.unit_id}").status_code == 200


def test_a_mandate_needs_its_end(phone: Phones, make: Make) -> None:
    make(stories.make_landlord)
    _, rooms = make(stories.make_dwelling)
    body = {"right_kind": "mandate", "evidence": "委托书"}
    refused(phone(LANDLORD_PHONE).post(f"/units/{rooms[0]}/claims", body), 422, "right.mandate_end", "mandate_ends_on")


def test_a_lock_claimed_already_is_refused(phone: Phones, make: Make) -> None:
    story = make(stories.make_let_unit)
    landlord = phone(LANDLORD_PHONE)
    rooms = landlord.get(f"/dwellings/{story.dwelling_id}").json["units"]
    free = next(room["id"] for room in rooms if not room["claimed"])
    assert landlord.post(f"/units/{free}/claims", RIGHT).status_code == 201
    code = {"claim_code": story.identity.claim_code}
    refused(landlord.put(f"/units/{free}/lock", code), 409, "lock.claimed", "claim_code")
    refused(landlord.put(f"/units/{free}/lock", {"claim_code": "ANJU-0000-0000"}), 422, "lock.claim_code", "claim_code")
    assert landlord.put(f"/units/{story.unit_id}/lock", code).status_code == 200


def test_an_overlapping_lease_is_refused_and_leaves_nothing_behind(phone: Phones, make: Make) -> None:
    story = make(stories.make_invited)
    answer = phone(LANDLORD_PHONE).post(f"/units/{story.unit_id}/leases", lease_body(starts_on="2027-01-01"))
    body = refused(answer, 409, "lease.overlap", "starts_on")
    assert "2026-11-23" in body["detail"]
    assert (count(make, Lease), count(make, Key)) == (1, 1)


def test_a_lease_names_each_faulty_field_of_the_tenant(phone: Phones, make: Make) -> None:
    story = make(stories.make_let_unit)
    body = lease_body(tenant_name="", tenant_id_number="123", tenant_phone="1")
    short = phone(LANDLORD_PHONE).post(f"/units/{story.unit_id}/leases", body)
    refused(short, 422, "input.length", "tenant_name")
    body = lease_body(tenant_name="9", tenant_id_number="123", tenant_phone="1")
    answer = phone().call(
        "POST", f"/units/{story.unit_id}/leases", json=body, headers=dict(short.request.headers.items())
    )
    assert {error["pointer"] for error in answer.json["errors"]} == {
        "/tenant_name", "/tenant_id_number", "/tenant_phone"
    }
    assert count(make, Lease) == 0


def test_a_lease_that_ends_before_it_starts_is_refused(phone: Phones, make: Make) -> None:
    story = make(stories.make_let_unit)
    answer = phone(LANDLORD_PHONE).post(f"/units/{story.unit_id}/leases", lease_body(ends_on="2026-11-01"))
    refused(answer, 422, "input.date_order", "ends_on")


def accept_body(story: Any) -> dict[str, Any]:
    return {"token": story.link_token, "phone_jwk": jwk_of(make_private_key().public_key())}


def test_an_invitation_for_another_phone_is_refused(phone: Phones, make: Make) -> None:
    story = make(stories.make_invited)
    refused(phone("+8619900009999").post("/invitations/accept", accept_body(story)), 403, "invitation.other_phone")
    assert make(lambda _: db.session.scalars(select(Key.state)).one()) == "invited"


def test_a_used_invitation_is_refused_for_another_phone_key(phone: Phones, make: Make) -> None:
    story = make(stories.make_claimed)
    tenant = phone(TENANT_PHONE)
    refused(tenant.post("/invitations/accept", accept_body(story)), 410, "invitation.used")
    refused(phone().post("/invitations/look", {"token": story.link_token}), 410, "invitation.used")
    again = {"token": story.link_token, "phone_jwk": story.phone_jwk}
    assert tenant.post("/invitations/accept", again).json["key_id"] == story.key_id


def test_an_expired_invitation_is_refused(phone: Phones, make: Make, clock: Any) -> None:
    story = make(stories.make_invited)
    clock.move(timedelta(days=8))
    refused(phone(TENANT_PHONE).post("/invitations/accept", accept_body(story)), 410, "invitation.expired")


def test_an_unknown_invitation_is_not_found(phone: Phones) -> None:
    refused(phone().post("/invitations/look", {"token": "not-a-token"}), 404, "invitation.unknown")


def test_a_cancelled_invitation_is_refused(phone: Phones, make: Make) -> None:
    story = make(stories.make_invited)
    assert phone(LANDLORD_PHONE).delete(f"/leases/{story.lease_id}/invitation").status_code == 200
    refused(phone(TENANT_PHONE).post("/invitations/accept", accept_body(story)), 410, "invitation.cancelled")


def test_a_phone_key_of_another_kind_is_refused(phone: Phones, make: Make) -> None:
    story = make(stories.make_invited)
    body = {"token": story.link_token, "phone_jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}}
    refused(phone(TENANT_PHONE).post("/invitations/accept", body), 422, "key.phone_key", "phone_jwk")
    assert make(lambda _: db.session.scalars(select(Invitation.state)).one()) == "pending"


def test_an_occupants_key_is_not_ended_without_a_ground(phone: Phones, make: Make) -> None:
    story = make(stories.make_active)
    landlord = phone(LANDLORD_PHONE)
    tag = landlord.get(f"/keys/{story.key_id}").headers["ETag"]
    for ground in (None, "both_agreed", "court_order", "check_out"):
        answer = landlord.patch(f"/keys/{story.key_id}", {"state": "revoked", "ground": ground}, tag)
        assert refused(answer, 403, "key.ground", "ground")["rule"] == "HR-12"
    assert stories_key_state(make, story.key_id) == "active"


def stories_key_state(make: Make, key_id: str) -> str:
    return str(make(lambda _: db.session.get_one(Key, key_id).state))


def upload(**changes: Any) -> dict[str, Any]:
    """A multipart body as the face check wants it; a change to None leaves the field out. Bytes become a file."""
    fields: dict[str, Any] = {
        "challenge_id": "01936f0c-7a10-7cc3-8d21-5f2b6a4c9e01",
        "nonce": "n",
        "times": "[" + ",".join(str(250 * n) for n in range(24)) + "]",
        "document": b"\xff\xd8 a picture",
        "frames": [b"\xff\xd8 a frame"] * 24,
        **changes,
    }
    body = b""
    for name, values in fields.items():
        for value in values if isinstance(values, list) else [values]:
            if value is None:
                continue
            file = f'; filename="{name}.jpg"' if isinstance(value, bytes) else ""
            head = f'--x\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
            body += head.encode() + (value if isinstance(value, bytes) else value.encode()) + b"\r\n"
    return {"data": body + b"--x--\r\n", "content_type": "multipart/form-data; boundary=x"}


def document_alone(**changes: Any) -> dict[str, Any]:
    """A multipart body as the look at the document wants it."""
    return upload(challenge_id=None, nonce=None, times=None, frames=None, **changes)


def test_a_look_at_the_document_takes_one_file_and_nothing_else(phone: Phones) -> None:
    tenant = phone(TENANT_PHONE)
    for body, status, code, field in (
        (document_alone(document=None), 422, "input.missing", "document"),
        (document_alone(document=b""), 422, "input.missing", "document"),
        (document_alone(document="not a file"), 422, "input.wrong_type", "document"),
        (document_alone(portrait="x"), 422, "input.unknown_field", "portrait"),
        (document_alone(document=b"\xff" * (10 * 1024 * 1024 + 1)), 413, "input.too_large", "document"),
    ):
        refused(tenant.call("POST", "/identity/document-checks", **body), status, code, field)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"portrait": "x"}, "input.unknown_field", "portrait"),
        ({"challenge_id": None}, "input.missing", "challenge_id"),
        ({"challenge_id": "7"}, "input.wrong_type", "challenge_id"),
        ({"times": "soon"}, "input.wrong_type", "times"),
        ({"times": "[0, 1.5]"}, "input.wrong_type", "times"),
        ({"times": "[0, 250]"}, "input.wrong_type", "times"),
        ({"document": None}, "input.missing", "document"),
        ({"document": "not a file"}, "input.wrong_type", "document"),
        ({"frames": None}, "input.missing", "frames"),
    ],
)
def test_an_upload_of_a_wrong_shape_is_named_at_its_field(
    phone: Phones, changes: dict[str, Any], code: str, field: str
) -> None:
    answer = phone(TENANT_PHONE).call("POST", "/identity/checks", **upload(**changes))
    refused(answer, 422, code, field)


def test_too_large_a_picture_is_refused(phone: Phones, make: Make) -> None:
    answer = phone(TENANT_PHONE).call("POST", "/identity/checks", **upload(document=b"\xff" * (10 * 1024 * 1024 + 1)))
    refused(answer, 413, "input.too_large", "document")
    assert count(make, IdentityCheck) == 0


def test_too_large_an_upload_is_refused_before_it_is_read(phone: Phones) -> None:
    tenant = phone(TENANT_PHONE)
    announced = {"CONTENT_LENGTH": str(30 * 1024 * 1024)}
    answer = tenant.call("POST", "/identity/checks", **upload(), environ_overrides=announced)
    refused(answer, 413, "input.too_large")
