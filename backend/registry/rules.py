"""The registry's rules for what a payload says, beyond its form. Pure: what has to be looked up comes as `Facts`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from backend.registry.code_tables import CodeTables
from backend.registry.signing import Sender
from backend.wire.registry_answers import CHINA
from backend.wire.registry_codes import ItemError, item_error
from backend.wire.registry_messages import Item, is_hash_right
from backend.wire.registry_payload import FIELDS, check_payload

_CITIZEN_NUMBER = re.compile(r"[0-9]{17}[0-9X]")
_GUARDIAN = ("guardian_name", "guardian_id_type", "guardian_id_number", "guardian_relation")
AGE_OF_OWN_DECLARATION = 16  # ZJ-7


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules need to know from elsewhere while judging one item."""

    sender: Sender
    tables: CodeTables
    matches: Callable[[str, str], bool]  # number, name → do they belong together
    unknown_units: Collection[str] = ()
    expired_codes: Collection[tuple[str, str]] = ()  # (table, code) switched off in the middle of a batch


def check_item(item: Item, facts: Facts) -> list[ItemError]:
    """All that is wrong with what an item says; an empty list means it may be applied (4003 is added elsewhere).

    Form comes first: what has the wrong form is not looked at any further.
    """
    errors = check_payload(item.op, item.leg, item.payload)
    if errors:
        return errors
    if not is_hash_right(item):
        return [item_error("1102", "/payload_hash", item.leg)]
    errors = _check_codes(item, facts)
    if item.op in ("UPSERT", "AMEND"):
        errors += _check_place(item, facts)
        errors += _check_scope(item, facts)
        errors += _check_identity(item, facts)
    return errors


def _check_codes(item: Item, facts: Facts) -> list[ItemError]:
    errors = []
    day = item.effective_at.astimezone(CHINA).date()
    for name, value in sorted(item.payload.items()):
        table = FIELDS[name].table
        if table is None:
            continue
        row = facts.tables.find(table, value)
        if row is None:
            errors.append(item_error("2101", f"/payload/{name}", item.leg))
        elif not row.is_valid_on(day) or (table, value) in facts.expired_codes:
            errors.append(item_error("2102", f"/payload/{name}", item.leg))
    return errors


def _check_place(item: Item, facts: Facts) -> list[ItemError]:
    payload, errors = item.payload, []
    if not facts.sender.may_report_for(payload["division"]):
        errors.append(item_error("5001", "/payload/division", item.leg))
    elif facts.tables.find("town", payload["division"][:9]) is None:
        errors.append(item_error("4002", "/payload/division", item.leg))
    if payload["unit_no"] in facts.unknown_units:
        errors.append(item_error("4001", "/payload/unit_no", item.leg))
    if payload.get("planned_end_on", payload["move_in_on"]) < payload["move_in_on"]:
        errors.append(item_error("2003", "/payload/planned_end_on", item.leg))
    return errors


def _check_scope(item: Item, facts: Facts) -> list[ItemError]:
    payload, errors = item.payload, []
    if payload.get("hukou_division") == payload["division"][:6]:
        errors.append(item_error("3101", "/payload/hukou_division", item.leg))
    if _traits(facts, "place_type", payload.get("place_type")).get("exempt"):
        errors.append(item_error("3102", "/payload/place_type", item.leg))
    if _traits(facts, "id_type", payload["id_type"]).get("foreign"):
        errors.append(item_error("3103", "/payload/id_type", item.leg))
    return errors


def _check_identity(item: Item, facts: Facts) -> list[ItemError]:
    payload = item.payload
    errors = _check_number(item, facts, "id_type", "id_number")
    if "guardian_id_number" in payload and "guardian_id_type" in payload:
        errors += _check_number(item, facts, "guardian_id_type", "guardian_id_number")
    if errors:
        return errors
    is_citizen = _traits(facts, "id_type", payload["id_type"]).get("form") == "citizen"
    if is_citizen:
        errors += _check_against_number(item)
    birth_on = _birth_of(payload) if is_citizen else payload.get("birth_on")
    if item.leg == "TENANT" and birth_on is not None:
        errors += _check_age(item, date.fromisoformat(birth_on))
    if is_citizen and not errors and not facts.matches(payload["id_number"], payload["name"]):
        errors.append(item_error("3002", "/payload/name", item.leg))
    return errors


def _check_number(item: Item, facts: Facts, type_name: str, number_name: str) -> list[ItemError]:
    traits = _traits(facts, "id_type", item.payload[type_name])
    if traits.get("form") != "citizen":
        return []
    number = item.payload[number_name]
    areas = traits.get("areas")
    sound = _CITIZEN_NUMBER.fullmatch(number) is not None and _has_calendar_day(number)
    if sound and ric.calc_check_digit(number) == number[17] and (areas is None or number[:6] in areas):
        return []
    return [item_error("3001", f"/payload/{number_name}", item.leg)]


def _check_against_number(item: Item) -> list[ItemError]:
    payload, errors = item.payload, []
    if payload.get("birth_on", _birth_of(payload)) != _birth_of(payload):
        errors.append(item_error("3003", "/payload/birth_on", item.leg))
    sex = "male" if int(payload["id_number"][16]) % 2 else "female"
    if payload.get("sex", sex) != sex:
        errors.append(item_error("3003", "/payload/sex", item.leg))
    return errors


def _check_age(item: Item, birth_on: date) -> list[ItemError]:
    day = item.declared_at.astimezone(CHINA).date()
    age = day.year - birth_on.year - ((day.month, day.day) < (birth_on.month, birth_on.day))
    if age >= AGE_OF_OWN_DECLARATION:
        return []
    missing = [name for name in _GUARDIAN if name not in item.payload]
    return [item_error("3004", f"/payload/{missing[0]}", item.leg)] if missing else []


def _traits(facts: Facts, table: str, code: str | None) -> Mapping[str, Any]:
    row = None if code is None else facts.tables.find(table, code)
    return {} if row is None else row.traits


def _birth_of(payload: Mapping[str, str]) -> str:
    number = payload["id_number"]
    return f"{number[6:10]}-{number[10:12]}-{number[12:14]}"


def _has_calendar_day(number: str) -> bool:
    try:
        ric.get_birth_date(number)
    except ValidationError:
        return False
    return True
