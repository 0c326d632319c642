"""One case with what is needed to decide it; each person it names can read that it was opened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.case_reports import decide_reopen
from backend.domain.cases import CHECKERS, KINDS, decide_check, kinds_for
from backend.domain.documents import mask_number
from backend.domain.officers import covers
from backend.domain.purposes import HANDLE_CASE, decide_act
from backend.domain.refusals import Refusal
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from backend.models.leases import Lease
from backend.models.officers import Officer
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import UnitClaim
from backend.queries.unit_facts import ResidenceFacts, UnitFacts, find_residence, find_unit, short_address
from backend.services.appointment_changes import AppointmentView, find_latest, view_appointment
from backend.services.audit import write_leaf
from backend.services.case_messages import callers_phone, own_phone
from backend.services.case_steps import StepView, list_steps
from backend.services.disclosures import answer, judge_cap, note_refusal
from backend.services.look_answers import asked_about_own_look
from backend.services.officer_sessions import Acting, acting_officer
from backend.services.persons import name_of, number_of

PERSON_FIELDS = ("name", "id_type", "id_number_masked", "identity_state")


@dataclass(frozen=True)
class CasePerson:
    """A person a case concerns, as far as it needs them. `part`: subject, landlord, claimant or present_landlord."""

    part: str
    name: str
    id_type: str | None = None
    id_number_masked: str | None = None
    identity_state: str | None = None
    right_kind: str | None = None
    right_evidence: str | None = None


@dataclass(frozen=True)
class CaseFile:
    """One case with what is needed to decide it. `evidence` holds codes and dates, no person's data.

    `phone` is whom to call back, shown to the officer who has taken the case; of somebody who has no account, once the
    case was checked, to a supervisor too. `place` stands for a unit where the case is about a dwelling as a whole.
    """

    reference: str
    kind: str
    state: str
    rule: str | None
    opened_by: str
    opened_at: datetime
    due_at: datetime | None
    evidence: dict[str, Any]
    assigned_badge: str | None
    assigned_to_me: bool
    decision: str | None
    decision_reason: str | None
    decided_at: datetime | None
    unit: UnitFacts | None
    residence: ResidenceFacts | None
    landlord_says_left_on: date | None
    persons: tuple[CasePerson, ...]
    appointment: AppointmentView | None
    escalated_at: datetime | None
    area: str
    has_reporter: bool
    call_back: bool
    phone: str | None
    place: str | None
    has_caller: bool
    call_due_at: datetime | None
    may_tell: bool
    may_reopen: bool
    may_check: bool
    is_own_work: bool
    stars: int | None
    stars_reason: str | None
    steps: tuple[StepView, ...]


def look_at_case(world: World, *, session_id: str, reference: str) -> CaseFile:
    """Show a case with the persons it concerns; each of them can read that it was opened.

    Raises Refused purpose.missing, purpose.unfit, area.foreign (written down), reads.cap, forbidden, not_found.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = _look(world, session, acting, reference)
        note_refusal(world, session, acting, outcome, "case", reference)
    return answer(outcome)


def case_for(session: Session, acting: Acting, reference: str) -> Case | Refusal:
    """The case, locked, when it lies in the officer's area, the role decides its kind, and it asks about another."""
    case = session.scalar(select(Case).where(Case.reference == reference).with_for_update())
    if case is None:
        return Refusal("not_found")
    if not covers(acting.officer.area, case.area):
        return Refusal("area.foreign")
    if case.kind not in kinds_for(acting.officer.role):
        return Refusal("forbidden")
    return Refusal("case.own") if asked_about_own_look(session, case, acting.officer.id) else case


def touch(world: World, acting: Acting, case: Case) -> None:
    """Note that the officer who has taken the case is at it: left alone, it would go back to the queue."""
    if case.assigned_to == acting.officer.id:
        case.touched_at = world.clock.now()


def badge_of(session: Session, case: Case) -> str | None:
    """The pseudonym of the officer who has taken the case."""
    return session.scalar(select(Officer.badge).where(Officer.id == case.assigned_to)) if case.assigned_to else None


def _look(world: World, session: Session, acting: Acting, reference: str) -> CaseFile | Refusal:
    case = case_for(session, acting, reference)
    if isinstance(case, Refusal):
        return case
    refusal = decide_act(acting.session.purpose, HANDLE_CASE)
    parties = _parties(session, case)
    caller = _caller(session, acting, case)
    read = list(dict.fromkeys([*parties, *([caller.person_id] if caller and caller.person_id else [])]))
    refusal = refusal or judge_cap(world, session, acting, read, "case_opened")
    if refusal is not None:
        return refusal
    persons = []
    residence = find_residence(case.registration_id) if case.registration_id else None
    for person_id, (part, claim) in parties.items():
        fields: tuple[str, ...] = PERSON_FIELDS if part == "subject" else ("name", "right") if claim else ("name",)
        if residence is not None and residence.person_id == person_id:
            fields += _dates_shown(residence)
        write_leaf(
            world,
            session,
            acting.actor,
            "case_opened",
            subject_id=person_id,
            object_kind="case",
            object_id=case.reference,
            fields=fields,
        )
        persons.append(_case_person(world, session, person_id, part, claim))
    if not parties:
        write_leaf(world, session, acting.actor, "case_opened", object_kind="case", object_id=case.reference,
                   fields=_dates_shown(residence) if residence is not None else ())  # fmt: skip
    phone = _phone_of(world, session, acting, case, caller) if caller is not None else None
    if case.contact_sealed is not None and calls_back(case, acting):
        write_leaf(world, session, acting.actor, "case_opened", object_kind="case", object_id=case.reference,
                   fields=("phone",))  # fmt: skip
        phone = callers_phone(world, session, case)
    touch(world, acting, case)
    return _file(world, session, acting, case, tuple(persons), phone)


