"""Every route × every role × own or foreign area × with or without purpose.

Routes come from the app, what each may answer from policy.toml: nothing is listed by hand but the names of things that
stand in an address. One app and one database serve all calls; each caller has a session of its own, and what a call
changes is put back before the next.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select

from backend.app import create_console_app
from backend.config import Settings
from backend.db import db, transaction
from backend.domain.cases import kinds_for
from backend.domain.ids import new_id
from backend.domain.officers import ROLES
from backend.domain.purposes import PURPOSES
from backend.gateways.clock import FixedClock
from backend.models.audit import AuditLeaf
from backend.models.base import Base
from backend.models.letters import Letter
from backend.models.officers import OfficerSession, StaffNotice
from backend.models.registrations import Registration
from backend.services import outbox
from backend.services.case_opening import open_case
from backend.services.officer_accounts import Wish, ask_new_account
from backend.services.officer_sessions import begin_task, step_up
from backend.services.officers import hash_secret
from backend.services.visits import plan_visit_of_case
from backend.services.window_visits import open_visit
from backend.web import PolicyError, Rule, check_policy, load_policy
from tests.conftest import NOW
from tests.services import sharing, staff, stories
from tests.worlds import make_fake_world

VILLAGE = "330522003900"
AREAS = {"near": staff.STREET, "far": staff.OTHER_STREET}
KIND_OF = {role: (kinds_for(role) or ("overdue_registration",))[-1] for role in ROLES}
CELLS = sorted((tuple(name.removeprefix("console.") for name in row) for row in load_policy() if
                row[0].startswith("console.")), key=lambda cell: (cell[1] != "GET", cell))  # fmt: skip
# What stands in the query of a page that shows one thing by it.
QUERIES = {"ledger.board": "?dwelling={dwelling_id}", "door_sheets.sheet": "?dwelling={dwelling_id}"}
# Sent with every form: what is asked for again, and choices that a form cannot do without.
FORM = {"password": staff.PASSWORD, "purpose": "visit", "decision": "declined", "to": "en", "action": "keep",
        "link": "https://meeting.example/1", "text": stories.TENANT_NUMBER, "case_number": "A330522-77"}  # fmt: skip
DENIALS = {"unauthenticated", "session.locked", "forbidden", "purpose.missing", "purpose.unfit", "area.foreign"}
SECRET = "a secret of the tests"
More = Callable[[Any, dict[tuple[str, str], str], dict[str, str]], dict[str, str]]


@dataclass
class Village:
    """The app, its one database, a copy to put back, and the names of things in it."""

    app: Flask
    world: Any
    file: Path
    things: dict[str, str]
    officers: dict[tuple[str, str], str]
    arguments: dict[str, tuple[str, set[str]]]

    def put_back(self, cell: tuple[str, str]) -> None:
        """After a call that may have changed something: the database as it was in the beginning."""
        if cell[1] == "GET":
            return
        with self.app.app_context():
            db.engine.dispose()
        for tail in ("-wal", "-shm"):
            self.file.with_name(self.file.name + tail).unlink(missing_ok=True)
        shutil.copyfile(self.file.with_suffix(".kept"), self.file)

    def call(self, cell: tuple[str, str], who: tuple[str, str] | None, purpose: str | None = None,
             locked: bool = False) -> Any:  # fmt: skip
        """Call a route as an officer of (role, 'near' or 'far'), or as nobody; refusals come back as codes."""
        client = self.app.test_client()
        if who is not None:
            with client.session_transaction(base_url="https://localhost") as cookie:
                cookie.update(sid=self.enter(who, purpose, locked), secret=SECRET)
        path, _ = self.arguments[cell[0]]
        things = {**self.things, "reference": self.things[f"case of {who[0] if who else 'officer'}"]}
        return client.open(path.format(**things), method=cell[1], data=FORM if cell[1] == "POST" else None,
                           headers={"X-Anju-Script": "1"}, buffered=True)  # fmt: skip

    def enter(self, who: tuple[str, str], purpose: str | None, locked: bool = False, stepped_up: bool = True) -> str:
        """A new session of an officer, under a purpose or none."""
        now = self.world.clock.now()
        begun = {"purpose": purpose, "purpose_at": now, "purpose_until": now + timedelta(hours=1)} if purpose else {}
        row = OfficerSession(id=new_id(), officer_id=self.officers[who], secret_hash=hash_secret(SECRET),
                             created_at=now, last_seen_at=now, expires_at=now + timedelta(hours=8),
                             locked_at=now if locked else None, stepped_up_at=now if stepped_up else None,
                             **begun)  # fmt: skip
        with self.app.app_context(), transaction() as session:
            session.add(row)
        return row.id

    def count_rows(self) -> dict[str, int]:
        """How many rows each table holds."""
        with self.app.app_context():
            tables = Base.metadata.sorted_tables
            return {each.name: db.session.scalar(select(func.count()).select_from(each)) or 0 for each in tables}

    def refusals_written(self, who: tuple[str, str]) -> int:
        """How many looks outside the area the audit holds of an officer."""
        with self.app.app_context():
            found = select(AuditLeaf.id).where(
                AuditLeaf.actor_id == self.officers[who],
                AuditLeaf.action == "refused",
                AuditLeaf.decision == "area.foreign",
            )
            return len(db.session.scalars(found).all())


@pytest.fixture(scope="module")
def village(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Village]:
    """One village for all calls of this file."""
    with open_village(migrated_sqlite, tmp_path_factory.mktemp("matrix")) as made:
        yield made


@contextmanager
def open_village(migrated: Path, folder: Path, more: More | None = None) -> Iterator[Village]:
    """A village in a folder; `more` makes further things in it, knowing its officers and what there is."""
    file = folder / "anju.db"
    shutil.copyfile(migrated, file)
    settings = Settings.from_environment(
        {"ANJU_DEMO": "1", "ANJU_VAR": str(folder), "ANJU_DATABASE_URL": f"sqlite:///{file}",
         "ANJU_COOKIE_SECURE": "1"}
    )  # fmt: skip
    world = make_fake_world(settings, FixedClock(NOW))
    app = create_console_app(settings, world)
    app.config.update(PREFERRED_URL_SCHEME="https", WTF_CSRF_ENABLED=False)
    with app.app_context():
        event.listen(db.engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous = OFF"))  # nothing to survive
        officers = {(role, side): staff.make_officer(world, role, area).id
                    for role in ROLES for side, area in AREAS.items()}  # fmt: skip
        things = make_things(world)
        if more is not None:
            things |= more(world, officers, things)
        db.session.remove()
        db.engine.dispose()
    shutil.copyfile(file, file.with_suffix(".kept"))
    yield Village(app, world, file, things, officers, arguments_of(app))
    with app.app_context():
        db.engine.dispose()


def arguments_of(app: Flask) -> dict[str, tuple[str, set[str]]]:
    """Endpoint → its address as a format string, and the things that it names."""
    found = {}
    for rule in app.url_map.iter_rules():
        built = "".join(f"{{{part}}}" if dynamic else part for dynamic, part in rule._trace).partition("|")[2]
        named = {*rule.arguments, *(("dwelling_id",) if rule.endpoint in QUERIES else ())}
        found[rule.endpoint] = (built + QUERIES.get(rule.endpoint, ""), named)
    return found


def make_things(world: Any) -> dict[str, str]:
    """One of everything that an address can name, all of it in one village; names are those of the routes."""
    story = stories.make_active(world)
    [item] = outbox.claim(world, "registry", limit=1, lease=timedelta(minutes=1))
    outbox.park(world, item, error="TENANT: 3002 name and number do not match")
    things = {"unit_id": story.unit_id, "dwelling_id": story.dwelling_id, "registration_id": story.registration_id,
              "outbox_id": str(item.id), "act": "check_out", "paper": "access", "kind": "suspend",
              "sheet": "moved_in", "filename": "console.css", "name": "tokens.css", "passkey_id": new_id(),
              "province_code": "33"}  # fmt: skip
    clerk = staff.sign_in(world, staff.make_officer(world, "window_clerk", staff.STREET, "counter"))
    begin_task(world, session_id=clerk, purpose="help_request")
    things["visit_id"] = open_visit(world, session_id=clerk, channel="window", document_seen=True, name="周来福",
                                    id_type="111", id_number=stories.TENANT_NUMBER).id  # fmt: skip
    things |= _accounts(world) | _visits(world, story)
    things["agreement_id"] = sharing.make_agreement(world, sharing.make_supervisors(world)).id
    with transaction() as session:
        person_id = session.get_one(Registration, story.registration_id).person_id
        letter = Letter(id=new_id(), person_id=person_id, area=VILLAGE, kind="lease_ends", once="lease_ends:matrix",
                        params={}, at=world.clock.now())  # fmt: skip
        notice = StaffNotice(id=new_id(), officer_id=things["officer_id"], kind="session_ended", once="matrix",
                             params={"badge": "P-2"}, at=world.clock.now())  # fmt: skip
        session.add_all([letter, notice])
        things |= {"letter_id": letter.id, "notice_id": notice.id}
        for role, kind in KIND_OF.items():
            case = open_case(world, session, kind=kind, area=VILLAGE, unit_id=story.unit_id,
                             registration_id=story.registration_id, opened_by="rule")  # fmt: skip
            things[f"case of {role}"] = case.reference
    return things


def _accounts(world: Any) -> dict[str, str]:
    """An officer's account with a sign-in, and a request that waits for a second supervisor."""
    other = staff.make_officer(world, "officer", VILLAGE, "other")
    asking = staff.sign_in(world, staff.make_officer(world, "supervisor", staff.STREET, "asking"))
    step_up(world, session_id=asking, password=staff.PASSWORD)
    wish = Wish("third", "三", "太湖派出所", "supervisor", VILLAGE)
    asked = ask_new_account(world, session_id=asking, wish=wish)
    assert asked.state == "waiting"
    ended = staff.sign_in(world, other)
    return {"officer_id": other.id, "ended_id": ended, "session_id": ended, "request_id": asked.request_id}


