"""Electronic keys: the states, who may change them, and when a key may become active."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from backend.domain.calendars import day_of, start_of
from backend.domain.refusals import Refusal, illegal_transition

TRANSITIONS: dict[str, dict[str, str]] = {
    # state: action -> next state
    "draft": {"invite": "invited", "cancel": "revoked"},
    "invited": {"claim": "claimed", "uninvite": "draft", "cancel": "revoked"},
    # Not to be suspended: it opens nothing yet, and `resume` would lead to active past the identity check.
    "claimed": {"activate": "active", "revoke": "revoking"},
    "active": {"suspend": "suspended", "revoke": "revoking"},
    "suspended": {"resume": "active", "revoke": "revoking"},
    "revoking": {"confirm": "revoked"},
    "revoked": {},
}
STATE_NAMES = {
    "draft": ("未发出", "not issued"),
    "invited": ("已邀请", "invited"),
    "claimed": ("待激活", "not active yet"),
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
# What a caller may name. A landlord is heard on `check_out` alone, and only once it is a fact: both sides' agreement is
# the tenant's own check-out, and a court's order is entered by an officer (`services.officer_keys`).
GROUNDS = ("check_out", "both_agreed", "court_order", "holder_request", "never_active")
LIVE = ("claimed", "active", "suspended")
ENDED = ("revoking", "revoked")
CODE_KINDS = {"occupant": ("day", "once"), "visitor": ("period",)}  # of keypad codes


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


def landlord_acts(state: str, state_reason: str | None, lease_is_over: bool) -> tuple[str, ...]:
    """What a landlord can do to an occupant's key now: suspend, resume, revoke; nothing while the occupant lives there.

    The one ground a landlord can name is the check-out, which ends the lease (HR-12). Who suspended the own key alone
    resumes it.
    """
    acts = []
    if lease_is_over and state == "active":
        acts.append("suspend")
    if state == "suspended" and state_reason != "suspended_by_tenant":
        acts.append("resume")
    if lease_is_over and state in ("claimed", "active", "suspended"):
        acts.append("revoke")
    return tuple(acts)


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


def credential_life(
    now: datetime, kind: str, occupant: timedelta, visitor: timedelta, key_ends_at: datetime | None = None
) -> CredentialLife:
    """Seven days for occupants, 24 hours for others by default; renewed whenever the app is open.

    It never outlives a key that ends by itself.
    """
    expires_at = now + (occupant if kind == "occupant" else visitor)
    return CredentialLife(now, expires_at if key_ends_at is None else min(expires_at, key_ends_at))


def exposure_until(
    credential_ends_at: datetime | None,
    kind: str,
    grace: timedelta,
    clock_bound: timedelta,
    others: Iterable[datetime] = (),
) -> datetime | None:
    """The latest moment an unconfirmed door could still open; None when nothing could open it.

    Credential end with an occupant's outage grace, or the latest of the `others` (commands on their way, delegates),
    and the clock bound upon it. It is an upper bound of the last possible opening, at most the clock bound above it.
    """
    # What opens a door that has not heard of the end:
    # - A credential, in true time until its end plus the lock's clock error; an occupant's by its grace longer. The
    #   error is at most `clock_bound`: a lock that knows its clock less well than that refuses and asks for the time.
    # - A day code, until the end of its day plus twice that error (the lock takes the neighbouring day within its
    #   uncertainty). Codes are given out only for days that end a clock bound before credential end plus grace
    #   (`code_days`), so the same moment bounds them; nobody can make a code that was not given out.
    # - A period code, until the key's own end, up to which the caller has moved `credential_ends_at`.
    # - A one-time code, until the end of its day plus twice that error, as a day code. It is given out for a day that
    #   may end after credential end plus grace, so that day's end and one clock bound are among the `others`.
    # - A key on the list has no end there, but is opened from afar only by a command, which an offline lock cannot get
    #   and which ends by itself: the commands' end is among the `others`.
    # - A delegate may sign another credential for the same key until it ends: its end is among the `others`.
    grace_of_kind = grace if kind == "occupant" else timedelta(0)
    ends = [*others, *([credential_ends_at + grace_of_kind] if credential_ends_at is not None else [])]
    return max(ends) + clock_bound if ends else None


def code_days(starts_on: date, now: datetime, ends_at: datetime, clock_bound: timedelta) -> list[date]:
    """The days for which an occupant gets day codes: from today, or the key's first day, while whole days are left.

    `ends_at` is credential end plus grace; a day that ends within the clock bound before it is left out.
    """
    day, days = max(starts_on, day_of(now)), []
    while start_of(day + timedelta(days=1)) <= ends_at - clock_bound:
        days.append(day)
        day += timedelta(days=1)
    return days


def once_counter(day: date, number: int) -> int:
    """The one-time codes given out, as a key keeps them: the last one's day (proleptic ordinal × 16) and its number.

    `number` is 0 to 15; whatever the counter was before, a later day has a higher one.
    """
    return day.toordinal() * 16 + number


def last_once(counter: int) -> tuple[date, int]:
    """Day and number of the last one-time code given out; one counted without a day (0 among them) is long past."""
    ordinal, number = divmod(counter, 16)
    return date.fromordinal(max(1, ordinal)), number


CLOCK_BOUND = timedelta(minutes=5)  # above this uncertainty a lock's clock counts as unknown and implies tvr
