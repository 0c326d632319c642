"""The keypad: which digits open when, which never, and what is told of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backend.wire import codec, keypad, lock_messages, topics
from backend.wire.lock_documents import Window
from device_sim import touches
from device_sim.flash import MemoryFlash
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
    connect,
    deliver,
    events,
    make_lock,
    open_near,
    take,
)

PLATFORM = Platform()
PHONE, OTHER_PHONE = Phone(), Phone()
DAYS, ONCE, PERIOD = ("day",), ("once",), ("period",)
MIDNIGHT = keypad.day_of(START)[1]
WRONG = "00000000"


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def lock(host: Host) -> Lock:
    return make_lock(PLATFORM, host, pad=PLATFORM.pad)


def give(lock: Lock, version: int = 1, *keys: str, **entry: Any) -> None:
    assert lock.take_key_list(PLATFORM.key_list(version, *(keys or (KEY,)), **{"pad": DAYS, **entry})) is None


def told(lock: Lock) -> list[tuple[str, str | None, str | None]]:
    """What the log says, without the list's own change."""
    return [event for event in events(lock) if event[0] != "keys.changed"]


def later(lock: Lock, host: Host, seconds: float) -> None:
    host.at += seconds
    lock.tick()


def test_todays_code_opens_and_the_event_names_the_key_and_not_the_code(lock: Lock) -> None:
    give(lock)
    code = PLATFORM.day_code(START)
    assert lock.keypad.type_code(code) == "opened"
    assert lock.body.bolt == "unlocked"
    event = lock_messages.read_event(lock.log.kept()[-1].text)
    assert isinstance(event, lock_messages.EventText)
    assert (event.kind, event.key, event.via) == ("lock.unlocked", KEY, "keypad")


def test_a_code_of_another_day_key_lock_or_platform_does_not_open(lock: Lock) -> None:
    give(lock, 1, KEY, OTHER_KEY)
    foreign = Platform()
    for code in (
        PLATFORM.day_code(START - DAY),
        PLATFORM.day_code(START + DAY),
        PLATFORM.day_code(START, "key-3"),
        foreign.day_code(START),
    ):
        assert lock.keypad.type_code(code) == "refused"
    assert set(told(lock)) == {("access.denied", None, "wrong_code")}
    assert lock.body.bolt == "locked"


def test_a_keypad_code_of_an_ended_epoch_never_opens(lock: Lock, host: Host) -> None:
    give(lock, 1, pad=("day", "once"))
    old = [PLATFORM.day_code(START), PLATFORM.once_code(1)]
    new = PLATFORM.credential(OTHER_PHONE, sub=OTHER_KEY, occ=2, pad=("day", "once"))
    assert open_near(lock, OTHER_PHONE, new) == "opened"
    later(lock, host, 6)
    assert [lock.keypad.type_code(code) for code in old] == ["refused", "refused"]
    give(lock, 2, epoch=2)  # even when the key itself lives on in the new epoch
    assert lock.keypad.type_code(old[0]) == "refused"
    assert lock.keypad.type_code(PLATFORM.day_code(START, epoch=2)) == "opened"


def test_a_lock_that_was_never_online_learns_a_keys_codes_with_its_first_opening(lock: Lock) -> None:
    code = PLATFORM.day_code(START)
    assert lock.keypad.type_code(code) == "refused"
    assert open_near(lock, PHONE, PLATFORM.credential(PHONE, pad=DAYS)) == "opened"
    assert lock.keypad.type_code(code) == "opened"
    lock.reboot()
    assert lock.keypad.type_code(code) == "opened", "remembered in flash"


def test_a_credential_that_was_refused_or_has_no_codes_teaches_none(lock: Lock) -> None:
    assert open_near(lock, PHONE, PLATFORM.credential(PHONE)) == "opened"
    assert open_near(lock, PHONE, PLATFORM.credential(PHONE, pad=DAYS, rights=("lock",))) == "refused"
    assert open_near(lock, OTHER_PHONE, PLATFORM.credential(PHONE, pad=DAYS)) == "refused"
    assert lock.keypad.type_code(PLATFORM.day_code(START)) == "refused"


