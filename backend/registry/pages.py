"""The registry's page for people: what it holds (masked), which batches came, what waits, which failures are on.

Where switches are open it also has a clerk's two forms. Chinese first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for

from backend.registry.calls import registry
from backend.registry.corrections import CORRECTABLE, CorrectionRefused, UnknownRecord, correct_record, note_read
from backend.registry.faults import FAULTS
from backend.registry.holdings import count_holdings, count_waiting_changes, list_batches, list_latest
from backend.registry.problems import Problem
from backend.wire.registry_codes import item_error

blueprint = Blueprint("pages", __name__)

WORDS: dict[str, tuple[str, str]] = {
    "title": ("居住登记机关（模拟）", "Residence registry (stand-in)"),
    "about": (
        "这是省级居住登记系统的替身，用于演示与测试。真实系统的接口不公开。",
        "This stands in for the provincial residence registry, for demonstration and tests. "
        "The real system's interface is not public.",
    ),
    "counts": ("登记数量", "Records held"),
    "latest": ("最近的登记", "Latest entries"),
    "none": ("还没有登记。", "Nothing has been registered yet."),
    "faults": ("正在模拟的故障", "Failures being shown"),
    "no_faults": ("没有。", "None."),
    "receipt_no": ("回执号", "Receipt"),
    "name": ("姓名", "Name"),
    "leg": ("申报方", "Reported by"),
    "op": ("操作", "Operation"),
    "version": ("版本", "Version"),
    "state": ("状态", "State"),
    "town": ("街道（镇）", "Town"),
    "accepted_at": ("受理时间（UTC）", "Accepted (UTC)"),
    "record": ("登记（尾号）", "Record (last digits)"),
    "ACTIVE": ("在住", "living there"),
    "MOVED_OUT": ("已离开", "moved out"),
    "VOIDED": ("已作废", "voided"),
    "TENANT": ("承租人", "tenant"),
    "LANDLORD": ("房东", "landlord"),
    "UPSERT": ("登记", "registration"),
    "AMEND": ("变更", "amendment"),
    "CHECKOUT": ("注销", "check-out"),
    "VOID": ("作废", "void"),
    "waiting": ("待取更正", "Corrections waiting"),
    "batches": ("最近的批次", "Latest batches"),
    "batch": ("批次", "Batch"),
    "sender": ("报送方", "Sender"),
    "batch_state": ("状态", "State"),
    "items": ("项数", "Items"),
    "judged": ("已审核", "Judged"),
    "received_at": ("收到时间（UTC）", "Received (UTC)"),
    "no_batches": ("还没有批次。", "No batch has come yet."),
    "RECEIVED": ("已收到", "received"),
    "PROCESSING": ("审核中", "being judged"),
    "DONE": ("全部受理", "all accepted"),
    "PARTIAL": ("部分受理", "partly accepted"),
    "FAILED": ("未受理", "none accepted"),
    "known_faults": ("可以模拟的故障", "What can fail"),
    "how_to_fault": (
        "用 ./anju registry fault 名称 参数=值 打开，加 --off 关闭。",
        "Switch one on with ./anju registry fault NAME PARAMETER=VALUE, off with --off.",
    ),
    "clerk": ("登记机关经办", "At the registry's desk"),
    "clerk_about": (
        "更正会经变更清单回到报送方；每次查阅和更正都会告知本人。",
        "A correction goes back to the sender as a change; every look and every correction is told to the person.",
    ),
    "correct": ("更正一项", "Correct a field"),
    "look": ("查阅登记", "Read a record"),
    "which": ("登记", "Record"),
    "field": ("字段", "Field"),
    "value": ("新值", "New value"),
    "office": ("单位", "Office"),
    "badge": ("工号化名（字母、数字、连字符）", "Badge pseudonym (letters, digits, hyphens)"),
    "purpose": ("目的", "Purpose"),
    "do_correct": ("更正", "Correct it"),
    "do_look": ("记录这次查阅", "Write the look down"),
    "corrected": ("已更正，等待报送方取走。", "Corrected; it waits for the sender to fetch it."),
    "noted": ("查阅已记录。", "The look has been written down."),
    "refused": ("没有保存", "Nothing was saved"),
    "unknown_record": ("没有这条登记。", "There is no such record."),
    "switch": ("English", "中文"),
}
COLUMNS = ("receipt_no", "name", "leg", "op", "version", "state", "town", "accepted_at", "record")
BATCH_COLUMNS = ("batch", "sender", "batch_state", "items", "judged", "received_at")


@blueprint.get("/")
def home() -> str:
    """The page."""
    return _page(is_english())


@blueprint.post("/corrections")
def correct() -> Any:
    """A clerk's correction of one field, from the page's form."""
    texts = _form("record_id", "field", "value", "office", "badge")
    fields = {texts["field"]: texts["value"]}
    return _done(
        lambda: correct_record(registry(), texts["record_id"], fields, office=texts["office"], badge=texts["badge"]),
        "corrected",
    )


@blueprint.post("/reads")
def read() -> Any:
    """A clerk's look at a record, from the page's form: written down for the person, nothing is shown."""
    texts = _form("record_id", "office", "badge", "purpose")
    return _done(
        lambda: note_read(registry(), texts["record_id"], texts["office"], texts["badge"], texts["purpose"]), "noted"
    )


def _done(act: Callable[[], object], said: str) -> Any:
    english = is_english()
    try:
        act()
    except UnknownRecord:
        return _page(english, refused=[words_of("unknown_record", english)]), 404
    except CorrectionRefused as refused:
        told = [f"{e.pointer}: {e.message_en if english else e.message_zh} ({e.code})" for e in refused.errors]
        return _page(english, refused=told), 422
    return redirect(url_for("pages.home", done=said, lang="en" if english else "zh"), 303)


def _form(*names: str) -> dict[str, str]:
    """The form's texts; refused unless the form stood on this page (a browser always says where one comes from)."""
    if not current_app.extensions["registry_settings"].switches:
        raise Problem(404, item_error("4004", ""))
    if request.headers.get("Origin") != request.host_url.rstrip("/"):
        raise Problem(403, item_error("5001", "/Origin"))
    return {name: request.form.get(name, "").strip() for name in names}


