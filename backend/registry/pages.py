"""The registry's page for people: how many records it holds and which came last, masked; Chinese first."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from backend.registry.calls import registry
from backend.registry.faults import FAULTS
from backend.registry.holdings import count_holdings, list_latest

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
    "switch": ("English", "中文"),
}
COLUMNS = ("receipt_no", "name", "leg", "op", "version", "state", "town", "accepted_at", "record")


@blueprint.get("/")
def home() -> str:
    """The page."""
    english = request.args.get("lang") == "en"
    words = {key: pair[english] for key, pair in WORDS.items()}
    counts = count_holdings(registry())
    return render_template(
        "registry.html",
        lang="en" if english else "zh-CN",
        other="zh" if english else "en",
        t=words,
        counts=[(words[state], counts.get(state, 0)) for state in ("ACTIVE", "MOVED_OUT", "VOIDED")],
        columns=COLUMNS,
        rows=list_latest(registry(), 50),
        faults={name: FAULTS[name] for name in registry().faults.all()},
    )