def test_a_code_lives_as_long_as_the_credential_that_taught_it_may(lock: Lock, host: Host) -> None:
    credential = PLATFORM.credential(PHONE, pad=DAYS, grc=30 * DAY)
    assert open_near(lock, PHONE, credential) == "opened"
    for _ in range(36):
        later(lock, host, DAY)
        lock.clock.sync(int(host.at))  # a good clock, though nothing was heard: else it is unknown after 34 days
        assert lock.keypad.type_code(PLATFORM.day_code(int(host.at))) == "opened"
    assert ("lock.unlocked", KEY, "outage_grace") in events(lock)
    later(lock, host, DAY)
    assert lock.keypad.type_code(PLATFORM.day_code(int(host.at))) == "refused"


def test_an_older_credential_shown_later_does_not_shorten_what_is_known(lock: Lock, host: Host) -> None:
    older = PLATFORM.credential(PHONE, pad=DAYS, exp=START + DAY)
    newer = PLATFORM.credential(PHONE, pad=DAYS, iat=START, exp=START + 7 * DAY)
    for credential in (newer, older):
        assert open_near(lock, PHONE, credential) == "opened"
    later(lock, host, 2 * DAY)
    assert lock.keypad.type_code(PLATFORM.day_code(START + 2 * DAY)) == "opened"


@pytest.mark.parametrize(
    "seconds, which, answer",
    [(-1, 0, "opened"), (-3, 1, "refused"), (-1, 1, "opened"), (1, -1, "opened"), (3, -1, "refused"), (0, 0, "opened")],
)
def test_around_midnight_the_neighbouring_day_counts_within_the_clocks_uncertainty(
    seconds: int, which: int, answer: str
) -> None:
    host = Host(MIDNIGHT + seconds)
    lock = make_lock(PLATFORM, host, pad=PLATFORM.pad)
    give(lock, nbf=START - 2 * DAY)
    assert lock.keypad.type_code(PLATFORM.day_code(int(host.at) + which * DAY)) == answer


def test_a_one_time_code_opens_once_and_kills_those_before_it(lock: Lock) -> None:
    give(lock, pad=ONCE)
    codes = {number: PLATFORM.once_code(number) for number in range(1, 12)}
    assert lock.keypad.type_code(codes[11]) == "refused", "more than a day has"
    assert lock.keypad.type_code(codes[3]) == "opened"
    lock.reboot()
    for number in (1, 2, 3):
        assert lock.keypad.type_code(codes[number]) == "refused"
    assert lock.keypad.type_code(codes[10]) == "opened", "the last of the day"
    assert lock.keypad.type_code(codes[9]) == "refused"


def test_a_day_of_codes_never_typed_takes_none_of_the_next_days(lock: Lock, host: Host) -> None:
    give(lock, pad=ONCE)
    unused = [PLATFORM.once_code(number) for number in range(1, 11)]
    later(lock, host, DAY)
    assert [lock.keypad.type_code(code) for code in unused[:3]] == ["refused"] * 3, "they died with their day"
    assert [lock.keypad.type_code(PLATFORM.once_code(n, START + DAY)) for n in (1, 2)] == ["opened"] * 2


@pytest.mark.parametrize(
    "seconds, which, answer",
    [(-3, 1, "refused"), (-1, 1, "opened"), (0, 0, "opened"), (1, -1, "opened"), (3, -1, "refused")],
)
def test_around_midnight_the_neighbouring_days_one_time_codes_count_each_with_their_own_numbers(
    seconds: int, which: int, answer: str
) -> None:
    host = Host(MIDNIGHT + seconds)
    lock = make_lock(PLATFORM, host, pad=PLATFORM.pad)
    give(lock, pad=ONCE, nbf=START - 2 * DAY)
    today, other = int(host.at), int(host.at) + which * DAY
    assert lock.keypad.type_code(PLATFORM.once_code(9, today)) == "opened"
    assert lock.keypad.type_code(PLATFORM.once_code(1, today)) == "refused"
    assert lock.keypad.type_code(PLATFORM.once_code(1 if which else 10, other)) == answer


def test_a_used_one_time_code_stays_dead_when_the_clock_ran_ahead_and_is_set_back(lock: Lock, host: Host) -> None:
    give(lock, pad=ONCE)
    assert lock.keypad.type_code(PLATFORM.once_code(1)) == "opened"
    lock.clock.jump(3 * DAY)
    assert lock.keypad.type_code(PLATFORM.once_code(1, START + 3 * DAY)) == "opened"
    lock.clock.sync(int(host.at))
    lock.reboot()
    assert lock.keypad.type_code(PLATFORM.once_code(1)) == "refused"
    assert lock.keypad.type_code(PLATFORM.once_code(2)) == "opened"


