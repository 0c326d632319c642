"""Asking about one look at one's data: a case for the data protection officer, never for whoever has looked."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.access_words import act_words
from backend.domain.calendars import CHINA
from backend.domain.look_questions import QUESTIONS
from backend.domain.purposes import PURPOSES
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.audit import AuditLeaf
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from backend.models.officers import Officer
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services.access_records import AccessView, find_access_record, my_access_records
from backend.services.audit import write_leaf
from backend.services.case_opening import open_case, open_once
from backend.services.hands import Desk, acting_for
from backend.services.look_answers import KIND, LookQuestion, view_question

COUNTY = 6  # digits of the division a look belongs to when nothing nearer is known


def ask_about_look(
    world: World, *, account_id: str, record_id: str, question: str, desk: Desk | None = None
) -> LookQuestion:
    """Ask the office about a look at one's data; the answer comes into the inbox, and stands beside the look.

    One look is asked about once: asked again, the first question is answered. Raises Refused not_found (no look, or
    another's), input.not_one_of.
    """
    if question not in QUESTIONS:
        raise Refused("input.not_one_of", "question", allowed=tuple(QUESTIONS))
    look = find_access_record(world, account_id=account_id, record_id=record_id)
    with acting_for(world, account_id, desk, "ask_about_look") as (session, hand):
        person_id = session.get_one(Account, account_id).person_id
        assert person_id is not None  # only a person has looks
        before = _find(session, person_id, record_id)
        case = open_once(
            session,
            lambda: _find(session, person_id, record_id),
            lambda: open_case(
                world,
                session,
                kind=KIND,
                area=_area_of(session, person_id, record_id),
                person_id=person_id,
                rule="PIPL-45",
                opened_by="resident",
                evidence=_evidence(look, question),
            ),
        )
        if before is None and case.evidence["question"] == question:
            write_leaf(
                world, session, hand.actor, "look_asked_about", subject_id=person_id, object_kind="case",
                object_id=case.reference,
            )  # fmt: skip
        return view_question(case)


def list_recent_looks(world: World, *, account_id: str, limit: int = 30) -> dict[str, tuple[str, str]]:
    """The newest looks that can be asked about, each in a line of Chinese and of English, by the record's id."""
    items = my_access_records(world, account_id=account_id, limit=limit).items
    return {item.id: _line(item) for item in items if item.question is None}


def _line(item: AccessView) -> tuple[str, str]:
    zh, en = act_words(item.action)
    office = item.office or "系统", item.office_en or item.office or "The system"
    return f"{_in_china(item)} {office[0]} {zh}", f"{_in_china(item)} {office[1]}: {en}"


def _in_china(item: AccessView) -> str:
    return item.at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")


def _evidence(look: AccessView, question: str) -> dict[str, str | None]:
    """Who looked, when and what for, as the person reads it: codes and pseudonyms."""
    said = {
        "look": look.id,
        "question": question,
        "looked_at": _in_china(look),
        "looking_office": look.office,
        "badge": look.badge,
        "action": look.action,
        "purpose": f"for_{look.purpose}" if look.purpose in PURPOSES else look.purpose,
        "case_ref": look.case_ref,
    }
    return {name: value for name, value in said.items() if value is not None}


def _find(session: Session, person_id: str, record_id: str) -> Case | None:
    asked = session.scalars(select(Case).where(Case.person_id == person_id, Case.kind == KIND))
    return next((case for case in asked if case.evidence.get("look") == record_id), None)


def _area_of(session: Session, person_id: str, record_id: str) -> str:
    """Where the person's newest home is, or their unit; else the area of whoever looked."""
    home = (
        select(Dwelling.division)
        .join(Unit, Unit.dwelling_id == Dwelling.id)
        .join(Registration, Registration.unit_id == Unit.id)
        .where(Registration.person_id == person_id)
        .order_by(Registration.created_at.desc())
    )
    let = select(Dwelling.division).join(Unit, Unit.dwelling_id == Dwelling.id).where(Unit.landlord_id == person_id)
    found = session.scalar(home.limit(1)) or session.scalar(let.limit(1))
    if found is not None:
        return found
    looked = session.get(AuditLeaf, record_id)
    officer = session.get(Officer, looked.actor_id) if looked is not None and looked.actor_id else None
    if officer is not None:
        return officer.area
    any_division = session.scalar(select(Dwelling.division).limit(1))
    return (any_division or "")[:COUNTY]
