"""The page of the stand-in offices: what each holds (masked), its agreement, what it has reported, what it can report.

Chinese first, as everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from backend.subscribers.directory import ADDRESSES, OFFICES, PRECINCT, StandIn
from backend.subscribers.faults import FAULTS
from backend.subscribers.hooks import Problem, faults, reporter, store
from backend.subscribers.settings import SubscriberSettings
from backend.subscribers.store import Report

pages = Blueprint("pages", __name__)

WORDS: dict[str, tuple[str, str]] = {
    "title": ("其他单位（模拟）", "Other offices (stand-ins)"),
    "about": (
        "这些单位按数据共享协议收到变动，也向安居通报变动。它们只是演示与测试用的替身，这里显示的姓名和号码都已遮盖。",
        "These offices are told of changes under data-sharing agreements, and report changes to Anju. They stand in "
        "for real ones, for demonstration and tests; names and numbers are masked here.",
    ),
    "agreement": ("协议", "Agreement"),
    "no_agreement": ("还没有取得协议。", "No agreement has been fetched yet."),
    "state": ("状态", "State"),
    "term": ("期限", "Term"),
    "areas": ("区域", "Areas"),
    "kinds": ("变动种类", "Kinds of change"),
    "fields": ("字段", "Fields"),
    "held": ("持有的数据", "What it holds"),
    "nothing_held": ("还没有收到变动。", "Nothing has been delivered yet."),
    "subject": ("对象", "Subject"),
    "type": ("最近的变动", "Latest change"),
    "at": ("时间（UTC）", "At (UTC)"),
    "data": ("内容（遮盖）", "Content (masked)"),
    "reports": ("通报给安居的变动", "What it has reported"),
    "no_reports": ("还没有通报。", "Nothing has been reported."),
    "refresh": ("向安居查询结果", "Ask what became of them"),
    "faults": ("正在模拟的故障", "Failures being shown"),
    "no_faults": ("没有。", "None."),
    "known_faults": ("可以模拟的故障", "What can fail"),
    "how_to_fault": (
        "用 ./anju office fault 名称 参数=值 打开，加 --off 关闭。",
        "Switch one on with ./anju office fault NAME PARAMETER=VALUE, off with --off.",
    ),
    "became_local": ("通报：户口迁入本地", "Report: became local"),
    "renumbered": ("通报：门牌变更", "Report: house renumbered"),
    "person.id_type": ("证件种类（代码）", "Document type (code)"),
    "person.id_number": ("证件号码", "Document number"),
    "person.hukou_division": ("户籍区划（6 位）", "Household registration (6 digits)"),
    "person.since_on": ("生效日期", "Since"),
    "address.code": ("地址编码", "Address code"),
    "address.division": ("区划代码（12 位）", "Division code (12 digits)"),
    "address.road": ("新道路", "New road"),
    "address.door_no": ("新门牌号", "New door number"),
    "send": ("通报", "Report it"),
    "noted": ("已记下，正在通报。", "Noted; it is on its way."),
    "known": ("这项变动已经通报过。", "This was reported before."),
    "waiting": ("待送出", "waiting to be sent"),
    "shown": ("已送达，等待当事人或工作人员", "delivered, waits for those it concerns"),
    "counted": ("已采用", "counts"),
    "refused": ("未采用", "does not count"),
    "unmatched": ("未能对应", "not matched"),
    "active": ("有效", "in force"),
    "suspended": ("中止", "suspended"),
    "ended": ("终止", "ended"),
    "switch": ("English", "中文"),
}
SHOWN = 10  # of each office's rows: the page is for looking, not for keeping
# form -> (office, its fields with what stands in them at first, the fields that name what it is about)
FORMS: dict[str, tuple[StandIn, dict[str, str], tuple[str, ...]]] = {
    "became_local": (
        PRECINCT,
        {"person.id_type": "111", "person.id_number": "", "person.hukou_division": "330522", "person.since_on": ""},
        ("person.id_type", "person.id_number", "person.since_on"),
    ),
    "renumbered": (
        ADDRESSES,
        {"address.code": "", "address.division": "330522003900", "address.road": "", "address.door_no": ""},
        ("address.code", "address.road", "address.door_no"),
    ),
}


@dataclass(frozen=True)
class Shown:
    """One office as the page shows it."""

    office: StandIn
    agreement: dict[str, Any] | None
    held: Sequence[Mapping[str, str]]
    reports: Sequence[Mapping[str, str]]


@pages.get("/")
def home() -> str:
    """The page."""
    english = request.args.get("lang") == "en"
    on = faults().all()
    return render_template(
        "subscribers.html",
        lang="en" if english else "zh-CN",
        other="zh" if english else "en",
        t={key: pair[english] for key, pair in WORDS.items()},
        offices=[_shown(office) for office in OFFICES.values()],
        forms=[(name, row[0].name, row[1]) for name, row in FORMS.items()] if _settings().switches else [],
        faults=on,
        known=FAULTS,
        done=request.args.get("done") if request.args.get("done") in ("noted", "known") else "",
    )


@pages.post("/refresh")
def refresh() -> Response:
    """Ask the door what became of every report, and for the agreements."""
    _require_own_form()
    for office in OFFICES:
        reporter().look_again(office)
    return _back("")


@pages.post("/reports/<name>")
def report(name: str) -> Response:
    """Note a change to report, from the page's form."""
    _require_own_form()
    if name not in FORMS or not _settings().switches:
        raise Problem(404, "form")
    office, fields, about = FORMS[name]
    data = {field: request.form.get(field, "").strip() for field in fields}
    if not all(data.values()):
        raise Problem(422, next(field for field, value in data.items() if not value))
    noted = reporter().note(office.name, " ".join(data[field] for field in about), data)
    return _back("noted" if noted else "known")


def mask(field: str, value: object) -> str:
    """A value for the page: of a number the ends, of a name the first character."""
    text = str(value)
    if field.endswith(".id_number"):
        return text[:3] + "*" * max(len(text) - 5, 4) + text[-2:]
    return text[:1] + "*" * max(1, min(len(text) - 1, 3)) if field.endswith(".name") else text


def _shown(office: StandIn) -> Shown:
    held = [
        {
            "subject": _short(row["subject"]),
            "type": row["type"].removeprefix("cn.anju."),
            "at": row["at"],
            "data": " · ".join(f"{name} {mask(name, value)}" for name, value in json.loads(row["data"]).items()),
        }
        for row in store().held(office.name, SHOWN)
    ]
    return Shown(
        office,
        store().agreement(office.name),
        held,
        [_line(one) for one in store().reports(office=office.name, limit=SHOWN)],
    )


def _line(one: Report) -> Mapping[str, str]:
    told = " · ".join(f"{name} {mask(name, value)}" for name, value in one.data.items())
    return {"type": one.type.removeprefix("cn.anju."), "at": one.made_at, "data": told, "state": one.state}


def _short(subject: str) -> str:
    kind, _, object_id = subject.partition("/")
    return f"{kind} …{object_id[-12:]}"


def _settings() -> SubscriberSettings:
    return cast(SubscriberSettings, current_app.extensions["subscriber_settings"])


def _require_own_form() -> None:
    """Refused unless the form stood on this page: a browser always says where one comes from."""
    if urlsplit(request.headers.get("Origin", "")).netloc != request.host:
        raise Problem(403, "origin")


def _back(done: str) -> Response:
    language = "en" if request.form.get("lang") == "en" else "zh"
    return redirect(url_for("pages.home", done=done or None, lang=language), 303)
