"""Changes that other offices report: what each kind must say, how long people have to answer, how states are called.

Nothing that an office reports counts before it was matched here and shown to whom it concerns. The one exception is a
filing number, which changes nothing for anybody and is told at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from backend.domain.documents import Document, decide_document, mask_number
from backend.domain.purposes import mask_name
from backend.domain.refusals import Refusal
from backend.domain.sharing import INBOUND_FIELDS, Terms

LEASE_FILED = "cn.anju.lease.filed"
RENUMBERED = "cn.anju.address.renumbered"
BECAME_LOCAL = "cn.anju.person.became-local"


@dataclass(frozen=True)
class Said:
    """The fields of one kind of report: those it must have, and those it may have."""

    needs: tuple[str, ...]
    may: tuple[str, ...] = ()


SAID: dict[str, Said] = {
    LEASE_FILED: Said(("lease.reference", "lease.filing_no", "lease.filed_on"), ("unit.public_number",)),
    RENUMBERED: Said(
        ("address.code", "address.division", "address.road", "address.door_no"), ("address.building", "address.former")
    ),
    BECAME_LOCAL: Said(
        ("person.id_type", "person.id_number", "person.hukou_division", "person.since_on"), ("person.name",)
    ),
}
ANSWER_WITHIN = timedelta(days=15)  # as for a correction made at the registry: silence goes to a person
OBJECT_WITHIN = timedelta(days=5)  # a new door plate hangs already; what is plain counts unless a landlord objects
UNMATCHED_KEPT = timedelta(days=30)
SETTLED_KEPT = timedelta(days=90)
PERSON_REPORTS_PER_DAY = 500  # each is a look-up by number: beyond it somebody is trying numbers out

STATE_NAMES = {
    "received": ("已收到", "Received"),
    "unmatched": ("未能对应", "Not matched"),
    "matched": ("已对应", "Matched"),
    "shown": ("等待当事人确认", "Waits for those it concerns"),
    "objected": ("有异议，由工作人员决定", "Objected to; a person decides"),
    "counted": ("已采用", "Counts"),
    "refused": ("未采用", "Does not count"),
}
WITH_A_PERSON = ("由工作人员决定", "A person decides")
_OPEN = frozenset({"received", "matched", "shown", "objected"})

_SHAPES: dict[str, re.Pattern[str]] = {
    "lease.reference": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "lease.filing_no": re.compile(r"[0-9A-Za-z\u4e00-\u9fff〔〕()（）-]{4,60}"),
    "unit.public_number": re.compile(r"[0-9A-Za-z-]{1,40}"),
    "address.code": re.compile(r"[0-9A-Za-z-]{1,40}"),
    "address.division": re.compile(r"\d{12}", re.ASCII),
    "address.road": re.compile(r"[^\s\x00-\x1f]{1,60}"),
    "address.door_no": re.compile(r"[^\s\x00-\x1f]{1,30}"),
    "address.building": re.compile(r"[^\x00-\x1f]{0,60}"),
    "address.former": re.compile(r"[^\x00-\x1f]{1,120}"),
    "person.id_type": re.compile(r"\d{3}", re.ASCII),
    "person.id_number": re.compile(r"[0-9A-Za-z]{5,30}", re.ASCII),
    "person.hukou_division": re.compile(r"\d{6}", re.ASCII),
    "person.name": re.compile(r"[^\x00-\x1f]{1,50}"),
}
_DAYS = ("lease.filed_on", "person.since_on")


def find_report_faults(terms: Terms, kind: str, data: Mapping[str, object], today: date) -> list[Refusal]:
    """Every fault of a report under its agreement: its kind, each field not agreed, missing, or of the wrong form.

    Fields are named as they stand in the event (`data/lease.reference`).
    """
    if kind not in terms.kinds or kind not in SAID:
        return [Refusal("report.kind", "type", allowed=tuple(name for name in terms.kinds if name in SAID))]
    said = SAID[kind]
    agreed = tuple(name for name in (*said.needs, *said.may) if name in terms.fields)
    faults = [Refusal("report.field", f"data/{name}", allowed=agreed) for name in sorted(set(data) - set(agreed))]
    faults += [Refusal("input.missing", f"data/{name}") for name in said.needs if name not in data]
    faults += [fault for name in agreed if name in data for fault in _value_faults(name, data[name], today)]
    if faults:
        return faults
    if kind == RENUMBERED and not terms.covers(str(data["address.division"])):
        return [Refusal("report.area", "data/address.division", allowed=terms.areas)]
    if kind == BECAME_LOCAL:
        document = document_of(data, today)
        if isinstance(document, Refusal):
            return [Refusal(document.code, "data/person.id_number", document.params)]
    return []


def document_of(data: Mapping[str, object], today: date) -> Document | Refusal:
    """The document that a report about a person names."""
    return decide_document(str(data["person.id_type"]), str(data["person.id_number"]), today)


def state_for_office(state: str) -> str:
    """What the reporting office is told: whether a person has objected is not its business until it is decided."""
    return "shown" if state in _OPEN else state


def shown_value(field: str, value: str) -> str:
    """A reported value as pages show it: numbers with their ends only, names with their first character."""
    if field == "person.id_number":
        return mask_number(value)
    return mask_name(value) if field == "person.name" and value else value


def field_name(field: str) -> tuple[str, str]:
    """A field in words."""
    return INBOUND_FIELDS.get(field, (field, field))


def _value_faults(name: str, value: object, today: date) -> list[Refusal]:
    pointer = f"data/{name}"
    if not isinstance(value, str):
        return [Refusal("input.wrong_type", pointer, {"expected": "text"})]
    if name in _DAYS:
        try:
            day = date.fromisoformat(value) if len(value) == 10 else None
        except ValueError:
            day = None
        if day is None:
            return [Refusal("input.wrong_type", pointer, {"expected": "2026-12-31"})]
        return [Refusal("input.future_date", pointer)] if day > today else []
    shape = _SHAPES[name]
    return [] if shape.fullmatch(value) else [Refusal("report.form", pointer)]
