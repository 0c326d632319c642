"""Every route × every role × own or foreign area × with or without purpose, from the route table and the policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from backend.db import db, transaction
from backend.domain.cases import kinds_for
from backend.domain.ids import new_id
from backend.domain.officers import ROLES
from backend.models.audit import AuditLeaf
from backend.models.letters import Letter
from backend.models.officers import Officer
from backend.models.registrations import Registration
from backend.services.case_opening import open_case
from backend.services.officer_sessions import begin_task
from backend.services.visits import plan_visit_of_case
from backend.services.window_visits import open_visit
from backend.web import PolicyError, check_policy, load_policy
from tests.services import staff, stories

VILLAGE = "330522003900"
KIND_OF = {role: (kinds_for(role) or ("overdue_registration",))[-1] for role in ROLES}


@dataclass(frozen=True)
class Plan:
    """How to call one route: its address with names of things, its form, whether it names a thing with an area.

    `purpose` is one that allows what the route does.
    """

    path: str
    form: dict[str, str] = field(default_factory=dict)
    thing: bool = False
    purpose: str = "help_request"


PLANS: dict[tuple[str, str], Plan] = {
    ("static", "GET"): Plan("/static/console.css"),
    ("shared.asset", "GET"): Plan("/assets/tokens.css"),
    ("front.health", "GET"): Plan("/healthz"),
    ("front.start", "GET"): Plan("/"),
    ("sign_in.form", "GET"): Plan("/sign-in"),
    ("sign_in.enter", "POST"): Plan("/sign-in"),
    ("sign_in.leave", "POST"): Plan("/sign-out"),
    ("sign_in.speak", "POST"): Plan("/language", {"to": "en"}),
    ("tasks.choose", "GET"): Plan("/task"),
    ("tasks.begin", "POST"): Plan("/task", {"purpose": "visit"}),
    ("tasks.end", "POST"): Plan("/task/end"),
    ("ledger.board", "GET"): Plan("/ledger?dwelling={dwelling}", thing=True),
    ("door_sheets.sheet", "GET"): Plan("/door-sheets?dwelling={dwelling}", thing=True),
    ("units.show", "GET"): Plan("/units/{unit}", thing=True),
    ("units.number", "GET"): Plan("/registrations/{registration}/number", thing=True),
    ("units.number", "POST"): Plan("/registrations/{registration}/number", {"password": staff.PASSWORD}, thing=True),
    ("occupant_keys.codes", "GET"): Plan("/registrations/{registration}/codes", thing=True),
    ("occupant_keys.codes", "POST"): Plan("/registrations/{registration}/codes", {"password": staff.PASSWORD},
                                          thing=True),
    ("occupant_keys.order", "GET"): Plan("/registrations/{registration}/court-order", thing=True, purpose="case"),
    ("occupant_keys.order", "POST"): Plan("/registrations/{registration}/court-order",
                                          {"password": staff.PASSWORD, "case_number": "A330522-77"}, thing=True,
                                          purpose="case"),
    ("window.index", "GET"): Plan("/window"),
    ("window.index", "POST"): Plan("/window", {"name": "?"}),
    ("window.visit", "GET"): Plan("/window/visits/{visit}", thing=True),
    ("window.act", "GET"): Plan("/window/visits/{visit}/acts/amend?registration_id={registration}", thing=True),
    ("window.act", "POST"): Plan("/window/visits/{visit}/acts/check_out", {"moved_out_on": "?"}, thing=True),
    ("window.paper", "GET"): Plan("/window/visits/{visit}/papers/access", thing=True),
    ("window.letters", "GET"): Plan("/window/letters"),
    ("window.print_letter", "POST"): Plan("/window/letters/{letter}/print", thing=True),
    ("window.end", "POST"): Plan("/window/visits/{ending}/end", thing=True),
    ("cases.index", "GET"): Plan("/cases"),
    ("cases.show", "GET"): Plan("/cases/{case}", thing=True),
    ("cases.claim", "POST"): Plan("/cases/{case}/claim", thing=True),
    ("cases.release", "POST"): Plan("/cases/{case}/release", thing=True),
    ("cases.decide", "POST"): Plan("/cases/{case}/decision", {"decision": "?", "reason": "?"}, thing=True),
    ("cases.assign", "POST"): Plan("/cases/{case}/assignment", {"officer_id": "?"}, thing=True),
    ("cases.check", "POST"): Plan("/cases/{case}/check", thing=True),
    ("cases.send_back", "POST"): Plan("/cases/{case}/return", {"reason": "?"}, thing=True),
    ("visits.index", "GET"): Plan("/visits"),
    ("visits.show", "GET"): Plan("/visits/{field}", thing=True),
    ("visits.show", "POST"): Plan("/visits/{field}", {"assignee_id": "?"}, thing=True),
    ("visits.plan_for_unit", "GET"): Plan("/units/{unit}/visit", thing=True),
    ("visits.plan_for_unit", "POST"): Plan("/units/{unit}/visit", {"assignee_id": "?"}, thing=True),
    ("visits.plan_for_case", "POST"): Plan("/cases/{case}/visit", {"assignee_id": "?"}, thing=True),
    ("field.home", "GET"): Plan("/g/"),
    ("field.visit", "GET"): Plan("/g/visits/{field}", thing=True),
    ("field.visit", "POST"): Plan("/g/visits/{field}", {"outcome": "?"}, thing=True),
    ("field.door", "GET"): Plan("/g/door?number=U-TEST0101", thing=True),
    ("field.unit", "GET"): Plan("/g/units/{unit}", thing=True),
    ("field.unit", "POST"): Plan("/g/units/{unit}", {"ground": "?"}, thing=True),
    ("field.worker", "GET"): Plan("/g/worker.js"),
    ("field.manifest", "GET"): Plan("/g/manifest.webmanifest"),
    ("field_desks.people", "GET"): Plan("/g/visits/{field}/people", thing=True, purpose="visit"),
    ("field_desks.register", "GET"): Plan("/g/visits/{field}/register", thing=True, purpose="visit"),
    ("field_desks.register", "POST"): Plan("/g/visits/{field}/register", {"name": "?"}, thing=True, purpose="visit"),
    ("field_desks.file", "GET"): Plan("/g/desks/{desk}", thing=True, purpose="visit"),
    ("field_desks.act", "GET"): Plan("/g/desks/{desk}/acts/add_co_resident?registration_id={registration}",
                                     thing=True, purpose="visit"),
    ("field_desks.act", "POST"): Plan("/g/desks/{desk}/acts/declare", {"move_in_on": "?"}, thing=True,
                                      purpose="visit"),
    ("field_desks.receipt", "GET"): Plan("/g/desks/{desk}/receipt?registration_id={registration}", thing=True,
                                         purpose="visit"),
    ("field_desks.send_link", "POST"): Plan("/g/desks/{desk}/link", {"registration_id": "?"}, thing=True,
                                            purpose="visit"),
    ("field_desks.end", "POST"): Plan("/g/desks/{leaving}/end", thing=True, purpose="visit"),
    ("loop.figures", "GET"): Plan("/loop"),
    ("loop.table", "GET"): Plan("/loop.csv"),
    ("reviews.index", "GET"): Plan("/reviews"),
    ("reviews.day", "GET"): Plan("/appointments"),
    ("reviews.link", "POST"): Plan("/cases/{case}/link", {"link": "https://meeting.example/1"}, thing=True),
    ("reviews.mark", "POST"): Plan("/cases/{case}/appointment", {"action": "keep"}, thing=True),
    ("figures.identity", "GET"): Plan("/figures"),
    ("search.person", "GET"): Plan("/search"),
    ("search.person", "POST"): Plan("/search", {"text": stories.TENANT_NUMBER}),
    ("deadlines.index", "GET"): Plan("/deadlines"),
    ("sync.health", "GET"): Plan("/sync"),
    ("sync.live", "GET"): Plan("/sync/live"),
    ("sync.retry", "POST"): Plan("/sync/1/retry"),
    ("audits.index", "GET"): Plan("/audit"),
    ("audits.check", "POST"): Plan("/audit/check"),
    ("demo.codes", "GET"): Plan("/demo/codes"),
}


def routes_of(app: Flask) -> set[tuple[str, str]]:
    return {
        (rule.endpoint, method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def make_things(world: Any) -> dict[str, str]:
    """One registered tenant and a case of each role's first kind."""
    story = stories.make_active(world)
    things = {"unit": story.unit_id, "dwelling": story.dwelling_id, "registration": story.registration_id}
    clerk = staff.sign_in(world, staff.make_officer(world, "window_clerk", "330522003", "counter"))
    begin_task(world, session_id=clerk, purpose="help_request")
    for visit in ("visit", "ending"):
        things[visit] = open_visit(world, session_id=clerk, channel="window", document_seen=True, name="周来福",
                                   id_type="111", id_number=stories.TENANT_NUMBER).id  # fmt: skip
    things |= make_visits(world, story)
    with transaction() as session:
        person_id = session.get_one(Registration, story.registration_id).person_id
        marker = "lease_ends:matrix"
        session.add(Letter(id=new_id(), person_id=person_id, area=VILLAGE, kind="lease_ends", once=marker, params={},
                           at=world.clock.now()))  # fmt: skip
        things["letter"] = session.scalars(select(Letter.id).where(Letter.once == marker)).one()
        for role, kind in KIND_OF.items():
            case = open_case(world, session, kind=kind, area=VILLAGE, unit_id=story.unit_id,
                             registration_id=story.registration_id, opened_by="rule")  # fmt: skip
            things[f"case of {role}"] = case.reference
    return things


