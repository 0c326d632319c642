"""Officers: roles, areas, the form of a password."""

from __future__ import annotations

import re

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

SIGN_IN_TRIES = 5
LOCK_MINUTES = 15
PASSWORD_LEAST = 12  # ASVS 5.0 6.2.1 asks for 8 at least; staff see other people's data

_AREA = re.compile(r"\d{2}(\d{2}(\d{2}(\d{3}(\d{3})?)?)?)?")
_LOGIN = re.compile(r"[a-z][a-z0-9._-]{1,39}")


def covers(area: str, division: str) -> bool:
    """Whether a division (a code of up to 12 digits) lies in an area given as the code's prefix."""
    return area != "" and division.startswith(area)


def find_officer_faults(login: str, display_name: str, role: str, area: str, password: str) -> list[Refusal]:
    """All faults of a new officer's entries; the area is a division code of 2, 4, 6, 9 or 12 digits."""
    faults = []
    if not _LOGIN.fullmatch(login):
        faults.append(Refusal("officer.login", "login"))
    if not 1 <= len(display_name.strip()) <= 40:
        faults.append(Refusal("input.length", "display_name", {"least": 1, "most": 40}))
    if role not in ROLES:
        faults.append(Refusal("input.not_one_of", "role", allowed=ROLES))
    if not _AREA.fullmatch(area):
        faults.append(Refusal("officer.area", "area"))
    if not PASSWORD_LEAST <= len(password) <= 128:
        faults.append(Refusal("input.length", "password", {"least": PASSWORD_LEAST, "most": 128}))
    return faults
