"""What each act at the window asks for: fields by name, their kind and words, and the use case that takes them.

A field is named as the use case's argument is, so that a fault finds its place by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from backend.bootstrap import World
from backend.domain.case_reports import RATING_REASONS, REPORTS, STARS
from backend.domain.documents import DOCUMENT_TYPES
from backend.domain.guardians import RELATIONS as GUARDIAN_RELATIONS
from backend.domain.households import KIN, RELATIONS, REPRESENTATIONS
from backend.domain.leases import KIND_NAMES
from backend.domain.look_questions import QUESTIONS
from backend.domain.registrations import BASES, CHECK_OUT_REASONS, REASONS_OF_STAY
from backend.domain.residence_paths import EXEMPTIONS, VOID_REASONS
from backend.domain.spaces import LETTABLE, RIGHT_NAMES, SPACE_NAMES
from backend.services.guardians import list_children
from backend.services.households import list_household
from backend.services.look_questions import list_recent_looks
from backend.services.window_visits import Visit

Pair = tuple[str, str]
Choices = Mapping[str, Pair]
Options = Callable[[World, Visit, Mapping[str, str]], Choices]

DOCUMENTS: Choices = {code: (row.zh, row.en) for code, row in DOCUMENT_TYPES.items()}
SEXES: Choices = {"male": ("男", "Male"), "female": ("女", "Female")}
YES_NO: Choices = {"yes": ("同意", "Yes"), "no": ("不同意", "No")}
ACCEPT: Choices = {"yes": ("确认无误", "It is right"), "no": ("有异议", "Object")}
TAKE_BACK: Choices = {
    "entered_in_error": ("录入有误", "Entered in error"),
    "duplicate": ("重复录入", "Entered twice"),
}


@dataclass(frozen=True)
class Field:
    """One field: `kind` is text, day, number, check, choice, grade, many, division or password, which is never given
    back. A grade is a choice among numbers, a division a place of household registration.

    `note` says beside an optional field's name when it is needed all the same; an identity card's number says what is
    `in_number`, so that it is asked with other documents alone.
    """

    name: str
    kind: str
    label: Pair
    optional: bool = False
    choices: Choices | None = None
    options: Options | None = None
    hint: Pair | None = None
    note: Pair | None = None
    in_number: bool = False


def _text(name: str, zh: str, en: str, *, optional: bool = False, hint: Pair | None = None) -> Field:
    return Field(name, "text", (zh, en), optional, hint=hint)


def _day(name: str, zh: str, en: str, *, optional: bool = False, hint: Pair | None = None) -> Field:
    return Field(name, "day", (zh, en), optional, hint=hint)


def _choice(name: str, zh: str, en: str, choices: Choices, *, optional: bool = False) -> Field:
    return Field(name, "choice", (zh, en), optional, choices=choices)


def _members(world: World, visit: Visit, about: Mapping[str, str]) -> Choices:
    """Who lives along with the person and may leave with them."""
    home = list_household(world, account_id=visit.account_id, registration_id=about["registration_id"])
    return {
        row.registration_id: (row.name, row.name)
        for row in home.members
        if row.manages == "you" and row.state != "moved_out"
    }


def _children(world: World, visit: Visit, about: Mapping[str, str]) -> Choices:
    return {row.person_id: (row.name, row.name) for row in list_children(world, account_id=visit.account_id)}


def _looks(world: World, visit: Visit, about: Mapping[str, str]) -> Choices:
    """The newest looks at the person's data, as their printed access record has them."""
    return list_recent_looks(world, account_id=visit.account_id)


def _facts(world: World, visit: Visit, about: Mapping[str, str]) -> Choices:
    """All facts of all kinds of reports, each with its kind; the use case takes those of the chosen one."""
    return {
        code: (f"{kind.zh}：{fact.zh}", f"{kind.en}: {fact.en}")
        for kind in REPORTS.values()
        for code, fact in kind.facts.items()
    }


