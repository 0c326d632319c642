"""Sends a lock's events up: consecutive batches, a bounded number unacknowledged, again when nothing comes back."""

from __future__ import annotations

from collections.abc import Callable

from backend.wire.jwk import base64url
from backend.wire.lock_messages import MOST_EVENTS, EventBatch
from device_sim.event_log import EventLog

IN_FLIGHT = 8 * MOST_EVENTS
FIRST_RESEND_SECONDS = 10.0
LONGEST_RESEND_SECONDS = 60.0

Checkpoints = list[tuple[int, str]]  # (sequence, signed token), oldest first


class EventUplink:
    """One lock's sender of events. It is silent until the platform has answered this session's birth.

    `checkpoints` is the lock's own list: what is known to be stored is taken out of it here.
    """

    def __init__(
        self,
        log: EventLog,
        checkpoints: Checkpoints,
        now: Callable[[], float],
        send: Callable[[EventBatch], None],
    ) -> None:
        self._log = log
        self._checkpoints = checkpoints
        self._now = now
        self._send = send
        self._next: int | None = None  # next sequence to send; None: no answered session
        self._late_until = 0
        self._waiting_since = 0.0
        self._patience = FIRST_RESEND_SECONDS

    @property
    def is_open(self) -> bool:
        """Whether events go up: the platform has answered."""
        return self._next is not None

    def begin(self) -> None:
        """A session begins: what happened before it is late."""
        self._next, self._late_until = None, self._log.seq

    def end(self) -> None:
        """The session is over."""
        self._next = None

    def answered(self) -> None:
        """The platform has told where it stands: go on from there, with the checkpoints it has not seen."""
        self._send_lone_checkpoints()
        self._forget_checkpoints()
        self._patience = FIRST_RESEND_SECONDS
        self._next = self._log.acked_seq + 1
        self.pump()

    def acknowledged(self) -> None:
        """Something was acknowledged: patience is restored and the window moves."""
        self._waiting_since, self._patience = self._now(), FIRST_RESEND_SECONDS
        self._forget_checkpoints()
        if self._next is not None:
            self._next = max(self._next, self._log.acked_seq + 1)
            self.pump()

    def go_back(self) -> None:
        """Send again everything that is not acknowledged, and what is signed over an end that is."""
        if self._next is not None:
            self._send_lone_checkpoints()
            self._next = self._log.acked_seq + 1
            self.pump()

    def pump(self) -> None:
        """Send what the window allows."""
        if self._next is None:
            return
        if self._next == self._log.acked_seq + 1:
            self._waiting_since = self._now()
        limit = min(self._log.seq, self._log.acked_seq + IN_FLIGHT)
        while self._next <= limit:
            late = self._next <= self._late_until
            last = min(limit, self._late_until) if late else limit
            previous, texts = self._log.batch(self._next, last)
            end = self._next + len(texts) - 1
            signed = [token for seq, token in self._checkpoints if self._next <= seq <= end][-4:]
            self._send(EventBatch(self._log.acked_seq + 1, previous, texts, tuple(signed), late))
            self._next = end + 1

    def due_at(self) -> float | None:
        """When to send again, or None when nothing is awaited."""
        waiting = self._next is not None and self._next > self._log.acked_seq + 1
        return self._waiting_since + self._patience if waiting else None

    def tick(self) -> None:
        """Send again when nothing was acknowledged for a while; the wait doubles up to a minute."""
        due = self.due_at()
        if due is not None and self._now() >= due:
            self._patience = min(self._patience * 2, LONGEST_RESEND_SECONDS)
            self.go_back()

    def _send_lone_checkpoints(self) -> None:
        for seq, token in self._checkpoints:
            if seq == self._log.acked_seq:  # no event will come that carries it
                self._send(EventBatch(seq + 1, base64url(self._log.acked_head), (), (token,), late=False))

    def _forget_checkpoints(self) -> None:
        self._checkpoints[:] = [checkpoint for checkpoint in self._checkpoints if checkpoint[0] > self._log.acked_seq]