def test_the_numbers_of_days_past_are_forgotten_with_the_next_use_after_the_signed_time(
    lock: Lock, host: Host
) -> None:
    give(lock, 1, KEY, OTHER_KEY, pad=ONCE)
    for key in (KEY, OTHER_KEY):
        assert lock.keypad.type_code(PLATFORM.once_code(1, key=key)) == "opened"
    later(lock, host, DAY)
    assert lock.keypad.type_code(PLATFORM.once_code(1, START + DAY)) == "opened"
    assert len(lock.keys.numbers) == 3, "no signed time since"
    lock.clock.sync(int(host.at))
    assert lock.keypad.type_code(PLATFORM.once_code(2, START + DAY)) == "opened"
    assert lock.keys.numbers == {(KEY, MIDNIGHT + DAY): 2}


def test_used_one_time_codes_stay_dead_over_a_wipe_by_order_and_the_same_list_again(lock: Lock) -> None:
    give(lock, pad=ONCE)
    assert lock.keypad.type_code(PLATFORM.once_code(2)) == "opened"
    lock.erase_keys()
    assert lock.keypad.type_code(PLATFORM.once_code(3)) == "refused"
    give(lock, 1, pad=ONCE)
    assert lock.keypad.type_code(PLATFORM.once_code(2)) == "refused"
    assert lock.keypad.type_code(PLATFORM.once_code(3)) == "opened"


def test_a_period_code_needs_an_end_and_opens_until_it(lock: Lock, host: Host) -> None:
    ends = START + 3 * DAY
    give(lock, 1, pad=PERIOD)
    endless = keypad.period_code(PLATFORM.secret(), KEY, 1, START - 60, ends)
    assert lock.keypad.type_code(endless) == "refused"
    give(lock, 2, pad=PERIOD, exp=ends)
    code = keypad.period_code(PLATFORM.secret(), KEY, 1, START - 60, ends)
    assert lock.keypad.type_code(code) == "opened"
    later(lock, host, 3 * DAY)
    assert lock.keypad.type_code(code) == "refused"
    assert events(lock)[-1] == ("access.denied", KEY, "expired")


@pytest.mark.parametrize(
    "entry, reason",
    [
        ({"nbf": START + 3_600}, "not_yet_valid"),
        ({"exp": START}, "expired"),
        ({"sched": (Window("6", 0, 1),)}, "outside_schedule"),
        ({"rights": ("lock",)}, "no_right"),
    ],
)
def test_a_right_code_that_does_not_hold_is_refused_with_its_reason_in_the_event(
    lock: Lock, entry: dict[str, Any], reason: str
) -> None:
    give(lock, **entry)
    assert lock.keypad.type_code(PLATFORM.day_code(START)) == "refused"
    assert told(lock) == [("access.denied", KEY, reason)] and lock.body.bolt == "locked"


def test_a_revoked_keys_code_is_dead_with_the_list_that_any_phone_carries(lock: Lock) -> None:
    give(lock)
    carried = Carried(revocation=PLATFORM.revocation(2, KEY))
    assert open_near(lock, OTHER_PHONE, PLATFORM.credential(OTHER_PHONE, sub=OTHER_KEY), carried) == "opened"
    assert lock.keypad.type_code(PLATFORM.day_code(START)) == "refused"
    assert events(lock)[-1] == ("access.denied", KEY, "revoked")


def test_uses_are_counted_together_over_list_credential_and_keypad(lock: Lock) -> None:
    connect(lock)
    give(lock, uses=3, pad=DAYS)
    code, credential = PLATFORM.day_code(START), PLATFORM.credential(PHONE, uses=3)
    assert lock.keypad.type_code(code) == "opened"
    assert open_near(lock, PHONE, credential) == "opened"
    deliver(lock, topics.COMMAND, PLATFORM.order(lock, "command-1", 1))
    assert lock.keys.uses == {KEY: 3}
    lock.reboot()
    assert lock.keypad.type_code(code) == "refused"
    assert open_near(lock, PHONE, credential) == "refused"
    assert events(lock)[-2:] == [("access.denied", KEY, "used_up")] * 2
    give(lock, 2, uses=3, pad=DAYS)
    assert lock.keypad.type_code(code) == "refused", "a newer list does not begin to count anew"


