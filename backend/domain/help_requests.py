"""A request for help from the key screen: what goes to the person the tenant has chosen, and how often.

It is no alarm and promises nobody's coming: in an emergency the number is 110, which every screen and message says.
"""

from __future__ import annotations

from datetime import timedelta

EMERGENCY = "110"
COUNTDOWN_SECONDS = 5  # long enough to take back a wrong tap, short enough for whoever is afraid
AGAIN_AFTER = timedelta(minutes=5)  # the same request sooner reaches nobody twice
MESSAGES_AT_MOST = 5  # of one request: a chosen person's phone is no target

_ZH = "【安居】手机尾号 {tail} 的人向您求助，请马上联系对方。{place}紧急情况请拨 110。"
_EN = "Whoever has the phone ending in {tail} asks you for help: please get in touch at once.{place} Emergency: 110."


def help_text(tail: str, address: str | None) -> str:
    """The message, in both languages; `tail` are the last four digits of the tenant's phone.

    Without `address` it says nothing of where they are.
    """
    zh = _ZH.format(tail=tail, place=f"地址：{address}。" if address else "")
    return f"{zh} {_EN.format(tail=tail, place=f' Address: {address}.' if address else '')}"
