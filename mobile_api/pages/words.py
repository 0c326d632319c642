"""Words of the pages that depend on the language: picks from the domain's tables, dates, phones of locks.

The domain's tables hold both languages; texts of the pages themselves are Chinese message ids with an English
catalogue.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import format_date, format_datetime, gettext
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from backend.domain import (
    access_words,
    case_kinds,
    case_reports,
    cases,
    documents,
    erasures,
    guardians,
    help_requests,
    households,
    keys,
    leases,
    look_questions,
    officers,
    registrations,
    residence_paths,
    rules,
    spaces,
    visitors,
)
from backend.domain.calendars import CHINA, day_of
from backend.domain.notices import NoticeText
from backend.domain.refusals import Refusal
from backend.domain.rejection_words import explain_rejection
from backend.domain.tenancy_examples import column_name
from backend.web import language
from mobile_api.pages import tables
from mobile_api.pages.doors import world

_ISO_DAY = re.compile(r"(?<![0-9A-Za-z-])\d{4}-\d{2}-\d{2}(?![0-9A-Za-z-])")


def pick(zh: str, en: str) -> str:
    """One of two texts, by the present language."""
    return zh if language() == "zh" else en


def name_of(table: Mapping[str, Any], code: str | None) -> str:
    """The name of a code in one of the domain's tables of (zh, en) pairs; an unknown code stands for itself."""
    if code is None:
        return ""
    pair = table.get(code)
    return pick(pair[0], pair[1]) if pair is not None else code


def key_state(code: str) -> str:
    """A key's state in words."""
    return name_of(keys.STATE_NAMES, code)


def registration_state(code: str) -> str:
    """A registration's state in words."""
    return name_of(registrations.STATE_NAMES, code)


def document_name(code: str) -> str:
    """A document type in words."""
    kind = documents.DOCUMENT_TYPES[code]
    return pick(kind.zh, kind.en)


def space_name(code: str) -> str:
    """A kind of space in words."""
    return name_of(spaces.SPACE_NAMES, code)


def act_name(code: str) -> str:
    """What was done with one's data, in words."""
    return pick(*access_words.act_words(code))


def field_name(code: str) -> str:
    """A field of one's data in words; the registry names fields by their place in a message."""
    return pick(*access_words.field_words(code))


@pass_context  # as rule_on_page: 'birth_on'|field_name would stay in the language of whoever asks first
def field_on_page(_context: Context, code: str) -> str:
    """The same as a filter of templates."""
    return field_name(code)


def case_kind(code: str) -> str:
    """A kind of matter in words."""
    kind = cases.KINDS.get(code)
    return pick(kind.zh, kind.en) if kind else code


def purpose_name(code: str) -> str:
    """A purpose in words; what another office wrote freely stands for itself, unless it is the name of one of ours."""
    return pick(*access_words.purpose_words(code))


def office_name(zh: str | None, en: str | None) -> str:
    """An office's name in the present language; where nobody has said the English one, the Chinese one stands."""
    return (zh or "") if language() == "zh" else en or zh or ""


def as_day(text: str) -> date | None:
    """A form's date, or None when it is empty."""
    return date.fromisoformat(text) if text else None


def lease_kind(code: str) -> str:
    """A kind of lease in words."""
    return name_of(leases.KIND_NAMES, code)


def rule_words(rule_id: str | None) -> str:
    """What a legal rule asks, where it stands, and its id."""
    rule = rules.RULES.get(rule_id or "")
    if rule is None:
        return ""
    if language() == "zh":
        return f"{rule.zh}（{rule.source}，{rule.id}）"
    return f"{rule.en} ({rule.source_en}; {rule.id})"


@pass_context  # without it Jinja works out 'ZJ-7'|rule_words once, in the language of whoever asks first
def rule_on_page(_context: Context, rule_id: str | None) -> str:
    """The same as a filter of templates; the id stays whole at the end of a line."""
    words, gap, rest = rule_words(rule_id).rpartition("，" if language() == "zh" else " ")
    return Markup('{}{}<span class="nowrap">{}</span>').format(words, gap, rest) if gap else Markup()


def sentence(refusal: Refusal) -> str:
    """What is wrong and what to do, in the present language: the same words in the summary and at the field."""
    spoken = language()
    gap = "" if spoken == "zh" else " "
    return with_days(f"{refusal.sentence(spoken)}{gap}{refusal.remedy(spoken)}")


def with_days(text: str) -> str:
    """A finished sentence with its days (2026-12-01) in the words of the present language."""
    return _ISO_DAY.sub(lambda found: _in_words(found[0]), text)


def _in_words(iso: str) -> str:
    try:
        return day(date.fromisoformat(iso))
    except ValueError:
        return iso


