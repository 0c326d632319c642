"""What an officer is told on the start page. No notice names a resident."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.domain.officers import REQUEST_NAMES, ROLE_NAMES

NOTICES = {
    "reads_cap": (
        "{badge}（{role}）今天查看个人信息达到上限（{most} 人），之后的查看被拒绝。请看访问审计，需要时与本人谈。",
        "{badge} ({role}) has reached today's limit of {most} persons; further looks were refused. See the access "
        "audit, and talk to them where needed.",
    ),
    "call_late": (
        "{reference} 办好后还没有回电告知，已过期限。请安排回电，在“待回电”里登记。",
        "{reference} is done and its caller has not been told in time. Have them called, and note it under To be "
        "called back.",
    ),
    "outside_case": (
        "{badge}（{role}）以外单位编号 {number} 开始“案件办理”。这个编号系统无法核对。",
        "{badge} ({role}) began a task under another office's number {number}, which cannot be checked here.",
    ),
    "account_locked": (
        "账号 {login}（{badge}）因多次输错锁定 15 分钟。本人在场的，可在“人员账号”里提前解锁。",
        "The account {login} ({badge}) is locked for 15 minutes after wrong tries. If it was them, lift the lock under "
        "Staff accounts.",
    ),
    "request_waiting": (
        "{badge} 提出“{kind}”：{login}（{role}，辖区 {area}），等另一位负责人批准。",
        "{badge} asks for: {kind}, {login} ({role}, area {area}). Another supervisor has to approve it.",
    ),
    "request_approved": ("{badge} 批准了“{kind}”：{login}。", "{badge} approved: {kind}, {login}."),
    "request_declined": ("{badge} 没有批准“{kind}”：{login}。", "{badge} declined: {kind}, {login}."),
    "account_changed": (
        "{badge} 修改了您的账号：现在是{role}，辖区 {area}。",
        "{badge} has changed your account: you are now {role}, area {area}.",
    ),
    "account_reset": (
        "您的登录方式由 {badge} 重置过。不是您要求的，请马上告诉另一位负责人。",
        "{badge} has reset your ways to sign in. If you did not ask for it, tell another supervisor at once.",
    ),
    "audit_differs": (
        "{at} 核对访问记录，发现 {n} 处不符：记录可能被改动或删除。请看“访问审计”，保留现场，并通知系统运维。",
        "The audit log was checked at {at}: {n} faults. Records may have been changed or removed. See the access "
        "audit, leave everything as it is, and call the operator.",
    ),
    "session_ended": (
        "{badge} 结束了您的一次登录。", "{badge} has ended one of your sign-ins.",
    ),
}  # fmt: skip
_WORDS: Mapping[str, Mapping[str, tuple[str, str]]] = {"role": ROLE_NAMES, "kind": REQUEST_NAMES}


def sentence(kind: str, params: Mapping[str, Any], language: str) -> str:
    """A notice in 'zh' or 'en'; codes among its params are said in words."""
    spoken = 0 if language == "zh" else 1
    said = {
        name: _WORDS[name][value][spoken] if name in _WORDS and value in _WORDS[name] else value
        for name, value in params.items()
    }
    return NOTICES[kind][spoken].format(**said)
