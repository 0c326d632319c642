"""What is shown to others: receipts anyone may check, the landlord's own receipt, the QR sheet of a door."""

from __future__ import annotations

from typing import Any

from backend.domain.refusals import Refused
from backend.queries.doors import find_door
from backend.services import door_sheets, receipt_checks, receipts
from mobile_api.api.callers import me, world
from mobile_api.api.contract import Blueprint
from mobile_api.api.schemas.proofs import (
    DoorSheetShown,
    DoorShownToAnyone,
    KeySetShown,
    LandlordReceiptShown,
    ReceiptJudged,
    ReceiptText,
)

blueprint = Blueprint("proofs", "凭证和门牌", "Receipts and door sheets")


@blueprint.post("/receipts/checks")
@blueprint.arguments(ReceiptText)
@blueprint.response(200, ReceiptJudged)
def check_receipt(body: dict[str, Any]) -> Any:
    """Check a receipt that somebody shows: what the registry signed, never a name; nothing is kept.

    查验他人出示的登记凭证：只说明登记机关签名的内容，不含姓名，也不留存。
    """
    return receipt_checks.check_receipt(world(), text=body["text"])


@blueprint.get("/receipts/keys")
@blueprint.etag
@blueprint.response(200, KeySetShown)
def list_receipt_keys() -> Any:
    """Get the registry's published keys, to check receipts without asking anyone.

    获取登记机关公布的公钥，用于离线查验。
    """
    return receipt_checks.published_keys(world())


@blueprint.get("/leases/<id:lease_id>/receipt")
@blueprint.response(200, LandlordReceiptShown)
def get_landlord_receipt(lease_id: str) -> Any:
    """Get the registry's receipt for one's own report as a landlord; it says nothing of the tenant.

    获取房东报告的回执（不含租客信息）。
    """
    return receipts.get_landlord_receipt(world(), account_id=me(), lease_id=lease_id)


@blueprint.get("/door-sheets")
@blueprint.response(200, DoorSheetShown(many=True))
def list_door_sheets() -> Any:
    """List the QR sheets of one's own units, to print and put at the doors.

    查看自己房间的门牌二维码，用于打印张贴。
    """
    return door_sheets.list_own_door_sheets(world(), account_id=me())


@blueprint.get("/doors/<string:public_number>")
@blueprint.response(200, DoorShownToAnyone)
def get_door(public_number: str) -> Any:
    """Tell which unit a door's QR code means: address and label, nothing about who lives there.

    门牌二维码对应哪一间：只有地址和房间号，不含居住人信息。
    """
    found = find_door(public_number[:40])
    if found is None:
        raise Refused("not_found")
    return found
