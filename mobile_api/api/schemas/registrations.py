"""The tenant's side: tenancies, registrations, receipts."""

from __future__ import annotations

from typing import Any

from backend.domain.households import DECLARED_BY
from backend.domain.registrations import CHECK_OUT_REASONS, REASONS_OF_STAY, STATE_NAMES
from mobile_api.api.schemas.base import Input, Output
from mobile_api.api.schemas.fields import Choice, Day, Flag, Id, Moment, Part, Several, Text, Whole
from mobile_api.api.schemas.keys import KeyShown

RECEIPT_NO = "R-330522003-20261123-000123-7"


class RegistryFault(Output):
    code = Text("登记机关错误代码", "Code of the registry", "3002")
    pointer = Text("字段", "Field", "/payload/name", allow_none=True)
    message_zh = Text("说明", "What is wrong, in Chinese", "姓名与证件号码不一致")
    message_en = Text("英文说明", "What is wrong", "name and number do not match")
    owner = Choice("由谁补正", "Who mends it", "TENANT", ("TENANT", "LANDLORD", "OPERATOR", "REGISTRY"))


class RegistrationShown(Output):
    id = Id("登记编号", "Id of the registration")
    version = Whole("版本", "Version", 2)
    state = Choice("状态", "State as a person sees it", "registered", STATE_NAMES)
    state_zh = Text("状态（中文）", "State in Chinese", "已登记")
    state_en = Text("状态（英文）", "State in English", "registered")
    scope = Choice(
        "登记范围", "Which path the law gives", "in_scope", ("in_scope", "exempt", "out_of_scope", "foreign")
    )
    declared_at = Moment("申报时间", "Declared at; the residence permit counts from here", allow_none=True)
    tenant_due_on = Day("申报期限", "To be declared by", "2026-11-26", allow_none=True)
    rule = Text("法规编号", "Legal rule", "HK-15", allow_none=True)
    registry_state = Choice(
        "登记机关状态", "State at the registry", "accepted", ("unsent", "sent", "accepted", "rejected")
    )
    receipt_no = Text("登记凭证号", "Number of the receipt", RECEIPT_NO, allow_none=True)
    accepted_at = Moment("登记时间", "Accepted at", allow_none=True)
    registry_errors = Several(Part(RegistryFault, "退回原因", "A fault"), "退回原因", "Why it came back")
    move_in_on = Day("入住日期", "Moved in on", allow_none=True)
    planned_end_on = Day("预计离开", "Planned end", "2027-11-22", allow_none=True)
    reason = Choice("居住事由", "Reason of stay", "204", REASONS_OF_STAY, allow_none=True)
    residence = Choice("居住情况", "Residence", "living", ("living", "moved_out", "voided"))
    moved_out_on = Day("离开日期", "Moved out on", None, allow_none=True)
    checkout_receipt_no = Text("离开登记凭证号", "Receipt of the check-out", None, allow_none=True)
    disputed = Flag("是否有争议", "Whether a person has to decide", False)
    case_reference = Text("事项编号", "Reference of the case", None, allow_none=True)
    permit_from = Day("可申领居住证的日期", "Residence permit from", "2027-05-23", allow_none=True)

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """The state in words comes from the domain's table."""
        if attr in ("state_zh", "state_en"):
            return STATE_NAMES[obj.state][attr == "state_en"]
        return super().get_attribute(obj, attr, default)


class Task(Output):
    kind = Choice("步骤", "Step", "face", ("notice", "identity", "face", "declare", "key"))
    state = Choice("状态", "State", "next", ("done", "next", "waiting", "later", "person"))


