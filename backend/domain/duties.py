"""The duties: who owes what by which rule, from which fact, how it is counted, what is said when, where it escalates.

A missed deadline makes reminders and, in the end, a case for a person who helps: never a penalty, never a lock action.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from backend.domain import duty_facts
from backend.domain.calendars import CHINA, day_of, start_of
from backend.domain.counts import Count, Fact, last_moment
from backend.domain.duty_facts import DutyFacts, Owed

OWNERS = ("tenant", "landlord", "both", "operator", "office")
SORTS = ("duty", "question", "information", "house")  # information and the house's own terms are never overdue
QUIET_FROM, QUIET_UNTIL = time(21, 0), time(8, 0)  # in China: no short message in these hours
NEAR = timedelta(days=1)  # what is due within a day also goes by short message


@dataclass(frozen=True)
class Step:
    """Something to be said or done at a point of a duty's course: `days` from its last day, or `hours` from its end.

    `notice` is a kind of the inbox, None where nobody with an inbox is told. `grace` keeps the step away from a fact
    that is only just there.
    """

    code: str
    days: int | None = None
    hours: int = 0
    notice: str | None = None
    grace: timedelta = timedelta(0)

    def at(self, due_at: datetime) -> datetime:
        """When it comes."""
        if self.days is None:
            return due_at + timedelta(hours=self.hours)
        return start_of(day_of(due_at) + timedelta(days=self.days))

    @property
    def is_near(self) -> bool:
        """Whether the duty is due within a day, or overdue, when this step comes."""
        return self.days >= -1 if self.days is not None else timedelta(hours=self.hours) >= -NEAR


@dataclass(frozen=True)
class Escalation:
    """A case of `kind` for a person, `after` the last day in time."""

    kind: str
    after: Count
    answer: str = "declared_now"  # what the case is told to be when the duty was fulfilled meanwhile: a reason of cases

    def at(self, due_at: datetime) -> datetime:
        """When the case is opened."""
        return due_at if self.after.unit == "hours" else start_of(self.after.last_day(day_of(due_at)))


@dataclass(frozen=True)
class Duty:
    """One row. `runs_from` names the fact; `stored` the fact that holds the deadline itself, where one is kept."""

    code: str
    zh: str
    en: str
    rule: str | None
    owner: str
    sort: str
    runs_from: str
    count: Count
    owed: Owed
    steps: tuple[Step, ...]
    stored: str | None = None
    escalation: Escalation | None = None

    def due_at(self, facts: DutyFacts) -> datetime | None:
        """The last moment in time while it is owed; None when it is not, or when its fact is not there."""
        if not self.owed(facts):
            return None
        stored: Fact | None = getattr(facts, self.stored) if self.stored else None
        if stored is not None:
            return last_moment(stored)
        fact: Fact | None = getattr(facts, self.runs_from)
        return None if fact is None else self.count.due_at(fact)

    def goes_by_sms(self, step: Step) -> bool:
        """Whether this step is also sent as a short message."""
        return step.notice is not None and step.is_near and self.sort in ("duty", "question")


def _reminders(notice: str) -> tuple[Step, ...]:
    """The day before, on the last day, the day after, a week after: then it rests with the case."""
    late = notice.replace("_due", "_overdue")
    return (
        Step("before", days=-1, notice=notice),
        Step("today", days=0, notice=notice),
        Step("overdue", days=1, notice=late),
        Step("overdue_week", days=8, notice=late),
    )


DUTIES: dict[str, Duty] = {
    row.code: row
    for row in (
        Duty("declare", "申报居住登记", "Declare the residence", "HK-15", "tenant", "duty", "move_in_on", Count(3),
             duty_facts.owes_declaration, _reminders("declare_due"), "tenant_due_on",
             Escalation("overdue_registration", Count(1))),
        Duty("report", "报告租客", "Report the tenant", "ZJ-9-1", "landlord", "duty", "move_in_on",
             Count(3, "working_days"), duty_facts.owes_report, _reminders("report_due"), "landlord_due_on",
             Escalation("overdue_report", Count(3, "working_days"))),
        Duty("report_end", "报告租约结束", "Report the end of the lease", "ZJ-9-2", "landlord", "duty", "lease_ends_on",
             Count(3, "working_days"), duty_facts.owes_report_of_end, _reminders("report_end_due")),
        Duty("foreign", "外国人住宿登记", "Register a foreigner's stay", "EEL-39", "tenant", "duty", "move_in_on",
             Count(24, "hours"), duty_facts.owes_foreign_form,
             (Step("before", hours=-12, notice="foreign_due"), Step("today", hours=-3, notice="foreign_due"),
              Step("overdue", hours=0, notice="foreign_overdue")), "foreign_due_at",
             Escalation("overdue_registration", Count(0, "hours"))),
        Duty("change", "更正变更申报", "Mend a reported change", "ZJ-13", "tenant", "duty", "changed_on", Count(10),
             duty_facts.owes_change, _reminders("change_due"), None, Escalation("overdue_registration", Count(3))),
        Duty("exemption", "不登记情形到期", "An exemption ends", "ZJ-12", "tenant", "duty", "exempt_until", Count(0),
             duty_facts.owes_end_of_exemption,
             # once it is over the residence is in scope, and HK-15's three days run from the exemption's end
             (Step("before_3", days=-3, notice="exemption_ends"), Step("before", days=-1, notice="exemption_ends")),
             "exempt_until"),
        Duty("permit", "可申领居住证", "You can apply for the residence permit", "ZJ-16", "tenant", "information",
             "declared_at", Count(6, "months"), duty_facts.waits_for_permit,
             (Step("before_30", days=-30, notice="permit_soon"), Step("today", days=0, notice="permit_open"))),
        Duty("endorsement", "居住证签注", "Endorse the residence permit", "RP-10", "tenant", "information",
             "permit_counted_from", Count(12, "months"), duty_facts.holds_permit,
             (Step("before_30", days=-30, notice="endorsement_due"), Step("today", days=0, notice="endorsement_due"))),
        Duty("lease_end", "租约到期：续租还是退房", "The lease ends: extend, or check out", "HR-12", "both", "question",
             "lease_ends_on", Count(0), duty_facts.owes_report_of_end,
             (Step("before_14", days=-14, notice="lease_ends"), Step("before", days=-1, notice="lease_ends"),
              Step("overdue", days=1, notice="lease_over")), None,
             Escalation("overdue_check_out", Count(10, "working_days"), "mended")),
        Duty("answer_left", "回答是否已搬走", "Answer whether you have left", "HR-12", "tenant", "question",
             "landlord_end_reported_at", Count(7), duty_facts.owes_answer,
             (Step("before", days=-1, notice="answer_left"),), None, Escalation("dispute", Count(1))),
        Duty("draft", "草稿到期", "The draft expires", None, "tenant", "house", "draft_expires_at", Count(0, "hours"),
             duty_facts.is_draft, (Step("before", hours=-24, notice="draft_expires"), Step("expire", hours=0)),
             "draft_expires_at"),
        Duty("registry", "登记机关受理", "Acceptance by the registry", "HK-15", "operator", "house", "move_in_on",
             Count(3), duty_facts.waits_for_registry,
             (Step("alarm", hours=-24, grace=timedelta(minutes=15)),
              Step("paper", hours=-4, grace=timedelta(minutes=30))), "tenant_due_on"),
        Duty("identity_review", "身份复核", "Review of an identity", None, "office", "house", "opened_at",
             Count(72, "hours"), duty_facts.never, (Step("overdue", hours=0, notice="review_late"),)),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Running:
    """A duty that is owed now, with its last moment in time."""

    duty: Duty
    due_at: datetime

    @property
    def due_on(self) -> date:
        """The last day in time, in China."""
        return day_of(self.due_at)

    def state(self, now: datetime) -> str:
        """'information', 'open' or 'overdue'."""
        if self.duty.sort == "information":
            return "information"
        return "open" if now <= self.due_at or self.duty.sort == "house" else "overdue"

    def days(self, now: datetime) -> int:
        """Days left (open) or days late (overdue); an information whose day has come has none left."""
        left = (self.due_on - day_of(now)).days
        return abs(left) if self.state(now) == "overdue" else max(0, left)

    def has_begun(self, facts: DutyFacts, now: datetime) -> bool:
        """Whether it is worth a line now: its fact is there, or something has been said. Information always is."""
        fact: Fact | None = getattr(facts, self.duty.runs_from)
        there = fact is not None and (fact <= now if isinstance(fact, datetime) else fact <= day_of(now))
        return there or self.duty.sort == "information" or self.latest_step(facts, now) is not None

    def latest_step(self, facts: DutyFacts, now: datetime) -> Step | None:
        """The step to take at `now`: the latest that has come, since one message says it; None before the first."""
        come = [step for step in self.duty.steps if _time_of(self, step, facts) <= now]
        return come[-1] if come else None

    def escalates(self, now: datetime) -> bool:
        """Whether it goes to a person at `now`."""
        row = self.duty.escalation
        return row is not None and row.at(self.due_at) <= now


def running_duties(facts: DutyFacts) -> tuple[Running, ...]:
    """Every duty that is owed, in the order of the table."""
    found = ((duty, duty.due_at(facts)) for duty in DUTIES.values())
    return tuple(Running(duty, due_at) for duty, due_at in found if due_at is not None)


def next_look_at(facts: DutyFacts, now: datetime) -> datetime | None:
    """When something is to be said or done next, if the facts stay as they are; None when nothing ever is."""
    later = [at for each in running_duties(facts) for at in _times(each, facts) if at > now]
    return min(later, default=None)


def quiet_until(now: datetime) -> datetime | None:
    """Until when a short message waits: 8 in the morning, when `now` lies in the quiet hours of China; else None."""
    there = now.astimezone(CHINA)
    if QUIET_UNTIL <= there.time() < QUIET_FROM:
        return None
    morning = there.date() + timedelta(days=1 if there.time() >= QUIET_FROM else 0)
    return start_of(morning) + timedelta(hours=QUIET_UNTIL.hour)


def escalation_kinds() -> tuple[str, ...]:
    """The kinds of cases that duties open."""
    return tuple(dict.fromkeys(duty.escalation.kind for duty in DUTIES.values() if duty.escalation is not None))


def _time_of(running: Running, step: Step, facts: DutyFacts) -> datetime:
    at = step.at(running.due_at)
    if step.grace and facts.declared_at is not None:
        at = max(at, facts.declared_at + step.grace)
    return at


def _times(running: Running, facts: DutyFacts) -> Iterator[datetime]:
    yield from (_time_of(running, step, facts) for step in running.duty.steps)
    if running.duty.escalation is not None:
        yield running.duty.escalation.at(running.due_at)
