"""What a person has asked about looks at their data, and what was answered: read from the cases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.models.audit import AuditLeaf
from backend.models.cases import Case

KIND = "look_question"


@dataclass(frozen=True)
class LookQuestion:
    """One question: `code` is a key of QUESTIONS; decision and reason are keys of the case's tables once answered."""

    code: str
    reference: str
    state: str
    asked_at: datetime
    due_at: datetime | None
    decision: str | None
    reason: str | None
    decided_at: datetime | None


def questions_of(session: Session, person_id: str) -> dict[str, LookQuestion]:
    """What this person has asked, by the id of the look."""
    asked = select(Case).where(Case.person_id == person_id, Case.kind == KIND).order_by(Case.opened_at)
    return {case.evidence["look"]: view_question(case) for case in session.scalars(asked) if "look" in case.evidence}


def view_question(case: Case) -> LookQuestion:
    """A question as whoever asked it reads it."""
    return LookQuestion(
        code=case.evidence["question"],
        reference=case.reference,
        state=case.state,
        asked_at=case.opened_at,
        due_at=case.due_at,
        decision=case.decision,
        reason=case.decision_reason,
        decided_at=case.decided_at,
    )


def asked_about_own_look(session: Session, case: Case, officer_id: str) -> bool:
    """Whether the case asks about something this officer did: then another decides it."""
    looked = session.get(AuditLeaf, case.evidence["look"]) if case.kind == KIND and "look" in case.evidence else None
    return looked is not None and looked.actor_id == officer_id