def make_visits(world: Any, story: stories.Story) -> dict[str, str]:
    """A visit because of a report, and the tenant served at that door twice."""
    walker = staff.make_officer(world, "officer", "330522003", "walker")
    session_id = staff.sign_in(world, walker)
    begin_task(world, session_id=session_id, purpose="visit")
    with transaction() as session:
        case = open_case(world, session, kind="unsafe_dwelling", area=VILLAGE, unit_id=story.unit_id,
                         opened_by="tenant")  # fmt: skip
    found = {"field": plan_visit_of_case(world, session_id=session_id, reference=case.reference,
                                         assignee_id=walker.id, due_on=world.clock.today())}  # fmt: skip
    for desk in ("desk", "leaving"):
        made = open_visit(world, session_id=session_id, channel="window", document_seen=True, name="周来福",
                          id_type="111", id_number=stories.TENANT_NUMBER, door_visit_id=found["field"])  # fmt: skip
        found[desk] = made.id
    return found


def call(client: Any, plan: Plan, method: str, things: dict[str, str], role: str | None) -> Any:
    path = plan.path.format(**things, case=things[f"case of {role or 'officer'}"])
    return client.open(path, method=method, data=plan.form if method == "POST" else None, buffered=True)


def test_every_route_stands_in_the_matrix_and_in_the_policy(console: Flask) -> None:
    assert set(PLANS) == routes_of(console)
    check_policy(console, "console", load_policy())