def _visits(world: Any, story: stories.Story) -> dict[str, str]:
    """A visit because of a report, and the tenant served at that door."""
    walker = staff.make_officer(world, "officer", staff.STREET, "walker")
    session_id = staff.sign_in(world, walker)
    begin_task(world, session_id=session_id, purpose="visit")
    with transaction() as session:
        case = open_case(world, session, kind="unsafe_dwelling", area=VILLAGE, unit_id=story.unit_id,
                         opened_by="tenant")  # fmt: skip
    planned_id = plan_visit_of_case(world, session_id=session_id, reference=case.reference, assignee_id=walker.id,
                                    due_on=world.clock.today())  # fmt: skip
    desk = open_visit(world, session_id=session_id, channel="window", document_seen=True, name="周来福", id_type="111",
                      id_number=stories.TENANT_NUMBER, door_visit_id=planned_id)  # fmt: skip
    return {"planned_id": planned_id, "desk_id": desk.id, "door_act": "add_co_resident"}


def code_of(answer: Any) -> str:
    """Why a call was refused, or 'answered'."""
    assert answer.status_code < 500, answer.text
    return (answer.json or {}).get("code", "answered") if answer.is_json else "answered"


def rule_of(cell: tuple[str, str]) -> Rule:
    """The row of the policy."""
    return load_policy()[f"console.{cell[0]}", cell[1]]


