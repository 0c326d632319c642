"""Makers of registry messages for tests. All people are made up; sequence 000 is never issued."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from backend.wire.registry_messages import PURPOSE, Batch, Item, make_item

RECORD = "0193a001-0000-7000-8000-000000000001"
OTHER_RECORD = "0193a001-0000-7000-8000-000000000002"
NUMBER = "340122199202290003"  # a woman born on 29 February 1992
OTHER_NUMBER = "340122198507150007"
CHILD_NUMBER = "340122201506010007"
DECLARED_AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
NONCE = bytes(range(16))

TENANT_PAYLOAD: Mapping[str, str] = {
    "name": "测试甲",
    "id_type": "111",
    "id_number": NUMBER,
    "birth_on": "1992-02-29",
    "sex": "female",
    "hukou_division": "340122",
    "unit_no": "U-7H2K9MPQ",
    "division": "330522003201",
    "address": "浙江省湖州市长兴县太湖街道陈塘村样本路1号201室",
    "place_type": "30",
    "reason": "204",
    "move_in_on": "2026-11-20",
    "planned_end_on": "2027-11-19",
    "declared_by": "self",
    "notice_version": "2026-11",
}
LANDLORD_PAYLOAD: Mapping[str, str] = {
    name: TENANT_PAYLOAD[name] for name in ("name", "id_type", "id_number", "unit_no", "division", "move_in_on")
}


def make_registration_item(**changes: Any) -> Item:
    """A tenant's declaration; keyword arguments of make_item replace what it says, `payload` whole."""
    values: dict[str, Any] = {
        "op": "UPSERT",
        "record_id": RECORD,
        "record_version": 1,
        "leg": "TENANT",
        "effective_at": DECLARED_AT,
        "declared_at": DECLARED_AT,
        "payload": TENANT_PAYLOAD,
        "nonce": NONCE,
        **changes,
    }
    head = [values.pop(name) for name in ("op", "record_id", "record_version", "leg")]
    return make_item(*head, **values)


def make_changed_item(without: tuple[str, ...] = (), **fields: str) -> Item:
    """A tenant's declaration with other fields, or without some."""
    payload = {name: value for name, value in {**TENANT_PAYLOAD, **fields}.items() if name not in without}
    return make_registration_item(payload=payload)


def make_check_out(receipt_no: str, **changes: Any) -> Item:
    """The end of a registration: id, receipt, date and reason, nothing else."""
    payload = {"receipt_no": receipt_no, "moved_out_on": "2026-11-23", "checkout_reason": "lease_end"}
    return make_registration_item(**{"op": "CHECKOUT", "record_version": 2, "payload": payload, **changes})


def make_void(receipt_no: str, **changes: Any) -> Item:
    """A registration entered in error."""
    payload = {"receipt_no": receipt_no, "void_reason": "entered_in_error"}
    return make_registration_item(**{"op": "VOID", "record_version": 2, "payload": payload, **changes})


def make_batch(*items: Item) -> Batch:
    """A batch of these items."""
    return Batch(PURPOSE, items)
