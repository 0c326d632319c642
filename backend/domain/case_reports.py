"""What a tenant or landlord can report: kinds, facts to choose from, and a few words about the thing.

Facts come first, so that little has to be written; the words are about the thing and never about a person, of whom no
free remark is kept. Each fact says which rule it touches, if any.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.domain.calendars import day_of, end_of, working_days_after
from backend.domain.cases import decide_action
from backend.domain.refusals import Refusal

SIDES = ("tenant", "landlord")  # whose own dwelling it is; anybody else is a "resident"
WORDS_MOST = 200
ANSWER_MOST = 300
A_DAY_AT_MOST = 10  # reports of one phone: a household in trouble has fewer, a script has more
TWICE_WITHIN = timedelta(minutes=10)  # the same words about the same thing again are the same report
REOPEN_WITHIN = timedelta(days=30)
CONTACT_KEPT = REOPEN_WITHIN  # the number of a caller, after they were told: as long as they may come back to it
CALL_WITHIN_DAYS = 2  # working days from the check: the answer is there, somebody waits for it
WORDS_KEPT = timedelta(days=365)  # words and answers after the last step; kinds, facts and steps stay
STARS = {
    5: ("很满意", "Very satisfied"),
    4: ("满意", "Satisfied"),
    3: ("一般", "So-so"),
    2: ("不满意", "Dissatisfied"),
    1: ("很不满意", "Very dissatisfied"),
}

# Seven digits in a row, however they are grouped: a phone, a document, a bank card.
_NUMBER = re.compile(r"\d(?:[\s·.\-]?\d){6,}")


@dataclass(frozen=True)
class Fact:
    """One thing that can be so, in both languages, and the rule it touches."""

    zh: str
    en: str
    rule: str | None = None


@dataclass(frozen=True)
class ReportKind:
    """One kind of report: what it is for, who may make it, its facts. `own`: of one's own dwelling only."""

    zh: str
    en: str
    hint_zh: str
    hint_en: str
    facts: dict[str, Fact]
    sides: tuple[str, ...] = SIDES
    own: bool = True
    rule: str | None = None


