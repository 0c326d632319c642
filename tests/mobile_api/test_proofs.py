"""What the API shows to others and hands out as files; every answer is held against the document by the phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from backend.worker.registry_loop import process_once
from tests.mobile_api.phones import ApiPhone
from tests.services import stories
from tests.services.stories import LANDLORD_PHONE, TENANT_NUMBER, TENANT_PHONE

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)  # services' tests do both databases


def test_receipts_doors_lists_and_files_are_there_for_a_phone_without_pages(
    phone: Callable[..., ApiPhone], make: Callable[..., Any]
) -> None:
    story = make(stories.make_active)
    while make(process_once, sleep=lambda _seconds: None):
        pass
    landlord, tenant, nobody = phone(LANDLORD_PHONE), phone(TENANT_PHONE), phone()

    receipt = landlord.get(f"/leases/{story.lease_id}/receipt")
    assert receipt.status_code == 200 and TENANT_NUMBER not in receipt.text and "周来福" not in receipt.text
    assert tenant.get(f"/leases/{story.lease_id}/receipt").status_code == 404, "the landlord's own"
    judged = nobody.post("/receipts/checks", {"text": f"RR1:{receipt.json['token']}"}).json
    assert (judged["valid"], judged["number"]) == (True, receipt.json["receipt_no"])
    assert nobody.post("/receipts/checks", {"text": "no receipt"}).json["valid"] is False
    keys = nobody.get("/receipts/keys")
    assert keys.json["keys"][0]["fingerprint"]
    assert nobody.get("/receipts/keys", headers={"If-None-Match": keys.headers["ETag"]}).status_code == 304

    sheet = next(each for each in landlord.get("/door-sheets").json if each["unit_id"] == story.unit_id)
    door = nobody.get(f"/doors/{sheet['public_number'].lower()}").json
    assert sheet["address_line"] == f"{door['address']} {door['label']}"
    assert nobody.get("/doors/NOWHERE").status_code == 404
    assert tenant.get("/door-sheets").json == []

    todos = landlord.get("/todos?limit=1").json
    assert len(todos["todos"]) <= 1 and todos["total"] >= len(todos["todos"])
    table = landlord.get("/imports/template?ending=csv", headers={"Accept-Language": "en"})
    assert table.mimetype == "text/csv" and table.data
    assert landlord.get("/imports/template").data.startswith(b"PK"), "XLSX"
    assert landlord.get("/imports/template?ending=doc").status_code == 422
    assert tenant.get(f"/visits/{story.key_id}").status_code == 404, "an occupant's key is no visit"
    assert tenant.get("/me/children/leases").json == []
    assert tenant.get(f"/me/declared-for/{story.registration_id}").status_code == 404
