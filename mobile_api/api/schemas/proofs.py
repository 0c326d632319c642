"""Receipts anyone may check, a landlord's own receipt, and what stands at a door."""

from __future__ import annotations

from mobile_api.api.schemas.base import Input, Output
from mobile_api.api.schemas.fields import Flag, Id, Json, Moment, Several, Text, Whole

RECEIPT_NO = "330522005-20261123-000017"
SIGNED = "eyJ0eXAiOiJyZWNlaXB0K2p3dCJ9.e30.c2ln"


class LandlordReceiptShown(Output):
    receipt_no = Text("登记凭证号", "Number of the receipt", RECEIPT_NO)
    token = Text("签名凭证", "The signed receipt, as its QR code carries it; verifies offline", SIGNED, most=8000)
    accepted_at = Moment("登记时间", "Accepted at", allow_none=True)
    address = Text("地址", "Address", "浙江省湖州市长兴县太湖街道陈塘村 12 号 201")


class ReceiptText(Input):
    text = Text(
        "凭证文字、二维码内容或存下的网页", "The receipt: its token, its QR code's text or a saved page", SIGNED,
        most=50_000, required=True,
    )  # fmt: skip


class ReceiptJudged(Output):
    valid = Flag("是否真实", "Whether the registry has signed it")
    reason = Text("不成立的原因", "Why not: a word, or null", None, allow_none=True)
    number = Text("登记凭证号", "Number of the receipt", RECEIPT_NO, allow_none=True)
    leg = Text("谁的报告", "Whose report it answers", "tenant_declaration", allow_none=True)
    op = Text("事项", "What was reported", "CREATE", allow_none=True)
    version = Whole("版本", "Version of the record", 1, allow_none=True)
    declared_at = Moment("申报时间", "Declared at", allow_none=True)
    accepted_at = Moment("登记时间", "Accepted at", allow_none=True)


class KeySetShown(Output):
    keys = Several(
        Json("公钥（JWK）", "A public key (JWK) with its fingerprint", {"kty": "OKP", "kid": "registry-2026"}),
        "登记机关公布的公钥",
        "The registry's published keys",
    )


class DoorShownToAnyone(Output):
    public_number = Text("门牌二维码编号", "Number on the door's QR sheet", "CT7K2M9X")
    address = Text("地址", "Address", "陈塘村陈塘路 9号")
    label = Text("房间", "Unit", "201")


class DoorSheetShown(Output):
    unit_id = Id("房间编号", "Id of the unit")
    public_number = Text("门牌二维码编号", "Number on the sheet", "CT7K2M9X")
    url = Text("二维码内容", "What the QR code carries", "http://127.0.0.1:8000/u/CT7K2M9X")
    address_line = Text("地址", "Address line", "陈塘村陈塘路 9号 201")