REPORTS: dict[str, ReportKind] = {
    "unsafe_dwelling": ReportKind(
        "房屋不安全",
        "The dwelling is unsafe",
        "电线、燃气、逃生通道等",
        "Wiring, gas, ways out",
        {
            "wires_bare": Fact("电线裸露或老化", "Wires are bare or old"),
            "sockets_hot": Fact("插座、开关发烫或冒火花", "Sockets or switches get hot or spark"),
            "gas_smell": Fact("有燃气味，或热水器没有排烟管", "It smells of gas, or a heater has no flue"),
            "way_out_blocked": Fact("逃生通道或楼梯被堵", "The way out or the stairs are blocked"),
            "no_extinguisher": Fact("没有灭火器或烟感", "No extinguisher or smoke alarm"),
            "water_or_cracks": Fact("漏水、墙体开裂", "Water comes in, walls crack"),
            "not_for_living": Fact(
                "厨房、阳台、地下室等被用来住人", "A kitchen, balcony or basement is let for living", "HR-7"
            ),
        },
        own=False,
    ),
    "landlord_duty": ReportKind(
        "房东不配合登记",
        "The landlord hinders the registration",
        "不邀请、不报告、拿钥匙为难人",
        "No invitation, no report, trouble over the key",
        {
            "not_invited": Fact("不录租约、不发邀请", "Records no lease, sends no invitation", "ZJ-9-1"),
            "told_not_to": Fact("要求我不登记", "Told me not to register", "ZJ-9-1"),
            "asks_money": Fact("登记要另外收费", "Asks money for the registration", "ZJ-9-1"),
            "not_reported": Fact("到期没有报告", "Has not reported in time", "ZJ-9-1"),
            "key_as_pressure": Fact("拿停用钥匙、换锁逼人搬走", "Presses me to leave by key or lock", "HR-12"),
        },
        sides=("tenant",),
        rule="ZJ-9-1",
    ),
    "data_question": ReportKind(
        "登记信息有误",
        "My data is wrong",
        "地址、日期、不是我的登记",
        "Address, dates, not mine",
        {
            "address_wrong": Fact("地址或房号不对", "Address or number of the unit is wrong", "PIPL-46"),
            "dates_wrong": Fact("日期不对", "Dates are wrong", "PIPL-46"),
            "not_living_here": Fact("不住在这里的人登记在这里", "Somebody is registered here who does not live here",
                                    "PIPL-46"),
            "not_mine": Fact("有一条登记不是我的", "A registration is not mine", "PIPL-46"),
            "unit_wrong": Fact("面积、人数上限或房间种类不对", "Area, capacity or kind of space is wrong", "PIPL-46"),
        },
        rule="PIPL-46",
    ),
    "lock_trouble": ReportKind(
        "门锁有故障",
        "Trouble with the lock",
        "打不开、锁不上、没电、损坏",
        "Does not open, does not lock, battery, broken",
        {
            "does_not_open": Fact("打不开门", "The door does not open"),
            "does_not_lock": Fact("锁不上门", "The door does not lock"),
            "battery": Fact("电池没电，换了也不行", "The battery is flat, a new one did not help"),
            "keypad": Fact("键盘没有反应", "The keypad does not answer"),
            "always_offline": Fact("一直离线", "Always offline"),
            "damaged": Fact("锁体损坏或松动", "The lock is broken or loose"),
        },
    ),
    "resident_report": ReportKind(
        "其他房屋问题",
        "Something else about the dwelling",
        "照明、水电、堆物、门牌",
        "Light, water and power, things in the way, door plate",
        {
            "no_light": Fact("楼道没有照明", "No light on the stairs"),
            "no_water_power": Fact("停水、停电", "No water or power"),
            "things_in_the_way": Fact("公共区域堆放杂物", "Things stand in common space"),
            "plate_missing": Fact("门牌或门牌二维码缺失、不对", "Door plate or its code is missing or wrong"),
            "something_else": Fact("别的问题，写在下面", "Something else, written below"),
        },
        own=False,
    ),
}

# How a report reached the member of staff who took it down.
SOURCES = {
    "by_phone": ("来电反映", "By telephone"),
    "at_window": ("到窗口反映，未出示证件", "At the window, no document shown"),
    "on_visit": ("走访时看到或听到", "Seen or told on a visit"),
}
TAKEN = tuple(kind for kind in REPORTS if kind != "data_question")  # about one's own record: whose, a document shows

REPORTED = (*REPORTS, "help_request")  # what a resident brings up, and is answered

# How a caller was told, after the check.
TOLD = {
    "caller_told": ("已告知", "Told"),
    "caller_not_reached": ("多次未接通", "Not reached after several calls"),
}
# Why an answer was good or not: a choice, since a free remark would be one about whoever gave it.
RATING_REASONS = {
    "solved": ("问题解决了", "It was solved"),
    "quick": ("处理得快", "It was quick"),
    "well_explained": ("解释得清楚", "It was well explained"),
    "not_solved": ("问题没有解决", "It was not solved"),
    "slow": ("太慢", "It took too long"),
    "not_explained": ("没有说清楚", "It was not explained"),
}
SEND_BACK_REASONS = {
    "not_done": ("还没有办到位", "It is not done yet"),
    "outcome_wrong": ("结论与情况不符", "The outcome does not fit"),
    "answer_unclear": ("答复没有说清楚", "The answer is not clear"),
    "answer_personal": ("答复涉及个人信息", "The answer tells about a person"),
}


def kinds_of_side(side: str) -> tuple[str, ...]:
    """The kinds a 'tenant' or 'landlord' may report of the own dwelling, a 'resident' of another: what anybody sees."""
    return tuple(code for code, row in REPORTS.items() if side in row.sides or (side not in SIDES and not row.own))