def _page(english: bool, refused: Sequence[str] = ()) -> str:
    words = {key: pair[english] for key, pair in WORDS.items()}
    counts, rows = count_holdings(registry()), list_latest(registry(), 50)
    on = registry().faults.all()
    return render_template(
        "registry.html",
        lang="en" if english else "zh-CN",
        other="zh" if english else "en",
        t=words,
        counts=[
            *((words[state], counts.get(state, 0)) for state in ("ACTIVE", "MOVED_OUT", "VOIDED")),
            (words["waiting"], count_waiting_changes(registry())),
        ],
        columns=COLUMNS,
        rows=rows,
        batch_columns=BATCH_COLUMNS,
        batches=list_batches(registry(), 10),
        faults=[(name, FAULTS[name].en if english else FAULTS[name].zh, params) for name, params in on.items()],
        known=[(name, fault.en if english else fault.zh, fault.usage()) for name, fault in FAULTS.items()],
        forms=current_app.extensions["registry_settings"].switches,
        records=sorted({(str(row["record_id"]), str(row["name"])) for row in rows if row["name"]}),
        fields=CORRECTABLE,
        done=words.get(request.args.get("done", ""), "") if request.args.get("done") in ("corrected", "noted") else "",
        refused=refused,
        given=request.form,
    )


def is_english() -> bool:
    """Whether the reader chose English."""
    return request.values.get("lang") == "en"


def words_of(key: str, english: bool) -> str:
    """One of the page's texts."""
    return WORDS[key][english]
