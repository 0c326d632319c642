"""Pages of the demo alone: messages of the SMS stand-in, stickers of the simulated locks, specimen documents.

The blueprint is always registered (the policy names its routes) and answers 404 outside the demo.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, render_template, request
from stdnum.iso7064 import mod_11_2

from backend.domain.refusals import Refused
from backend.domain.whole_numbers import read_whole
from backend.queries.locks import list_claimed_serials
from mobile_api.pages.doors import is_demo, world

demo = Blueprint("demo", __name__, url_prefix="/demo")

SPECIMEN_NAMES = ("样小安", "样小居", "样小林", "样小禾", "样小溪", "样小舟", "样小满", "样小谷", "样小松", "样小岚")
SPECIMEN_AREAS = ("341502", "360721", "411524", "520121", "430725")
A_PAGE = 6


@dataclass(frozen=True)
class Specimen:
    """A made-up person with a number of sequence 000, which is never issued."""

    name: str
    id_number: str


@demo.before_request
def only_in_the_demo() -> None:
    """Outside the demo there are no such pages."""
    if not is_demo():
        raise Refused("not_found")


@demo.get("/messages")
def messages() -> str:
    """The SMS stand-in's last messages and the stickers of locks nobody has claimed."""
    return render_template("demo/messages.html", messages=_messages(), stickers=_stickers())


@demo.get("/messages.json")
def messages_json() -> Response:
    """The same messages for tests and for device_sim's journey, newest first."""
    return jsonify(messages=[asdict(message) for message in _messages()])


@demo.get("/specimen")
def specimen() -> str:
    """Invented identities to copy, and a card drawn in the page with one's own portrait."""
    start = request.args.get("from", "0")
    first = read_whole(start, 9_999) or 0
    people = [make_specimen(number) for number in range(first, first + A_PAGE)]
    return render_template("demo/specimen.html", people=people, following=first + A_PAGE)


def make_specimen(number: int) -> Specimen:
    """The `number`-th made-up identity, always the same."""
    birth_on = date(1984, 2, 3) + timedelta(days=97 * number % 6000)
    digits = f"{SPECIMEN_AREAS[number % len(SPECIMEN_AREAS)]}{birth_on:%Y%m%d}000"
    return Specimen(SPECIMEN_NAMES[number % len(SPECIMEN_NAMES)], digits + mod_11_2.calc_check_digit(digits))


def _messages() -> list[Any]:
    read = getattr(world().sms, "messages", None)  # the stand-in alone remembers what it sent
    return list(read()) if read is not None else []


def _stickers() -> list[dict[str, str]]:
    path = current_app.config["ANJU_SETTINGS"].var / "sim" / "stickers.json"
    if not path.exists():
        return []
    claimed = list_claimed_serials()
    return [row for row in json.loads(path.read_text(encoding="utf-8"))["stickers"] if row["serial"] not in claimed]


@demo.app_template_filter("iso_moment")
def iso_moment(text: str) -> datetime:
    """A message's time as the aware moment it is."""
    return datetime.fromisoformat(text)
