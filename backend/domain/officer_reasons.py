"""Reasons about staff accounts: sign-in, locked screens, passkeys, four eyes."""

from __future__ import annotations

from backend.domain.reason_kinds import Reason

OFFICER_REASONS: dict[str, Reason] = {
    "form.gone": Reason(
        "gone",
        "之前填写的内容打不开了：它只在填写时的那次登录里有效。",
        "What was typed before cannot be opened: it belongs to the sign-in in which it was written.",
        "请回到原来的页面重新填写。",
        "Go back to the page and fill it in again.",
    ),
    "officer.wait": Reason(
        "too_many",
        "刚才输错了几次，请 {seconds} 秒后再试。",
        "That was wrong a few times; try again in {seconds} seconds.",
        "看清大小写和键盘语言；也可以用通行密钥。",
        "Mind capital letters and the keyboard's language, or use a passkey.",
    ),
    "officer.first_code": Reason(
        "unauthenticated",
        "账号或首次登录码不对，或已过期。",
        "Account or first sign-in code is wrong, or the code has expired.",
        "请照纸上核对；过期的请负责人重新打印。",
        "Compare it with the paper; for a new one ask your supervisor.",
    ),
    "officer.totp": Reason(
        "invalid",
        "动态码不对。",
        "The one-time code is wrong.",
        "请看验证器上现在的六位数字；手机时间要准。",
        "Enter the six digits shown now; the phone's clock must be right.",
    ),
    "officer.weak": Reason(
        "invalid",
        "这个密码太好猜：不要含账号，至少要有六种不同的字符。",
        "This password is easy to guess: keep the account's name out, use six different signs or more.",
        "几个不相干的词连起来就很好。",
        "Some unrelated words in a row do well.",
    ),
    "officer.repeat": Reason(
        "invalid", "两次输入的密码不一样。", "The two passwords differ.", "请再输一次。", "Type it again."
    ),
    "officer.self": Reason(
        "forbidden",
        "不能对自己的账号这样做。",
        "You cannot do this to your own account.",
        "请另一位负责人办理。",
        "Ask another supervisor.",
    ),
    "officer.four_eyes": Reason(
        "forbidden",
        "负责人和审计员的账号要由另一位负责人批准。",
        "Accounts of supervisors and auditors are approved by another supervisor.",
        "请辖区内另一位负责人登录后批准。",
        "Let another supervisor of the area approve it.",
    ),
    "officer.pending": Reason(
        "conflict",
        "这个账号已有一项申请在等批准。",
        "A request about this account is waiting already.",
        "先办完或撤回那一项。",
        "Decide or withdraw that one first.",
    ),
    "officer.suspended": Reason(
        "conflict",
        "这个账号已停用。",
        "This account is suspended.",
        "需要时先恢复账号。",
        "Resume it first where needed.",
    ),
    "officer.active": Reason(
        "conflict", "这个账号正在使用。", "This account is in use.", "不需要恢复。", "There is nothing to resume."
    ),
    "officer.decided": Reason(
        "conflict", "这项申请已经办完。", "This request has been decided.", "请刷新列表。", "Reload the list."
    ),
    "officer.first_exists": Reason(
        "conflict",
        "已有负责人账号。",
        "There is a supervisor already.",
        "由现有负责人在“人员账号”里新建。",
        "Let them make the account, under Staff accounts.",
    ),
    "session.locked": Reason(
        "unauthenticated",
        "屏幕已锁定。",
        "The screen is locked.",
        "输入密码或用通行密钥解锁。",
        "Unlock it with your password or a passkey.",
    ),
    "passkey.refused": Reason(
        "unauthenticated",
        "通行密钥没有通过。",
        "The passkey was not accepted.",
        "请再试一次，或用密码和动态码。",
        "Try again, or use password and one-time code.",
    ),
    "passkey.known": Reason(
        "conflict",
        "这把通行密钥已登记。",
        "This passkey is enrolled already.",
        "请换一台设备或安全密钥。",
        "Use another device or security key.",
    ),
    "passkey.last": Reason(
        "conflict",
        "这是您唯一的登录方式，不能删除。",
        "This is your only way to sign in.",
        "先设置密码和动态码，或再登记一把通行密钥。",
        "First enrol another passkey, or set a password with one-time codes.",
    ),
    "passkey.off": Reason(
        "unavailable",
        "这个网址不能用通行密钥。",
        "Passkeys do not work at this address.",
        "请用登记时的网址打开。",
        "Open the console at the address it is set up for.",
    ),
    "purpose.case_closed": Reason(
        "invalid",
        "这件事项已经办结。",
        "This case is closed.",
        "请核对编号；新的事情请先立项。",
        "Check the number; a new matter needs a case of its own.",
    ),
}
