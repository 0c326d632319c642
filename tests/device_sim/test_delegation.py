"""A landlord's phone gives a key without network: two signatures open, neither alone, and one step only."""

from __future__ import annotations

from typing import Any

import pytest

from backend.wire.lock_documents import Credential, HolderKey, claims_of
from backend.wire.tokens import claims_unverified
from device_sim import touches
from device_sim.lock import Lock
from device_sim.phone import Carried, Phone
from tests.device_sim.makers import (
    DAY,
    IDENTITY,
    KEY,
    OTHER_KEY,
    START,
    Host,
    Platform,
    events,
    make_lock,
    open_near,
)

PLATFORM = Platform()
LANDLORD, TENANT, THIEF = Phone(), Phone(), Phone()
DELEGATE = PLATFORM.delegate(LANDLORD)
KNOWN = PLATFORM.activation(TENANT)
ENDS = START + 2 * DAY


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def lock(host: Host) -> Lock:
    return make_lock(PLATFORM, host, pad=PLATFORM.pad)


def issue(delegate: str = DELEGATE, key: str = KEY, epoch: int = 1, ends: int = ENDS) -> str:
    return LANDLORD.issue(delegate, IDENTITY.lock_id, epoch, TENANT.jwk, key, START, ends)


def signed(phone: Phone = LANDLORD, **changes: Any) -> str:
    """A credential as `issue` makes it, with changes no honest app would make."""
    claims: dict[str, Any] = {
        "iss": "delegate-1",
        "sub": KEY,
        "aud": IDENTITY.lock_id,
        "nbf": START,
        "exp": ENDS,
        "iat": START,
        "jti": "credential-1",
        "cnf": HolderKey(TENANT.jwk),
        "rights": ("unlock", "lock"),
        "occ": 1,
        "cond": ("idv",),
    }
    return phone.sign("ekey", claims_of(Credential(**{**claims, **changes})))


def carry(delegate: str | None = DELEGATE, activation: str | None = KNOWN, **more: Any) -> Carried:
    return Carried(delegate=delegate, activation=activation, **more)


def test_a_tenant_opens_with_the_landlords_word_and_the_platforms_on_a_lock_that_was_never_online(lock: Lock) -> None:
    assert open_near(lock, TENANT, issue(), carry()) == "opened"
    assert events(lock) == [("lock.unlocked", KEY, None)] and lock.keys.epoch == 1


def test_neither_signature_alone_opens(lock: Lock) -> None:
    assert open_near(lock, TENANT, issue(), carry(activation=None)) == "refused"
    assert open_near(lock, TENANT, issue(), carry(delegate=None)) == "refused"
    assert open_near(lock, THIEF, issue(), carry()) == "refused"
    assert open_near(lock, TENANT, issue(), carry(activation=PLATFORM.activation(THIEF))) == "refused"
    assert lock.body.bolt == "locked"
    assert events(lock) == [
        ("access.denied", KEY, "no_activation"),
        ("access.denied", KEY, "wrong_proof"),
        ("access.denied", KEY, "bad_activation"),
    ]


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"iss": "delegate-2"}, "delegate_other"),
        ({"iss": "anju"}, "delegate_other"),
        ({"occ": 2}, "delegate_epoch"),
        ({"occ": 0}, "delegate_epoch"),
        ({"exp": START + 3 * DAY + 1}, "delegate_life"),
        ({"nbf": START - 61}, "delegate_life"),
        ({"rights": ("unlock", "passage")}, "delegate_rights"),
        ({"rights": ("share",)}, "delegate_rights"),
        ({"cond": None}, "delegate_identity"),
        ({"cond": ("moon",)}, "unknown_demand"),
    ],
)
def test_a_delegate_gives_no_more_than_it_was_given(lock: Lock, changes: dict[str, Any], reason: str) -> None:
    assert open_near(lock, TENANT, signed(**changes), carry()) == "refused"
    assert events(lock) == [("access.denied", KEY, reason)]


def test_what_is_signed_by_nobody_the_lock_knows_is_counted_and_fills_no_log(lock: Lock) -> None:
    second = LANDLORD.sign("delegate", {**claims_unverified(DELEGATE), "jti": "delegate-2"})
    for delegate, credential in (
        (Platform().delegate(LANDLORD), issue()),
        (PLATFORM.delegate(LANDLORD, aud="another-lock"), issue()),
        (PLATFORM.delegate(LANDLORD, iss="landlord"), issue()),
        (PLATFORM.delegate(THIEF), issue()),
        (DELEGATE, signed(aud="another-lock")),
        (DELEGATE, PLATFORM.credential(TENANT)),
        (PLATFORM.credential(LANDLORD), issue()),
        (second, LANDLORD.issue(second, IDENTITY.lock_id, 1, TENANT.jwk, KEY, START, ENDS)),
    ):
        assert open_near(lock, TENANT, credential, carry(delegate)) == "refused"
    assert events(lock) == [] and sum(lock.rejected.values()) == 8