def test_a_use_and_a_number_are_in_flash_before_the_bolt_moves(lock: Lock, host: Host) -> None:
    give(lock, uses=1, pad=ONCE)
    lock.body.jammed = True
    assert lock.keypad.type_code(PLATFORM.once_code(1)) == "refused"
    assert events(lock)[-1] == ("lock.jammed", KEY, None)
    again = make_lock(PLATFORM, host, lock._flash, pad=PLATFORM.pad)
    assert (again.keys.uses, again.keys.numbers) == ({KEY: 1}, {(KEY, MIDNIGHT): 1})


def test_with_an_unknown_clock_no_code_opens_since_a_code_cannot_ask_for_the_time(lock: Lock) -> None:
    give(lock, pad=("day", "once"))
    touches.lose_power(lock)
    assert lock.keypad.type_code(PLATFORM.day_code(START)) == "refused"
    assert lock.keypad.type_code(PLATFORM.once_code(1)) == "refused"
    assert events(lock)[-1] == ("access.denied", KEY, "need_time")
    lock.clock.sync(START)
    assert lock.keypad.type_code(PLATFORM.once_code(1)) == "opened"


def test_a_key_that_wants_the_time_verified_needs_a_good_clock_for_its_code(lock: Lock, host: Host) -> None:
    give(lock, tvr=True)
    host.at += 5 * DAY
    assert lock.clock.quality() == "drifting"
    assert lock.keypad.type_code(PLATFORM.day_code(int(host.at))) == "refused"
    assert events(lock)[-1] == ("access.denied", KEY, "need_time")


def test_privacy_and_an_empty_battery_refuse_a_code_and_are_no_guesses(lock: Lock) -> None:
    give(lock)
    touches.set_privacy(lock, True)
    for _ in range(7):
        assert lock.keypad.type_code(PLATFORM.day_code(START)) == "refused"
    touches.set_privacy(lock, False)
    touches.set_battery(lock, 2)
    assert lock.keypad.type_code(PLATFORM.day_code(START)) == "refused"
    touches.set_battery(lock, 60)
    assert lock.keypad.type_code(PLATFORM.day_code(START)) == "opened"


def test_five_wrong_codes_lock_the_keypad_longer_each_time_and_a_right_one_forgets_it(lock: Lock, host: Host) -> None:
    give(lock)
    lasted = []
    for _ in range(8):
        for _ in range(5):
            assert lock.keypad.type_code(WRONG) == "refused"
        lasted.append(int(lock.keypad.due_at() - host.at))
        later(lock, host, lasted[-1] - 1)
        assert lock.keypad.type_code(PLATFORM.day_code(int(host.at))) == "waiting"
        later(lock, host, 1)
    assert lasted == [60, 120, 240, 480, 960, 1_920, 3_600, 3_600]
    assert lock.keypad.type_code(PLATFORM.day_code(int(host.at))) == "opened"
    for _ in range(5):
        lock.keypad.type_code(WRONG)
    assert lock.keypad.due_at() == host.at + 60


def test_during_a_lockout_nothing_is_recorded_one_by_one(lock: Lock) -> None:
    give(lock)
    for _ in range(500):
        lock.keypad.type_code(WRONG)
    kinds = [kind for kind, _, _ in told(lock)]
    assert kinds == ["access.denied"] * 5 + ["lockout.started"]


def test_an_ended_code_is_a_wrong_try_so_that_nobody_guesses_on_with_it(lock: Lock) -> None:
    give(lock, exp=START)
    for _ in range(5):
        assert lock.keypad.type_code(PLATFORM.day_code(START)) == "refused"
    assert lock.keypad.state == "waiting"


def test_the_keypads_lockout_never_blocks_the_near_link_nor_the_other_way_round(lock: Lock) -> None:
    give(lock)
    credential = PLATFORM.credential(PHONE)
    for _ in range(5):
        lock.keypad.type_code(WRONG)
    assert lock.keypad.type_code(PLATFORM.day_code(START)) == "waiting"
    assert open_near(lock, PHONE, credential) == "opened"
    other = make_lock(PLATFORM, Host(), pad=PLATFORM.pad)
    give(other)
    for _ in range(6):
        assert open_near(other, OTHER_PHONE, credential) == "refused"
    assert ("lockout.started", None, None) in events(other)
    assert other.keypad.type_code(PLATFORM.day_code(START)) == "opened"


