"""Places of household registration: provinces and their counties, six digits each, for the declaration's two selects.

The names come with python-stdnum (its table of the administrative divisions); abolished codes are left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

from backend.domain.refusals import Refusal
from mobile_api.pages.forms import Sheet

_LINE = re.compile(r'^(?P<indent> *)(?P<code>\d+) \w+="(?P<names>[^"]*)"')
_NAME = re.compile(r"(?:\[(?P<years>[\d-]*)\])?(?P<name>[^,\[\]]+)")
_NOT_A_PLACE = ("市辖区", "县", "省直辖县级行政单位", "自治区直辖县级行政单位")
_WITHOUT_HUKOU = ("71", "81", "82")  # their people carry other documents


@dataclass(frozen=True)
class Prefecture:
    """A prefecture-level city with its counties as (code, name)."""

    name: str
    counties: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Province:
    """A province by its two-digit code."""

    code: str
    name: str
    prefectures: tuple[Prefecture, ...]


@cache
def provinces() -> dict[str, Province]:
    """All provinces by two-digit code, in the order of their codes."""
    text = (resources.files("stdnum.cn") / "loc.dat").read_text(encoding="utf-8")
    rows: dict[str, dict[str, str]] = {}
    names: dict[str, str] = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        name = _present_name(match["names"])
        if not match["indent"]:
            province = match["code"]
            names[province], rows[province] = name or match["names"], {}
        elif name is not None:
            rows[province][match["code"]] = name
    return {code: Province(code, names[code], _prefectures(code, rows[code])) for code in sorted(rows)
            if code not in _WITHOUT_HUKOU}


def find_division(code: str) -> str | None:
    """Province, city and county of a six-digit code in one line, or None."""
    province = provinces().get(code[:2])
    if province is None:
        return None
    for prefecture in province.prefectures:
        for found, name in prefecture.counties:
            if found == code:
                parts = (province.name, prefecture.name, name)
                return " ".join(dict.fromkeys(part for part in parts if part))
    return None


def _present_name(names: str) -> str | None:
    """The name in force: the table writes `[1983-2021]name` for what has ended, several names divided by commas."""
    for match in _NAME.finditer(names):
        years = match["years"]
        if not years or years.endswith("-"):
            return match["name"]
    return None


def _prefectures(province: str, rows: dict[str, str]) -> tuple[Prefecture, ...]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for code, name in sorted(rows.items()):
        if code.endswith("00"):
            groups.setdefault(code[:2], [])
        elif name not in _NOT_A_PLACE:
            groups.setdefault(code[:2], []).append((province + code, name))
    made = []
    for group, counties in groups.items():
        title = rows.get(f"{group}00", "")
        title = "" if title in _NOT_A_PLACE else title
        if group == "00" and not counties:
            continue
        # A city without counties (东莞, 中山, 儋州) stands for itself.
        made.append(Prefecture(title, tuple(counties) or ((f"{province}{group}00", title),)))
    return tuple(made)


def asked_division(sheet: Sheet, asks: bool) -> str | None:
    """The chosen place of household registration; required where it is asked."""
    # Once declared it is asked no more, but a second submit of the same sheet must stay the same request.
    code = sheet.text("hukou_division") if asks else sheet.optional("hukou_division")
    if code and find_division(code) is None:
        sheet.faults.append(Refusal("registration.division", "hukou_division"))
    return code or None
