"""Words about staff: accounts, ways to sign in, what the audit says of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext

from backend.domain.officers import REQUEST_NAMES, ROLE_NAMES

STAFF_ACTIONS = {
    "officer_created": ("新建账号", "Account made"),
    "officer_enrolled": ("第一次登录", "First sign-in"),
    "officer_reset": ("重置登录方式", "Ways to sign in reset"),
    "officer_change": ("修改账号", "Account changed"),
    "officer_suspend": ("停用账号", "Account suspended"),
    "officer_resume": ("恢复账号", "Account resumed"),
    "lock_lifted": ("提前解锁账号", "Lock lifted"),
    "account_asked": ("提出账号申请", "Account asked for"),
    "account_approved": ("批准账号申请", "Account approved"),
    "account_declined": ("不批准账号申请", "Account declined"),
    "account_withdrawn": ("撤回账号申请", "Request withdrawn"),
    "session_ended": ("结束登录", "Sign-in ended"),
    "password_changed": ("修改密码", "Password changed"),
    "passkey_added": ("登记通行密钥", "Passkey enrolled"),
    "passkey_removed": ("删除通行密钥", "Passkey removed"),
    "screen_opened": ("解锁屏幕", "Screen opened again"),
}
STAFF_DECISIONS = {
    "by_hand": ("本人结束", "By hand"),
    "time": ("到时间", "Its time was over"),
    "case_closed": ("事项已办结", "Its case is closed"),
    **ROLE_NAMES,
    **REQUEST_NAMES,
}
SIGN_IN_WAYS = {
    "password": ("密码和动态码", "Password and code"),
    "passkey": ("通行密钥", "Passkey"),
    "first_code": ("首次登录码", "First code"),
}
ACCOUNT_STATES = {
    "active": ("使用中", "In use"),
    "new": ("等第一次登录", "Waits for the first sign-in"),
    "locked": ("输错锁定", "Locked after wrong tries"),
    "suspended": ("已停用", "Suspended"),
}
OWN_DONE = {
    "password": lazy_gettext("密码已修改，您在别处的登录已结束。"),
    "passkey": lazy_gettext("通行密钥已登记。"),
    "removed": lazy_gettext("通行密钥已删除。"),
    "ended": lazy_gettext("那一次登录已结束。"),
    "first": lazy_gettext("登录方式已设好。"),
}
STAFF_TABLES: Mapping[str, Any] = {
    "ACCOUNT_STATES": ACCOUNT_STATES,
    "OWN_DONE": OWN_DONE,
    "REQUESTS": REQUEST_NAMES,
    "SIGN_IN_WAYS": SIGN_IN_WAYS,
}


def minutes_left(value: datetime, now: datetime) -> int:
    """Minutes until a moment; one that has begun counts as a whole one."""
    return math.ceil((value - now).total_seconds() / 60)


def browser_name(agent: str) -> str:
    """Browser and system out of what a browser says it is; the newest name that fits wins."""
    browsers = ("Edg", "OPR", "Chrome", "Firefox", "Safari")
    systems = ("Windows", "Android", "iPhone", "iPad", "Mac OS X", "Linux")
    found = [next((name for name in names if name in agent), "") for names in (browsers, systems)]
    said = " · ".join(name for name in found if name)
    return said.replace("Edg", "Edge").replace("OPR", "Opera") or "—"


STAFF_FILTERS: Mapping[str, Callable[..., Any]] = {"minutes_left": minutes_left, "browser_name": browser_name}
