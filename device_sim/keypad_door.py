"""The lock's keypad: eight digits that the lock derives itself, without network. Nothing of a code is kept or told.

Which codes there are, and what they are made of, stands in backend.wire.keypad.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from backend.wire import keypad
from device_sim.clock import Moment
from device_sim.held_keys import Right

if TYPE_CHECKING:
    from device_sim.lock import Lock

Single = tuple[int, int]  # a one-time code: the end of its day, and its number on it

WRONG_CODES = 5
FIRST_LOCKOUT_SECONDS = 60
LONGEST_LOCKOUT_SECONDS = 3_600
NEVER = float("inf")
# Not the fault of whoever typed; everything else counts as a wrong try, so that nobody guesses on with an ended code.
NO_GUESS = frozenset({"need_time", "privacy", "battery"})


class KeypadDoor:
    """The keypad of one lock. Its lockout and that of the near link know nothing of each other."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._wrong = 0
        self._patience = FIRST_LOCKOUT_SECONDS  # how long the next lockout, or the running one, lasts
        self._ends = NEVER
        self._secret: tuple[dict[str, str], bytes] | None = None

    @property
    def state(self) -> str:
        """`ready`, `waiting` while locked out, `unset` while the platform's key is not known."""
        return "waiting" if self._ends != NEVER else "ready" if self._lock.pad else "unset"

    def type_code(self, digits: str) -> str:
        """Somebody typed this: `opened`, `refused`, or `waiting` while the keypad is locked out."""
        lock, moment = self._lock, self._lock.clock.moment()
        self.tick(lock.clock.ticks())
        if self._ends != NEVER:
            return "waiting"  # and nothing is written: nobody can wash the log away
        right, single = self._recognise(digits, moment)
        if right is None:
            return self._refuse(None, "need_time" if moment.quality == "unknown" else "wrong_code")
        refused = lock.keys.refuse_code(right, moment, lock.heard_at) or lock.body.refuse()
        if refused is not None:
            return self._refuse(right.key, refused)
        self._wrong, self._patience = 0, FIRST_LOCKOUT_SECONDS
        if single is not None:
            lock.keys.use_number(right.key, *single, lock.clock.synced_at)
        lock.keys.count_use(right.key)
        lock.save()  # the use and the number are in flash before anything moves
        note = "outage_grace" if right.exp is not None and moment.at >= right.exp else None
        moved, _ = lock.move_bolt("unlock", key=right.key, command=None, via="keypad", reason=note)
        return "opened" if moved else "refused"

    def due_at(self) -> float:
        """When the lockout ends, by the counter."""
        return self._ends

    def tick(self, now: float) -> None:
        """End the lockout in its time; the next one will be twice as long."""
        if now >= self._ends:
            self._wrong, self._ends = 0, NEVER
            self._patience = min(2 * self._patience, LONGEST_LOCKOUT_SECONDS)
            self._lock.save()
            self._lock.record("lockout.ended", via="keypad")

    def _refuse(self, key: str | None, reason: str) -> str:
        self._lock.record("access.denied", key=key, via="keypad", reason=reason)
        if key is None or reason not in NO_GUESS:
            self._wrong += 1
            if self._wrong >= WRONG_CODES:
                self._ends = self._lock.clock.ticks() + self._patience
                self._lock.record("lockout.started", via="keypad")
            self._lock.save()
        return "refused"

    def _recognise(self, digits: str, moment: Moment) -> tuple[Right | None, Single | None]:
        """Whose code this is, and which one-time code. Every code is compared, in constant time."""
        found: tuple[Right | None, Single | None] = (None, None)
        typed = digits.encode(errors="replace")
        for right, code, single in self._codes(moment):
            if hmac.compare_digest(code.encode(), typed):
                found = (right, single)
        return found

    def _codes(self, moment: Moment) -> Iterator[tuple[Right, str, Single | None]]:
        """Every code that could be meant now: by the key's kinds, in the present epoch."""
        lock, secret = self._lock, self._agreed_secret()
        if secret is None:
            return
        epoch = lock.keys.epoch
        near_midnight = (moment.at - moment.uncertainty, moment.at, moment.at + moment.uncertainty)
        days = {keypad.day_of(max(0, at)) for at in near_midnight}
        for right in lock.keys.rights_with_codes():
            if "day" in right.codes:
                for first, end in sorted(days):
                    yield right, keypad.day_code(secret, right.key, epoch, first, end), None
            if "period" in right.codes and right.exp is not None:
                yield right, keypad.period_code(secret, right.key, epoch, right.nbf, right.exp), None
            if "once" in right.codes:
                for _first, end in sorted(days):
                    used = lock.keys.numbers.get((right.key, end), 0)
                    for number in range(used + 1, keypad.MOST_ONCE_A_DAY + 1):
                        yield right, keypad.once_code(secret, right.key, epoch, number, end), (end, number)

    def _agreed_secret(self) -> bytes | None:
        """The secret shared with the platform, in memory alone; made when it is first needed."""
        pad = self._lock.pad
        if pad is None:
            return None
        if self._secret is None or self._secret[0] != pad:
            identity = self._lock.identity
            self._secret = (pad, keypad.derive_secret(identity.agreement_key, pad, identity.lock_id))
        return self._secret[1]

    def to_state(self) -> dict[str, Any]:
        """What flash must remember: how often somebody was wrong, never what was typed."""
        return {"wrong": self._wrong, "patience": self._patience, "locked_out": self._ends != NEVER}

    def restore(self, state: dict[str, Any]) -> None:
        """Come back from flash; a lockout begins anew, so that pulling the battery shortens none."""
        self._wrong, self._patience = state["wrong"], state["patience"]
        self._ends = self._lock.clock.ticks() + self._patience if state["locked_out"] else NEVER
