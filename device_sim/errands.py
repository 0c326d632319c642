"""What a phone does for the platform at a lock without network: it collects sealed events, whosever phone it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.wire import sealed_events
from backend.wire.jwk import base64url
from backend.wire.lock_documents import Checkpoint
from backend.wire.lock_messages import EventBatch
from backend.wire.near_messages import Collected

if TYPE_CHECKING:
    from device_sim.lock import Lock

MOST_ITEMS = 8
NOTHING = Collected(more=False)


class Errand:
    """The items of one honoured conversation, from the oldest event that is not known to be stored.

    A lock that the platform hears itself gives none, nor does one that has no secret with the platform yet. What is
    given stays in flash: it is forgotten when the platform's acknowledgement has come back, by whomever.
    """

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._given_to = 0  # the last sequence given on this errand
        self._left = MOST_ITEMS

    def next(self) -> Collected:
        """The next item, or nothing."""
        lock, pad = self._lock, self._lock.pad
        first = self._first()
        if pad is None or lock.session.is_heard or first > lock.log.seq or not self._left:
            return NOTHING
        batch = self._batch(first)
        self._left, self._given_to = self._left - 1, first + len(batch.events) - 1
        identity = lock.identity
        secret = sealed_events.derive_secret(identity.agreement_key, pad, identity.lock_id)
        item = sealed_events.seal(secret, identity.lock_id, lock.entropy(sealed_events.NONCE_BYTES), batch)
        return Collected(more=self._left > 0 and self._given_to < lock.log.seq, item=item)

    def _first(self) -> int:
        return max(self._given_to, self._lock.log.acked_seq) + 1

    def _batch(self, first: int) -> EventBatch:
        """As many events as fit, with a fresh checkpoint over the last of them."""
        lock, log = self._lock, self._lock.log
        previous, texts = log.batch(first, log.seq)
        texts = sealed_events.fitting(texts)
        end = first + len(texts) - 1
        head = base64url(log.hash_at(end))
        checkpoint = lock.sign("lockchk", Checkpoint(lock.identity.lock_id, lock.clock.now(), end, head, lock.boot))
        return EventBatch(log.acked_seq + 1, previous, texts, (checkpoint,), late=True)
