"""Test factories of the loop: a report, staff at it, and a case driven to any state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backend.db import db, transaction
from backend.gateways.world import World
from backend.models.cases import Case
from backend.services.audit import Actor
from backend.services.case_checks import assign_case, check_case, send_back_case
from backend.services.case_opening import open_case
from backend.services.cases import claim_case, decide_case, release_case
from backend.services.officer_sessions import begin_task
from backend.services.report_views import ReportView
from backend.services.reports import file_report, rate_report, reopen_report
from tests.services import staff, stories

VILLAGE = "330522003900"
WIRES: dict[str, Any] = {"unit_no": "U-TEST0101", "kind": "unsafe_dwelling", "facts": ["wires_bare"],
                         "words": "厨房插座旁边的电线露在外面。"}  # fmt: skip


@dataclass
class Crew:
    """Who handles, and who checks: sessions with a purpose; `other` is a second supervisor."""

    handler: str
    checker: str
    other: str
    handler_id: str


def make_crew(world: World, tag: str = "first") -> Crew:
    """An officer and two supervisors of the street; `tag` tells crews apart, since sessions end with the day."""
    people = [staff.make_officer(world, role, login=f"{tag}-{name}") for role, name in
              (("officer", "handler"), ("supervisor", "checker"), ("supervisor", "other"))]  # fmt: skip
    sessions = [staff.sign_in(world, each) for each in people]
    for session_id in sessions:
        begin_task(world, session_id=session_id, purpose="visit")
    return Crew(*sessions, handler_id=people[0].id)


def make_report(world: World, **changes: Any) -> tuple[stories.Story, ReportView]:
    """A tenant with an active key reports bare wires at home."""
    story = stories.make_active(world)
    return story, file_report(world, account_id=story.tenant, **{**WIRES, **changes})


def case_of(reference: str) -> Case:
    """The case as it stands in the database now."""
    db.session.rollback()
    db.session.expire_all()
    return db.session.query(Case).filter_by(reference=reference).one()


def handle(world: World, session_id: str, reference: str, words: str = "已请电工更换线路并加装线管。") -> None:
    """Take it and say what was done."""
    claim_case(world, session_id=session_id, reference=reference)
    decide_case(world, session_id=session_id, reference=reference, decision="handled", reason="repaired",
                answer_text=words)  # fmt: skip


def answer(world: World, crew: Crew, reference: str) -> None:
    """From waiting to answered."""
    handle(world, crew.handler, reference)
    check_case(world, session_id=crew.checker, reference=reference)


def open_report(world: World, story: stories.Story) -> Case:
    """A case of the tenant's without the day's limit, for going through many."""
    with transaction() as session:
        return open_case(world, session, kind="unsafe_dwelling", area=VILLAGE, unit_id=story.unit_id,
                         opened_by="tenant", evidence={"facts": ["wires_bare"]}, reporter_id=story.tenant,
                         actor=Actor("resident", story.tenant))  # fmt: skip


ROAD = {
    "reported": (), "routed": (), "assigned": ("claim",), "handled": ("claim", "decide"),
    "answered": ("claim", "decide", "check"), "rated": ("claim", "decide", "check", "rate"),
}  # fmt: skip


def act(world: World, crew: Crew, story: stories.Story, case: Case, action: str) -> None:
    """Do one action of the loop through its use case, by whom it belongs to."""
    of_staff: dict[str, Any] = {"reference": case.reference}
    mine: dict[str, Any] = {"account_id": story.tenant, "report_id": case.id}
    calls: dict[str, Any] = {
        "claim": lambda: claim_case(world, session_id=crew.handler, **of_staff),
        "release": lambda: release_case(world, session_id=crew.handler, **of_staff),
        "assign": lambda: assign_case(world, session_id=crew.checker, officer_id=crew.handler_id, **of_staff),
        "decide": lambda: decide_case(world, session_id=crew.handler, decision="handled", reason="repaired",
                                      answer_text="已修好。", **of_staff),
        "check": lambda: check_case(world, session_id=crew.checker, **of_staff),
        "send_back": lambda: send_back_case(world, session_id=crew.checker, reason="not_done", **of_staff),
        "rate": lambda: rate_report(world, stars=4, reason="solved", **mine),
        "reopen": lambda: reopen_report(world, **mine),
    }  # fmt: skip
    calls[action]()
