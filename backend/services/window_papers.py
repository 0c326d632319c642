"""The words of what is printed for a person about themselves: access record, own data; values in, sections out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from backend.domain.access_words import act_words, field_words, purpose_words
from backend.domain.calendars import CHINA
from backend.domain.documents import DOCUMENT_TYPES
from backend.domain.notices import NOTICES
from backend.domain.officers import ROLE_NAMES
from backend.domain.registrations import BASES, STATE_NAMES
from backend.domain.residence_paths import FIELD_SOURCES
from backend.domain.window import ACTS
from backend.printing.paper import Words
from backend.printing.personal import Section
from backend.services.access_records import AccessView, view_of

IDENTITY_STATES: Mapping[str, Words] = {
    "none": ("未核验", "Not checked yet"),
    "attested": ("已见证，待复核", "Attested, to be reviewed"),
    "verified": ("已核验", "Verified"),
}
_IDENTITY: tuple[tuple[str, Words], ...] = (
    ("name", ("姓名", "Name")),
    ("id_type", ("证件种类", "Document type")),
    ("id_number_masked", ("证件号码（遮盖）", "Document number (masked)")),
    ("birth_year", ("出生年份", "Born in")),
    ("hukou_division", ("户籍地代码", "Household registration")),
    ("state", ("身份核验", "Identity check")),
)
_TENANCY: tuple[tuple[str, Words], ...] = (
    ("address", ("地址", "Address")),
    ("starts_on", ("开始日期", "From")),
    ("ends_on", ("结束日期", "To")),
)
_REGISTRATION: tuple[tuple[str, Words], ...] = (
    ("declared_at", ("申报时间", "Declared at")),
    ("move_in_on", ("入住日期", "Moved in on")),
    ("planned_end_on", ("预计离开", "Planned end")),
    ("receipt_no", ("凭证编号", "Receipt number")),
    ("moved_out_on", ("离开日期", "Moved out on")),
)


def access_sections(items: Sequence[AccessView], language: str) -> list[Section]:
    """Each look: when, which office and role, for which purpose, what was done and seen."""
    return [Section(("查看记录", "Looks"), [_access(item, language) for item in items])]


def export_sections(data: Mapping[str, Any], language: str) -> list[Section]:
    """The export's parts as a person reads them."""
    spoken = 0 if language == "zh" else 1
    sections = [Section(("本人", "Yourself"), _rows(_in_words(data["identity"] or {}, spoken), _IDENTITY))]
    for tenancy in data["tenancies"]:
        registration = tenancy["registration"]
        state = ("登记状态", "State"), STATE_NAMES[registration["state"]][spoken]
        basis = tenancy["basis"]
        why = [(field_words("basis"), BASES[basis][spoken])] if basis else []
        lines = [*_rows(tenancy, _TENANCY), *why, state, *_rows(registration, _REGISTRATION)]
        sections.append(Section(("住处", "Home"), lines))
    consents = [((_moment(each["at"]),) * 2, _consent(each, spoken)) for each in data["consents"]]
    told = [((_moment(each["at"]),) * 2, each["text_zh" if spoken == 0 else "text_en"]) for each in data["notices"]]
    sources = [
        (field_words(origin["field"]), f"{FIELD_SOURCES[origin['source']][spoken]} · {_moment(origin['at'])}")
        for origins in data["sources"].values()
        for origin in origins
    ]
    seen = access_sections([view_of(each) for each in data["accesses"]], language)
    return [
        *sections,
        Section(("告知和同意", "Notices and consents"), consents),
        Section(("给您的消息", "Messages to you"), told),
        Section(("每项内容的来源", "Where each field came from"), sources),
        *seen,
    ]


def _access(item: AccessView, language: str) -> tuple[Words, str]:
    spoken = 0 if language == "zh" else 1
    act = ACTS.get(item.decision or "")
    said = [
        _office(item, spoken),
        ROLE_NAMES[item.role][spoken] if item.role in ROLE_NAMES else "",
        item.badge or "",
        purpose_words(item.purpose)[spoken] if item.purpose else "",
        item.case_ref or "",
        act_words(item.action)[spoken],
        (act.zh, act.en)[spoken] if act else "",
        ("、", ", ")[spoken].join(field_words(field)[spoken] for field in item.fields),
    ]
    return (_moment(item.at),) * 2, " · ".join(part for part in said if part)


def _office(item: AccessView, spoken: int) -> str:
    if item.office is None:
        return ("系统", "The system")[spoken]
    return item.office if spoken == 0 else item.office_en or item.office


def _in_words(identity: Mapping[str, Any], spoken: int) -> dict[str, Any]:
    """The identity with names in the place of codes."""
    said = dict(identity)
    if "id_type" in said:
        kind = DOCUMENT_TYPES[said["id_type"]]
        said["id_type"], said["state"] = (kind.zh, kind.en)[spoken], IDENTITY_STATES[said["state"]][spoken]
    return said


def _consent(each: Mapping[str, Any], spoken: int) -> str:
    said = (("同意", "yes") if each["given"] else ("不同意", "no"))[spoken]
    taken = f" · {('已撤回', 'withdrawn')[spoken]} {_moment(each['withdrawn_at'])}" if each["withdrawn_at"] else ""
    return f"{_notice(each['purpose'], spoken)} · {said}{taken}"


def _rows(values: Mapping[str, Any], named: Iterable[tuple[str, Words]]) -> list[tuple[Words, str]]:
    return [(words, _said(values[key])) for key, words in named if values.get(key) is not None]


def _said(value: Any) -> str:
    if isinstance(value, datetime):
        return _moment(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _moment(value: datetime | None) -> str:
    return value.astimezone(CHINA).strftime("%Y-%m-%d %H:%M") if value else ""


def _notice(purpose: str, spoken: int) -> str:
    text = NOTICES.get(purpose)
    return purpose if text is None else (text.title_zh, text.title_en)[spoken]