def is_entitled(role: str, rule: Rule) -> bool:
    """Whether the policy lets a role in."""
    return bool({"anyone", "staff", role} & set(rule.who))


def names_nobody(answer: Any) -> bool:
    """Nothing of the village's tenant is in an answer."""
    return not any(word in answer.text for word in ("周来福", "周**", stories.TENANT_NUMBER))


def purposes_of(role: str) -> tuple[str, ...]:
    """The purposes a role may choose."""
    return tuple(PURPOSES) if is_entitled(role, rule_of(("tasks.begin", "POST"))) else ()


each_route = pytest.mark.parametrize("cell", CELLS, ids=" ".join)


def test_the_policy_has_a_row_for_each_route_and_the_village_a_thing_for_each_address(village: Village) -> None:
    check_policy(village.app, "console", load_policy())
    without = {row: rule for row, rule in load_policy().items() if row != ("console.units.show", "GET")}
    with pytest.raises(PolicyError, match="units.show"):
        check_policy(village.app, "console", without)
    missing = {
        endpoint: named - {*village.things, "reference"} for endpoint, (_, named) in village.arguments.items()
    }
    assert {endpoint for endpoint, names in missing.items() if names} == set(), "give make_things one of these"


@each_route
def test_nobody_and_a_locked_screen_reach_what_the_policy_says(village: Village, cell: tuple[str, str]) -> None:
    who, known = rule_of(cell).who, ("supervisor", "near")
    nobody, locked = village.call(cell, None), village.call(cell, known, "visit", locked=True)
    if "anyone" in who:
        assert nobody.status_code != 403 and locked.status_code != 403
        return
    assert (nobody.status_code, code_of(nobody)) == (401, "unauthenticated")
    assert (code_of(locked) == "session.locked") == ("locked" not in who)
    assert names_nobody(nobody) and names_nobody(locked)


