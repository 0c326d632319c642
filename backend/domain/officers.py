"""Officers: roles, areas, four eyes, the pace of wrong tries, the form of a password."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from backend.domain.calendars import day_of, end_of
from backend.domain.refusals import Refusal

ROLE_NAMES = {
    "officer": ("民警", "Precinct officer"),
    "grid_worker": ("网格员", "Grid worker"),
    "reviewer": ("核验员", "Reviewer"),
    "supervisor": ("负责人", "Supervisor"),
    "auditor": ("审计员", "Auditor"),
    "window_clerk": ("窗口人员", "Window clerk"),
}
ROLES = tuple(ROLE_NAMES)

FOUR_EYES_ROLES = ("supervisor", "auditor")  # who grants access, and who watches over it
REQUEST_NAMES = {
    "create": ("新建账号", "New account"),
    "change": ("修改账号", "Change of an account"),
    "reset": ("重置登录方式", "Reset of the ways to sign in"),
    "resume": ("恢复账号", "Resumption of an account"),
    "suspend": ("停用账号", "Suspension of an account"),
}
SIGN_IN_TRIES = 5
LOCK_MINUTES = 15
WAIT_SECONDS = {3: 5, 4: 15}  # after so many wrong tries in a row the next one waits; the fifth locks
FIRST_CODE_LIFE = timedelta(hours=72)  # a weekend lies between the office and the person
FIRST_CODE_LENGTH = 16  # of 31 letters: 79 bits, so that its plain hash tells nothing
LATE_SHIFT = timedelta(hours=1)
OFFICE_MOST = 60
PASSWORD_LEAST = 12  # ASVS 5.0 6.2.1 asks for 8 at least; staff see other people's data

_DISTINCT_SIGNS = 6
_AREA = re.compile(r"\d{2}(\d{2}(\d{2}(\d{3}(\d{3})?)?)?)?")
_LOGIN = re.compile(r"[a-z][a-z0-9._-]{1,39}")


def covers(area: str, division: str) -> bool:
    """Whether a division (a code of up to 12 digits) lies in an area given as the code's prefix."""
    return area != "" and division.startswith(area)


def takes_two(kind: str, *roles: str) -> bool:
    """Whether a second supervisor has to approve: everything but a suspension, once one of the roles asks for it."""
    return kind != "suspend" and bool(set(roles) & set(FOUR_EYES_ROLES))


def session_end(now: datetime, longest: timedelta) -> datetime:
    """When a session that begins now ends at the latest: after `longest`, and with the day (Asia/Shanghai).

    Who comes in the day's last hour keeps an hour.
    """
    return min(now + longest, max(end_of(day_of(now)), now + LATE_SHIFT))


def find_officer_faults(
    login: str, display_name: str, office: str, role: str, area: str, password: str | None
) -> list[Refusal]:
    """All faults of a new officer's entries; the area is a division code of 2, 4, 6, 9 or 12 digits.

    `password` None: the person will choose one at the first sign-in.
    """
    faults = []
    if not _LOGIN.fullmatch(login):
        faults.append(Refusal("officer.login", "login"))
    if not 1 <= len(display_name.strip()) <= 40:
        faults.append(Refusal("input.length", "display_name", {"least": 1, "most": 40}))
    if not office.strip():
        faults.append(Refusal("input.missing", "office"))
    elif len(office.strip()) > OFFICE_MOST:
        faults.append(Refusal("input.length", "office", {"least": 1, "most": OFFICE_MOST}))
    if role not in ROLES:
        faults.append(Refusal("input.not_one_of", "role", allowed=ROLES))
    if not _AREA.fullmatch(area):
        faults.append(Refusal("officer.area", "area"))
    return faults + (find_password_faults(login, password) if password is not None else [])


def find_password_faults(login: str, password: str) -> list[Refusal]:
    """What is wrong with a password: its length, or that it is easy to guess. No other rule (ASVS 5.0, 6.2.5)."""
    if not PASSWORD_LEAST <= len(password) <= 128:
        return [Refusal("input.length", "password", {"least": PASSWORD_LEAST, "most": 128})]
    if login.lower() in password.lower() or len(set(password)) < _DISTINCT_SIGNS:
        return [Refusal("officer.weak", "password")]
    return []