def test_a_route_without_a_rule_stops_the_start(console: Flask) -> None:
    console.add_url_rule("/persons.csv", "export", lambda: "")
    with pytest.raises(PolicyError, match="export"):
        check_policy(console, "console", load_policy())


def test_nobody_reaches_more_than_sign_in_and_health(browser: Callable[..., Any], make: Callable[..., Any]) -> None:
    things = make(make_things)
    for (endpoint, method), plan in PLANS.items():
        rule = load_policy()[f"console.{endpoint}", method]
        status = call(browser(), plan, method, things, None).status_code
        if "anyone" in rule.who:
            assert status < 500 and status not in (401, 403), endpoint
        else:
            assert status == 401, (endpoint, method)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reaches_its_rows_in_its_area_with_a_purpose_and_nothing_else(
    role: str, browser: Callable[..., Any], make: Callable[..., Any]
) -> None:
    things = make(make_things)
    begins = role != "auditor"
    near = {
        purpose: browser(role, purpose=purpose if begins else None, case_number="A330522-77" if begins else None)
        for purpose in sorted({plan.purpose for plan in PLANS.values()} if begins else {"help_request"})
    }
    blank = browser(role, area=VILLAGE)
    far = browser(role, area=staff.OTHER_STREET, purpose="help_request" if begins else None)
    for (endpoint, method), plan in PLANS.items():
        rule = load_policy()[f"console.{endpoint}", method]
        if endpoint in ("sign_in.leave", "tasks.end", "tasks.begin", "demo.codes"):
            continue  # they change the caller; each has a test of its own
        where = (role, endpoint, method)
        entitled = bool({"anyone", "staff", role} & set(rule.who))
        status = call(near[plan.purpose if begins else "help_request"], plan, method, things, role).status_code
        assert status not in (401, 403) if entitled else status == 403, (where, status)
        assert status < 500, (where, status)
        if not entitled:
            continue
        without = call(blank, plan, method, things, role)
        assert (without.status_code == 403) == rule.purpose, (where, "without purpose", without.status_code)
        if rule.purpose:
            assert "周来福" not in without.text and stories.TENANT_NUMBER not in without.text
        outside = call(far, plan, method, things, role)
        if plan.thing:
            assert outside.status_code == 403, (where, "foreign area", outside.status_code)
        assert "周来福" not in outside.text and "周**" not in outside.text, where


def test_each_refusal_outside_the_area_leaves_an_audit_row(
    browser: Callable[..., Any], make: Callable[..., Any], console: Flask
) -> None:
    things = make(make_things)
    roles = ("supervisor", "officer")
    far = {
        (role, purpose): browser(role, area=staff.OTHER_STREET, purpose=purpose)
        for role in roles
        for purpose in ("help_request", "visit")
    }
    called = [plan for plan in PLANS.items() if plan[1].thing]
    for (endpoint, method), plan in called:
        entitled = load_policy()[f"console.{endpoint}", method].who
        role = next(role for role in roles if role in entitled)
        caller = far[role, "visit" if plan.purpose == "visit" else "help_request"]
        assert call(caller, plan, method, things, role).status_code == 403, endpoint
    with console.app_context():
        refused = select(func.count()).where(AuditLeaf.action == "refused", AuditLeaf.decision == "area.foreign")
        badges = db.session.scalars(select(Officer.badge).where(Officer.area == staff.OTHER_STREET)).all()
        assert db.session.scalar(refused.where(AuditLeaf.actor_badge.in_(badges))) == len(called)


def test_every_form_that_changes_something_asks_for_its_token(
    console: Flask, browser: Callable[..., Any], make: Callable[..., Any]
) -> None:
    things = make(make_things)
    client = browser("supervisor", purpose="help_request")
    console.config["WTF_CSRF_ENABLED"] = True
    for (endpoint, method), plan in PLANS.items():
        entitled = {"anyone", "staff", "supervisor"} & set(load_policy()[f"console.{endpoint}", method].who)
        if method == "POST" and entitled:
            answer = call(client, plan, method, things, "supervisor")
            assert answer.status_code == 422 and "页面已过期" in answer.text, endpoint
