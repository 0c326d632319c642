"""What all views share: the world, the officer, one's place, forms, navigation."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

from flask import current_app, request, url_for

from backend.bootstrap import World, world_of
from backend.domain.calendars import read_day
from backend.domain.purposes import OWN_REFERENCE
from backend.domain.refusals import Refusal, Refused
from backend.domain.spaces import SpaceStandard
from backend.queries.local_standards import get_standard
from backend.services.officer_passkeys import list_passkeys
from backend.services.officer_sessions import OfficerView
from backend.services.staff_notices import count_unread
from backend.web import LOCKED, STATUS, caller, decide_call, load_policy

SCRIPT_HEADER = "X-Anju-Script"  # sent by the page's own scripts: they get codes and sentences, not pages

# What is done every day, and below it what is looked after: both fit a screen of 768 px without scrolling.
DAILY = (
    ("ledger.board", "ledger"),
    ("cases.index", "cases"),
    ("visits.index", "visits"),
    ("reviews.index", "reviews"),
    ("window.index", "window"),
    ("deadlines.index", "deadlines"),
    ("discrepancies.index", "discrepancies"),
    ("search.person", "search"),
)
UPKEEP = (
    ("sync.health", "sync"),
    ("figures.index", "figures"),
    ("audits.index", "audit"),
    ("agreements.index", "agreements"),
    ("loop.figures", "loop"),
    ("staff.index", "staff"),
)


@dataclass
class Form:
    """One form as it was sent: answers, faults, and the status to answer with."""

    values: dict[str, str] = field(default_factory=dict)
    faults: list[Refusal] = field(default_factory=list)
    status: int = 200

    @classmethod
    def sent(cls, *hidden: str) -> Form:
        """The form of this request; `hidden` fields (passwords, codes) are never given back to the page."""
        never = ("csrf_token", "from_page", *hidden)
        return cls({name: value for name, value in request.form.items() if name not in never})

    def value(self, name: str) -> str:
        """What stands in a field."""
        return self.values.get(name, "")

    def fault(self, name: str) -> Refusal | None:
        """The first fault of a field."""
        return next((fault for fault in self.faults if fault.field == name), None)

    def day(self, name: str) -> date | None:
        """A date field; a date that cannot be read is a fault of it."""
        text = self.value(name).strip()
        if not text:
            return None
        found = read_day(text)
        if found is None:
            raise Refused("input.wrong_type", name, expected="2026-11-23")
        return found

    @contextmanager
    def filling(self, *fields: str, codes: Collection[str] = ()) -> Iterator[None]:
        """Take a refusal about one of `fields`, or of `codes`, onto the form; any other goes to the error page."""
        try:
            yield
        except Refused as refused:
            if any(fault.field not in fields and fault.code not in codes for fault in refused.refusals):
                raise
            self.take(refused)

    def take(self, refused: Refused) -> None:
        """Note a refusal with its status. Where nothing was chosen that is said, not the codes to choose from."""
        for fault in refused.refusals:
            is_blank = fault.code == "input.not_one_of" and not self.value(fault.field or "")
            self.faults.append(Refusal("input.missing", fault.field) if is_blank else fault)
        self.status = STATUS[refused.refusal.reason.kind]


def world() -> World:
    """The world of this app."""
    return world_of(current_app)


def standard_today() -> SpaceStandard:
    """The local standard in force today (HR-7)."""
    return get_standard(world().house, world().clock.today())


def officer() -> OfficerView | None:
    """The signed-in officer, or None; nobody is at a locked screen."""
    found: OfficerView | None = caller().details
    return None if caller().kind == LOCKED else found


def holder() -> OfficerView:
    """Whose session it is, behind a locked screen too."""
    found: OfficerView | None = caller().details
    assert found is not None
    return found


def has_passkey() -> bool:
    """Whether the officer of this session has a passkey to show again who they are."""
    return bool(list_passkeys(holder().id))


def by_script() -> bool:
    """Whether one of the page's own scripts asks."""
    return SCRIPT_HEADER in request.headers


def unread() -> int:
    """How many notices wait on the start page."""
    who = officer()
    return count_unread(who.id) if who is not None else 0


def acting() -> OfficerView:
    """The signed-in officer of a page that only officers reach."""
    found = officer()
    assert found is not None
    return found


def here() -> str:
    """This page's address, to come back to; after a form was sent, the page it was on."""
    if request.method == "GET":
        return request.full_path.rstrip("?")
    return safe_next(request.form.get("next"))


def made_reference() -> str | None:
    """The reference that the address names after something was taken down."""
    named = request.args.get("made", "")
    return named if OWN_REFERENCE.fullmatch(named) else None


def safe_next(address: str | None) -> str:
    """An address of this console to go on to; anything else becomes the start page."""
    inside = address is not None and address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if inside and address else url_for("front.start")


def place() -> str:
    """The part of the console this page belongs to: a unit and its keys belong to the ledger."""
    part = (request.endpoint or "").split(".")[0]
    elsewhere = {"standards": "discrepancies", "taken_reports": "cases"}
    if part in elsewhere:
        return elsewhere[part]
    return "ledger" if part in ("units", "maps", "occupant_keys", "door_sheets") else part


def navigation() -> list[list[tuple[str, str]]]:
    """(endpoint, icon) of the pages this role may open: the daily ones, then the upkeep."""
    return [[place for place in group if may(place[0])] for group in (DAILY, UPKEEP)]


def first_place() -> str:
    """The endpoint at which this role begins its work."""
    return next(endpoint for group in navigation() for endpoint, _ in group)


def may(endpoint: str, method: str = "GET") -> bool:
    """Whether the caller's role may use an endpoint, once a purpose is chosen."""
    rule = load_policy()[f"console.{endpoint}", method]
    refusal = decide_call(rule, caller())
    return refusal is None or refusal.code == "purpose.missing"
