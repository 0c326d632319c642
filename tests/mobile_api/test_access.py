"""Who may call what: nothing without a token, nothing of another's, and one's own things in all their states."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask

from backend.seeding import sample_number
from backend.services.disclosures import open_unit
from backend.services.reports import file_report
from mobile_api.api.documents import DOCUMENT
from tests.mobile_api.phones import ApiPhone
from tests.services import staff, stories
from tests.services.reporting_cases import WIRES
from tests.services.stories import LANDLORD_PHONE, TENANT_PHONE

Phones = Callable[..., ApiPhone]
Make = Callable[..., Any]

STRANGER = "+8619900009777"
# Calls about things that belong to nobody yet: anyone identified may look or claim, a person decides a conflict.
OPEN_TO_RESIDENTS = {"dwellings_get_dwelling", "units_claim_unit", "units_add_unit"}


def calls_of(app: Flask) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in app.extensions[DOCUMENT]["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield method.upper(), path.removeprefix("/api/v1"), operation


def body_of(operation: dict[str, Any]) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    return {"json": content["application/json"]["example"]} if "application/json" in content else {}


def headers_of(operation: dict[str, Any]) -> dict[str, str]:
    wanted = [parameter.get("$ref", "") for parameter in operation.get("parameters", ())]
    headers = {"If-Match": '"x"'} if any(ref.endswith("/IF_MATCH") for ref in wanted) else {}
    return {**headers, "Idempotency-Key": "stranger-1"} if any("IDEMPOTENCY" in ref for ref in wanted) else headers


@pytest.mark.parametrize("token", [None, "x", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJFUzI1NiJ9.e30.AAAA"])
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_every_call_that_is_not_open_to_anyone_asks_to_sign_in(mobile: Flask, phone: Phones, token: str | None) -> None:
    nobody = phone()
    nobody.token = token
    for method, path, operation in calls_of(mobile):
        if operation["security"]:
            real = re.sub(r"\{[^}]+\}", "01936f0c-7a10-7cc3-8d21-5f2b6a4c9e01", path.replace("{purpose}", "face_check"))
            answer = nobody.call(method, real, headers=headers_of(operation), **body_of(operation))
            assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated"), f"{method} {path}"
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def look_at_unit(world: Any, unit_id: str) -> None:
    """An officer opens a unit: a line on the access record of who lives there."""
    open_unit(world, session_id=staff.make_session(world, purpose="address_check"), unit_id=unit_id)


def test_nothing_of_another_is_found(mobile: Flask, phone: Phones, make: Make) -> None:
    story = make(stories.make_active)
    make(stories.make_landlord, STRANGER, sample_number("330522", date(1980, 5, 6)))
    stranger = phone(STRANGER)
    landlord_session = phone(LANDLORD_PHONE).tokens["session_id"]
    tenant = phone(TENANT_PHONE)
    notice = tenant.get("/me/notices").json[0]["id"]
    make(look_at_unit, story.unit_id)
    ids = {
        "unit_id": story.unit_id,
        "lease_id": story.lease_id,
        "registration_id": story.registration_id,
        "key_id": story.key_id,
        "session_id": landlord_session,
        "notice_id": notice,
        "record_id": tenant.get("/me/access-records").json["items"][0]["id"],
        "command_id": story.key_id,
        "delegate_id": story.key_id,
        "child_id": make(stories.make_child, story.tenant),
        "request_id": story.key_id,
        "correction_id": story.key_id,
        "import_id": story.key_id,
        "change_id": story.key_id,
        "report_id": make(file_report, account_id=story.tenant, **WIRES).id,
    }
    tried = 0
    for method, path, operation in calls_of(mobile):
        names = re.findall(r"\{(\w+)\}", path)
        is_open = not operation["security"] or operation["operationId"] in OPEN_TO_RESIDENTS
        if not names or names == ["purpose"] or is_open:
            continue
        real = path.format(**ids)
        answer = stranger.call(method, real, headers=headers_of(operation), **body_of(operation))
        assert answer.status_code == 404, f"{method} {path}: {answer.status_code} {answer.json}"
        tried += 1
    assert tried >= 24
    assert tenant.get(f"/keys/{story.key_id}").json["state"] == "active"


def test_the_tenant_cannot_use_the_landlords_calls_and_the_other_way_round(phone: Phones, make: Make) -> None:
    story = make(stories.make_active)
    tenant, landlord = phone(TENANT_PHONE), phone(LANDLORD_PHONE)
    for path in (f"/leases/{story.lease_id}", f"/units/{story.unit_id}", f"/units/{story.unit_id}/lock-events"):
        assert tenant.get(path).status_code == 404, path
    for path in (f"/registrations/{story.registration_id}", f"/registrations/{story.registration_id}/receipt",
                 f"/keys/{story.key_id}/door-events"):
        assert landlord.get(path).status_code == 404, path
    assert landlord.post(f"/keys/{story.key_id}/credentials").status_code == 404
    assert landlord.post(f"/keys/{story.key_id}/unlocks", key="landlord-1").status_code == 404


def test_the_landlord_sees_progress_and_none_of_the_tenants_answers(phone: Phones, make: Make) -> None:
    story = make(stories.make_active)
    landlord = phone(LANDLORD_PHONE)
    text = landlord.get(f"/leases/{story.lease_id}").get_data(as_text=True)
    units = landlord.get("/units").get_data(as_text=True)
    for secret in ("周来福", stories.TENANT_NUMBER, "341822", "lock.unlocked"):
        assert secret not in text and secret not in units, secret


def test_an_ended_session_ends_its_token_at_once(phone: Phones) -> None:
    tenant = phone(TENANT_PHONE)
    assert tenant.get("/me").status_code == 200
    shown = tenant.get("/auth/sessions").json
    assert [each["current"] for each in shown] == [True]
    assert tenant.delete(f"/auth/sessions/{shown[0]['id']}").status_code == 204
    assert tenant.get("/me").status_code == 401


def test_a_refresh_token_works_once_and_a_second_use_ends_the_session(phone: Phones) -> None:
    tenant = phone(TENANT_PHONE)
    first = {"refresh_token": tenant.tokens["refresh_token"]}
    second = tenant.post("/auth/refresh", first)
    assert second.status_code == 200
    tenant.token = second.json["access_token"]
    assert tenant.get("/me").status_code == 200
    assert tenant.post("/auth/refresh", first).status_code == 401
    assert tenant.get("/me").status_code == 401
    assert tenant.post("/auth/refresh", {"refresh_token": second.json["refresh_token"]}).status_code == 401


def test_a_stale_access_token_does_not_hinder_a_refresh(phone: Phones, clock: Any) -> None:
    tenant = phone(TENANT_PHONE)
    clock.move(timedelta(minutes=16))
    fresh = tenant.post("/auth/refresh", {"refresh_token": tenant.tokens["refresh_token"]})
    assert fresh.status_code == 200


def test_an_unknown_path_and_a_wrong_method_are_problems_too(phone: Phones) -> None:
    tenant = phone(TENANT_PHONE)
    assert tenant.get("/nothing").json["code"] == "not_found"
    assert tenant.get("/keys/not-an-id").json["code"] == "not_found"
    wrong = tenant.call("PUT", "/me")
    assert (wrong.status_code, wrong.json["code"]) == (405, "method_not_allowed")


def test_the_health_check_answers_without_a_sign_in(mobile: Flask) -> None:
    answer = mobile.test_client().get("/healthz")
    assert (answer.status_code, answer.json["status"]) == (200, "ok")
