"""Leases, invitations, and the landlord's units and tasks."""

from __future__ import annotations

from backend.domain.documents import DOCUMENT_TYPES
from backend.domain.landlord_board import STATES
from backend.domain.leases import KINDS
from backend.domain.spaces import RIGHT_NAMES, SEEN_NAMES, SPACE_NAMES
from backend.domain.visitors import PURPOSES
from mobile_api.api.schemas.base import Input, Output
from mobile_api.api.schemas.fields import Choice, Day, Flag, Id, Json, Moment, Number, Part, Several, Text, Whole
from mobile_api.api.schemas.keys import KeyShown
from mobile_api.api.schemas.locks import LockShown

LINK = "https://anju.example/i/kVx2c0uXbq7m4n1TtqBzjA"


class NamedTenant(Input):
    tenant_name = Text(
        "租客姓名（填写后不再显示）", "Tenant's name, never shown again", "李青禾", most=80, required=True
    )
    tenant_id_type = Choice("租客证件类型", "Document type", "111", DOCUMENT_TYPES, required=True)
    tenant_id_number = Text(
        "租客证件号码（填写后不再显示）",
        "Document number, never shown again",
        "341524199203040001",
        most=32,
        required=True,
    )


class LeaseRecorded(NamedTenant):
    kind = Choice("租赁方式", "Whole, room or bed", "room", KINDS, required=True)
    starts_on = Day("开始日期", "First day", required=True)
    ends_on = Day(
        "结束日期，不填为不定期", "Last day; none is open-ended", "2027-11-22", allow_none=True, load_default=None
    )
    alias = Text("您对租客的称呼", "What you call the tenant", "小李", most=40, required=True)
    tenant_phone = Text("租客手机号", "Tenant's phone", "+86 199 0000 0002", most=32, required=True)
    report_now = Flag("同时报告登记机关", "Report to the registry at once", load_default=True)
    rent_cents = Whole("月租（分），不外送", "Monthly rent in cents; goes nowhere", 120000, allow_none=True)
    deposit_cents = Whole("押金（分），不外送", "Deposit in cents; goes nowhere", 120000, allow_none=True)


class CoTenant(NamedTenant):
    alias = Text("您对租客的称呼", "What you call the tenant", "小王", most=40, required=True)
    tenant_phone = Text("租客手机号", "Tenant's phone", "+86 199 0000 0004", most=32, required=True)
    report_now = Flag("同时报告登记机关", "Report to the registry at once", load_default=True)


class LeaseMade(Output):
    lease_id = Id("租约编号", "Id of the lease")
    registration_id = Id("登记编号", "Id of the registration")
    key_id = Id("钥匙编号", "Id of the key", allow_none=True)
    landlord_receipt_no = Text("房东报告回执", "The landlord's receipt", None, allow_none=True)


class Extension(Input):
    ends_on = Day(
        "新的结束日期，null 为不定期", "New last day; null is open-ended", "2028-11-22", allow_none=True, required=True
    )


class StartMoved(Input):
    starts_on = Day("新的开始日期", "New first day", "2026-11-24", required=True)


class Ending(Input):
    ended_on = Day("租客离开日期", "Day on which the tenant left", "2026-11-20", required=True)


class EndMade(Output):
    state = Choice(
        "状态", "Waiting for the tenant's word, or ended", "waiting_for_tenant", ("waiting_for_tenant", "ended")
    )
    disputed = Flag("是否有争议", "Whether the tenant says otherwise", False)


class Attestation(Input):
    met_in_person = Flag("我已当面见到本人", "I have met this person", required=True)
    saw_document = Flag("我已查看证件原件", "I have seen the original document", required=True)
    number_ends = Text(
        "证件号码末四位，与租约中的核对",
        "The last four characters of the document's number, compared with the lease's",
        "0021",
        most=4,
        allow_none=True,
        load_default=None,
    )


class AttestationMade(Output):
    state = Choice("身份状态", "State of the identity", "attested", ("none", "attested", "verified"))
    review_due_at = Moment("复核期限", "Staff reviews by", "2026-11-26T06:30:00+00:00", allow_none=True)


class InvitationAsked(Input):
    phone = Text(
        "租客手机号，不填沿用租约中的",
        "Tenant's phone; without it the lease's",
        "+86 199 0000 0002",
        most=32,
        allow_none=True,
        load_default=None,
    )


