"""What a lock holds about keys: the list, the epoch, the revocations, the uses; and its word on each of them.

Every document is applied whole or not at all, and only when it is newer. A refusal is a word, None means allowed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from backend.wire.jwk import public_key_from_jwk, thumbprint
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
from device_sim.clock import UNKNOWN_SECONDS, Moment

MOST_KEYS = 200  # the slots of this model
MOST_NUMBERS = 512  # of days of keys with a one-time code used, the one longest unused forgotten first


@dataclass(frozen=True)
class Right:
    """One key as it may be used, wherever the lock has it from: its list, or a credential that was shown."""

    key: str
    rights: tuple[str, ...]
    nbf: int
    exp: int | None
    sched: tuple[Window, ...] | None
    tvr: bool
    uses: int | None
    grace_seconds: int = 0
    codes: tuple[str, ...] = ()

    @classmethod
    def of_entry(cls, entry: KeyEntry) -> Right:
        """The right an entry of the list gives."""
        return cls(
            entry.id, entry.rights, entry.nbf, entry.exp, entry.sched, bool(entry.tvr), entry.uses, 0, entry.pad or ()
        )

    @classmethod
    def of_credential(cls, shown: Credential) -> Right:
        """The right a credential gives."""
        return cls(
            shown.sub,
            shown.rights,
            shown.nbf,
            shown.exp,
            shown.sched,
            bool(shown.tvr),
            shown.uses,
            shown.grc or 0,
            shown.pad or (),
        )


class HeldKeys:
    """The key store of one lock.

    `shown` are the credentials with keypad codes honoured in this epoch: so a lock without network knows them.
    `numbers` is the highest one-time code used, by key and end of its day; it outlives epochs, since the platform goes
    on counting.
    """

    def __init__(self) -> None:
        self.epoch = 0
        self.list_version = 0
        self.list_hash: str | None = None
        self.revocation_version = 0
        self.revoked: frozenset[str] = frozenset()
        self.entries: dict[str, KeyEntry] = {}
        self.shown: dict[str, Credential] = {}
        self.uses: dict[str, int] = {}
        self.numbers: dict[tuple[str, int], int] = {}

    def apply_list(self, document: KeyList) -> str | None:
        """Take a newer list whole. Refuses `older_list`, `other_list`, `older_epoch`, `too_many_keys`, `bad_list`."""
        digest = content_hash(document)
        if document.ver < self.list_version:
            return "older_list"
        if document.ver == self.list_version and self.list_hash is not None:  # None: erased, the same one may come back
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
        self.entries, self.shown, self.uses = {}, {}, {}
        return True

    def erase(self) -> None:
        """Forget every key and its uses; epoch, versions, revocations and used numbers stay, so no dead key revives."""
        self.entries, self.shown, self.uses = {}, {}, {}
        self.list_hash = None

    def refuse_order(self, order: Order, moment: Moment) -> str | None:
        """Why this command may not open now, or None: on the list, not revoked, epoch, then as `refuse_right`."""
        entry = self.entries.get(order.key or "")
        if order.key in self.revoked:
            return "revoked"
        if (order.occ or 0) < self.epoch:
            return "old_epoch"
        if entry is None or order.occ != self.epoch:
            return "unknown_key"
        return self.refuse_right(Right.of_entry(entry), order.act, moment, heard_at=0)

    def refuse_credential(self, credential: Credential, action: str, moment: Moment, heard_at: int) -> str | None:
        """Why this credential may not open now, or None: revocation, epoch, then as `refuse_right`."""
        if credential.sub in self.revoked:
            return "revoked"
        if credential.occ < self.epoch:
            return "old_epoch"
        return self.refuse_right(Right.of_credential(credential), action, moment, heard_at)

    def refuse_code(self, right: Right, moment: Moment, heard_at: int) -> str | None:
        """Why a right keypad code of this key may not open now, or None; keys of earlier epochs have no code at all."""
        return "revoked" if right.key in self.revoked else self.refuse_right(right, "unlock", moment, heard_at)

    def refuse_right(self, right: Right, action: str, moment: Moment, heard_at: int) -> str | None:
        """Why a living key may not do this now, or None: right, life, schedule, certain time, uses."""
        if action not in right.rights:
            return "no_right"
        if moment.quality == "unknown":
            return "need_time"
        refused = refuse_life(right.nbf, right.exp, right.grace_seconds, moment, heard_at)
        if refused is not None:
            return refused
        if right.sched and not any(window.holds(moment.at) for window in right.sched):
            return "outside_schedule"
        if right.tvr and moment.quality != "ok":
            return "need_time"
        return "used_up" if right.uses is not None and self.uses.get(right.key, 0) >= right.uses else None

    def count_use(self, key_id: str) -> None:
        """Count one use of a key, however it opened, before it opens."""
        self.uses[key_id] = self.uses.get(key_id, 0) + 1

    def remember(self, credential: Credential) -> None:
        """Keep a credential that is honoured and has keypad codes; of one key the one issued last."""
        known = self.shown.get(credential.sub)
        if credential.pad and (known is None or known.iat <= credential.iat):
            self.shown.pop(credential.sub, None)
            self.shown[credential.sub] = credential
            while len(self.shown) > MOST_KEYS:
                self.shown.pop(next(iter(self.shown)))

    def use_number(self, key_id: str, day_end: int, number: int, synced_at: float | None) -> None:
        """Kill a one-time code and all before it of its day; forget the days past at `synced_at`, the last signed time.

        Not those past by the clock: it may have run ahead, and set back it would find a used code alive. Behind the
        signed time it never looks further than the uncertainty at which it is worth nothing.
        """
        past = 0 if synced_at is None else synced_at - UNKNOWN_SECONDS
        self.numbers = {day: used for day, used in self.numbers.items() if day[1] > past}
        self.numbers.pop((key_id, day_end), None)
        self.numbers[key_id, day_end] = number
        while len(self.numbers) > MOST_NUMBERS:
            self.numbers.pop(next(iter(self.numbers)))

    def rights_with_codes(self) -> Iterator[Right]:
        """Every key that has keypad codes; the list's word on a key goes before an older credential's."""
        listed = [Right.of_entry(entry) for entry in self.entries.values() if entry.pad]
        yield from listed
        known = {right.key for right in listed}
        yield from (Right.of_credential(shown) for key, shown in self.shown.items() if key not in known)

    def is_of_another_phone(self, key_id: str, phone: str) -> bool:
        """Whether the lock knows this key as another phone's (by thumbprint)."""
        entry, shown = self.entries.get(key_id), self.shown.get(key_id)
        bound = {entry.jkt} if entry and entry.jkt else set()
        if shown is not None:
            bound.add(thumbprint(public_key_from_jwk(shown.cnf.jwk)))
        return bool(bound - {phone})

    def _revoke(self, version: int, revoked: tuple[str, ...]) -> None:
        if version >= self.revocation_version:
            self.revocation_version, self.revoked = version, frozenset(revoked)

    def to_state(self) -> dict[str, Any]:
        """What flash must remember."""
        return {
            "epoch": self.epoch,
            "list_version": self.list_version,
            "list_hash": self.list_hash,
            "revocation_version": self.revocation_version,
            "revoked": sorted(self.revoked),
            "entries": [claims_of(entry) for entry in self.entries.values()],
            "shown": [claims_of(credential) for credential in self.shown.values()],
            "uses": self.uses,
            "numbers_of_days": [[key, day_end, number] for (key, day_end), number in self.numbers.items()],
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> HeldKeys:
        """Come back from flash, of an older firmware too: without keypad, or without days of one-time codes."""
        held = cls()
        held.epoch, held.list_version, held.list_hash = state["epoch"], state["list_version"], state["list_hash"]
        held.revocation_version, held.revoked = state["revocation_version"], frozenset(state["revoked"])
        entries = (document_from(KeyEntry, entry) for entry in state["entries"])
        held.entries = {entry.id: entry for entry in entries}
        shown = (document_from(Credential, each) for each in state.get("shown", ()))
        held.shown = {credential.sub: credential for credential in shown}
        held.uses = dict(state["uses"])
        held.numbers = {(key, day_end): number for key, day_end, number in state.get("numbers_of_days", ())}
        return held


def refuse_life(nbf: int, exp: int | None, grace_seconds: int, moment: Moment, heard_at: int) -> str | None:
    """Why it is too early or too late, or None. After the end only the outage grace is left: nothing heard since."""
    if moment.at + moment.uncertainty < nbf:  # a clock some seconds behind must not refuse a key made just now
        return "not_yet_valid"
    if exp is None or moment.at < exp:
        return None
    return None if heard_at < exp and moment.at < exp + grace_seconds else "expired"