def _dates_shown(residence: ResidenceFacts) -> tuple[str, ...]:
    """The fields of the residence that the page of a case shows."""
    return ("residence_dates", "lease_dates") if residence.lease_starts_on else ("residence_dates",)


def _caller(session: Session, acting: Acting, case: Case) -> Account | None:
    """The reporter who wants to be called, when this officer is the one to call."""
    if not case.call_back or case.reporter_id is None or case.assigned_to != acting.officer.id:
        return None
    return session.get_one(Account, case.reporter_id)


def calls_back(case: Case, acting: Acting) -> bool:
    """Whether it is for this officer to call whoever has no account: its handler, once it was checked a supervisor."""
    is_checked = case.state == "checked" and acting.officer.role in CHECKERS
    return case.assigned_to == acting.officer.id or is_checked


def _phone_of(world: World, session: Session, acting: Acting, case: Case, caller: Account) -> str | None:
    """The number to call, written down first; whoever reported reads that it was shown."""
    write_leaf(
        world,
        session,
        acting.actor,
        "case_opened",
        subject_id=caller.person_id,
        object_kind="case",
        object_id=case.reference,
        fields=("phone",),
    )
    return own_phone(world, session, caller.id)


def _parties(session: Session, case: Case) -> dict[str, tuple[str, UnitClaim | None]]:
    """Whom the case needs by name: its subject; for a contested claim the two who claim; for a dispute the landlord."""
    found: dict[str, tuple[str, UnitClaim | None]] = {}
    if case.person_id is not None:
        found[case.person_id] = ("subject", None)
    if case.kind == "unit_claim":
        claim = session.get_one(UnitClaim, case.evidence["claim_id"])
        earlier = session.scalar(
            select(UnitClaim)
            .where(
                UnitClaim.unit_id == claim.unit_id,
                UnitClaim.state.in_(("accepted", "ended")),
                UnitClaim.id != claim.id,
            )
            .order_by(UnitClaim.created_at.desc())
        )
        found[claim.person_id] = ("claimant", claim)
        if earlier is not None:
            found[earlier.person_id] = ("present_landlord", earlier)
    if case.kind == "dispute":
        landlord_id = session.scalar(
            select(Lease.landlord_id)
            .join(Registration, Registration.lease_id == Lease.id)
            .where(Registration.id == case.registration_id)
        )
        if landlord_id is not None:
            found.setdefault(landlord_id, ("landlord", None))
    return found


def _case_person(world: World, session: Session, person_id: str, part: str, claim: UnitClaim | None) -> CasePerson:
    person = session.get_one(Person, person_id)
    name = name_of(world, session, person)
    if part != "subject":
        return CasePerson(
            part, name, right_kind=claim.right_kind if claim else None, right_evidence=claim.evidence if claim else None
        )
    return CasePerson(part, name, person.id_type, mask_number(number_of(world, session, person)), person.identity_state)


def _file(
    world: World, session: Session, acting: Acting, case: Case, persons: tuple[CasePerson, ...], phone: str | None
) -> CaseFile:
    appointment = find_latest(session, case.id)
    left_on = case.evidence.get("landlord_says_left_on")
    checks = acting.officer.role in CHECKERS and KINDS[case.kind].checked and case.state == "handled"
    refused = decide_check(case.kind, case.state, "check", case.decided_by, acting.officer.id) if checks else None
    return CaseFile(
        reference=case.reference,
        kind=case.kind,
        state=case.state,
        rule=case.rule,
        opened_by=case.opened_by,
        opened_at=case.opened_at,
        due_at=case.due_at,
        evidence=dict(case.evidence),
        assigned_badge=badge_of(session, case),
        assigned_to_me=case.assigned_to == acting.officer.id,
        decision=case.decision,
        decision_reason=case.decision_reason,
        decided_at=case.decided_at,
        unit=find_unit(case.unit_id) if case.unit_id else None,
        residence=find_residence(case.registration_id) if case.registration_id else None,
        landlord_says_left_on=date.fromisoformat(left_on) if left_on else None,
        persons=persons,
        appointment=view_appointment(appointment, case.reference) if appointment else None,
        escalated_at=case.escalated_at,
        area=case.area,
        has_reporter=case.reporter_id is not None,
        call_back=case.call_back,
        phone=phone,
        place=dwelling_of(session, case),
        has_caller=case.contact_sealed is not None,
        call_due_at=case.call_due_at,
        may_tell="source" in case.evidence
        and case.state == "checked"
        and (case.contact_sealed is None or calls_back(case, acting)),
        may_reopen="source" in case.evidence
        and decide_reopen(case.state, case.answered_at, case.reopened_at, world.clock.now()) is None,
        may_check=checks and refused is None,
        is_own_work=refused is not None,
        stars=case.stars,
        stars_reason=case.stars_reason,
        steps=list_steps(world, session, case),
    )


def dwelling_of(session: Session, case: Case) -> str | None:
    """The address of a dwelling that a case without a unit is about."""
    home = session.get(Dwelling, case.evidence["dwelling_id"]) if "dwelling_id" in case.evidence else None
    return short_address(home) if home is not None else None