class InvitationShown(Output):
    id = Id("邀请编号", "Id of the invitation")
    state = Choice("状态", "State", "pending", ("pending", "accepted", "cancelled", "expired"))
    link = Text(
        "发给租客的链接；路径的最后一段是邀请码",
        "The link to send to the tenant; the last part of its path is the token that `/invitations/look` takes",
        LINK,
    )
    phone_masked = Text("租客手机号（遮盖）", "Tenant's phone, masked", "199******02", allow_none=True)
    expires_at = Moment("到期", "Good until", "2026-11-30T06:30:00+00:00")
    message = Choice("邀请短信", "What became of the short message; none: it was made without one",
                     "sent", ("none", "waiting", "sent", "failed"))  # fmt: skip


class InvitationToken(Input):
    token = Text("链接中的邀请码", "Token of the link", "kVx2c0uXbq7m4n1TtqBzjA", most=200, required=True)


class InvitationFace(Output):
    landlord_alias = Text("房东", "Landlord", "王**")
    unit_alias = Text("房间", "Unit", "陈塘村 12 号 201")
    starts_on = Day("开始日期", "First day")
    ends_on = Day("结束日期", "Last day", "2027-11-22", allow_none=True)
    state = Choice("状态", "State", "pending", ("pending", "accepted", "cancelled", "expired"))
    phone_masked = Text("受邀手机号（遮盖）", "The invited phone, masked", "199******02", allow_none=True)
    purpose = Choice("来访用途（临时钥匙）", "What a visitor's key is for", "repair", PURPOSES, allow_none=True)
    right_seen = Flag(
        "工作人员是否核看过房东的出租权；临时钥匙为空",
        "Whether staff has seen the landlord's right to let; null for a visitor's key", True, allow_none=True,
    )  # fmt: skip


class PendingInvitation(Output):
    token = Text("链接中的邀请码", "Token of the link", "kVx2c0uXbq7m4n1TtqBzjA")
    expires_at = Moment("过期时间", "When it expires")
    face = Part(InvitationFace, "邀请内容", "What it is for")


