"""The demo's matters: what residents brought up and callers had taken down over the last months, and what came of it.

Each goes through the use cases on the days of its story: reported, taken, visited or not, handled, checked by other
eyes, answered, rated. What an interrupted run has left is found and goes on from where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

import pyotp
from sqlalchemy import select, update

from backend.db import reading, transaction
from backend.domain.calendars import CHINA
from backend.domain.ids import new_id
from backend.gateways.clock import FixedClock
from backend.gateways.world import World
from backend.models.cases import Case
from backend.models.officers import Officer
from backend.models.outbox import OutboxRow
from backend.models.units import Unit, UnitClaim
from backend.queries.visit_lists import list_of_unit
from backend.services.case_checks import check_case
from backend.services.cases import claim_case, decide_case
from backend.services.letting_right_acts import see_right
from backend.services.officer_sessions import begin_task
from backend.services.officers import DEMO_PASSWORD, read_totp_secret, sign_in_officer
from backend.services.reports import file_report, rate_report, reopen_report
from backend.services.taken_reports import take_report, tell_caller
from backend.services.visits import note_visit, plan_visit_of_case, plan_visit_of_unit

CALLER = "+8619900002001"  # whoever telephones in these stories; an invented number
ENDS = ("routed", "assigned", "handled", "answered", "rated")
HANDLERS = {
    "unsafe_dwelling": "officer",
    "landlord_duty": "officer",
    "lock_trouble": "clerk",
    "resident_report": "clerk",
    "data_question": "supervisor",
}
CHECKERS = {"data_question": "deputy"}  # four eyes: the supervisor has decided it


@dataclass(frozen=True)
class _Matter:
    """One matter: of which kind and unit, by whom ('tenant', 'landlord', 'caller'), `began` days ago, how it ends.

    `took`: after how many days it was handled; `place`: (village, number of the unit there).
    """

    kind: str
    fact: str
    by: str
    place: tuple[int, int]
    began: int
    took: int
    ends: str = "rated"
    stars: int = 5
    why: str = "solved"
    said: str = ""
    done: tuple[str, str] = ("repaired", "已修好，并当面查看。")
    visited: bool = False
    reopened: bool = False


HERE, NEXT_DOOR = 0, 1
SEEN, TOLD = ("seen_on_site", "已到现场查看，情况属实，已请房东整改。"), ("explained", "已向房东说明，已按规定办理。")
MENDED = ("mended", "已核对并更正。")
MATTERS = (
    _Matter("unsafe_dwelling", "wires_bare", "landlord", (HERE, 3), 112, 2, said="楼梯间电线外露。", visited=True),
    _Matter("unsafe_dwelling", "way_out_blocked", "landlord", (HERE, 6), 85, 3, stars=4, done=SEEN, visited=True),
    _Matter("unsafe_dwelling", "no_extinguisher", "caller", (NEXT_DOOR, 0), 88, 2, "answered", done=SEEN),
    _Matter("unsafe_dwelling", "sockets_hot", "landlord", (HERE, 9), 71, 5, stars=3, why="slow"),
    _Matter("unsafe_dwelling", "water_or_cracks", "caller", (NEXT_DOOR, 1), 64, 3, "answered", done=SEEN),
    _Matter("unsafe_dwelling", "gas_smell", "tenant", (HERE, 0), 34, 1, said="热水器没有排烟管。", visited=True),
    _Matter("unsafe_dwelling", "no_extinguisher", "tenant", (HERE, 2), 12, 0, "routed", said="三楼没有灭火器。"),
    _Matter("unsafe_dwelling", "wires_bare", "caller", (NEXT_DOOR, 2), 2, 0, "assigned"),
    _Matter("lock_trouble", "battery", "landlord", (HERE, 1), 105, 1),
    _Matter("lock_trouble", "always_offline", "landlord", (HERE, 8), 92, 2, stars=4),
    _Matter("lock_trouble", "keypad", "landlord", (HERE, 5), 79, 2, stars=5, why="quick"),
    _Matter("lock_trouble", "damaged", "landlord", (HERE, 10), 58, 4, stars=2, why="slow", reopened=True),
    _Matter("lock_trouble", "does_not_open", "caller", (NEXT_DOOR, 3), 52, 1, "answered"),
    _Matter("lock_trouble", "battery", "tenant", (HERE, 4), 27, 1, stars=5, why="quick"),
    _Matter("lock_trouble", "keypad", "tenant", (HERE, 7), 1, 0, "assigned", said="雨后按键没有反应。"),
    _Matter("resident_report", "no_light", "caller", (NEXT_DOOR, 0), 109, 4, "answered"),
    _Matter("resident_report", "things_in_the_way", "landlord", (HERE, 2), 99, 6, stars=4, done=TOLD),
    _Matter("resident_report", "plate_missing", "landlord", (HERE, 11), 83, 5),
    _Matter("resident_report", "no_water_power", "caller", (NEXT_DOOR, 4), 76, 1, "answered"),
    _Matter("resident_report", "no_light", "landlord", (HERE, 0), 61, 7, stars=3, why="slow"),
    _Matter("resident_report", "things_in_the_way", "tenant", (HERE, 1), 24, 5, stars=4),
    _Matter("resident_report", "plate_missing", "tenant", (HERE, 5), 4, 3, "handled"),
    _Matter("landlord_duty", "not_reported", "caller", (NEXT_DOOR, 1), 101, 4, "answered", done=TOLD),
    _Matter("landlord_duty", "not_invited", "caller", (NEXT_DOOR, 5), 84, 3, "answered", done=TOLD),
    _Matter("landlord_duty", "asks_money", "caller", (HERE, 12), 73, 5, "answered", done=TOLD, visited=True),
    _Matter("landlord_duty", "told_not_to", "caller", (NEXT_DOOR, 3), 55, 4, "answered", done=TOLD),
    _Matter("landlord_duty", "not_reported", "caller", (HERE, 9), 48, 6, "answered", done=TOLD),
    _Matter("landlord_duty", "key_as_pressure", "tenant", (HERE, 3), 20, 4, stars=4, done=TOLD),
    _Matter("landlord_duty", "not_invited", "caller", (HERE, 22), 9, 0, "routed"),
    _Matter("data_question", "unit_wrong", "landlord", (HERE, 4), 86, 9, stars=4, done=MENDED),
    _Matter("data_question", "address_wrong", "landlord", (HERE, 7), 75, 6, done=MENDED),
    _Matter("data_question", "unit_wrong", "landlord", (HERE, 10), 81, 12, stars=3, why="slow", done=MENDED),
    _Matter("data_question", "dates_wrong", "landlord", (HERE, 11), 66, 4, done=MENDED),
    _Matter("data_question", "not_living_here", "landlord", (HERE, 5), 59, 8, stars=4, done=MENDED),
    _Matter("data_question", "dates_wrong", "tenant", (HERE, 6), 22, 5, done=MENDED),
    _Matter("data_question", "address_wrong", "tenant", (HERE, 8), 3, 0, "routed"),
)


class Loop:
    """Tells the matters in the order of their days; `villages` are the units of each, `accounts` finds who speaks."""

    def __init__(
        self, world: World, today: date, villages: Sequence[Sequence[str]], accounts: Callable[[str, int], str]
    ) -> None:
        self.now, self.today = world.clock.now(), today
        self.clock = FixedClock(self.now)
        self.world = replace(world, clock=self.clock)
        self.villages, self.accounts = villages, accounts
        self.sessions: dict[tuple[str, datetime], str] = {}

    def tell(self) -> None:
        """All of them, day by day, hour by hour."""
        acts = [act for matter in MATTERS for act in self._acts(matter)]
        for at, act, matter in sorted(acts, key=lambda one: one[0]):
            self.clock.set(min(at, self.now))
            act(matter)
        self.clock.set(self.now)
        self._leave_no_old_messages()

    def plan_round(self, doors: Sequence[tuple[str, str]]) -> None:
        """Visits of today for the grid worker, each to a unit on a ground; one that is planned already stays."""
        walker = self._officer("grid")
        for unit_id, ground in doors:
            if ground in {line.ground for line in list_of_unit(walker.area, unit_id)}:
                continue
            plan_visit_of_unit(
                self.world, session_id=self._session("officer"), unit_id=unit_id, ground=ground,
                assignee_id=walker.id, due_on=self.today,
            )  # fmt: skip

    def see_rights(self, unit_ids: Sequence[str], days_ago: int) -> None:
        """The landlords of these units came to the window with their papers; what was seen before stays."""
        with reading() as session:
            claims = session.scalars(select(UnitClaim).where(UnitClaim.unit_id.in_(unit_ids))).all()
        waiting = [claim for claim in claims if claim.seen_at is None]
        later = timedelta(minutes=len(claims) - len(waiting))  # a code of an interrupted run is not good again
        self.clock.set(self._at(days_ago, 10) + later)
        for claim in waiting:
            see_right(
                self.world, session_id=self._session("clerk"), unit_id=claim.unit_id, claim_id=claim.id,
                how="at_window",
            )  # fmt: skip
        self.clock.set(self.now)

    def _leave_no_old_messages(self) -> None:
        """The phones were told then, not on the day on which the demo is made."""
        told = update(OutboxRow).where(OutboxRow.kind == "report_answered", OutboxRow.done_at.is_(None))
        with transaction() as session:
            session.execute(told.values(done_at=OutboxRow.created_at))

    def _acts(self, matter: _Matter) -> Iterable[tuple[datetime, Callable[[_Matter], None], _Matter]]:
        """What happens when: reported at ten, handled at two, checked at four, called or rated in the evening."""
        end, handled = ENDS.index(matter.ends), matter.began - matter.took
        rounds = [handled, handled - 3] if matter.reopened else [handled]
        yield self._at(matter.began, 10), self._report, matter
        if end >= 1:
            yield self._at(handled, 11), self._claim, matter
        for days_ago in rounds if end >= 2 else ():
            yield self._at(days_ago, 14), self._handle, matter
            if end >= 3:
                yield self._at(days_ago, 16), self._check, matter
        if matter.reopened:
            yield self._at(handled - 1, 9), self._reopen, matter
            yield self._at(handled - 3, 11), self._claim, matter
        if end >= 3:
            yield self._at(rounds[-1], 17), self._tell_caller, matter
        if matter.ends == "rated":
            yield self._at(rounds[-1], 19), self._rate, matter

    def _at(self, days_ago: int, hour: int) -> datetime:
        return datetime.combine(self.today - timedelta(days=days_ago), time(hour), CHINA)

    def _unit(self, matter: _Matter) -> str:
        village, number = matter.place
        return self.villages[village][number]

    def _case(self, matter: _Matter) -> Case | None:
        """The case of a matter: one unit has one of a kind at most in these stories."""
        with reading() as session:
            known = select(Case).where(Case.unit_id == self._unit(matter), Case.kind == matter.kind)
            return session.scalar(known.order_by(Case.opened_at.desc()).limit(1))

    def _is_at(self, matter: _Matter, state: str) -> Case | None:
        """The case, when it still waits for the step that begins in `state`."""
        case = self._case(matter)
        return case if case is not None and case.state == state else None

    def _report(self, matter: _Matter) -> None:
        if self._case(matter) is not None:
            return
        if matter.by == "caller":
            take_report(
                self.world, session_id=self._session("clerk"), unit_id=self._unit(matter), kind=matter.kind,
                facts=[matter.fact], source="by_phone", words=matter.said, contact=CALLER,
            )  # fmt: skip
            return
        with reading() as session:
            number = session.get_one(Unit, self._unit(matter)).public_number
        file_report(
            self.world, account_id=self._reporter(matter), unit_no=number, kind=matter.kind, facts=[matter.fact],
            words=matter.said,
        )  # fmt: skip

    def _claim(self, matter: _Matter) -> None:
        case = self._is_at(matter, "routed")
        if case is not None:
            claim_case(self.world, session_id=self._session(HANDLERS[matter.kind]), reference=case.reference)

    def _handle(self, matter: _Matter) -> None:
        case = self._is_at(matter, "assigned")
        if case is None:
            return
        session_id = self._session(HANDLERS[matter.kind])
        if matter.visited:
            self._visit(session_id, case)
        reason, answer = matter.done
        decide_case(self.world, session_id=session_id, reference=case.reference, decision="handled", reason=reason,
                    answer_text=answer)  # fmt: skip

    def _visit(self, session_id: str, case: Case) -> None:
        """The grid worker goes and sees; what came of it stands in the case."""
        planned = plan_visit_of_case(
            self.world, session_id=session_id, reference=case.reference, assignee_id=self._officer("grid").id,
            due_on=self.world.clock.today(),
        )  # fmt: skip
        note_visit(
            self.world, session_id=self._session("grid"), visit_id=planned, note_id=new_id(), outcome="met",
            visited_at=self.world.clock.now(),
        )  # fmt: skip

    def _check(self, matter: _Matter) -> None:
        case = self._is_at(matter, "handled")
        if case is not None:
            checker = CHECKERS.get(matter.kind, "supervisor")
            check_case(self.world, session_id=self._session(checker), reference=case.reference)

    def _tell_caller(self, matter: _Matter) -> None:
        case = self._is_at(matter, "checked")
        if case is not None:
            tell_caller(self.world, session_id=self._session(HANDLERS[matter.kind]), reference=case.reference)

    def _reopen(self, matter: _Matter) -> None:
        case = self._is_at(matter, "answered")
        if case is not None and case.reopened_at is None:
            reopen_report(self.world, account_id=self._reporter(matter), report_id=case.id)

    def _rate(self, matter: _Matter) -> None:
        case = self._is_at(matter, "answered")
        if case is not None:
            rate_report(self.world, account_id=self._reporter(matter), report_id=case.id, stars=matter.stars,
                        reason=matter.why)  # fmt: skip

    def _reporter(self, matter: _Matter) -> str:
        return self.accounts(matter.by, matter.place[1])

    def _officer(self, login: str) -> Officer:
        with reading() as session:
            return session.scalars(select(Officer).where(Officer.login == login)).one()

    def _session(self, login: str) -> str:
        """The officer's session of this hour, with a purpose: begun at their desk as on any other day."""
        now = self.world.clock.now()
        if (login, now) in self.sessions:
            return self.sessions[login, now]
        with transaction() as session:
            officer = session.scalars(select(Officer).where(Officer.login == login)).one()
            code = pyotp.TOTP(read_totp_secret(self.world, session, officer)).at(now)
        signed = sign_in_officer(self.world, login=login, password=DEMO_PASSWORD, code=code)
        begin_task(self.world, session_id=signed.session_id, purpose="help_request" if login != "grid" else "visit")
        self.sessions[login, now] = signed.session_id
        return signed.session_id
