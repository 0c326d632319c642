"""Electronic keys: the states, who may change them, and when a key may become active."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.domain.refusals import Refusal, illegal_transition

TRANSITIONS: dict[str, dict[str, str]] = {
    # state: action -> next state
    "draft": {"invite": "invited", "cancel": "revoked"},
    "invited": {"claim": "claimed", "uninvite": "draft", "cancel": "revoked"},
    "claimed": {"activate": "active", "revoke": "revoking", "suspend": "suspended"},
    "active": {"suspend": "suspended", "revoke": "revoking"},
    "suspended": {"resume": "active", "revoke": "revoking"},
    "revoking": {"confirm": "revoked"},
    "revoked": {},
}
STATE_NAMES = {
    "draft": ("未发出", "not issued"),
    "invited": ("已邀请", "invited"),
    "claimed": ("待激活", "waiting to become active"),
    "active": ("可用", "active"),
    "suspended": ("已暂停", "suspended"),
    "revoking": ("停用中，待门锁确认", "being revoked, waiting for the lock"),
    "revoked": ("已停用", "revoked"),
}
ACTIONS = {
    "invite": ("邀请", "invite"),
    "claim": ("领取", "claim"),
    "uninvite": ("撤回邀请", "take the invitation back"),
    "cancel": ("取消", "cancel"),
    "activate": ("激活", "activate"),
    "suspend": ("暂停", "suspend"),
    "resume": ("恢复", "resume"),
    "revoke": ("停用", "revoke"),
    "confirm": ("确认停用", "confirm"),
}
GROUNDS = ("check_out", "both_agreed", "court_order", "holder_request", "never_active")
LIVE = ("claimed", "active", "suspended")


def next_state(state: str, action: str) -> str | Refusal:
    """The state after `action`, or a refusal that lists what is possible."""
    allowed = TRANSITIONS[state]
    if action in allowed:
        return allowed[action]
    return illegal_transition(STATE_NAMES[state], {name: ACTIONS[name] for name in allowed})


def decide_restriction(kind: str, ground: str | None, by_holder: bool) -> Refusal | None:
    """Whether a key may be suspended or revoked.

    An occupant's key needs a ground or the holder's own request; the planned end of a lease is no ground (HR-12).
    """
    if kind != "occupant" or by_holder:
        return None
    return (
        None
        if ground in ("check_out", "both_agreed", "court_order")
        else Refusal("key.ground", "ground", allowed=GROUNDS)
    )


def may_activate(identity_state: str, declared: bool) -> bool:
    """A key becomes active with a verified or attested identity and a complete declaration.

    It waits neither for the landlord's leg nor for the registry.
    """
    return identity_state in ("verified", "attested") and declared


@dataclass(frozen=True)
class CredentialLife:
    """How long a credential made now is good."""

    issued_at: datetime
    expires_at: datetime


def credential_life(now: datetime, kind: str, occupant: timedelta, visitor: timedelta) -> CredentialLife:
    """Seven days for occupants, 24 hours for others by default; renewed whenever the app is open."""
    return CredentialLife(now, now + (occupant if kind == "occupant" else visitor))


def exposure_until(
    credential_ends_at: datetime | None, kind: str, grace: timedelta, clock_bound: timedelta
) -> datetime | None:
    """The latest moment an unconfirmed door could still open: credential end, occupants' outage grace, clock bound."""
    if credential_ends_at is None:
        return None
    return credential_ends_at + (grace if kind == "occupant" else timedelta(0)) + clock_bound


CLOCK_BOUND = timedelta(minutes=5)  # above this uncertainty a lock's clock counts as unknown and implies tvr