class Acceptance(InvitationToken):
    phone_jwk = Json(
        "手机公钥（JWK，P-256）",
        "Public key of the phone (JWK, P-256), its private half never leaves it",
        {
            "kty": "EC",
            "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        },
        required=True,
    )


class Accepted(Output):
    lease_id = Id("租约编号", "Id of the lease; a visitor has none", allow_none=True)
    registration_id = Id("登记编号", "Id of the registration; a visitor has none", allow_none=True)
    key_id = Id("钥匙编号", "Id of the key")


class Progress(Output):
    invited = Flag("已邀请", "Invited")
    accepted = Flag("已接受", "Accepted")
    identity = Choice("身份", "Identity", "verified", ("open", "attested", "verified", "review"))
    declared = Flag("已申报", "Declared")
    receipt = Flag("已有登记凭证", "Receipt given")
    difference = Text("与申报不一致之处", "Where both sides differ", None, allow_none=True)


class ReturnedReport(Output):
    code = Text("登记机关代码", "The registry's code", "3002")
    field = Text("哪一项", "Which field, never what stands in it", "name")
    what_zh = Text("哪里不对", "What is wrong, in Chinese", "姓名和证件号码对不上。")
    what_en = Text("哪里不对（英文）", "What is wrong", "Name and document number do not belong together.")
    todo_zh = Text("怎么办", "What to do, in Chinese", "请在租约里“更正租客信息”，照证件重填；核对无误的，到窗口。")
    todo_en = Text(
        "怎么办（英文）",
        "What to do",
        "Correct the tenant's details in the lease as the document has them; if they are right, come to the window.",
    )


class LeaseShown(Output):
    id = Id("租约编号", "Id of the lease")
    unit_id = Id("房间编号", "Id of the unit")
    unit_alias = Text("房间", "Unit", "陈塘村 12 号 201")
    kind = Choice("租赁方式", "Whole, room or bed", "room", KINDS)
    starts_on = Day("开始日期", "First day")
    ends_on = Day("结束日期", "Last day", "2027-11-22", allow_none=True)
    state = Choice("状态", "State", "active", ("active", "ended", "cancelled"))
    version = Whole("版本", "Version", 2)
    alias = Text("您对租客的称呼", "What you call the tenant", "小李")
    progress = Part(Progress, "进展（没有租客的填写内容）", "Progress, none of the tenant's answers")
    landlord_leg = Choice("房东报告", "The landlord's report", "reported", ("due", "reported"))
    landlord_due_on = Day("报告期限", "To be reported by", "2026-11-26", allow_none=True)
    landlord_receipt_no = Text(
        "房东报告回执", "The landlord's receipt", "R-330522003-20261123-000123-7", allow_none=True
    )
    invitation = Part(InvitationShown, "邀请", "Invitation", allow_none=True)
    key = Part(KeyShown, "钥匙", "Key", allow_none=True)
    ended_by_landlord_on = Day("您报告的离开日期", "Day you reported as the end", None, allow_none=True)
    residence = Choice("居住情况", "Residence", "living", ("living", "moved_out", "voided"))
    disputed = Flag("是否有争议", "Whether a person has to decide", False)
    can_attest = Flag("现在可否见证", "Whether an attestation is asked for", False)
    foreign_due_at = Moment("外国人住宿登记期限", "A foreigner's form is due by (EEL-39)", allow_none=True)
    foreign_done_at = Moment("外国人住宿登记办理日期", "Day on which the police took the form", allow_none=True)
    joint_id = Id("合租的首份租约", "First lease of a joint tenancy; null when it is none of the joining ones",
                  allow_none=True)  # fmt: skip
    can_correct = Flag("租客信息现在可否更正", "Whether the tenant's details can be corrected", False)
    can_move_start = Flag("开始日期现在可否更改", "Whether the start can be moved", False)
    returned = Several(
        Part(ReturnedReport, "退回的一项", "One thing that came back"),
        "登记机关退回、由您更正的内容",
        "What the registry has returned and you can mend",
    )
    residents = Whole("本租约已申报的居住人数（不含姓名）", "How many are declared under this lease; never who", 3)


class LettingRight(Output):
    kind = Choice("出租权依据", "Right to let", "owner", RIGHT_NAMES)
    seen_at = Moment("工作人员核看时间；没有核看为空", "When staff saw the evidence; null until then", allow_none=True)
    seen_kind = Choice("核看方式", "How it was seen", "at_window", SEEN_NAMES, allow_none=True)
    office = Text("核看的单位", "Whose staff saw it", "太湖派出所", allow_none=True)
    office_en = Text("单位英文名", "The office in English", "Taihu police station", allow_none=True)


class UnitCard(Output):
    unit_id = Id("房间编号", "Id of the unit")
    dwelling_id = Id("房屋编号", "Id of the dwelling")
    address = Text("地址", "Address", "浙江省湖州市长兴县太湖街道陈塘村 12 号 201")
    alias = Text("简称", "Short name", "陈塘村 12 号 201")
    label = Text("房间", "Label", "201")
    public_number = Text("门牌二维码编号", "Number of the QR code at the door", "U-7K2MQ9XD")
    space_kind = Choice("空间种类", "Kind of space", "bedroom", SPACE_NAMES)
    usable_area_m2 = Number("使用面积 m²", "Usable area in m²", 12.5)
    capacity = Whole("可住人数", "How many may live there", 2)
    state = Choice("状态", "State", "let", STATES)
    lock = Part(LockShown, "门锁", "Lock", allow_none=True)
    lease = Part(LeaseShown, "租约", "Lease", allow_none=True)
    without_lease = Whole("申报住在这里、没有租约的人数", "How many declared living here without a lease", 0)
    right = Part(LettingRight, "出租权，是否已核看", "The right to let, and whether it was seen", allow_none=True)
    mandate_ends_on = Day("委托到期日（受托管理时）", "End of a manager's mandate", None, allow_none=True)


class Todo(Output):
    kind = Text("待办", "What to do", "report_tenant")
    unit_alias = Text("房间", "Unit", "陈塘村 12 号 201")
    unit_id = Id("房间编号", "Id of the unit", allow_none=True)
    lease_id = Id("租约编号", "Id of the lease", allow_none=True)
    due_on = Day("期限", "By", "2026-11-26", allow_none=True)
    rule = Text("法规编号", "Legal rule", "ZJ-9-1", allow_none=True)


class LandlordHome(Output):
    units = Several(Part(UnitCard, "房间", "A unit"), "我的房间", "My units")
    contested = Several(
        Text("房间", "Unit", "陈塘村 12 号 202"), "由工作人员核实的房间", "Units whose claim a person decides"
    )
    todos = Several(Part(Todo, "待办", "A task"), "待办", "Tasks")