@each_route
def test_a_role_without_a_row_is_refused_in_every_way(village: Village, cell: tuple[str, str]) -> None:
    for role in ROLES:
        if is_entitled(role, rule_of(cell)):
            continue
        for side in AREAS:
            for purpose in (None, *purposes_of(role)[-1:]):
                answer = village.call(cell, (role, side), purpose)
                assert (answer.status_code, code_of(answer)) == (403, "forbidden"), (role, side, purpose)


@each_route
def test_without_a_purpose_nothing_that_needs_one_is_answered(village: Village, cell: tuple[str, str]) -> None:
    rule = rule_of(cell)
    for role in ROLES:
        if not is_entitled(role, rule) or "anyone" in rule.who:
            continue
        for side in AREAS:
            answer = village.call(cell, (role, side))
            if not rule.purpose:
                village.put_back(cell)
            assert (code_of(answer) == "purpose.missing") == rule.purpose, (role, side, answer.status_code)
            assert names_nobody(answer), (role, side)


@each_route
def test_outside_the_area_a_thing_is_refused_and_that_is_written_down(village: Village, cell: tuple[str, str]) -> None:
    rule, (_, named) = rule_of(cell), village.arguments[cell[0]]
    for role in ROLES:
        if not is_entitled(role, rule) or "anyone" in rule.who:
            continue
        who, fitting = (role, "far"), False
        for purpose in purposes_of(role) if rule.purpose else (None, *purposes_of(role)[-1:]):
            before = village.refusals_written(who)
            answer = village.call(cell, who, purpose)
            code, written = code_of(answer), village.refusals_written(who) - before
            assert names_nobody(answer), (role, purpose)
            if rule.purpose and code == "purpose.unfit":
                continue
            fitting = True
            if rule.relation == "area" and named:
                assert (answer.status_code, code, written) == (403, "area.foreign", 1), (role, purpose, answer.text)
            else:
                assert code not in DENIALS and written == 0, (role, purpose, code)
        assert fitting, f"no purpose lets {role} do this"


@each_route
def test_in_the_area_and_for_a_fitting_purpose_a_role_with_a_row_is_answered(
    village: Village, cell: tuple[str, str]
) -> None:
    rule = rule_of(cell)
    for role in ROLES:
        if not is_entitled(role, rule) or "anyone" in rule.who:
            continue
        codes = {}
        for purpose in purposes_of(role) if rule.purpose else (None, *purposes_of(role)[-1:]):
            codes[purpose] = code_of(village.call(cell, (role, "near"), purpose))
            village.put_back(cell)
        fitting = {purpose: code for purpose, code in codes.items() if code != "purpose.unfit"}
        assert fitting and not DENIALS & set(fitting.values()), (role, codes)
        assert rule.purpose or "purpose.unfit" not in codes.values()


@each_route
def test_a_form_that_changes_something_asks_for_its_token(village: Village, cell: tuple[str, str]) -> None:
    rule = rule_of(cell)
    if cell[1] == "GET":
        return
    role = next(role for role in ROLES if is_entitled(role, rule))
    village.app.config["WTF_CSRF_ENABLED"] = True
    try:
        answer = village.call(cell, (role, "near"), purposes_of(role)[0])
    finally:
        village.app.config["WTF_CSRF_ENABLED"] = False
    assert (answer.status_code, code_of(answer)) == (422, "csrf")


@each_route
def test_no_route_answers_with_a_file_of_persons(village: Village, cell: tuple[str, str]) -> None:
    """C13: whatever a supervisor, an officer or a clerk may call answers a page, or a file without anybody in it."""
    rule = rule_of(cell)
    for role in ("supervisor", "officer", "window_clerk"):
        if not is_entitled(role, rule):
            continue
        for purpose in purposes_of(role) if rule.purpose else (None,):
            answer = village.call(cell, (role, "near"), purpose)
            village.put_back(cell)
            if answer.mimetype not in ("text/html", "application/pdf"):
                assert names_nobody(answer), (role, answer.mimetype)
                attached = answer.headers.get("Content-Disposition", "").startswith("attachment")
                assert not attached or not rule.fields


def test_requests_are_logged_without_what_was_sent(village: Village, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        village.call(("search.person", "POST"), ("officer", "near"), "help_request")
    assert stories.TENANT_NUMBER not in caplog.text and staff.PASSWORD not in caplog.text