def test_pulling_the_battery_shortens_no_lockout(lock: Lock, host: Host) -> None:
    give(lock)
    for _ in range(4):
        lock.keypad.type_code(WRONG)
    lock.reboot()
    assert lock.keypad.type_code(WRONG) == "refused"
    host.at += 50
    lock.reboot()
    host.at += 50
    assert lock.keypad.type_code(PLATFORM.day_code(START)) == "waiting"
    later(lock, host, 10)
    assert events(lock)[-1][0] == "lockout.ended"
    assert lock.keypad.type_code(PLATFORM.day_code(START)) == "opened"


@pytest.mark.parametrize("typed", ["", "1", "123456789", "abcdefgh", "١٢٣٤٥٦٧٨", "\ud800" * 8, "0" * 10_000])
def test_what_is_no_code_is_a_wrong_try(lock: Lock, typed: str) -> None:
    give(lock)
    assert lock.keypad.type_code(typed) == "refused"
    assert told(lock) == [("access.denied", None, "wrong_code")]


def test_without_the_platforms_key_there_is_no_keypad_until_the_first_configuration(host: Host) -> None:
    lock = make_lock(PLATFORM, host)
    give(lock)
    assert lock.keypad.state == "unset"
    assert lock.keypad.type_code(PLATFORM.day_code(START)) == "refused"
    lock.take_config(PLATFORM.config(1, pad=PLATFORM.pad))
    assert lock.keypad.type_code(PLATFORM.day_code(START)) == "opened"
    lock.reboot()
    assert lock.keypad.type_code(PLATFORM.day_code(START)) == "opened"
    newer = Platform(key=PLATFORM.key)
    lock.take_config(PLATFORM.config(2, pad=newer.pad))
    assert lock.keypad.type_code(PLATFORM.day_code(START)) == "refused"
    assert lock.keypad.type_code(newer.day_code(START)) == "opened"


def test_no_code_is_told_kept_or_shown(host: Host) -> None:
    flash = MemoryFlash()
    lock = make_lock(PLATFORM, host, flash, pad=PLATFORM.pad)
    connect(lock)
    give(lock, 1, pad=("day", "once", "period"), exp=START + DAY)
    period = keypad.period_code(PLATFORM.secret(), KEY, 1, START - 60, START + DAY)
    codes = [PLATFORM.day_code(START), PLATFORM.once_code(1), period, WRONG, "87654321"]
    for code in codes:
        lock.keypad.type_code(code)
    lock.save()
    said = [str(message) for _, message in take(lock)]
    seen = json.dumps([lock.describe(), flash.load(), [stored.text for stored in flash.load_events()], said])
    assert not [code for code in codes if code in seen]
    assert PLATFORM.secret().hex() not in seen and codec.dump(PLATFORM.pad) not in seen


def test_a_flash_written_before_there_were_keypads_is_read(host: Host) -> None:
    flash = MemoryFlash()
    lock = make_lock(PLATFORM, host, flash)
    lock.save()
    state = flash.load()
    assert state is not None
    del state["keypad"], state["keys"]["shown"], state["keys"]["numbers_of_days"]
    flash.save(state)
    assert make_lock(PLATFORM, host, flash).describe()["events"] == 0


def test_a_flash_that_counted_one_time_codes_without_days_is_read(host: Host) -> None:
    flash = MemoryFlash()
    give(make_lock(PLATFORM, host, flash, pad=PLATFORM.pad), pad=ONCE)
    state = flash.load()
    assert state is not None
    del state["keys"]["numbers_of_days"]
    state["keys"]["numbers"] = {KEY: 7}
    flash.save(state)
    lock = make_lock(PLATFORM, host, flash, pad=PLATFORM.pad)
    assert lock.keypad.type_code(PLATFORM.once_code(1)) == "opened"


def test_the_agreement_key_is_what_the_manifest_says() -> None:
    ours = keypad.derive_secret(IDENTITY.agreement_key, PLATFORM.pad, IDENTITY.lock_id)
    assert ours == PLATFORM.secret()