HUKOU = Field(
    "hukou_division",
    "division",
    ("户籍地", "Household registration"),
    optional=True,
    hint=("户口本上的省和县，只到县。", "Province and county of the household booklet."),
    note=("居民身份证必填", "needed with an identity card"),
)
MOVE_IN = _day("move_in_on", "入住日期", "Moved in on")
PLANNED_END = _day("planned_end_on", "预计离开日期", "Planned end", optional=True)
REASON = _choice("reason", "居住事由", "Reason of stay", REASONS_OF_STAY, optional=True)
ANSWERS = (MOVE_IN, PLANNED_END, REASON, HUKOU)
NAME = _text("name", "姓名", "Name")
ID_TYPE = _choice("id_type", "证件种类", "Document", DOCUMENTS)
ID_NUMBER = _text("id_number", "证件号码", "Document number")
BIRTH: tuple[Field, ...] = (
    replace(
        _day("birth_on", "出生日期", "Born on", optional=True, hint=("18 位号码不用填", "Not for 18-digit numbers")),
        in_number=True,
    ),
    replace(_choice("sex", "性别", "Sex", SEXES, optional=True), in_number=True),
)
PERSON = (NAME, ID_TYPE, ID_NUMBER, *BIRTH)
RIGHT = (
    _choice("right_kind", "出租权依据", "Right to let", {code: RIGHT_NAMES[code] for code in RIGHT_NAMES}),
    _text("evidence", "证明材料", "Evidence", hint=("只写名称，不留复印件", "Its name only; no copy is kept")),
    _day("mandate_ends_on", "委托到期日", "Mandate ends on", optional=True),
)
SEEN = Field(
    "seen", "check", ("我已核看原件：是本人，也是这处房屋", "I have seen the original: this person, this dwelling")
)
TOLD = Field("told", "check", ("已告知本人（个人信息保护法第17条）", "They have been told (PIPL-17)"))
REPRESENTED = _choice("representation", "代办原因", "Why represented", REPRESENTATIONS, optional=True)
NOTICE_GIVEN = Field(
    "given",
    "choice",
    ("已逐条读给本人听或交给本人，本人表示", "Read aloud or handed over; the answer is"),
    choices=YES_NO,
)
LEAVING = (
    _day("moved_out_on", "离开日期", "Moved out on"),
    _choice("reason", "离开原因", "Reason", CHECK_OUT_REASONS),
)
DONE_ON = (_day("done_on", "派出所收表日期", "Police took it on"),)

TENANT = (
    _text("tenant_name", "承租人姓名", "Tenant's name"),
    _choice("tenant_id_type", "承租人证件种类", "Tenant's document", DOCUMENTS),
    _text("tenant_id_number", "承租人证件号码", "Tenant's document number"),
)
NAMED = (
    _text("alias", "房东给租客的称呼", "What the landlord calls the tenant"),
    *TENANT,
    _text("tenant_phone", "承租人手机号（没有不填）", "Tenant's phone (empty: none)", optional=True),
)

REPORT = (
    _text("unit_no", "门牌二维码上的编号", "Number at the door"),
    _choice("kind", "哪一类问题", "Kind", {code: (row.zh, row.en) for code, row in REPORTS.items()}),
    Field("facts", "many", ("是什么情况（选同一类的）", "What is wrong (of that kind)"), options=_facts),
    _text(
        "words",
        "补充说明",
        "In addition",
        optional=True,
        hint=("只写房屋或门锁，不写任何人，不写号码", "About the dwelling or lock; no person, no numbers"),
    ),
)

GRADES: Choices = {str(number): words for number, words in STARS.items()}
RATING = (
    Field("stars", "grade", ("本人的评价", "The rating"), choices=GRADES),
    _choice("reason", "原因", "Why", RATING_REASONS, optional=True),
)
NOT_SOLVED = _text(
    "words",
    "还有什么没有解决",
    "What is left",
    optional=True,
    hint=("只写房屋或门锁，不写任何人，不写号码", "About the dwelling or lock; no person, no numbers"),
)

