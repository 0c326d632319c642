"""Reports that staff take down for whoever telephones, comes to the window without a document, or is met on a visit.

They go the way of every report: routed by kind and area, handled, checked. Who reported is not known here; a number to
call back is kept only for that, and of a person nothing is written. Once checked, a colleague calls and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.case_reports import (
    REPORTS,
    WORDS_MOST,
    decide_reopen,
    find_report_faults,
    find_taken_faults,
    find_words_faults,
    rule_of_report,
)
from backend.domain.cases import decide_action
from backend.domain.ids import is_id
from backend.domain.officers import covers
from backend.domain.persons import decide_phone
from backend.domain.purposes import HANDLE_CASE, TAKE_REPORT, decide_act
from backend.domain.refusals import Refusal, Refused
from backend.gateways.world import World
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from backend.models.units import Unit
from backend.queries.unit_facts import find_unit
from backend.services.audit import write_leaf
from backend.services.case_files import dwelling_of
from backend.services.case_messages import callers_phone
from backend.services.case_opening import open_case, open_once
from backend.services.case_steps import advance, last_words, list_steps
from backend.services.disclosures import answer, judge_area, note_refusal
from backend.services.officer_sessions import Acting, acting_officer
from backend.services.reports import reopen_in


@dataclass(frozen=True)
class _Said:
    """What somebody reported, checked."""

    kind: str
    facts: tuple[str, ...]
    source: str
    words: str
    contact: str | None


def take_report(
    world: World,
    *,
    session_id: str,
    kind: str,
    facts: Sequence[str],
    source: str,
    unit_id: str | None = None,
    dwelling_id: str | None = None,
    words: str | None = None,
    contact: str | None = None,
    once: str | None = None,
) -> str:
    """Open a case for somebody about a unit, or about a dwelling as a whole; answers its reference.

    `source` is how it came (a key of SOURCES), `contact` a phone to call back. One form, known by `once`, is one case
    however often it is sent; two forms are two, for two neighbours may say the same. Raises Refused with every faulty
    field (also report.needs_person, phone.invalid at `contact`), report.place, report.sent_before where the form says
    something else than when it was sent first, purpose.missing, purpose.unfit, area.foreign (both written down),
    not_found.
    """
    said = _read(kind, facts, source, words, contact)
    if unit_id is None and dwelling_id is None:
        raise Refused("report.place", "place")
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        home, unit = _find_place(session, unit_id, dwelling_id)
        refusal = decide_act(acting.session.purpose, TAKE_REPORT)
        refusal = refusal or judge_area(acting, home.division if home is not None else None)
        outcome: Case | Refusal | None = refusal
        if refusal is None and home is not None:
            outcome = _take(world, session, acting, said, home, unit, once)
        note_refusal(world, session, acting, outcome, "unit" if unit_id else "dwelling", unit_id or dwelling_id or "")
        reference = outcome.reference if isinstance(outcome, Case) else ""
    answer(outcome)
    return reference


def check_may_take(world: World, *, session_id: str) -> None:
    """Whether the present purpose is for taking reports down, asked before anything is typed.

    Raises Refused purpose.missing, purpose.unfit (written down).
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        refusal = decide_act(acting.session.purpose, TAKE_REPORT)
        note_refusal(world, session, acting, refusal, "officer", acting.officer.id)
    answer(refusal)


@dataclass(frozen=True)
class CallersCase:
    """What is said to whoever names the reference: how it stands and, once checked, what was done. Nobody's number."""

    reference: str
    kind: str
    office: str
    state: str
    place: str | None
    due_at: datetime | None
    decision: str | None
    decision_reason: str | None
    answer: str | None
    may_tell: bool
    may_reopen: bool


def look_at_callers_case(world: World, *, session_id: str, reference: str) -> CallersCase:
    """A report that staff took down, for whoever comes back to it and names its reference; the look is written down.

    Everybody who may take a report down may say what came of it. Raises as `tell_caller`.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = _callers_case(session, acting, reference)
        view = _callers_view(world, session, outcome) if isinstance(outcome, Case) else outcome
        if isinstance(outcome, Case):
            _note(world, session, acting, outcome, "case_opened")
        note_refusal(world, session, acting, view, "case", reference)
    return answer(view)


def tell_caller(world: World, *, session_id: str, reference: str, reached: bool = True) -> None:
    """Note that whoever called has been told what was done, after the check; or that several calls did not reach them.

    Raises Refused report.no_caller of what no member of staff took down, transition, purpose.missing, purpose.unfit,
    area.foreign (written down), not_found.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = _callers_case(session, acting, reference)
        if isinstance(outcome, Case):
            outcome = decide_action(outcome.state, "answer") or outcome
        if isinstance(outcome, Case) and not reached and outcome.contact_sealed is None:
            outcome = Refusal("report.no_caller")
        if isinstance(outcome, Case):
            outcome.answered_at = world.clock.now()
            advance(world, session, outcome, "answer", acting.actor,
                    reason="caller_told" if reached else "caller_not_reached")  # fmt: skip
            _note(world, session, acting, outcome, "case_told")
        note_refusal(world, session, acting, outcome, "case", reference)
    answer(outcome)