@dataclass(frozen=True)
class Rejection:
    """Why a registration came back, in the present language; `field` is empty where no single field is meant."""

    field: str
    what: str
    todo: str
    who: str
    code: str


def rejection_words(error: Mapping[str, Any]) -> Rejection:
    """A registry's refusal as the person reads it."""
    words = explain_rejection(error["code"], error["owner"])
    code = (error.get("pointer") or "").rsplit("/", 1)[-1]
    named = field_name(code) if code in access_words.FIELD_NAMES else ""
    return Rejection(
        named, pick(words.zh, words.en), pick(words.todo_zh, words.todo_en), str(tables.MENDERS[error["owner"]]),
        error["code"],
    )  # fmt: skip


@pass_context  # never worked out beforehand in one language
def rejections_on_page(_context: Context, errors: Iterable[Mapping[str, Any]]) -> list[Rejection]:
    """All of them for a template; what was refused in both legs alike is said once."""
    return list(dict.fromkeys(rejection_words(error) for error in errors))


def reason_words(code: str) -> str:
    """The same for a reason kept without its details."""
    return sentence(Refusal(code))


@pass_context  # as rule_on_page: 'key.ground'|reason_words would stay in the language of whoever asks first
def reason_on_page(_context: Context, code: str) -> str:
    """The same as a filter of templates."""
    return reason_words(code)


def import_column(column: str) -> str:
    """A column of an imported list, as the template calls it."""
    return column_name(column, language())


def notice_title(text: NoticeText) -> str:
    """A notice's title."""
    return pick(text.title_zh, text.title_en)


def notice_layers(text: NoticeText) -> list[tuple[str, str]]:
    """A notice's paragraphs as (headline, text): what stands before the first colon is the headline."""
    named = text.named(world().house.handler)
    paragraphs = named.paragraphs_zh if language() == "zh" else named.paragraphs_en
    layers = []
    for paragraph in paragraphs:
        head, colon, rest = paragraph.partition("：" if language() == "zh" else ": ")
        layers.append((head, rest[:1].upper() + rest[1:]) if colon and len(head) <= 40 else ("", paragraph))
    return layers


def clock_time(value: datetime) -> str:
    """The time of the day in China: 09:30."""
    return value.astimezone(CHINA).strftime("%H:%M")


def day_of_week(value: date) -> str:
    """A near day with its weekday."""
    return str(format_date(value, "M月d日 EEEE" if language() == "zh" else "EEEE, d MMM"))


def relation_options(table: Mapping[str, Any]) -> list[tuple[str, str, None]]:
    """A table of (zh, en) pairs as the options of radio cards."""
    return [(code, pick(*pair), None) for code, pair in table.items()]


def day(value: date | None) -> str:
    """A calendar day in words, kept on one line; an open end says so."""
    if value is None:
        return gettext("不定期")
    return str(format_date(value, "yyyy年M月d日" if language() == "zh" else "d\u00a0MMM\u00a0yyyy"))


def period(starts_on: date | None, ends_on: date | None) -> str:
    """From one day to another; what has no end says so."""
    if ends_on is None:
        return gettext("%(day)s起，不定期", day=day(starts_on))
    return gettext("%(first)s 至 %(last)s", first=day(starts_on), last=day(ends_on))


def until(ends_on: date | None) -> str:
    """Up to which day something runs."""
    return gettext("不定期") if ends_on is None else gettext("至 %(day)s", day=day(ends_on))


def day_in_china(value: datetime) -> str:
    """The calendar day in China of a moment, for what has a day and no hour."""
    return day(day_of(value))


def moment(value: datetime | None) -> str:
    """A moment in China's time, to the minute."""
    if value is None:
        return ""
    return str(format_datetime(value, "yyyy年M月d日 HH:mm" if language() == "zh" else "d\u00a0MMM\u00a0yyyy, HH:mm"))


def battery_words(percent: int | None) -> tuple[str, str]:
    """A battery as (sign, words)."""
    if percent is None:
        return "plain", gettext("电量未知")
    if percent < 10:
        return "bad", gettext("电量很低，请马上换电池（%(percent)s%%）", percent=percent)
    if percent < 20:
        return "bad", gettext("电量低，请尽快换电池（%(percent)s%%）", percent=percent)
    return "good", gettext("电量充足（%(percent)s%%）", percent=percent)


def window_words(window: visitors.WeeklyWindow) -> str:
    """A weekly window: its days, then from when to when."""
    gap = "、" if language() == "zh" else ", "
    days = gap.join(str(tables.WEEKDAYS[int(day) - 1]) for day in window.days)
    begins, ends = (f"{minute // 60:02d}:{minute % 60:02d}" for minute in (window.start, window.end))
    return f"{days} {begins}–{ends}"