class TenancyShown(Output):
    registration_id = Id("登记编号", "Id of the registration")
    lease_id = Id("租约编号", "Id of the lease")
    key_id = Id("钥匙编号", "Id of the key", allow_none=True)
    unit_alias = Text("房间", "Unit", "陈塘村 12 号 201")
    landlord_alias = Text("房东", "Landlord", "王**")
    address = Text("地址", "Address", "浙江省湖州市长兴县太湖街道陈塘村 12 号 201")
    division = Text("区划代码", "Division code", "330522003901")
    starts_on = Day("租约开始", "Lease from")
    ends_on = Day("租约结束", "Lease until", "2027-11-22", allow_none=True)
    registration = Part(RegistrationShown, "登记", "Registration")
    key = Part(KeyShown, "钥匙", "Key", allow_none=True)
    tasks = Several(Part(Task, "步骤", "A step"), "要做的事", "What is to be done")
    landlord_says_left_on = Day("房东说您离开的日期", "Day on which the landlord says you left", None, allow_none=True)
    lives_along = Flag("随租客居住，没有自己的租约", "Lives along under another's lease", False)
    declared_by = Choice("由谁申报", "Who declared; null before", "self", DECLARED_BY, allow_none=True)


class Declaration(Input):
    move_in_on = Day("入住日期", "Moved in on", required=True)
    planned_end_on = Day("预计离开", "Planned end", "2027-11-22", allow_none=True)
    reason = Choice("居住事由（可不填）", "Reason of stay, optional", "204", REASONS_OF_STAY, allow_none=True)
    hukou_division = Text(
        "户籍地六位代码", "Place of household registration, six digits", "341524", most=12, allow_none=True
    )


class Amendment(Input):
    move_in_on = Day("入住日期", "Moved in on", required=True)
    planned_end_on = Day("预计离开", "Planned end", "2027-11-22", allow_none=True)
    reason = Choice("居住事由（可不填）", "Reason of stay, optional", "204", REASONS_OF_STAY, allow_none=True)


class CorrectedField(Output):
    field = Text("字段", "Field", "move_in_on")
    name_zh = Text("字段名", "Its name in Chinese", "入住日期")
    name_en = Text("字段英文名", "Its name", "Moved in on")
    value_zh = Text("更正后", "The corrected value in Chinese words", "2026-11-20")
    value_en = Text("更正后（英文）", "The corrected value", "2026-11-20")


class CorrectionShown(Output):
    id = Id("更正编号", "Id of the correction")
    made_at = Moment("更正时间", "Corrected at the registry at")
    due_at = Moment("答复期限", "To be answered by; then a person decides")
    state = Choice("状态", "State", "shown", ("shown", "accepted", "objected", "unanswered"))
    state_zh = Text("状态（中文）", "State in Chinese", "请您确认")
    state_en = Text("状态（英文）", "State in English", "Waits for your answer")
    fields = Several(Part(CorrectedField, "字段", "A field"), "更正的内容", "What was corrected")  # type: ignore[assignment]


class CorrectionAnswer(Input):
    accept = Flag("是否同意", "Whether it is right", True, required=True)


class CheckOut(Input):
    moved_out_on = Day("离开日期", "Moved out on", required=True)
    reason = Choice("离开事由", "Reason of leaving", "lease_end", CHECK_OUT_REASONS, required=True)


class TenantsCheckOut(CheckOut):
    leaving_too = Several(
        Id("登记编号", "Id of a registration"),
        "与您一起离开的同住人和孩子；不写的人登记不变",
        "Who of those one answers for leaves too; nobody else is checked out",
        load_default=(),
    )


class ReceiptShown(Output):
    receipt_no = Text("登记凭证号", "Number of the receipt", RECEIPT_NO)
    token = Text(
        "签名凭证",
        "The signed receipt, as its QR code carries it; verifies offline",
        "eyJ0eXAiOiJyZWNlaXB0K2p3dCJ9.e30.c2ln",
        most=8000,
    )
    declared_at = Moment("申报时间", "Declared at")
    accepted_at = Moment("登记时间", "Accepted at", allow_none=True)
    address = Text("地址", "Address", "浙江省湖州市长兴县太湖街道陈塘村 12 号 201")
    holder_name = Text("持有人", "Holder", "李青禾")
    checkout_receipt_no = Text("离开登记凭证号", "Receipt of the check-out", None, allow_none=True)
