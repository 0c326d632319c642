"""Deleting what Anju holds of a person (PIPL-47): what has to end first, what the law keeps afterwards and until when.

A request waits by itself until nothing stands against it and the days for taking it back have passed; until then
nothing is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

TIME_TO_RECONSIDER = timedelta(days=7)
IDENTITY_KEPT = timedelta(days=30)  # after the registry has confirmed the check-out
RECORDS_KEPT = timedelta(days=3 * 365)  # access records, receipts without a name


@dataclass(frozen=True)
class Obstacle:
    """Something that has to be over first: what it is, what brings it to its end, the rule that asks for it."""

    zh: str
    en: str
    remedy_zh: str
    remedy_en: str
    rule: str


OBSTACLES: dict[str, Obstacle] = {
    "invited": Obstacle(
        "还没有申报的住处", "A home not yet declared",
        "不入住的，先撤回；邀请到期也会自动结束。",
        "If you will not move in, withdraw; an invitation also ends by itself.", "HK-15"),
    "home": Obstacle(
        "您正住着的住处的居住登记", "The registration of the home you live in",
        "住着的时候依法须登记。搬走并办理离开登记后再计算。",
        "The law asks for it while you live there. It can go once you have moved out and checked out.", "HK-15"),
    "check_out": Obstacle(
        "离开登记还没有得到登记机关确认", "The registry has not yet confirmed your move-out",
        "确认后再保存 30 天。", "It is kept for 30 days after that.", "ZJ-13"),
    "identity": Obstacle(
        "姓名和证件号码", "Name and document number",
        "离开登记确认后保存 30 天，然后销毁密钥，谁也读不出来。",
        "Kept for 30 days after the confirmed move-out; then its key is destroyed and nobody can read it.", "PIPL-47"),
    "letting": Obstacle(
        "您认领的房间和有效的租约", "Units you have claimed and leases that run",
        "房东须登记承租人并报告变动。先结束租约，再退出房间：在房间页面，或到窗口办理。",
        "A landlord records tenants and reports changes. End the leases, then give the units up: on their pages, or "
        "at a window.",
        "PSAL-68"),
    "speaking_for": Obstacle(
        "您代为办理的孩子或亲属", "Children or relatives you speak for",
        "先为他们办理离开登记，或由他们自己、另一位监护人接手。",
        "Check them out first, or let themselves or another guardian take over.", "ZJ-7"),
    "visit": Obstacle(
        "一把还能用的临时钥匙", "A visitor's key that still works",
        "到期或停用后再计算。", "It counts once the key has ended.", "PIPL-47"),
    "case": Obstacle(
        "一件还没有办结的事项", "A case that is still open",
        "等工作人员答复后再计算。", "It counts once you have been answered.", "PIPL-47"),
}  # fmt: skip
REMAINS: dict[str, tuple[str, str]] = {
    "access": ("访问记录（谁看过您的数据），只有编号、没有姓名",
               "Access records (who has seen your data), by number, without a name"),
    "receipts": ("凭证存根，不含身份", "Stubs of receipts, without identity"),
    "doors": ("门锁事件，只有钥匙编号", "Events of the lock, by the key's number only"),
}  # fmt: skip


@dataclass(frozen=True)
class Waits:
    """One obstacle: a key of OBSTACLES, the home it is about, and its known end (None: nobody can say yet)."""

    what: str
    until: datetime | None = None
    place: str | None = None


@dataclass(frozen=True)
class Stays:
    """What the law keeps although everything else is gone: a key of REMAINS, and until when at the latest."""

    what: str
    until: datetime


def goes_at(asked_at: datetime, waits: Sequence[Waits]) -> datetime | None:
    """When a request takes effect; None as long as something has to end first whose end nobody can say."""
    ends = [each.until for each in waits]
    if None in ends:
        return None
    return max([asked_at + TIME_TO_RECONSIDER, *(end for end in ends if end is not None)])
