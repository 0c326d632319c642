"""Purposes: why an officer may look at persons, what each purpose is for, and what a look is called afterwards."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from backend.domain.refusals import Refusal

LOOK_AT_UNIT = "look_at_unit"
SEARCH = "search"
UNMASK = "unmask"
HANDLE_CASE = "handle_case"
PRINT_CODES = "print_codes"
END_KEY = "end_key"
SERVE = "serve"
SERVE_AT_DOOR = "serve_at_door"
TAKE_REPORT = "take_report"
SEE_RIGHT = "see_right"
# Of a nameless headcount in a fire or flood: chosen by the same tap that asks for it, good for nothing else.
EMERGENCY = "emergency"
EMERGENCY_NAME = ("紧急情况（火灾、水灾等）", "Emergency (fire, flood)")


@dataclass(frozen=True)
class Purpose:
    """One purpose: its names, when to choose it, which acts it allows, how long a task under it lasts at most."""

    zh: str
    en: str
    hint_zh: str
    hint_en: str
    acts: frozenset[str]
    lasts: timedelta
    needs_case: bool = False


PURPOSES: dict[str, Purpose] = {
    "address_check": Purpose(
        "地址核查",
        "Address check",
        "核对一个单元登记了谁。不能按人查找，不能看完整号码。",
        "Who is registered in one unit. No search by person, no full number.",
        frozenset({LOOK_AT_UNIT}),
        timedelta(hours=1),
    ),
    "visit": Purpose(
        "上门走访",
        "Visit",
        "准备或进行走访，当面核对证件。",
        "Preparing or making a visit, comparing a document face to face.",
        frozenset({LOOK_AT_UNIT, UNMASK, HANDLE_CASE, SERVE_AT_DOOR, TAKE_REPORT, SEE_RIGHT}),
        timedelta(hours=4),  # half a day's round
    ),
    "help_request": Purpose(
        "群众求助",
        "Request for help",
        "有人来求助，需要找到他本人的登记。",
        "Somebody asks for help and their own registration is needed.",
        # Codes open a door, so they are printed when their owner asks for help and for nothing else; an officer
        # acts for a person at the window when that person asks for it.
        frozenset({LOOK_AT_UNIT, SEARCH, UNMASK, HANDLE_CASE, PRINT_CODES, SERVE, TAKE_REPORT, SEE_RIGHT}),
        timedelta(hours=2),  # as a visit at the window
    ),
    "review": Purpose(
        "身份复核",
        "Identity review",
        "当面或视频复核一个人的身份。",
        "Deciding somebody's identity in person or by live video.",
        frozenset({HANDLE_CASE, SEARCH, UNMASK}),
        timedelta(hours=2),
    ),
    "case": Purpose(
        "案件办理",
        "Case",
        "办理一件有编号的事项。必须填写案件编号。",
        "Working on a numbered case. The number is required.",
        frozenset({LOOK_AT_UNIT, SEARCH, UNMASK, HANDLE_CASE, END_KEY, SEE_RIGHT}),
        timedelta(hours=4),
        needs_case=True,
    ),
}

# Why a lock's events may be exported as evidence, by the operator and nobody else.
EVIDENCE_GROUNDS = {
    "tenant_request": ("本人申请", "The tenant's own request"),
    "court_order": ("法院文书", "A court's order"),
}

ACT_NAMES = {
    LOOK_AT_UNIT: ("查看单元住户", "See the occupants of a unit"),
    SEARCH: ("按人查找", "Search for a person"),
    UNMASK: ("显示完整号码", "Show a full number"),
    HANDLE_CASE: ("处理待办事项", "Handle a case"),
    PRINT_CODES: ("打印门锁密码", "Print keypad codes"),
    END_KEY: ("按法院裁定停用钥匙", "End a key on a court's order"),
    SERVE: ("窗口代办", "Act for a person at the window"),
    SERVE_AT_DOOR: ("走访时当场协助登记", "Help a person register during a visit"),
    TAKE_REPORT: ("替人登记反映的问题", "Take down what somebody reports"),
    SEE_RIGHT: ("核看出租权", "See a right to let"),
}

# What a person reads on the page "who has seen my data": actions and fields of the audit leaves about persons.
DISCLOSURES = {
    "unit_opened": ("查看单元的在住登记", "Opened the registrations of a unit"),
    "person_found": ("查找时看到您的登记（遮盖）", "Saw your registration, masked, in a search"),
    "number_shown": ("显示完整证件号码", "Saw your full document number"),
    "case_opened": ("打开与您有关的待办事项", "Opened a case about you"),
    "case_decided": ("对与您有关的待办事项作出决定", "Decided a case about you"),
    "door_events_exported": ("导出门锁记录作为证据", "Exported the lock's events as evidence"),
    "appointment_listed": ("查看当天预约名单", "Read the day's list of appointments"),
    "codes_printed": ("打印您的门锁密码", "Printed your keypad codes"),
    "served_at_window": ("在窗口为您办理", "Acted for you at the window"),
    "served_at_door": ("上门时为您办理", "Acted for you at your door"),
    "mechanical_key_handed": ("登记发给您一把机械钥匙", "Noted that a mechanical key was handed to you"),
    "letter_printed": ("打印寄给您的信", "Printed a letter to you"),
    "letter_reprinted": ("再次打印寄给您的信", "Printed a letter to you again"),
    "document_asked": ("核对一个姓名与您的证件号码是否一致", "Compared a name with your document number"),
}
# Reading one's own day at the counter does not use up the cap on single persons: the appointments are its measure.
UNCAPPED = ("appointment_listed",)
# Counted by themselves: full numbers, and the letters that wait to be printed, which are a pile and no look.
APART = ("number_shown", "letter_printed")
FIELDS = {
    "name": ("姓名", "name"),
    "name_masked": ("姓名（遮盖）", "name (masked)"),
    "id_type": ("证件类型", "document type"),
    "id_number": ("完整证件号码", "full document number"),
    "id_number_masked": ("证件号码（遮盖）", "document number (masked)"),
    "phone_masked": ("手机号（遮盖）", "phone (masked)"),
    "phone": ("手机号", "phone"),
    "identity_state": ("身份核验状态", "identity check"),
    "lease_dates": ("租期", "lease dates"),
    "residence_dates": ("居住日期", "dates of stay"),
    "deadlines": ("申报期限", "deadlines"),
    "registry_state": ("登记状态与凭证号", "registry state and receipt number"),
    "history": ("登记变更记录", "history of the registration"),
    "address": ("住址", "address"),
    "right": ("出租权依据", "right to let"),
    "outcome": ("处理结果", "outcome"),
    "door_events": ("开门记录", "door events"),
    "appointment": ("预约时间", "appointment"),
    "report": ("反映的问题", "what was reported"),
    "answer": ("答复", "answer"),
    "rating": ("评价", "rating"),
}

# Our own references (AJ-20261123-0007) and the numbers of other offices: letters, digits, hyphens.
_CASE_NUMBER = re.compile(r"[A-Z0-9\u4e00-\u9fff〔〕()（）-]{4,40}")
OWN_REFERENCE = re.compile(r"AJ-\d{8}-\d{4,}")


def decide_purpose(purpose: str, case_number: str | None) -> tuple[str, str | None] | Refusal:
    """The purpose and the normalised case number, or why not. A number that is not asked for may still be given."""
    if purpose not in PURPOSES:
        return Refusal("input.not_one_of", "purpose", allowed=tuple(PURPOSES))
    if not (case_number or "").strip() and not PURPOSES[purpose].needs_case:
        return purpose, None
    number = decide_case_number(case_number)
    return number if isinstance(number, Refusal) else (purpose, number)


def decide_case_number(case_number: str | None) -> str | Refusal:
    """The normalised number of a case or request, or why it is none."""
    number = (case_number or "").strip().upper()
    if not number:
        return Refusal("purpose.case", "case_number")
    return number if _CASE_NUMBER.fullmatch(number) else Refusal("purpose.case_form", "case_number")


def decide_act(purpose: str | None, act: str) -> Refusal | None:
    """Whether the chosen purpose allows an act; without a purpose nothing about a person is allowed."""
    if purpose is None:
        return Refusal("purpose.missing")
    if act in PURPOSES[purpose].acts:
        return None
    return Refusal("purpose.unfit", allowed=tuple(code for code, row in PURPOSES.items() if act in row.acts))


def mask_name(name: str) -> str:
    """First character of a Chinese name, first letters of a Latin one; the rest is hidden."""
    return name[0] + "*" * max(1, min(len(name) - 1, 3))
