"""Test factories for staff: an officer with password and authenticator, signed in, with a purpose."""

from __future__ import annotations

from dataclasses import dataclass

import pyotp

from backend.gateways.world import World
from backend.services.officer_sessions import begin_task
from backend.services.officers import create_officer, sign_in_officer

PASSWORD = "correct horse battery"
STREET = "330522003"
OTHER_STREET = "330522001"


@dataclass(frozen=True)
class Staff:
    """An officer of the tests."""

    id: str
    login: str
    badge: str
    totp_secret: str

    def code(self, world: World) -> str:
        """The present one-time code."""
        return pyotp.TOTP(self.totp_secret).at(world.clock.now())


def make_officer(world: World, role: str = "officer", area: str = STREET, login: str | None = None) -> Staff:
    """An officer of a role and an area."""
    login = login or f"{role.replace('_', '-')}-{area}"
    made = create_officer(world, login=login, display_name="测试", office="太湖派出所", role=role, area=area,
                          password=PASSWORD)  # fmt: skip
    return Staff(made.id, login, made.badge, made.totp_secret)


def sign_in(world: World, staff: Staff) -> str:
    """Sign in with the present code; answers the session's id."""
    signed = sign_in_officer(world, login=staff.login, password=PASSWORD, code=staff.code(world))
    return signed.session_id


def make_session(
    world: World, role: str = "officer", area: str = STREET, purpose: str | None = None, case_number: str | None = None
) -> str:
    """A new officer's session, with a purpose when one is named."""
    session_id = sign_in(world, make_officer(world, role, area))
    if purpose is not None:
        begin_task(world, session_id=session_id, purpose=purpose, case_number=case_number)
    return session_id
