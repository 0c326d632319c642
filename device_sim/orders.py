"""How a lock treats commands that come over MQTT: once, in order, in time, and the same answer to the same command."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from backend.wire import codec
from backend.wire.lock_documents import Order
from backend.wire.lock_messages import CommandResult
from backend.wire.topics import COMMAND, RESULT
from device_sim.clock import Moment

if TYPE_CHECKING:
    from device_sim.lock import Lock

REMEMBERED = 64
LONGEST_LIFE = COMMAND.max_age_seconds or 0


class Orders:
    """The memory of the last commands and the checks before one is obeyed."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self.counter = 0
        self.answers: OrderedDict[str, str] = OrderedDict()  # command id → exact text of its last answer

    def obey(self, order: Order) -> None:
        """Obey or refuse a verified command and answer it; a repeated one gets the same answer and nothing else."""
        known = self.answers.get(order.jti)
        if known is not None:
            self._lock.session.send(RESULT, known.encode())
            return
        reason = self._refuse(order, self._lock.clock.moment())
        self.counter = max(self.counter, order.ctr)
        if reason is not None:
            seq = None
            if order.act in ("unlock", "lock"):
                seq = self._lock.record("access.denied", key=order.key, command=order.jti, via="mqtt", reason=reason)
            self._answer(order, "refused", reason, seq)
        elif order.act in ("unlock", "lock"):
            self._move(order)
        elif order.act == "wipe":
            self._answer(order, "executed", None, self._lock.erase_keys())
            self._lock.session.report_keys()
        else:
            self._answer(order, "executed", None, None)
            self._lock.session.serve(order.act)

    def _move(self, order: Order) -> None:
        self._answer(order, "accepted", None, None)
        if order.key is not None and order.act == "unlock":
            self._lock.keys.count_use(order.key)
        self._lock.save()  # the counter and the use are in flash before anything moves
        moved, seq = self._lock.move_bolt(order.act, key=order.key, command=order.jti, via="mqtt")
        self._answer(order, "executed" if moved else "refused", None if moved else "jammed", seq)

    def _refuse(self, order: Order, moment: Moment) -> str | None:
        """The lock's order of checks for a command; the first that fails is the reason."""
        if order.boot != self._lock.boot:
            return "wrong_boot"
        if order.ctr <= self.counter:
            return "stale_counter"
        if moment.quality == "unknown" or order.iat > moment.at + moment.uncertainty + 5:
            self._lock.session.ask_time()
            return "need_time"
        if order.exp - order.iat > LONGEST_LIFE:
            return "too_long_lived"  # an unlock that waits for its moment is none
        if moment.at >= order.exp:
            return "expired"
        if order.act not in ("unlock", "lock"):
            return None
        return self._lock.keys.refuse_order(order, moment) or self._lock.body.refuse()

    def _answer(self, order: Order, state: str, reason: str | None, seq: int | None) -> None:
        lock = self._lock
        result = CommandResult(order.jti, state, lock.boot, lock.clock.now(), reason=reason, seq=seq)
        text = codec.encode(result)
        self.answers[order.jti] = text.decode()
        while len(self.answers) > REMEMBERED:
            self.answers.popitem(last=False)
        if state != "accepted":
            lock.save()
        lock.session.send(RESULT, text)

    def to_state(self) -> dict[str, Any]:
        """What flash must remember."""
        return {"counter": self.counter, "answers": list(self.answers.items())}

    def restore(self, state: dict[str, Any]) -> None:
        """Come back from flash."""
        self.counter = state["counter"]
        self.answers = OrderedDict((command, text) for command, text in state["answers"])
