"""What every call needs: the world, and who is calling."""

from __future__ import annotations

from flask import current_app

from backend.bootstrap import World, world_of
from backend.domain.refusals import Refused
from backend.web import caller


def world() -> World:
    """The world of the present request's app."""
    return world_of(current_app)


def me() -> str:
    """The calling account; the policy has made sure there is one."""
    found = caller().account_id
    if found is None:
        raise Refused("unauthenticated")
    return found


def my_session() -> str:
    """The session behind the calling token."""
    found = caller().session_id
    if found is None:
        raise Refused("unauthenticated")
    return found