@pytest.mark.parametrize(
    "at, reason", [(START - 63, "not_yet_valid"), (ENDS, "expired"), (START + 3 * DAY, "expired")]
)
def test_outside_its_life_nothing_of_it_opens(lock: Lock, host: Host, at: int, reason: str) -> None:
    host.at = at
    lock.clock.sync(at)
    assert open_near(lock, TENANT, issue(), carry()) == "refused"
    assert events(lock)[-1] == ("access.denied", KEY, reason)


@pytest.mark.parametrize("changes", [{"nbf": START + 3}, {"exp": START}, {"exp": ENDS - 1}])
def test_a_credential_outside_its_delegates_life_never_opens(lock: Lock, changes: dict[str, Any]) -> None:
    assert open_near(lock, TENANT, issue(), carry(PLATFORM.delegate(LANDLORD, **changes))) == "refused"
    assert events(lock)[-1] == ("access.denied", KEY, "delegate_life")


def test_no_outage_grace_whatever_the_credential_says(lock: Lock, host: Host) -> None:
    assert open_near(lock, TENANT, signed(grc=30 * DAY), carry()) == "opened"
    host.at = ENDS
    assert open_near(lock, TENANT, signed(grc=30 * DAY), carry()) == "refused"


def test_a_revoked_delegate_and_a_revoked_key_of_it_are_dead(lock: Lock) -> None:
    revoked = carry(revocation=PLATFORM.revocation(2, "delegate-1"))
    assert open_near(lock, TENANT, issue(), revoked) == "refused"
    assert events(lock)[-1] == ("access.denied", KEY, "delegate_revoked")
    assert open_near(lock, TENANT, issue(), carry(revocation=PLATFORM.revocation(3, KEY))) == "refused"
    assert events(lock)[-1] == ("access.denied", KEY, "revoked")


def test_a_delegates_key_ends_with_its_epoch(lock: Lock) -> None:
    lock.take_key_list(PLATFORM.key_list(2, OTHER_KEY, epoch=2))
    assert open_near(lock, TENANT, issue(), carry()) == "refused"
    assert events(lock)[-1] == ("access.denied", KEY, "old_epoch")
    higher = PLATFORM.delegate(LANDLORD, occ=3)
    assert open_near(lock, TENANT, issue(higher, epoch=3), carry(higher)) == "opened"
    assert lock.keys.epoch == 3


def test_a_delegate_cannot_speak_for_a_key_of_another_phone(lock: Lock) -> None:
    lock.take_key_list(PLATFORM.key_list(1, KEY, jkt=THIEF.thumbprint))
    assert open_near(lock, TENANT, issue(), carry()) == "refused"
    assert events(lock)[-1] == ("access.denied", KEY, "delegate_key")
    lock.take_key_list(PLATFORM.key_list(2, KEY, jkt=TENANT.thumbprint))
    assert open_near(lock, TENANT, issue(), carry()) == "opened"


def test_a_delegates_credential_teaches_the_keypad_nothing(lock: Lock) -> None:
    assert open_near(lock, TENANT, signed(pad=("day",)), carry()) == "opened"
    assert lock.keypad.type_code(PLATFORM.day_code(START)) == "refused"


def test_only_what_the_platform_signed_counts_as_having_heard_from_it(lock: Lock, host: Host) -> None:
    resident = PLATFORM.credential(THIEF, sub=OTHER_KEY, exp=START + DAY, grc=30 * DAY)
    host.at = START + 36 * 3_600
    fresh = signed(iat=int(host.at), nbf=int(host.at))
    assert open_near(lock, TENANT, fresh, carry()) == "opened"
    assert lock.heard_at == START - 60, "the delegate's own date, not the credential's"
    assert open_near(lock, THIEF, resident) == "opened"
    newer = PLATFORM.delegate(LANDLORD, iat=int(host.at), jti="delegate-2")
    assert open_near(lock, TENANT, issue(newer), carry(newer)) == "opened"
    assert lock.heard_at == int(host.at)
    assert open_near(lock, THIEF, resident) == "refused"


def test_with_an_unknown_clock_the_phone_is_asked_for_the_time(lock: Lock) -> None:
    touches.lose_power(lock)
    assert open_near(lock, TENANT, issue(), carry()) == "need_time"
