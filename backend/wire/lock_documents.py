"""What stands inside the signed tokens between platform, phone and lock: their claims, one dataclass each.

The claim names are those of the standards where one exists (RFC 7519, RFC 7800). A claim unknown to this table is
ignored, unless the credential names it in `crit`: then the credential is refused. Times are seconds since 1970 UTC.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from backend.wire import codec
from backend.wire.codec import custom, flag, maybe, one_of, part, parts, text, texts, whole
from backend.wire.jwk import base64url, public_key_from_jwk
from backend.wire.lock_messages import HASH, QUALITIES
from backend.wire.tokens import Claims, TokenRejected

PLATFORM = "anju"  # issuer of everything the platform signs for locks and phones
RIGHTS = ("unlock", "lock", "passage", "share")
COMMANDS = ("unlock", "lock", "identify", "replay", "sync", "reboot", "wipe")
KNOWN_CONDITIONS = frozenset({"idv"})
CRITICAL_CLAIMS_KNOWN = frozenset({"sched", "tvr", "uses", "cond", "occ", "rights", "cnf", "pad"})
CODE_KINDS = ("day", "period", "once")  # of keypad codes, see backend.wire.keypad

_LAST = 2**63 - 1
_CHINA = timedelta(hours=8)  # one zone, no daylight saving: weekly windows are read in it

Document = TypeVar("Document")


def claims_of(document: Any) -> Claims:
    """Spell a document as claims to be signed. Raises codec.MessageRejected when a member breaks its rule."""
    return codec.to_object(document)


def document_from(kind: type[Document], claims: Mapping[str, Any]) -> Document:
    """Read verified claims as `kind`. Raises TokenRejected('bad_claim') when they are not one."""
    try:
        return codec.from_object(kind, dict(claims), ignore_unknown=True)
    except codec.MessageRejected:
        raise TokenRejected("bad_claim") from None


def content_hash(document: KeyList) -> str:
    """Name a list by what it says: SHA-256 (base64url) over its claims without `iat`; signing anew changes nothing."""
    said = {name: value for name, value in claims_of(document).items() if name != "iat"}
    return base64url(hashlib.sha256(codec.dump(said).encode()).digest())


def _is_public_jwk(value: Any) -> bool:
    try:
        public_key_from_jwk(value)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Window:
    """A weekly window in China Standard Time: ISO weekdays as digits, minutes of the day, end excluded."""

    days: str = text(7, r"[1-7]+")
    start: int = whole(0, 1439)
    end: int = whole(1, 1440)

    def holds(self, at: int) -> bool:
        """Whether the moment `at` lies in the window."""
        local = datetime.fromtimestamp(at, UTC) + _CHINA
        return str(local.isoweekday()) in self.days and self.start <= local.hour * 60 + local.minute < self.end


@dataclass(frozen=True)
class HolderKey:
    """`cnf`: the public key of the phone that may use the credential (RFC 7800)."""

    jwk: dict[str, str] = custom(_is_public_jwk)


@dataclass(frozen=True)
class Credential:
    """ekey+jwt: what a phone shows a lock. `sub` is the key id; `grc` seconds of outage grace (occupants only).

    `pad`: the kinds of keypad codes this key has, so that a lock without network learns them with its first opening.
    """

    iss: str = text(64)
    sub: str = text(64)
    aud: str = text(64)
    nbf: int = whole(0, _LAST)
    exp: int = whole(0, _LAST)
    iat: int = whole(0, _LAST)
    jti: str = text(64)
    cnf: HolderKey = part(HolderKey)
    rights: tuple[str, ...] = texts(8, 16)
    occ: int = whole(0, _LAST)
    sched: tuple[Window, ...] | None = maybe(parts(Window, 32))
    tvr: bool | None = maybe(flag())
    uses: int | None = maybe(whole(1, 1_000_000))
    cond: tuple[str, ...] | None = maybe(texts(8, 16))
    grc: int | None = maybe(whole(0, 90 * 86_400))
    pad: tuple[str, ...] | None = maybe(texts(3, 16))
    crit: tuple[str, ...] | None = maybe(texts(16, 32))

    def unknown_demand(self) -> bool:
        """Whether it demands something this firmware does not know; then it must be refused."""
        conditions = set(self.cond or ())
        return not (conditions <= KNOWN_CONDITIONS and set(self.crit or ()) <= CRITICAL_CLAIMS_KNOWN)


@dataclass(frozen=True)
class Delegate:
    """delegate+jwt: a landlord's phone (`cnf`) may sign credentials of the lock `aud` and the epoch `occ` (depth 1).

    Such a credential names this token's `jti` as its `iss`, demands `idv`, has no outage grace and ends no later than
    this token. Until it ends it extends the exposure of every key of its lock and epoch.
    """

    iss: str = text(64)
    sub: str = text(64)
    aud: str = text(64)
    nbf: int = whole(0, _LAST)
    exp: int = whole(0, _LAST)
    iat: int = whole(0, _LAST)
    jti: str = text(64)
    cnf: HolderKey = part(HolderKey)
    occ: int = whole(0, _LAST)


@dataclass(frozen=True)
class Activation:
    """activation+jwt: the platform's word that this phone's holder has been identified, `verified` or `attested`."""

    iss: str = text(64)
    sub: str = text(64)
    nbf: int = whole(0, _LAST)
    exp: int = whole(0, _LAST)
    iat: int = whole(0, _LAST)
    jti: str = text(64)
    cnf: HolderKey = part(HolderKey)
    lvl: str = one_of("verified", "attested")


@dataclass(frozen=True)
class Order:
    """lockcmd+jwt: one command. `boot` and `ctr` bind it to the lock's present life, `key` and `occ` to a right."""

    iss: str = text(64)
    aud: str = text(64)
    iat: int = whole(0, _LAST)
    exp: int = whole(0, _LAST)
    jti: str = text(64)
    act: str = one_of(*COMMANDS)
    boot: str = text(8, r"[0-9a-f]{8}")
    ctr: int = whole(1, _LAST)
    key: str | None = maybe(text(64))
    occ: int | None = maybe(whole(0, _LAST))
    seq: int | None = maybe(whole(1, _LAST))


