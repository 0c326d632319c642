"""One's own account and identity."""

from __future__ import annotations

from backend.domain.documents import DOCUMENT_TYPES
from backend.domain.duties import DUTIES
from backend.domain.erasures import OBSTACLES, REMAINS
from mobile_api.api.schemas.base import Input, Output
from mobile_api.api.schemas.fields import Choice, Day, Flag, Id, Json, Moment, Part, Several, Text, Whole

STATES = ("none", "attested", "verified")
DOCUMENT_STATES = ("unasked", "matched", "unmatched", "unavailable")
BANDS = ("adult", "under_16", "under_14")


class AccountShown(Output):
    id = Id("账号编号", "Id of the account")
    session_id = Id("会话编号", "Id of the present session")
    person_id = Id("人员编号", "Id of the person, once entered", allow_none=True)
    language = Choice("语言", "Language", "zh", ("zh", "en"))
    elder_mode = Flag("大字模式", "Large text", False)
    phone_masked = Text("手机号（遮盖）", "The number, masked", "199******01")


class Preferences(Input):
    language = Choice("语言", "Language", "en", ("zh", "en"))
    elder_mode = Flag("大字模式", "Large text")


class IdentityEntered(Input):
    id_type = Choice("证件类型", "Document type", "111", DOCUMENT_TYPES, required=True)
    id_number = Text("证件号码", "Document number", "330522199001010001", most=32, required=True)
    name = Text("姓名", "Name as on the document", "陈晓安", most=80, required=True)
    hukou_division = Text(
        "户籍地六位代码", "Place of household registration, six digits", "341524", most=12, allow_none=True
    )
    birth_on = Day(
        "出生日期，证件号码不含时填写", "Date of birth where the number does not say it", "1990-01-01", allow_none=True
    )
    sex = Choice(
        "性别，证件号码不含时填写",
        "Sex where the number does not say it",
        "female",
        ("male", "female", "unknown"),
        allow_none=True,
    )
    keep_unmatched = Flag(
        "核对不一致（3002）时保留填写，到窗口办理", "Keep the entry for the window when it is not matched (3002)", False
    )
    nationality = Text("国籍三字码", "Nationality, three letters", "CHN", least=3, most=3)


class IdentityShown(Output):
    person_id = Id("人员编号", "Id of the person")
    name = Text("姓名", "Name", "陈晓安")
    id_type = Choice("证件类型", "Document type", "111", DOCUMENT_TYPES)
    id_number_masked = Text("证件号码（遮盖）", "Document number, masked", "330*************01")
    birth_year = Whole("出生年份", "Year of birth", 1990)
    state = Choice("核验状态", "What is known of the identity", "verified", STATES)
    document_checked = Flag("姓名与号码是否核对一致", "Whether name and number were found to belong together")
    document_state = Choice(
        "姓名与号码的核对", "What the authority said; unavailable: it is asked again", "matched", DOCUMENT_STATES
    )
    may_correct = Flag("是否还能自行更正", "Whether another entry would correct this one", False)
    age_band = Choice("年龄段", "Age band", "adult", BANDS)
    hukou_division = Text("户籍地六位代码", "Place of household registration", "341524", allow_none=True)


class MyData(Output):
    data = Json("我的全部资料", "Everything kept about you", {"identity": {"name": "陈晓安"}})


class ObstacleShown(Output):
    what = Choice("什么", "What it is", "home", tuple(OBSTACLES))
    until = Moment("到何时；空：还不知道", "Until when; none: nobody can say yet", None, allow_none=True)
    place = Text("房间或事项", "The unit or case", "陈塘路12号 201室", allow_none=True)


class RemainderShown(Output):
    what = Choice("什么", "What it is", "receipts", tuple(REMAINS))
    until = Moment("最迟保留到", "Kept until at the latest", "2029-11-26T15:59:59+00:00")


class ErasureShown(Output):
    asked_at = Moment("申请时间；空：没有申请", "Asked for at; none: not asked for", None, allow_none=True)
    goes_at = Moment(
        "何时生效；空：有事项未了结", "When it takes effect; none: something has to end first", None, allow_none=True
    )
    reconsider_until = Moment("至少到此时可撤回", "It can be taken back until then at least")
    waits = Several(Part(ObstacleShown, "一项", "One"), "要先办结的", "What has to end first")
    stays = Several(Part(RemainderShown, "一项", "One"), "依法保留的", "What the law keeps afterwards")


class DutyShown(Output):
    code = Choice("哪项义务", "Which duty", "declare", tuple(DUTIES))
    side = Choice("以什么身份", "In which part one owes it", "tenant", ("tenant", "landlord"))
    title_zh = Text("名称", "Name in Chinese", "申报居住登记")
    title_en = Text("英文名称", "Name", "Declare the residence")
    rule = Text("法规编号", "Legal rule", "HK-15", allow_none=True)
    state = Choice("状态", "State", "open", ("open", "overdue", "information"))
    due_on = Day("最迟日期（含当日）", "Last day in time, in China", "2026-11-26")
    due_at = Moment("最迟时刻", "Last moment in time", "2026-11-26T15:59:59+00:00")
    days = Whole("还有几天；逾期时为晚了几天", "Days left; days late when overdue", 3)
    unit_alias = Text("房间", "The unit", "陈塘路12号 201室")
    registration_id = Id("登记编号", "Id of the registration")
    lease_id = Id("租约编号", "Id of the lease", allow_none=True)
