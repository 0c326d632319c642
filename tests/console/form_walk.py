"""Every form of the console, found by walking: pages from the routes, then whatever their own buttons lead to.

A form is known by where it goes, what it asks for and what it says unseen; each is met once, by the first who sees it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from werkzeug.test import TestResponse

from backend.console.field_desks import DOOR_ACTS
from backend.console.window import ABOUT
from backend.console.window_acts import USE_CASES
from backend.domain.cases import KINDS
from backend.domain.officers import ROLES
from tests.console.test_route_matrix import CELLS, SECRET, Village, is_entitled, purposes_of, rule_of
from tests.html_trees import Element, read_tree

NOBODY, LOCKED = "nobody", "locked"
NO_PAGES = ("figures.sheet", "loop.sheet", "maps.shapes", "divisions.counties")


@dataclass(frozen=True)
class Sitting:
    """Somebody at a browser: a role (or nobody), a purpose, the screen locked or not, and what a link gave before."""

    role: str
    purpose: str | None = None
    locked: bool = False
    first: tuple[str, str] | None = None
    stepped_up: bool = False


@dataclass
class Met:
    """A form as it was met: by whom, on which page, the button presses that led there."""

    sitting: Sitting
    path: str
    presses: tuple[tuple[str, dict[str, str]], ...]
    form: Element
    endpoint: str
    address: str

    @property
    def name(self) -> str:
        """What a report calls it."""
        fields = ",".join(sorted({each.get("name") for each in self.form.controls}))
        return f"{self.endpoint} {self.address} ({fields}) by {self.sitting.role}"

    @property
    def key(self) -> tuple[Any, ...]:
        """Forms alike are one: those of a list differ by what they are about alone."""
        fields = frozenset((each.get("name"), each.get("type"), each.get("data-key")) for each in self.form.controls)
        choice = tuple(value for name, value in self.form.hidden.items() if name in ("decision", "purpose"))
        parts = tuple(part for part in self.address.split("/") if part.isidentifier())
        return self.endpoint, parts, fields, choice


@dataclass
class FormWalk:
    """Walks a village's console and meets its forms."""

    village: Village
    met: dict[tuple[Any, ...], Met] = field(default_factory=dict)
    opened: set[str] = field(default_factory=set)
    asked_by_scripts: set[str] = field(default_factory=set)

    def come(self, sitting: Sitting) -> Any:
        """A browser of this sitting."""
        client = self.village.app.test_client()
        with client.session_transaction(base_url="https://localhost") as cookie:
            if sitting.role != NOBODY:
                sid = self.village.enter((sitting.role, "near"), sitting.purpose, sitting.locked, sitting.stepped_up)
                cookie.update(sid=sid, secret=SECRET)
            if sitting.first:
                cookie["first"] = dict(zip(("login", "first_code"), sitting.first, strict=True))
        return client

    def put_back(self) -> None:
        """The village as it was."""
        self.village.put_back(("any", "POST"))

    def page_before(self, met: Met) -> tuple[Any, TestResponse]:
        """The browser and the page on which a form stands, from the beginning."""
        self.put_back()
        client = self.come(met.sitting)
        answer = client.get(met.path, follow_redirects=True)
        for address, values in met.presses:
            answer = client.post(address, data=values, follow_redirects=True)
        return client, answer

    def walk(self) -> None:
        """Meet every form."""
        locked, sent = Sitting("officer", locked=True), ("/search", {"text": "沈安一"})
        answer = self.come(locked).post(sent[0], data=sent[1])
        self._read(locked, "/sync", (sent,), answer)  # what was sent to a locked screen is kept
        for sittings, path in self._beginnings():
            for sitting in sittings:
                answer = self.come(sitting).get(path, follow_redirects=True)
                assert answer.status_code < 500, f"{path} as {sitting}"
                if answer.mimetype == "text/html":
                    self._read(sitting, path, (), answer)
                if answer.status_code == 200:  # a purpose that fits; another would show the same
                    break

    def _read(self, sitting: Sitting, path: str, presses: tuple[Any, ...], answer: TestResponse) -> None:
        tree = read_tree(answer.text)
        self.opened.add(urlsplit(answer.request.path).path)
        for place in tree.find_all():
            for name in ("data-ask", "data-answer"):
                if place.get(name):
                    self.asked_by_scripts.add(self._endpoint(place.get(name)))
        for form in tree.find_all("form"):
            if form.get("method").lower() != "post":
                continue
            address = form.get("action") or answer.request.path
            met = Met(sitting, path, presses, form, self._endpoint(address), address)
            if met.key in self.met:
                continue
            self.met[met.key] = met
            if not form.controls and len(presses) < 2 and met.endpoint not in ("sign_in.leave", "sign_in.speak"):
                self._press(met)

    def _press(self, met: Met) -> None:
        """Where a form without a field leads: its page may hold others."""
        for values in ways_to_send(met.form):
            client, _ = self.page_before(met)
            answer = client.post(met.address, data=values, follow_redirects=True)
            assert answer.status_code < 500, met.name
            if answer.mimetype == "text/html":
                self._read(met.sitting, met.path, (*met.presses, (met.address, values)), answer)
        self.put_back()

    def _endpoint(self, address: str) -> str:
        adapter = self.village.app.url_map.bind("localhost")
        return adapter.match(urlsplit(address).path, method="POST")[0]

    def _beginnings(self) -> Iterator[tuple[list[Sitting], str]]:
        things = self.village.things
        yield from self._kinds()
        yield [Sitting(NOBODY)], "/sign-in"
        yield [Sitting(NOBODY)], "/first"
        yield [Sitting(NOBODY, first=(things["first login"], things["first code"]))], "/first/ways"
        yield [Sitting("officer", locked=True)], "/sync"
        yield [Sitting("officer", stepped_up=True)], "/me"
        for endpoint, method in CELLS:
            rule = rule_of((endpoint, method))
            if method != "GET" or "anyone" in rule.who or endpoint in NO_PAGES:
                continue
            for role in (role for role in ROLES if is_entitled(role, rule)):
                path = self._path(endpoint, reference=things[f"case of {role}"], planned_id=things["planned_id"])
                yield [Sitting(role, purpose) for purpose in purposes_of(role) or (None,)], path

    def _kinds(self) -> Iterator[tuple[list[Sitting], str]]:
        """Pages that show one of many kinds or states, each by one who sees its forms."""
        things = self.village.things
        about = "?" + "&".join(f"{name}={things[name]}" for name in ABOUT if name in things)
        for act in USE_CASES:
            yield [Sitting("window_clerk", "help_request")], self._path("window.act", act=act) + about
        for act in DOOR_ACTS:
            yield [Sitting("officer", "visit")], self._path("field_desks.act", door_act=act) + about
        report = f"?unit={things['unit_id']}&kind=unsafe_dwelling"
        yield [Sitting("officer", "visit")], self._path("taken_reports.new") + report
        round_of = things["visit of officer"]
        yield [Sitting("officer", "visit")], self._path("field_desks.report", planned_id=round_of) + report
        for name in ("told case", "answered case"):
            yield [Sitting("supervisor", "visit")], self._path("cases.show", reference=things[name])
        for kind, row in KINDS.items():
            for role, state in ((row.deciders[0], "routed"), (row.deciders[0], "assigned"), ("supervisor", "handled")):
                yield [Sitting(role, "visit")], self._path("cases.show", reference=things[f"{kind} {state}"])
        for endpoint in ("search.person", "units.show", "units.number", "occupant_keys.codes", "window.letters"):
            yield [Sitting("officer", "help_request")], self._path(endpoint)
        yield [Sitting("officer", "case")], self._path("occupant_keys.order")
        for name in ("suspended_id", "locked_out_id"):
            yield [Sitting("supervisor")], self._path("staff.show", officer_id=things[name])
        for name in ("draft_id", "paused_id"):
            yield [Sitting("supervisor")], self._path("agreements.show", agreement_id=things[name])
        for endpoint in ("field.unit", "visits.plan_for_unit"):
            yield [Sitting("officer", "visit")], self._path(endpoint, unit_id=things["empty_id"])
        for endpoint in ("field.visit", "field_desks.register"):
            yield [Sitting("officer", purpose) for purpose in (None, "visit")], self._path(
                endpoint, planned_id=things["visit of officer"]
            )

    def _path(self, endpoint: str, **named: str) -> str:
        return self.village.arguments[endpoint][0].format(**{**self.village.things, **named})


def ways_to_send(form: Element, **values: str) -> list[dict[str, str]]:
    """What a form sends by each of its buttons, over what stands in it unseen."""
    told = {**form.hidden, **values}
    named = [each for each in form.find_all("button") if each.get("name")]
    return [{**told, each.get("name"): each.get("value")} for each in named] or [told]