@dataclass(frozen=True)
class KeyEntry:
    """One key of a list. `jkt` is the thumbprint of the holder's phone key; no `exp` means until the list changes.

    `pad`: the kinds of keypad codes the key has; without it none.
    """

    id: str = text(64)
    nbf: int = whole(0, _LAST)
    rights: tuple[str, ...] = texts(8, 16)
    exp: int | None = maybe(whole(0, _LAST))
    jkt: str | None = maybe(text(43, HASH))
    sched: tuple[Window, ...] | None = maybe(parts(Window, 32))
    tvr: bool | None = maybe(flag())
    uses: int | None = maybe(whole(1, 1_000_000))
    pad: tuple[str, ...] | None = maybe(texts(3, 16))


@dataclass(frozen=True)
class KeyList:
    """keylist+jwt: the whole desired state of a lock: version, occupancy epoch, keys that work, keys that do not."""

    iss: str = text(64)
    aud: str = text(64)
    iat: int = whole(0, _LAST)
    ver: int = whole(1, _LAST)
    occ: int = whole(0, _LAST)
    keys: tuple[KeyEntry, ...] = parts(KeyEntry, 256)
    rev: tuple[str, ...] = texts(512, 64)


@dataclass(frozen=True)
class Revocation:
    """revocation+jwt: the revoked key ids of a lock, small enough for any phone to carry; `ver` as the list's.

    It names keys of the epoch `occ` alone and raises the lock's epoch to it: those of earlier ones are dead by that.
    """

    iss: str = text(64)
    aud: str = text(64)
    iat: int = whole(0, _LAST)
    ver: int = whole(1, _LAST)
    occ: int = whole(0, _LAST)
    rev: tuple[str, ...] = texts(512, 64)


@dataclass(frozen=True)
class LockTime:
    """locktime+jwt: the time is `iat`, good for the one who asked with `nonce`, until `exp`."""

    iss: str = text(64)
    aud: str = text(64)
    iat: int = whole(0, _LAST)
    exp: int = whole(0, _LAST)
    nonce: str = text(64)


@dataclass(frozen=True)
class LockConfig:
    """lockcfg+jwt: how the lock behaves and whom it trusts (`trust` is a list of JWK with kid).

    `pad` is the platform's public key (JWK) from which a lock with a keypad derives its secret.
    """

    iss: str = text(64)
    aud: str = text(64)
    iat: int = whole(0, _LAST)
    ver: int = whole(1, _LAST)
    auto_lock_s: int = whole(1, 3_600)
    ajar_s: int = whole(5, 86_400)
    trust: tuple[dict[str, str], ...] = custom(
        lambda v: isinstance(v, list | tuple)
        and 0 < len(v) <= 16
        and all(_is_public_jwk(k) and isinstance(k.get("kid"), str) for k in v)
    )
    pad: dict[str, str] | None = maybe(custom(_is_public_jwk))


@dataclass(frozen=True)
class Checkpoint:
    """lockchk+jwt: the lock's signed word that its chain had this head at this sequence."""

    iss: str = text(64)
    iat: int = whole(0, _LAST)
    seq: int = whole(0, _LAST)
    head: str = text(43, HASH)
    boot: str = text(8, r"[0-9a-f]{8}")


@dataclass(frozen=True)
class Acknowledgement:
    """lockack+jwt: the platform has durably stored every event of the lock up to `seq`, whose chain hash is `head`.

    The same word as dn/ack, for a phone to carry: signed, since a phone is no broker.
    """

    iss: str = text(64)
    aud: str = text(64)
    iat: int = whole(0, _LAST)
    seq: int = whole(0, _LAST)
    head: str = text(43, HASH)


@dataclass(frozen=True)
class LockState:
    """nearhello+jwt: the lock's signed half of the greeting; `m1` is the hash of the phone's."""

    iss: str = text(64)
    m1: str = text(43, HASH)
    nonce: str = text(22, r"[A-Za-z0-9_-]{22}")
    boot: str = text(8, r"[0-9a-f]{8}")
    clk: int = whole(0, _LAST)
    q: str = one_of(*QUALITIES)
    unc: int = whole(0, _LAST)
    occ: int = whole(0, _LAST)
    rev: int = whole(0, _LAST)


@dataclass(frozen=True)
class Receipt:
    """nearreceipt+jwt: the lock's signed answer: result, and the place of the event in its chain (`seq` 0: none)."""

    iss: str = text(64)
    nonce: str = text(22, r"[A-Za-z0-9_-]{22}")
    res: str = text(16)
    crd: str = text(43, HASH)
    seq: int = whole(0, _LAST)
    head: str = text(43, HASH)


