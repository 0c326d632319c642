"""The people of the journey: invented, new ones each time, with document numbers that are never issued."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, timedelta

from stdnum.iso7064 import mod_11_2

_FAMILY = "江苗凌童邢夏路田樊胡霍万柯管卢莫房裘缪干解应宗丁宣贲邓单洪包诸左石崔吉龚程"
_GIVEN = "晨光远山清溪明月秋实春和景行知新立言博雅嘉禾思齐景然若水"
_DIVISIONS = ("341822", "411522", "522401", "362330", "610722", "420982", "532128", "341226")
_FIRST_BIRTH, _BIRTHS = date(1956, 1, 1), 17_500


@dataclass(frozen=True)
class Invented:
    """An invented person with a phone; `number` is an identity number with the sequence 000."""

    name: str
    phone: str
    number: str
    division: str


LANDLORD_PHONE = "+8619900900001"


def landlord() -> Invented:
    """The journey's landlord, always the same: his unit and lock are used again."""
    return Invented("程远行", LANDLORD_PHONE, _number("330522", date(1968, 6, 18)), "330522")


def new_tenant() -> Invented:
    """A tenant nobody has met before."""
    name = secrets.choice(_FAMILY) + secrets.choice(_GIVEN) + secrets.choice(_GIVEN)
    division = secrets.choice(_DIVISIONS)
    birth_on = _FIRST_BIRTH + timedelta(days=secrets.randbelow(_BIRTHS))
    return Invented(name, f"+8619900{100_000 + secrets.randbelow(800_000)}", _number(division, birth_on), division)


def alias_of(tenant: Invented) -> str:
    """What the landlord calls this tenant: it says which phone to ask, should a journey be cut off in the middle."""
    return f"旅程{tenant.phone[-6:]}"


def phone_in(alias: str) -> str | None:
    """The phone behind such an alias."""
    digits = alias.removeprefix("旅程")
    return f"+8619900{digits}" if digits != alias and len(digits) == 6 and digits.isdigit() else None


def _number(division: str, birth_on: date) -> str:
    body = f"{division}{birth_on:%Y%m%d}000"
    return body + mod_11_2.calc_check_digit(body)
