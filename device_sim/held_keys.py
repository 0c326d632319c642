"""What a lock holds about keys: the list, the epoch, the revocations, the uses; and its word on each of them.

Every document is applied whole or not at all, and only when it is newer. A refusal is a word, None means allowed.
"""

from __future__ import annotations

from typing import Any

from backend.wire.lock_documents import (
    Credential,
    KeyEntry,
    KeyList,
    Order,
    Revocation,
    Window,
    claims_of,
    content_hash,
    document_from,
)
from device_sim.clock import Moment

MOST_KEYS = 200  # the slots of this model


class HeldKeys:
    """The key store of one lock."""

    def __init__(self) -> None:
        self.epoch = 0
        self.list_version = 0
        self.list_hash: str | None = None
        self.revocation_version = 0
        self.revoked: frozenset[str] = frozenset()
        self.entries: dict[str, KeyEntry] = {}
        self.uses: dict[str, int] = {}

    def apply_list(self, document: KeyList) -> str | None:
        """Take a newer list whole. Refuses `older_list`, `other_list`, `older_epoch`, `too_many_keys`, `bad_list`."""
        digest = content_hash(document)
        if document.ver < self.list_version:
            return "older_list"
        if document.ver == self.list_version:
            return None if digest == self.list_hash else "other_list"
        if document.occ < self.epoch:
            return "older_epoch"
        entries = {entry.id: entry for entry in document.keys}
        if len(entries) != len(document.keys):
            return "bad_list"
        if len(entries) > MOST_KEYS:
            return "too_many_keys"
        self.raise_epoch(document.occ)
        self.list_version, self.list_hash, self.entries = document.ver, digest, entries
        self._revoke(document.ver, document.rev)
        return None

    def apply_revocation(self, document: Revocation) -> str | None:
        """Take a newer revocation list, and its epoch: it does not name keys of earlier ones. Refuses `older_list`."""
        if document.ver < self.revocation_version or document.occ < self.epoch:
            return "older_list"
        self.raise_epoch(document.occ)
        self._revoke(document.ver, document.rev)
        return None

    def raise_epoch(self, epoch: int) -> bool:
        """Raise the occupancy epoch; every key of an earlier one is dead from now on. Never lowers it."""
        if epoch <= self.epoch:
            return False
        self.epoch = epoch
        self.entries = {}
        self.uses = {}
        return True

    def refuse_order(self, order: Order, moment: Moment) -> str | None:
        """Why this command may not open now, or None: key on the list, not revoked, epoch, period, schedule, uses."""
        entry = self.entries.get(order.key or "")
        if order.key in self.revoked:
            return "revoked"
        if (order.occ or 0) < self.epoch:
            return "old_epoch"
        if entry is None or order.occ != self.epoch:
            return "unknown_key"
        if order.act not in entry.rights:
            return "no_right"
        return self._refuse_time(entry.nbf, entry.exp, entry.sched, moment) or self._refuse_uses(
            entry.id, entry.uses, needs_time=bool(entry.tvr) and moment.quality != "ok"
        )

    def refuse_credential(self, credential: Credential, action: str, moment: Moment) -> str | None:
        """Why this credential may not open now, or None: revocation, epoch, rights, schedule, uses; not its life."""
        if credential.sub in self.revoked:
            return "revoked"
        if credential.occ < self.epoch:
            return "old_epoch"
        if action not in credential.rights:
            return "no_right"
        if moment.quality == "unknown":
            return "need_time"
        return self._refuse_time(credential.nbf, None, credential.sched, moment) or self._refuse_uses(
            credential.sub, credential.uses, needs_time=bool(credential.tvr) and moment.quality != "ok"
        )

    def count_use(self, key_id: str) -> None:
        """Count one use of a key, before it opens."""
        self.uses[key_id] = self.uses.get(key_id, 0) + 1

    def _revoke(self, version: int, revoked: tuple[str, ...]) -> None:
        if version >= self.revocation_version:
            self.revocation_version, self.revoked = version, frozenset(revoked)

    @staticmethod
    def _refuse_time(nbf: int, exp: int | None, sched: tuple[Window, ...] | None, moment: Moment) -> str | None:
        if moment.at + moment.uncertainty < nbf:  # a clock some seconds behind must not refuse a key made just now
            return "not_yet_valid"
        if exp is not None and moment.at >= exp:
            return "expired"
        if sched and not any(window.holds(moment.at) for window in sched):
            return "outside_schedule"
        return None

    def _refuse_uses(self, key_id: str, most: int | None, *, needs_time: bool) -> str | None:
        if needs_time:
            return "need_time"
        return "used_up" if most is not None and self.uses.get(key_id, 0) >= most else None

    def to_state(self) -> dict[str, Any]:
        """What flash must remember."""
        return {
            "epoch": self.epoch,
            "list_version": self.list_version,
            "list_hash": self.list_hash,
            "revocation_version": self.revocation_version,
            "revoked": sorted(self.revoked),
            "entries": [claims_of(entry) for entry in self.entries.values()],
            "uses": self.uses,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> HeldKeys:
        """Come back from flash."""
        held = cls()
        held.epoch, held.list_version, held.list_hash = state["epoch"], state["list_version"], state["list_hash"]
        held.revocation_version, held.revoked = state["revocation_version"], frozenset(state["revoked"])
        entries = (document_from(KeyEntry, entry) for entry in state["entries"])
        held.entries = {entry.id: entry for entry in entries}
        held.uses = dict(state["uses"])
        return held
