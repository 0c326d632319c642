"""Every page and every call of both web doors, on PostgreSQL, sent texts that no form means: none of them fails.

Routes come from the apps, the names of what is sent from the source and the templates; nothing is listed by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.app import create_console_app
from backend.db import db, transaction
from backend.domain.ids import new_id
from backend.domain.officers import ROLES
from backend.domain.purposes import PURPOSES
from backend.models.officers import OfficerSession
from backend.services.officers import hash_secret
from backend.web import load_policy
from mobile_api.app import create_mobile_app
from tests.console.test_route_matrix import SECRET, arguments_of, make_things
from tests.mobile_api.page_phones import ORIGIN, PagePhone
from tests.mobile_api.phones import ApiPhone
from tests.services import staff, stories

TOP = Path(__file__).resolve().parents[2]
HOSTILE = ("U-\x001", "é" * 300, "0001-01-01", "9999-12-31", "²")
UNHEARD = ("static", "shared.asset", "front.static_file", "api.documents")  # files: nothing of a call is read
_READ = re.compile(r"""(?:value|text|day|number|get|getlist|choice|words)\(\s*"([a-z_]{2,24})\"""")
_ASKED = re.compile(r"""\bname="([a-z_]{2,24})\"""")


@pytest.fixture
def database_kind() -> str:
    """The database that takes no NUL and no text beyond its column."""
    return "postgresql"


@dataclass
class Doors:
    """Both apps over one database, with one of everything in it."""

    world: Any
    console: Flask
    mobile: Flask
    things: dict[str, str]
    officers: dict[str, str]
    api: ApiPhone
    page: PagePhone

    def staff_client(self, role: str) -> FlaskClient:
        """A browser with a new session of a role, under a purpose, stepped up."""
        now = self.world.clock.now()
        purpose = "visit" if role in ("officer", "grid_worker") else "help_request"
        row = OfficerSession(
            id=new_id(), officer_id=self.officers[role], secret_hash=hash_secret(SECRET), created_at=now,
            last_seen_at=now, expires_at=now + timedelta(hours=8), stepped_up_at=now, purpose=purpose,
            purpose_at=now, purpose_until=now + min(row.lasts for row in PURPOSES.values()),
        )  # fmt: skip
        with self.console.app_context(), transaction() as session:
            session.add(row)
        client = self.console.test_client()
        with client.session_transaction(base_url=ORIGIN) as cookie:
            cookie.update(sid=row.id, secret=SECRET)
        return client


@pytest.fixture
def doors(settings: Any, world: Any) -> Iterator[Doors]:
    with ExitStack() as stack:
        console = create_console_app(replace(settings, cookie_secure=True), world)
        mobile = create_mobile_app(replace(settings, cookie_secure=True), world)
        for app in (console, mobile):
            app.config.update(PREFERRED_URL_SCHEME="https", WTF_CSRF_ENABLED=False)
            stack.callback(_dispose, app)
        with console.app_context():
            things = make_things(world) | {"reference": "AJ-20261123-0001"}
            officers = {role: staff.make_officer(world, role).id for role in ROLES}
            db.session.remove()
        api, page = ApiPhone(mobile, world), PagePhone(mobile, world)
        api.sign_in(stories.TENANT_PHONE)
        world.clock.move(timedelta(minutes=2))  # the next code
        page.sign_in(stories.TENANT_PHONE)
        yield Doors(world, console, mobile, things, officers, api, page)


def _dispose(app: Flask) -> None:
    with app.app_context():
        db.engine.dispose()


def names_of(*rooms: str) -> list[str]:
    """Every name that a page of these rooms reads or asks for."""
    found: set[str] = set()
    for room in rooms:
        for file in (TOP / room).rglob("*"):
            if file.suffix in (".py", ".html"):
                text = file.read_text(encoding="utf-8")
                found |= {*_READ.findall(text), *_ASKED.findall(text)}
    return sorted(found - {"csrf_token", "from_page"})


def addresses(app: Flask, things: dict[str, str], text: str) -> Iterator[tuple[str, str, str]]:
    """(endpoint, method, address) of each route; where it takes any word, that word is the hostile one."""
    arguments = arguments_of(app)
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(UNHEARD):
            continue
        spoken = {name: things.get(name, new_id()) for name in rule.arguments}
        spoken |= {name: quote(text, safe="") for name in rule.arguments if _takes_any(rule, name)}
        path, _, _ = arguments[rule.endpoint][0].partition("?")
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule.endpoint, method, path.format(**spoken)


def _takes_any(rule: Any, name: str) -> bool:
    return type(rule._converters[name]).__name__ in ("UnicodeConverter", "PathConverter")


def test_no_page_of_the_console_fails_on_a_text(doors: Doors) -> None:
    names, policy, failed = names_of("backend/console"), load_policy(), []
    for text in HOSTILE:
        sent = dict.fromkeys(names, text)
        for endpoint, method, path in addresses(doors.console, doors.things, text):
            who = policy[f"console.{endpoint}", method].who
            role = next((each for each in ROLES if {each, "staff"} & set(who)), None)
            client = doors.staff_client(role) if role else doors.console.test_client()
            failed += _send(client, method, path, text, {"query_string" if method == "GET" else "data": sent})
    assert failed == []


def test_no_page_and_no_call_of_a_phone_fails_on_a_text(doors: Doors) -> None:
    names, failed = names_of("mobile_api"), []
    for text in HOSTILE:
        sent = dict.fromkeys(names, text)
        for endpoint, method, path in addresses(doors.mobile, doors.things, text):
            by_api = path.startswith("/api/")
            if endpoint.endswith(("end_session", "end_sign_in", "sign_out")) or (by_api and text in HOSTILE[2:]):
                continue  # they end the session of all the others; an API's dates are fuzzed by its document
            more: dict[str, Any] = {"query_string": sent} if method == "GET" else {"json" if by_api else "data": sent}
            if by_api:
                more["headers"] = {"Authorization": f"Bearer {doors.api.token}"}
            failed += _send(doors.api.client if by_api else doors.page.client, method, path, text, more)
    assert failed == []


def _send(client: FlaskClient, method: str, path: str, text: str, more: dict[str, Any]) -> list[tuple[str, ...]]:
    """What was sent, when the answer was a failure."""
    answer = client.open(path, method=method, base_url=ORIGIN, buffered=True, **more)
    return [(method, path[:60], text[:12], str(answer.status_code))] if answer.status_code >= 500 else []
