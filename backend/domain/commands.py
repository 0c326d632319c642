"""Commands to locks: the states, what the lock's word makes of them, and what silence means.

    queued → sent → accepted → executed | refused(reason) | expired | unknown

A command ends on the lock's own word. `unknown` is what silence after sending is called; the lock's answer or its
event, however late, still resolves it. `expired` means it never left, or that the lock itself found it too late.
"""

from __future__ import annotations

from datetime import datetime, timedelta

ACTIONS = ("unlock", "lock", "identify", "replay", "sync", "reboot", "wipe")
SETTLED = ("executed", "refused", "expired")
FINAL = (*SETTLED, "unknown")  # what a waiting person is shown; only `unknown` may still change
PATIENCE = timedelta(seconds=2)  # an answer may be on its way when the command's own life ends


def decide_answer(state: str, answer: str, reason: str | None) -> str | None:
    """The state after the lock's answer (`accepted`, `executed`, `refused`), or None when it changes nothing.

    The lock's word stands above ours: even a command that we believe expired was executed if the lock says so.
    """
    told = "expired" if answer == "refused" and reason == "expired" else answer
    if state == "executed" or told == state:
        return None
    if told == "accepted":
        return "accepted" if state in ("queued", "sent") else None
    if told == "executed":
        return "executed"
    return told if state not in SETTLED else None


def decide_silence(state: str, may_have_left: bool, expires_at: datetime, now: datetime) -> str | None:
    """The state of a command that nobody has answered in its time, or None while there is time.

    `may_have_left`: a sender has claimed it, so that it may have reached the lock even if nobody noted so.
    """
    if state in FINAL or now < expires_at + PATIENCE:
        return None
    return "unknown" if may_have_left or state != "queued" else "expired"
