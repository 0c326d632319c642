"""Situations that a form needs to stand on its page: cases of every kind, accounts and agreements in every state."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from backend.db import transaction
from backend.domain.case_reports import REPORTS
from backend.domain.cases import KINDS
from backend.domain.ids import new_id
from backend.models.appointments import Appointment
from backend.models.cases import Case
from backend.models.officers import Officer, OfficerSession, Passkey, StaffNotice
from backend.models.registrations import Registration
from backend.models.sharing import FeedEvent, OfficeDelivery
from backend.models.units import UnitClaim
from backend.models.visits import Visit
from backend.services.agreements import add_agreement, suspend_agreement
from backend.services.case_opening import open_case
from backend.services.officer_enrolment import reset_by_operator
from backend.services.officer_sessions import begin_task
from backend.services.taken_reports import take_report
from backend.services.visits import plan_visit_of_unit
from tests.console.test_route_matrix import VILLAGE
from tests.services import sharing, staff, stories

Officers = dict[tuple[str, str], str]


def make_situations(world: Any, officers: Officers, things: dict[str, str]) -> dict[str, str]:
    """All of them in the village of `things`; answers their names."""
    return {
        **_cases(world, officers, things),
        **_calls(world, things),
        **_accounts(world, officers),
        **_agreements(world, things),
        **_rounds(world, officers),
        **_door(officers, things),
    }


def _cases(world: Any, officers: Officers, things: dict[str, str]) -> dict[str, str]:
    """A case of each kind that waits and one that is being handled; one to be checked; a review met by video."""
    made, now = {}, world.clock.now()
    reporter_id = stories.make_account(world, stories.TENANT_PHONE)
    with transaction() as session:
        person_id = session.get_one(Registration, things["registration_id"]).person_id
        claim_id = session.scalars(select(UnitClaim.id).where(UnitClaim.unit_id == things["unit_id"])).one()
        about: dict[str, Any] = {
            "unit_id": things["unit_id"],
            "registration_id": things["registration_id"],
            "person_id": person_id,
            "evidence": {"claim_id": claim_id, "reason": "entered_in_error"},
            "reporter_id": reporter_id,
            "opened_by": "tenant",
        }
        for kind, row in KINDS.items():
            for state in ("routed", "assigned", "handled"):
                case = open_case(world, session, kind=kind, area=VILLAGE, **about)
                made[f"{kind} {state}"] = case.reference
                if state != "routed":
                    case.assigned_to, case.assigned_at = officers[row.deciders[0], "near"], now
                    case.state = state
                if state == "handled":
                    case.decision, end = next(iter(row.decisions.items()))
                    case.decision_reason, case.decided_at, case.decided_by = end.reasons[0], now, case.assigned_to
        review = session.scalars(select(Case).where(Case.reference == made["identity_review routed"])).one()
        session.add(
            Appointment(id=new_id(), case_id=review.id, person_id=person_id, way="live_video", area=VILLAGE,
                        starts_at=now - timedelta(minutes=5), ends_at=now + timedelta(minutes=15), place=1,
                        state="booked", version=1, created_at=now)
        )  # fmt: skip
    return made


def _calls(world: Any, things: dict[str, str]) -> dict[str, str]:
    """A report of somebody who called, checked and to be told; and one that was told."""
    session_id = staff.sign_in(world, staff.make_officer(world, "officer", staff.STREET, "listener"))
    begin_task(world, session_id=session_id, purpose="visit")
    made = {}
    for state in ("checked", "answered"):
        reference = take_report(world, session_id=session_id, kind="unsafe_dwelling", source="by_phone",
                                facts=[next(iter(REPORTS["unsafe_dwelling"].facts))], unit_id=things["unit_id"],
                                words=state, contact="19900007799")  # fmt: skip
        with transaction() as session:
            case = session.scalars(select(Case).where(Case.reference == reference)).one()
            case.decision, end = next(iter(KINDS[case.kind].decisions.items()))
            case.decision_reason, case.decided_at, case.state = end.reasons[0], world.clock.now(), state
            case.answered_at = world.clock.now() if state == "answered" else None
        made[{"checked": "told case", "answered": "answered case"}[state]] = reference
    return made


def _accounts(world: Any, officers: Officers) -> dict[str, str]:
    """An account suspended, one locked, one to sign in for the first time; notices, passkeys and a further sign-in."""
    suspended = staff.make_officer(world, "officer", VILLAGE, "suspended")
    locked = staff.make_officer(world, "officer", VILLAGE, "locked-out")
    fresh = staff.make_officer(world, "officer", VILLAGE, "fresh")
    code = reset_by_operator(world, login=fresh.login)
    now = world.clock.now()
    with transaction() as session:
        session.get_one(Officer, suspended.id).active = False
        session.get_one(Officer, locked.id).locked_until = now + timedelta(minutes=15)
        for officer_id in officers.values():
            session.add_all([
                StaffNotice(id=new_id(), officer_id=officer_id, kind="session_ended", once=f"told {officer_id}",
                            params={"badge": "P-2"}, at=now),
                Passkey(id=new_id(), officer_id=officer_id, label="key", credential_id=officer_id.encode(),
                               public_key=b"-", sign_count=0, created_at=now),
                OfficerSession(id=new_id(), officer_id=officer_id, secret_hash=b"-", created_at=now, last_seen_at=now,
                               expires_at=now + timedelta(hours=8)),
            ])  # fmt: skip
    return {"suspended_id": suspended.id, "locked_out_id": locked.id, "first login": code.login,
            "first code": code.code}  # fmt: skip


def _agreements(world: Any, things: dict[str, str]) -> dict[str, str]:
    """A draft, one suspended, one with a delivery set aside."""
    supervisors = sharing.make_supervisors(world)
    paused = sharing.make_agreement(world, supervisors, subscriber="paused", keys=sharing.jwks())
    suspend_agreement(world, agreement_id=paused.id, reason="核对")
    draft = add_agreement(world, written=sharing.written(world, subscriber="draft", keys=sharing.jwks()))
    with transaction() as session:
        event = session.scalars(select(FeedEvent).limit(1)).first()
        if event is None:
            event = FeedEvent(id=new_id(), kind="lease_recorded", object_kind="lease", object_id=new_id(),
                              area=VILLAGE, version=1, at=world.clock.now())  # fmt: skip
            session.add(event)
            session.flush()
        session.add(
            OfficeDelivery(id=new_id(), agreement_id=things["agreement_id"], event_id=event.id, outcome="parked",
                           reason="403", first_at=world.clock.now(), at=world.clock.now())
        )  # fmt: skip
    return {"paused_id": paused.id, "draft_id": draft.id}


def _door(officers: Officers, things: dict[str, str]) -> dict[str, str]:
    """The visit at whose door somebody is served is made by the officer who walks: a desk there is nobody else's."""
    with transaction() as session:
        session.get_one(Visit, things["planned_id"]).assignee_id = officers["officer", "near"]
    return {}


def _rounds(world: Any, officers: Officers) -> dict[str, str]:
    """A unit that nobody is registered in, and a visit to another of each of those who walk."""
    empty = stories.make_let_unit(world, lock=2, door=2)
    made = {"empty_id": empty.unit_id}
    for turn, role in enumerate(("grid_worker", "officer"), start=3):
        other = stories.make_let_unit(world, lock=turn, door=turn)
        session_id = staff.sign_in(world, staff.make_officer(world, "officer", staff.STREET, f"planner-{turn}"))
        made[f"visit of {role}"] = plan_visit_of_unit(
            world, session_id=session_id, unit_id=other.unit_id, ground="no_one_registered",
            assignee_id=officers[role, "near"], due_on=world.clock.today(),
        )  # fmt: skip
    return made
