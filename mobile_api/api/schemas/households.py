"""Who lives along with a tenant, children a guardian declares, relatives who are represented."""

from __future__ import annotations

from backend.domain.documents import DOCUMENT_TYPES
from backend.domain.households import DECLARED_BY, KIN, RELATIONS, REPRESENTATIONS
from backend.domain.registrations import CHECK_OUT_REASONS, REASONS_OF_STAY, STATE_NAMES
from mobile_api.api.schemas.base import Input, Output
from mobile_api.api.schemas.fields import Choice, Day, Flag, Id, Part, Several, Text, Whole
from mobile_api.api.schemas.me import BANDS
from mobile_api.api.schemas.registrations import Declaration, RegistrationShown

SEXES = ("male", "female", "unknown")


class PersonEntered(Declaration):
    """Name and document of another grown person, and what is declared of them."""

    name = Text("姓名", "Name as on the document", "郑小芳", most=80, required=True)
    id_type = Choice("证件类型", "Document type", "111", DOCUMENT_TYPES, required=True)
    id_number = Text("证件号码", "Document number", "341822199708090008", most=32, required=True)
    birth_on = Day(
        "出生日期，证件号码不含时填写", "Date of birth where the number does not say it", "1997-08-09", allow_none=True
    )
    sex = Choice("性别，证件号码不含时填写", "Sex where the number does not say it", "female", SEXES, allow_none=True)
    told = Flag("已把告知书的内容告诉本人", "The person was told what the notice says (PIPL-17)", required=True)


class CoResidentEntered(PersonEntered):
    relation = Choice("是您的什么人", "What they are to the tenant", "spouse", RELATIONS, required=True)
    representation = Choice(
        "代为申报的原因", "Why a relative is represented (ZJ-7)", "elderly", REPRESENTATIONS, allow_none=True
    )


class RelativeDeclared(PersonEntered):
    unit_number = Text("门牌二维码编号", "Number at the relative's door", "U-7K2MQ9XD", most=40, required=True)
    kinship = Choice("是您的什么人", "What the tenant is to you", "parent", KIN, required=True)
    representation = Choice("代为申报的原因", "Why represented (ZJ-7)", "elderly", REPRESENTATIONS, required=True)


class ChildDeclared(Declaration):
    child_id = Id("孩子的人员编号", "Id of the child, as under my children", required=True)
    relation = Choice(
        "是租客的什么人；监护人就是租客时不用填",
        "What the child is to the tenant; not asked when the guardian is the tenant",
        "child",
        RELATIONS,
        allow_none=True,
    )


class MemberShown(Output):
    registration_id = Id("登记编号", "Id of the registration")
    unit_alias = Text("房间", "Unit", "陈塘村 12 号 201")
    name = Text("姓名", "Name", "郑小芳")
    id_type = Choice("证件类型", "Document type; null once they look after it", "111", DOCUMENT_TYPES, allow_none=True)
    id_number_masked = Text(
        "证件号码（遮盖）", "The number, masked; null once they look after it", "341*************08", allow_none=True
    )
    relation = Choice("关系", "Relation to the tenant", "spouse", RELATIONS, allow_none=True)
    age_band = Choice("年龄段", "Age band", "adult", BANDS)
    declared_by = Choice("由谁申报", "Who declared; null before", "relative", DECLARED_BY, allow_none=True)
    representation = Choice("代为申报的原因", "Why represented", "elderly", REPRESENTATIONS, allow_none=True)
    manages = Choice("由谁管理", "Who looks after it now", "you", ("you", "themselves"))
    objected = Flag("本人是否提出异议", "Whether an objection is open", False)
    state = Choice("状态", "State as a person sees it", "registered", STATE_NAMES)
    registration = Part(
        RegistrationShown, "登记；对方自己管理后为 null", "Registration; null once they look after it", allow_none=True
    )


class ChildToDeclare(Output):
    person_id = Id("人员编号", "Id of the child")
    name = Text("姓名", "Name", "周小福")
    needs_division = Flag("是否还要填户籍地", "Whether the household registration is still asked for", True)


class ChildsLeaseShown(Output):
    registration_id = Id("登记编号", "Id of the child's registration, for `/registrations/{id}/children`")
    unit_alias = Text("房间", "Unit", "陈塘村 12 号 201")
    child = Part(ChildToDeclare, "孩子", "The child")


class HouseholdShown(Output):
    registration_id = Id("登记编号", "Id of one's own registration")
    unit_alias = Text("房间", "Unit", "陈塘村 12 号 201")
    is_tenant = Flag("是否租客本人", "Whether one is the tenant", True)
    living = Whole(
        "这间房已申报的居住人数（只告诉住在这里的人）",
        "How many are declared in the unit; told only to those who live there",
        3,
        allow_none=True,
    )
    capacity = Whole("可住人数", "How many may live there", 2)
    over_capacity = Flag("是否超过可住人数（只提示）", "More than may live there: only a hint (HR-7)", True)
    members = Several(Part(MemberShown, "同住人", "Somebody who lives along"), "同住人", "Who lives along")
    children = Several(
        Part(ChildToDeclare, "孩子", "A child"), "还没有申报的孩子", "Children one answers for, not registered here yet"
    )


class MemberAmended(Input):
    move_in_on = Day("入住日期", "Moved in on", required=True)
    planned_end_on = Day("预计离开", "Planned end", "2027-11-22", allow_none=True)
    reason = Choice("居住事由（可不填）", "Reason of stay, optional", "204", REASONS_OF_STAY, allow_none=True)


class MemberCheckedOut(Input):
    moved_out_on = Day("离开日期", "Moved out on", required=True)
    reason = Choice("离开事由", "Reason of leaving", "left_county", CHECK_OUT_REASONS, required=True)
