"""What may be told to the registry about a person: one table, nothing beside it (any other field: code 5003).

Values are text; dates are `YYYY-MM-DD`; codes come from the registry's versioned code tables. There is no field for a
phone number, a picture, a belief, a health matter or a free remark, and none may be added without the data dictionary.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from backend.wire.registry_codes import ItemError, item_error

MOST_ERRORS = 60  # more than a payload has fields
OPS = ("UPSERT", "AMEND", "CHECKOUT", "VOID")
LEGS = ("TENANT", "LANDLORD")

# Han with the extensions, the compatibility block, 〇 and the dot of transcribed names; or Latin letters
_HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_LATIN = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"
_NAME = re.compile(f"[{_HAN}][\u00b7{_HAN}]*|[{_LATIN}][{_LATIN} .,'\u2019-]*")
_NUMBER = re.compile(r"[0-9A-Z]+")
_DIGITS = re.compile(r"[0-9]+")
_WORD = re.compile(r"[0-9A-Za-z_-]+")
_LINE = re.compile(r"[^\x00-\x1f\x7f<>\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_RECEIPT = re.compile(r"R-[0-9]{9}-[0-9]{8}-[0-9]{6}-[0-9]")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class PayloadField:
    """One permitted field: its form, its length in characters, and the code table its value comes from (or none)."""

    name: str
    form: re.Pattern[str]
    shortest: int
    longest: int
    table: str | None = None


def _field(name: str, form: re.Pattern[str], shortest: int, longest: int, table: str | None = None) -> PayloadField:
    return PayloadField(name, form, shortest, longest, table)


FIELDS: Mapping[str, PayloadField] = {
    field.name: field
    for field in (
        _field("name", _NAME, 1, 50),
        _field("id_type", _DIGITS, 3, 3, "id_type"),
        _field("id_number", _NUMBER, 5, 18),
        _field("birth_on", _DATE, 10, 10),
        _field("sex", _WORD, 4, 7, "sex"),
        _field("hukou_division", _DIGITS, 6, 6),
        _field("guardian_name", _NAME, 1, 50),
        _field("guardian_id_type", _DIGITS, 3, 3, "id_type"),
        _field("guardian_id_number", _NUMBER, 5, 18),
        _field("guardian_relation", _WORD, 1, 40, "relation"),
        _field("relation", _WORD, 1, 40, "relation"),
        _field("unit_no", _WORD, 3, 40),
        _field("division", _DIGITS, 12, 12),
        _field("address", _LINE, 1, 200),
        _field("place_type", _DIGITS, 2, 2, "place_type"),
        _field("reason", _DIGITS, 3, 3, "reason"),
        _field("move_in_on", _DATE, 10, 10),
        _field("planned_end_on", _DATE, 10, 10),
        _field("declared_by", _WORD, 1, 40, "declared_by"),
        _field("notice_version", _WORD, 1, 40),
        _field("receipt_no", _RECEIPT, 29, 29),
        _field("moved_out_on", _DATE, 10, 10),
        _field("checkout_reason", _WORD, 1, 40, "checkout_reason"),
        _field("void_reason", _WORD, 1, 40, "void_reason"),
    )
}


@dataclass(frozen=True, slots=True)
class PayloadShape:
    """The fields of one kind of item: those it must have and those it may have."""

    required: frozenset[str]
    optional: frozenset[str]


def _shape(required: str, optional: str = "") -> PayloadShape:
    return PayloadShape(frozenset(required.split()), frozenset(optional.split()))


_TENANT = _shape(
    "name id_type id_number birth_on sex unit_no division place_type move_in_on declared_by",
    "hukou_division guardian_name guardian_id_type guardian_id_number guardian_relation relation address reason "
    "planned_end_on notice_version",
)
# the statutory minimum a landlord has to report (PSAL-68), with where and when
_LANDLORD = _shape("name id_type id_number unit_no division move_in_on", "place_type address planned_end_on")
_CHECKOUT = _shape("receipt_no moved_out_on checkout_reason")
_VOID = _shape("receipt_no void_reason")


def shape_of(op: str, leg: str) -> PayloadShape:
    """The permitted fields of an item; an amendment carries the whole leg again. KeyError for an unknown op or leg."""
    if op in ("UPSERT", "AMEND"):
        return {"TENANT": _TENANT, "LANDLORD": _LANDLORD}[leg]
    return {"CHECKOUT": _CHECKOUT, "VOID": _VOID}[op]


def check_payload(op: str, leg: str, payload: Mapping[str, object]) -> list[ItemError]:
    """All that is wrong with a payload's form: 5003, 2001, 2002, 2003, in the order of the field names.

    A name inside a value (where no value has any) is looked at as well: 5003 unless it is a permitted one. At most
    MOST_ERRORS are told, so that no answer grows with its question.
    """
    shape = shape_of(op, leg)
    errors: list[ItemError] = []
    for name in sorted(shape.required | set(payload)):
        pointer = f"/payload/{escape_pointer(name)}"
        if len(errors) >= MOST_ERRORS:
            break
        if name not in shape.required | shape.optional:
            errors.append(item_error("5003", pointer, leg))
        elif name not in payload:
            errors.append(item_error("2001", pointer, leg))
        else:
            code = fault_of(FIELDS[name], payload[name])
            if code is not None:
                errors.append(item_error(code, pointer, leg))
        errors += [item_error("5003", at, leg) for at in _names_inside(payload.get(name), pointer, shape)]
    return errors[:MOST_ERRORS]


def _names_inside(value: object, pointer: str, shape: PayloadShape) -> list[str]:
    """Where a value holds names of its own that may not be sent."""
    found: list[str] = []
    waiting = [(value, pointer)]
    while waiting and len(found) < MOST_ERRORS:
        inner, at = waiting.pop()
        if isinstance(inner, Mapping):
            members = [(f"{at}/{escape_pointer(str(name))}", name, member) for name, member in inner.items()]
            found += [place for place, name, _ in members if name not in shape.required | shape.optional]
            waiting += [(member, place) for place, _, member in members]
        elif isinstance(inner, list):
            waiting += [(member, f"{at}/{place}") for place, member in enumerate(inner)]
    return sorted(found)


def fault_of(field: PayloadField, value: object) -> str | None:
    """The code of what is wrong with one value, or None: 2001 empty, 2002 length, 2003 characters."""
    if not isinstance(value, str):
        return "2003"
    if not value:
        return "2001"
    if not field.shortest <= len(value) <= field.longest:
        return "2002"
    if not field.form.fullmatch(value) or unicodedata.normalize("NFC", value) != value or value != value.strip():
        return "2003"
    if field.form is _DATE:
        try:
            date.fromisoformat(value)
        except ValueError:
            return "2003"
    return None


def escape_pointer(name: str) -> str:
    """Write a member name as a JSON pointer's token (RFC 6901 section 3), cut so that no answer grows with input."""
    return name[:60].replace("~", "~0").replace("/", "~1")
