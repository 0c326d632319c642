"""Letters to print: the list of an area is nameless; a name stands on the paper alone, under a leaf."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.calendars import day_of
from backend.domain.case_reports import REOPEN_WITHIN
from backend.domain.notices import INBOX
from backend.domain.officers import covers
from backend.domain.purposes import SERVE, decide_act
from backend.domain.refusals import Refusal
from backend.gateways.world import World
from backend.models.cases import Case
from backend.models.letters import Letter
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.printing.letters import Letter as LetterPaper
from backend.printing.letters import print_letter
from backend.services.audit import write_leaf
from backend.services.case_steps import last_words, list_steps
from backend.services.disclosures import answer, judge_cap, note_refusal
from backend.services.letter_rows import find_home
from backend.services.officer_sessions import Acting, acting_officer
from backend.services.persons import name_of
from backend.services.receipts import imprint, receipt_view
from backend.services.tenancies import address_of

RATE = ("可以带证件到窗口评价。", "You can rate it at the window; bring your document.")
REOPEN = (
    f"没有解决：{REOPEN_WITHIN.days} 天内带证件到窗口，请重新办理一次。",
    f"If it is not solved: come to the window within {REOPEN_WITHIN.days} days to have it done again.",
)
COLLECT = ("请到窗口领取", "To be collected at the window")


@dataclass(frozen=True)
class LetterLine:
    """One letter on the list: what it says and where, never to whom."""

    id: str
    kind: str
    title_zh: str
    title_en: str
    unit: str
    rule: str | None
    at: datetime
    printed_at: datetime | None


def list_letters(area: str, *, printed: bool = False, limit: int = 200) -> tuple[LetterLine, ...]:
    """The letters of an area that wait to be printed, the oldest first; or those printed, the newest first."""
    with reading() as session:
        rows = select(Letter).where(Letter.area.startswith(area, autoescape=True))
        rows = (
            rows.where(Letter.printed_at.is_not(None)).order_by(Letter.printed_at.desc())
            if printed
            else rows.where(Letter.printed_at.is_(None)).order_by(Letter.at, Letter.id)
        )
        return tuple(_line(row) for row in session.scalars(rows.limit(limit)))


def print_letter_pdf(world: World, *, session_id: str, letter_id: str, language: str) -> bytes:
    """One letter as a PDF, marked as printed; the person reads on their access record who printed it.

    Printed again, it is the same letter. Raises Refused purpose.missing, purpose.unfit, area.foreign (both written
    down), not_found, print.no_font, reads.cap: waiting letters by the day's pile, others as looks.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = _print(world, session, acting, letter_id, language)
        note_refusal(world, session, acting, outcome, "letter", letter_id)
    return answer(outcome)


def _print(world: World, session: Session, acting: Acting, letter_id: str, language: str) -> bytes | Refusal:
    row = session.get(Letter, letter_id)
    refusal = decide_act(acting.session.purpose, SERVE)
    if refusal is None and row is None:
        refusal = Refusal("not_found", "letter_id")
    if refusal is None and row is not None and not covers(acting.officer.area, row.area):
        refusal = Refusal("area.foreign")
    if refusal is not None or row is None:
        return refusal or Refusal("not_found")
    person, action = session.get_one(Person, row.person_id), _action(world, row, acting)
    refusal = judge_cap(world, session, acting, [person.id], action)
    if refusal is not None:
        return refusal
    paper = _compose(world, session, row, person, language, acting.officer.office)
    row.printed_at = row.printed_at or world.clock.now()
    row.printed_by = row.printed_by or acting.officer.id
    fields = ["name", "address"]
    write_leaf(
        world,
        session,
        acting.actor,
        action,
        subject_id=person.id,
        object_kind="letter",
        object_id=row.id,
        fields=fields,
        decision=row.kind,
    )
    return print_letter(paper, imprint(world, language, acting.officer.office))


def _action(world: World, row: Letter, acting: Acting) -> str:
    """A letter that waits is one of the day's pile, and still is after a jam; any other is looked at again."""
    if row.printed_at is None:
        return "letter_printed"
    today = row.printed_by == acting.officer.id and day_of(row.printed_at) == world.clock.today()
    return "letter_printed" if today else "letter_reprinted"


def _compose(world: World, session: Session, row: Letter, person: Person, language: str, office: str) -> LetterPaper:
    """The letter of a message; a registration that was accepted comes with its receipt's QR code."""
    home = find_home(session, person.id)
    name = name_of(world, session, person)
    address = address_of(home[1], home[0]) if home else COLLECT[0 if language == "zh" else 1]
    accepted = row.kind == "registration_accepted" and _accepted(session, row)
    if accepted:
        receipt = receipt_view(world, session, accepted, "declaration")
        return LetterPaper(
            "receipt",
            name,
            address,
            number=receipt.receipt_no,
            link=receipt.link,
            declared_at=receipt.declared_at,
            contact=office,
        )
    text, params = INBOX[row.kind], defaultdict(str, row.params)
    body = (text.text_zh.format_map(params), text.text_en.format_map(params))
    if row.kind == "report_answered":
        body = _with_answer(world, session, row, body)
    return LetterPaper(
        "notice",
        name,
        address,
        contact=office,
        title=(text.title_zh, text.title_en),
        body=body,
        rule=row.rule or "",
    )


def _with_answer(world: World, session: Session, row: Letter, body: tuple[str, str]) -> tuple[str, str]:
    """On paper the answer stands in the letter; what was written stays sealed in the case until then."""
    case = session.get(Case, str(row.params.get("report_id", "")))
    words = last_words(list_steps(world, session, case), "decide") if case is not None and case.answered_at else None
    told = (f"{body[0]}答复：{words}", f"{body[1]} Answer: {words}") if words else body
    offered = (RATE,) if case is None or case.reopened_at is not None else (REOPEN, RATE)
    return "".join((told[0], *(zh for zh, _ in offered))), " ".join((told[1], *(en for _, en in offered)))


def _accepted(session: Session, row: Letter) -> Registration | None:
    """The registration whose receipt the letter is about."""
    number = row.params.get("receipt_no")
    found = select(Registration).where(Registration.person_id == row.person_id, Registration.receipt_no == number)
    return session.scalar(found.limit(1)) if number else None


def _line(row: Letter) -> LetterLine:
    text = INBOX[row.kind]
    unit = str(row.params.get("unit", ""))
    return LetterLine(row.id, row.kind, text.title_zh, text.title_en, unit, row.rule, row.at, row.printed_at)