def find_report_faults(kind: str, facts: Sequence[str], words: str) -> list[Refusal]:
    """All faults of a report's entries: kind, facts (at least one of the kind's own), words (0–200 characters)."""
    if kind not in REPORTS:
        return [Refusal("input.not_one_of" if kind else "input.missing", "kind", allowed=tuple(REPORTS))]
    row, faults = REPORTS[kind], []
    if not facts:
        faults.append(Refusal("input.missing", "facts"))
    elif not set(facts) <= set(row.facts):
        faults.append(Refusal("report.facts", "facts", allowed=tuple(row.facts)))
    if "something_else" in facts and not words.strip():
        faults.append(Refusal("input.missing", "words"))
    return faults + find_words_faults(words, "words", WORDS_MOST)


def find_taken_faults(kind: str, source: str) -> list[Refusal]:
    """Faults of what staff take down for somebody: a kind that is about a thing, and how it came."""
    faults = []
    if kind in REPORTS and kind not in TAKEN:
        faults.append(Refusal("report.needs_person", "kind", allowed=TAKEN))
    if source not in SOURCES:
        faults.append(Refusal("input.not_one_of" if source else "input.missing", "source", allowed=tuple(SOURCES)))
    return faults


def decide_side(kind: str, side: str) -> Refusal | None:
    """Whether this kind can be reported by a tenant, landlord or anybody else ('resident') about this dwelling."""
    if kind in kinds_of_side(side):
        return None
    if side in SIDES:
        return Refusal("input.not_one_of", "kind", allowed=kinds_of_side(side))
    return Refusal("report.not_own", "unit_no")


def find_words_faults(words: str, field: str, most: int, *, least: int = 0) -> list[Refusal]:
    """Faults of free words about a thing: length, and long numbers, which only ever belong to a person."""
    text = words.strip()
    if least and not text:
        return [Refusal("input.missing", field)]
    if len(text) > most:
        return [Refusal("input.length", field, {"least": least, "most": most})]
    return [Refusal("report.number", field)] if _NUMBER.search(text) else []


def call_due_at(checked_at: datetime) -> datetime:
    """Until when a caller is told what was done."""
    return end_of(working_days_after(day_of(checked_at), CALL_WITHIN_DAYS))


def rule_of_report(kind: str, facts: Sequence[str]) -> str | None:
    """The rule a report is about: that of its first fact which touches one, else the kind's."""
    touched = (REPORTS[kind].facts[fact].rule for fact in REPORTS[kind].facts if fact in facts)
    return next((rule for rule in touched if rule is not None), REPORTS[kind].rule)


def find_rating_faults(stars: int, reason: str | None) -> list[Refusal]:
    """Faults of a rating: one to five, and a reason of the list or none."""
    faults = []
    if stars not in STARS:
        faults.append(Refusal("input.not_one_of", "stars", allowed=tuple(map(str, sorted(STARS)))))
    if reason is not None and reason not in RATING_REASONS:
        faults.append(Refusal("input.not_one_of", "reason", allowed=tuple(RATING_REASONS)))
    return faults


def decide_rater(officer_id: str | None, *workers: str | None) -> Refusal | None:
    """Whether this officer (None: the phone itself) may enter a rating: not of what they handled or checked."""
    return Refusal("report.own_work") if officer_id is not None and officer_id in workers else None


def decide_reopen(
    state: str, answered_at: datetime | None, reopened_at: datetime | None, now: datetime
) -> Refusal | None:
    """Whether the one who reported may have it done again: once, within 30 days of the answer, before rating it."""
    refusal = decide_action(state, "reopen")
    if refusal is not None:
        return refusal
    if reopened_at is not None:
        return Refusal("report.reopened")
    if answered_at is None or now - answered_at > REOPEN_WITHIN:
        return Refusal("report.reopen_late", None, {"days": REOPEN_WITHIN.days})
    return None