def reopen_for_caller(world: World, *, session_id: str, reference: str, words: str | None = None) -> None:
    """Whoever called says that it is not solved: the case goes back to its office, as `reports.reopen_report`.

    Raises Refused report.reopened, report.reopen_late, report.number, input.length, report.no_caller where the reporter
    has an account of their own, transition, and as `tell_caller`.
    """
    faults = find_words_faults(words or "", "words", WORDS_MOST)
    if faults:
        raise Refused.of(faults)
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = _callers_case(session, acting, reference)
        if isinstance(outcome, Case):
            outcome = reopen_in(world, session, outcome, acting.actor, words or "") or outcome
        note_refusal(world, session, acting, outcome, "case", reference)
    answer(outcome)


def _read(kind: str, facts: Sequence[str], source: str, words: str | None, contact: str | None) -> _Said:
    said, chosen = (words or "").strip(), tuple(dict.fromkeys(facts))
    faults = find_report_faults(kind, chosen, said) + find_taken_faults(kind, source)
    number = decide_phone(contact) if contact and contact.strip() else None
    if isinstance(number, Refusal):
        faults.append(Refusal(number.code, "contact", number.params))
    if faults:
        raise Refused.of(faults)
    assert not isinstance(number, Refusal)
    return _Said(kind, tuple(code for code in REPORTS[kind].facts if code in chosen), source, said, number)


def _find_place(session: Session, unit_id: str | None, dwelling_id: str | None) -> tuple[Dwelling | None, Unit | None]:
    """The dwelling, and the unit where one is named; (None, None) where it does not exist."""
    if unit_id is None:
        return (session.get(Dwelling, dwelling_id) if dwelling_id is not None else None), None
    unit = session.get(Unit, unit_id)
    return (session.get_one(Dwelling, unit.dwelling_id), unit) if unit is not None else (None, None)


def _take(
    world: World, session: Session, acting: Acting, said: _Said, home: Dwelling, unit: Unit | None, once: str | None
) -> Case | Refusal:
    evidence: dict[str, object] = {"facts": list(said.facts), "source": said.source}
    if unit is None:
        evidence["dwelling_id"] = home.id
    unit_id = unit.id if unit is not None else None
    form = once if is_id(once or "") else None

    def make() -> Case:
        case = open_case(
            world,
            session,
            kind=said.kind,
            area=home.division,
            unit_id=unit_id,
            rule=rule_of_report(said.kind, said.facts),
            opened_by="officer",
            evidence=evidence,
            actor=acting.actor,
            words=said.words,
            contact=said.contact,
            once=form,
        )
        _note(world, session, acting, case, "case_taken_down")
        return case

    case = open_once(session, lambda: _find_sent(session, form), make)
    told = last_words(list_steps(world, session, case), "report") or ""
    stands = (case.kind, case.unit_id, case.evidence, told, callers_phone(world, session, case))
    if stands != (said.kind, unit_id, evidence, said.words, said.contact):
        return Refusal("report.sent_before", None, {"reference": case.reference})
    return case


def _find_sent(session: Session, once: str | None) -> Case | None:
    """The case that this form made when it was sent before."""
    return session.scalar(select(Case).where(Case.once == once)) if once is not None else None


def _callers_case(session: Session, acting: Acting, reference: str) -> Case | Refusal:
    """A case of the own area that staff took down, whatever role decides it, under a purpose for reports or cases."""
    case = session.scalar(select(Case).where(Case.reference == reference.strip().upper()).with_for_update())
    if case is None:
        return Refusal("not_found", "reference")
    if not covers(acting.officer.area, case.area):
        return Refusal("area.foreign")
    purpose = acting.session.purpose
    if decide_act(purpose, HANDLE_CASE) is not None:
        refusal = decide_act(purpose, TAKE_REPORT)
        if refusal is not None:
            return refusal
    return case if "source" in case.evidence else Refusal("report.no_caller", "reference")


def _callers_view(world: World, session: Session, case: Case) -> CallersCase:
    is_checked = case.checked_by is not None or case.state in ("checked", "answered", "rated")
    unit = find_unit(case.unit_id) if case.unit_id else None
    return CallersCase(
        reference=case.reference,
        kind=case.kind,
        office=case.office,
        state=case.state,
        place=f"{unit.address} {unit.label}" if unit is not None else dwelling_of(session, case),
        due_at=case.due_at,
        decision=case.decision if is_checked else None,
        decision_reason=case.decision_reason if is_checked else None,
        answer=last_words(list_steps(world, session, case), "decide") if is_checked else None,
        may_tell=decide_action(case.state, "answer") is None,
        may_reopen=decide_reopen(case.state, case.answered_at, case.reopened_at, world.clock.now()) is None,
    )


def _note(world: World, session: Session, acting: Acting, case: Case, action: str) -> None:
    write_leaf(world, session, acting.actor, action, object_kind="case", object_id=case.reference)
