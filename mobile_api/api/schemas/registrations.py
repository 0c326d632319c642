"""The tenant's side: tenancies, registrations, receipts."""

from __future__ import annotations

from typing import Any

from backend.domain.documents import DOCUMENT_TYPES
from backend.domain.households import DECLARED_BY
from backend.domain.registrations import BASES, CHECK_OUT_REASONS, REASONS_OF_STAY, STATE_NAMES
from backend.domain.residence_paths import EXEMPTIONS, FIELD_SOURCES, VOID_REASONS
from mobile_api.api.schemas.base import Input, Output
from mobile_api.api.schemas.fields import Choice, Day, Flag, Id, Moment, Part, Several, Text, Whole
from mobile_api.api.schemas.keys import KeyShown

RECEIPT_NO = "R-330522003-20261123-000123-7"


class RegistryFault(Output):
    code = Text("登记机关错误代码", "Code of the registry", "3002")
    pointer = Text("字段", "Field", "/payload/name", allow_none=True)
    message_zh = Text("说明", "What is wrong, in Chinese", "姓名与证件号码不一致")
    message_en = Text("英文说明", "What is wrong", "name and number do not match")
    what_zh = Text("通俗说明", "What is wrong in plain words, in Chinese", "姓名和证件号码对不上。")
    what_en = Text("英文", "What is wrong, in plain words", "Name and document number do not belong together.")
    todo_zh = Text("怎么办", "What to do, in Chinese", "核对无误的，带证件到窗口。")
    todo_en = Text("怎么办（英文）", "What to do", "If it is right, bring the document to the window.")
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
    changed_on = Day("最近一次变动的日期", "Day of the change last reported", None, allow_none=True)
    change_due_on = Day("变动报告期限", "That change was to be reported by (ZJ-13)", None, allow_none=True)
    change_late = Flag("变动是否报告较晚（无后果）", "Whether it was reported later; without consequence", False)
    exemption = Choice(
        "依法可不申报的情形", "Ground of an exemption (ZJ-12)", "near_relatives", EXEMPTIONS, allow_none=True
    )
    exempt_until = Day("可不申报至", "Exempt until", None, allow_none=True)
    foreign_due_at = Moment("外国人住宿登记期限", "A foreigner's form is due by (EEL-39)", allow_none=True)
    foreign_form_no = Text("外国人登记表编号", "Number of the form", None, allow_none=True)
    foreign_done_at = Moment("外国人住宿登记办理日期", "Day on which the police took the form", allow_none=True)
    void_reason = Choice("作废原因", "Why it is void", "entered_in_error", VOID_REASONS, allow_none=True)
    void_asked = Flag("是否已申请作废", "Whether its voiding was asked for and is to be decided", False)

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
    lease_id = Id("租约编号；没有租约为空", "Id of the lease; null without one", allow_none=True)
    key_id = Id("钥匙编号", "Id of the key", allow_none=True)
    unit_alias = Text("房间", "Unit", "陈塘村 12 号 201")
    landlord_alias = Text("房东", "Landlord; null where the unit is not enrolled", "王**", allow_none=True)
    address = Text("地址", "Address", "浙江省湖州市长兴县太湖街道陈塘村 12 号 201")
    division = Text("区划代码", "Division code", "330522003901")
    starts_on = Day("租约开始", "Lease from")
    ends_on = Day("租约结束", "Lease until", "2027-11-22", allow_none=True)
    registration = Part(RegistrationShown, "登记", "Registration")
    key = Part(KeyShown, "钥匙", "Key", allow_none=True)
    tasks = Several(Part(Task, "步骤", "A step"), "要做的事", "What is to be done")
    landlord_says_left_on = Day("房东说您离开的日期", "Day on which the landlord says you left", None, allow_none=True)
    may_check_out = Flag(
        "可以办理离开", "Whether one may say that one has left; also of a void registration, while its lease runs", True
    )
    lives_along = Flag("随租客居住，没有自己的租约", "Lives along under another's lease", False)
    declared_by = Choice("由谁申报", "Who declared; null before", "self", DECLARED_BY, allow_none=True)
    basis = Choice("没有租约的原因", "Why there is no lease; null where there is one", "oral", BASES, allow_none=True)
    right_seen = Flag(
        "工作人员是否核看过房东的出租权；没有房东为空",
        "Whether staff has seen the landlord's right to let; null without a landlord", True, allow_none=True,
    )  # fmt: skip


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
    hukou_division = Text(
        "新的户籍地六位代码", "New place of household registration, six digits", "341524", most=12, allow_none=True
    )
    changed_on = Day(
        "变动发生的日期；更正错误不填", "Day of the change (ZJ-13); none for a correction", None, allow_none=True
    )
    unit_id = Id("房间编号；换房间不是更正", "Id of the unit; another one is refused with what to do", allow_none=True)
    version = Whole("读取时的版本；不一致则拒绝", "Version it was read at; another one is refused", 2, allow_none=True)


class Exemption(Input):
    exemption = Choice("依法可不申报的情形", "Ground", "near_relatives", EXEMPTIONS, required=True)
    move_in_on = Day("入住日期", "Moved in on", required=True)
    exempt_until = Day("到哪一天", "Until; near relatives: 30 days at most", None, allow_none=True)
    hukou_division = Text(
        "户籍地六位代码", "Place of household registration, six digits", "341524", most=12, allow_none=True
    )


class VoidAsked(Input):
    reason = Choice("作废原因", "Why", "entered_in_error", VOID_REASONS, required=True)


class FormDone(Input):
    done_on = Day("公安机关受理的日期", "Day on which the police took the form", required=True)


class FormDoneShown(Output):
    done_on = Day("公安机关受理的日期", "Day that stands now")


class ForeignFormShown(Output):
    form_no = Text("登记表编号", "Number of the form", "F-20261123-0123456789")
    handed_out_at = Moment("领取时间", "Handed out at")
    due_at = Moment("办理期限", "Due by (EEL-39)", allow_none=True)
    done_at = Moment("办理日期", "Done on", allow_none=True)
    name = Text("姓名", "Name", "ALEX SAMPLE")
    name_latin = Text("拉丁文姓名", "Name in Latin letters", None, allow_none=True)
    id_type = Choice("证件种类", "Type of document", "414", DOCUMENT_TYPES)
    id_number = Text("证件号码", "Number of the document", "E12345678")
    nationality = Text("国籍", "Nationality", "DEU")
    birth_on = Day("出生日期", "Date of birth", "1990-01-01")
    sex = Choice("性别", "Sex", "unknown", ("male", "female", "unknown"))
    address = Text("住址", "Address", "浙江省湖州市长兴县太湖街道陈塘村 12 号 201")
    unit_no = Text("房间编号", "Public number of the unit", "U-TEST0101")
    move_in_on = Day("入住日期", "Moved in on")
    planned_end_on = Day("预计离开", "Planned end", "2027-11-22", allow_none=True)
    host_alias = Text("房东", "Host", "王*")


class OriginShown(Output):
    object_kind = Choice("属于", "Of", "registration", ("person", "registration"))
    field = Text("字段", "Field", "move_in_on")
    source = Choice("来源", "Source", "tenant", FIELD_SOURCES)
    at = Moment("时间", "At")
    notice_version = Text("当时的告知书版本", "Notice in force", "2026-12", allow_none=True)
    corrected = Whole("更正次数", "How often it was corrected", 0)


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