# act -> fields; an act without a row asks for nothing but a confirmation.
FIELDS: Mapping[str, tuple[Field, ...]] = {
    "answer_consent": (NOTICE_GIVEN,),
    "declare": ANSWERS,
    "declare_without_lease": (_choice("basis", "居住依据", "Why they live here", BASES), *ANSWERS),
    "declare_exempt": (
        _choice("exemption", "不申报的情形", "Ground", EXEMPTIONS),
        MOVE_IN,
        _day("exempt_until", "到哪一天", "Until", optional=True),
        HUKOU,
    ),
    "amend": (
        *(MOVE_IN, PLANNED_END, REASON, replace(HUKOU, note=None)),
        _day("changed_on", "变动日期（更正不填）", "Changed on (empty: a correction)", optional=True),
    ),
    "request_void": (_choice("reason", "作废原因", "Reason", VOID_REASONS),),
    "check_out": (
        *LEAVING,
        Field("leaving_too", "many", ("一起离开的人", "Who leaves too"), True, options=_members),
    ),
    "answer_correction": (_choice("accept", "本人的答复", "The answer", ACCEPT),),
    "answer_reported": (_choice("accept", "本人的答复", "The answer", ACCEPT),),
    "mark_foreign_done": DONE_ON,
    "host_foreign_done": DONE_ON,
    "add_co_resident": (
        _choice("relation", "与承租人关系", "Relation to the tenant", RELATIONS),
        *PERSON,
        *ANSWERS,
        REPRESENTED,
        TOLD,
    ),
    "enter_child": (
        _choice("relation", "监护人是孩子的", "The guardian is the child's", GUARDIAN_RELATIONS),
        *PERSON,
        HUKOU,
    ),
    "declare_child": (
        Field("child_id", "choice", ("孩子", "Child"), options=_children),
        _choice("relation", "孩子是承租人的", "The child is the tenant's", RELATIONS, optional=True),
        *ANSWERS,
    ),
    "declare_for_relative": (
        _text("unit_number", "门牌二维码上的编号", "Number at the door"),
        _choice("kinship", "承租人是本人的", "The tenant is this person's", {code: RELATIONS[code] for code in KIN}),
        _choice("representation", "代办原因", "Why represented", REPRESENTATIONS),
        *PERSON,
        *ANSWERS,
        TOLD,
    ),
    "amend_for": (MOVE_IN, PLANNED_END, REASON),
    "withdraw_for": (_choice("reason", "原因", "Reason", TAKE_BACK),),
    "check_out_for": LEAVING,
    "ask_about_look": (
        Field("record_id", "choice", ("哪一次查看", "Which look"), options=_looks),
        _choice("question", "本人的问题", "The question", QUESTIONS),
    ),
    "link_phone": (_text("phone", "本人手机号", "The person's phone"),),
    "print_codes": (Field("password", "password", ("密码", "Password")),),
    "claim_unit": (*RIGHT, SEEN),
    "add_unit": (
        _text("label", "单元名称", "Name of the unit", hint=("如 101室、东间", "e.g. 101室")),
        _choice("space_kind", "空间类型", "Kind of space", {code: SPACE_NAMES[code] for code in LETTABLE}),
        Field("usable_area_m2", "number", ("使用面积（平方米）", "Usable area (m²)")),
        Field("capacity", "number", ("可住人数", "Capacity")),
        *RIGHT,
        SEEN,
    ),
    "claim_lock": (_text("claim_code", "门锁标签上的绑定码", "Code on the lock's sticker"),),
    "record_lease": (
        _choice("kind", "出租方式", "Kind", KIND_NAMES),
        _day("starts_on", "开始日期", "From"),
        _day("ends_on", "结束日期（不定期不填）", "To (empty: open-ended)", optional=True),
        *NAMED,
    ),
    "add_co_tenant": NAMED,
    "extend_lease": (_day("ends_on", "新的结束日期", "New end", optional=True),),
    "correct_named": TENANT,
    "move_start": (_day("starts_on", "新的开始日期", "New start"),),
    "file_report": REPORT,
    "rate_report": RATING,
    "reopen_report": (NOT_SOLVED,),
    "end_lease": (_day("ended_on", "租客离开日期", "Tenant left on"),),
    "attest": (
        Field("met_in_person", "check", ("房东当面见过租客", "The landlord has met the tenant")),
        Field("saw_document", "check", ("房东看过租客的证件原件", "The landlord has seen the original document")),
    ),
}
# What the button of an act says where the act's name is no verb, or would say less than what is sent.
BUTTONS: Mapping[str, Pair] = {
    "answer_consent": ("记下本人的答复", "Note their answer"),
    "answer_correction": ("记下本人的答复", "Note their answer"),
    "answer_reported": ("记下本人的答复", "Note their answer"),
    "declare": ("提交申报", "Submit the declaration"),
    "declare_without_lease": ("提交申报", "Submit the declaration"),
    "declare_exempt": ("记下本人的说明", "Note their statement"),
    "add_co_resident": ("提交同住人登记", "Submit the co-resident"),
    "link_phone": ("关联这个号码", "Link this number"),
}
PAPER = (
    _day("received_on", "收表章日期", "Received on (stamp)", hint=("空着就是今天", "Empty: today")),
    _day("dated_on", "表上写的日期（仅备注）", "Date written on the form (a note)", optional=True),
)
# Opening a visit.
NATIONALITY = Field(
    "nationality", "text", ("国籍（外国人填三位代码）", "Nationality (three letters)"), optional=True, in_number=True
)
VISIT = (*PERSON, NATIONALITY)
CHANNELS: Choices = {
    "window": ("本人到场", "The person is here"),
    "paper": ("只收到签名的书面材料", "A signed form on paper only"),
}