def short_day(value: date) -> str:
    """A day of these weeks, with its weekday and without its year."""
    return str(format_date(value, "M月d日 EEE" if language() == "zh" else "EEE d MMM"))


def code_groups(code: str) -> str:
    """Eight digits in two groups, as they are read aloud and typed."""
    return f"{code[:4]} {code[4:]}"


FILTERS = {
    "window_words": window_words,
    "code_groups": code_groups,
    "short_day": short_day,
    "act_name": act_name,
    "field_name": field_on_page,
    "clock_time": clock_time,
    "day_of_week": day_of_week,
    "day": day,
    "moment": moment,
    "day_in_china": day_in_china,
    "key_state": key_state,
    "registration_state": registration_state,
    "document_name": document_name,
    "space_name": space_name,
    "lease_kind": lease_kind,
    "rule_words": rule_on_page,
    "sentence": sentence,
    "with_days": with_days,
    "reason_words": reason_on_page,
    "rejections": rejections_on_page,
    "import_column": import_column,
    "notice_title": notice_title,
    "notice_layers": notice_layers,
    "battery_words": battery_words,
}
TABLES = {
    "PRESENCE": tables.PRESENCE,
    "UNIT_STATES": tables.UNIT_STATES,
    "IMPORT_STATES": tables.IMPORT_STATES,
    "IMPORT_OUTCOMES": tables.IMPORT_OUTCOMES,
    "KEY_SIGNS": tables.KEY_SIGNS,
    "KEY_REASONS": tables.KEY_REASONS,
    "CONSENT_SIGNS": tables.CONSENT_SIGNS,
    "WEEKDAYS": tables.WEEKDAYS,
    "REPORTS": case_reports.REPORTS,
    "STARS": case_reports.STARS,
    "REPORT_NAMES": {code: (kind.zh, kind.en) for code, kind in case_kinds.KINDS.items()},
    "REPORT_SIGNS": tables.REPORT_SIGNS,
    "REPORT_STATES": tables.REPORT_STATES,
    "REPORT_STEPS": tables.REPORT_STEPS,
    "HELP_SECONDS": help_requests.COUNTDOWN_SECONDS,
    "CASE_OFFICES": case_kinds.OFFICES,
    "CASE_REASONS": case_kinds.REASON_NAMES,
    "DECISION_NAMES": {
        code: (end.zh, end.en)
        for kind in case_reports.REPORTED
        for code, end in case_kinds.KINDS[kind].decisions.items()
    },
    "VISIT_PURPOSES": visitors.PURPOSES,
    "EMERGENCIES": visitors.EMERGENCIES,
    "CONSENTS": visitors.CONSENT_NAMES,
    "REGISTRATION_SIGNS": tables.REGISTRATION_SIGNS,
    "INVITATION_STATES": tables.INVITATION_STATES,
    "IDENTITY_PROGRESS": tables.IDENTITY_PROGRESS,
    "TODOS": tables.TODOS,
    "HEALTH_WORDS": tables.HEALTH_WORDS,
    "DOOR_WORDS": tables.DOOR_WORDS,
    "ROLE_NAMES": officers.ROLE_NAMES,
    "ACTIONS_OF_CHALLENGE": tables.ACTIONS_OF_CHALLENGE,
    "OTHER_WAYS": tables.OTHER_WAYS,
    "TASKS": tables.TASKS,
    "COMMAND_STATES": tables.COMMAND_STATES,
    "KEY_STATES": keys.STATE_NAMES,
    "SPACES": spaces.SPACE_NAMES,
    "RELATIONS": guardians.RELATIONS,
    "HOUSEHOLD_RELATIONS": households.RELATIONS,
    "REPRESENTATIONS": households.REPRESENTATIONS,
    "DECLARED_BY": households.DECLARED_BY,
    "RIGHTS": spaces.RIGHT_NAMES,
    "SEEN": spaces.SEEN_NAMES,
    "LEASE_KINDS": leases.KIND_NAMES,
    "DOCUMENTS": documents.DOCUMENT_TYPES,
    "REASONS_OF_STAY": registrations.REASONS_OF_STAY,
    "BASES": registrations.BASES,
    "CHECK_OUT_REASONS": registrations.CHECK_OUT_REASONS,
    "EXEMPTIONS": residence_paths.EXEMPTIONS,
    "VOID_REASONS": residence_paths.VOID_REASONS,
    "FIELD_SOURCES": residence_paths.FIELD_SOURCES,
    "LOOK_QUESTIONS": look_questions.QUESTIONS,
    "OBSTACLES": erasures.OBSTACLES,
    "REMAINS": erasures.REMAINS,
}
