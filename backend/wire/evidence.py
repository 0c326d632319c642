"""Evidence: a part of a lock's event log as one file that verifies offline and names the first byte that was changed.

The file is JSON Lines. Each line of content ends with `sum`, SHA-256 over the sum of the line before and the line's own
content, and is followed by a line that is nothing but its copy, a JSON text in base64url:

    {"anju":"lock-events","v":1,…,"sum":"…"}   what it is: lock, its public key, the platform's, the anchor of the chain
    {"event":"…","hash":"…","sum":"…"}         an event's exact text and the chain hash after it, one line each
    {"checkpoint":"…","sum":"…"}               the lock's signed word (lockchk+jwt) on the chain up to here
    {"signed":"…","sum":"…"}                   the end: evidence+jwt by the platform, over the SHA-256 of all before it

Any change is found. Lines and copies name the first changed byte (backend.wire.evidence_lines says how, and when only a
range). Who changes a text, its copy and all sums after it is betrayed by the chain, by the lock's checkpoints or by the
platform's signature, and the line where that shows is named.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from backend.wire.codec import MessageRejected
from backend.wire.evidence_lines import NOTHING, Line, pair, spell_line, whole_lines
from backend.wire.jwk import PublicKeys, base64url, from_base64url, public_key_from_jwk, thumbprint
from backend.wire.lock_documents import PLATFORM, Checkpoint, document_from
from backend.wire.lock_messages import EventHole, next_hash, read_event
from backend.wire.tokens import TokenRejected, key_id_of, verify

FORMAT, VERSION = "lock-events", 1


@dataclass(frozen=True)
class LoggedEvent:
    """One event: its exact text and the chain hash (32 bytes) after it."""

    seq: int
    text: str
    hash: bytes


@dataclass(frozen=True)
class Evidence:
    """What goes into a file. `anchor_seq`, `anchor_hash`: where the chain stood before the first event.

    `ground` and `case` say why it was made; `platform_key` is the public JWK, with kid, of the key that signs it.
    """

    lock_id: str
    lock_key: Mapping[str, Any]
    platform_key: Mapping[str, Any]
    anchor_seq: int
    anchor_hash: bytes
    events: tuple[LoggedEvent, ...]
    checkpoints: Mapping[int, str]
    made_at: int
    ground: str
    case: str


@dataclass(frozen=True)
class Proof:
    """What a file proves. `signed` are the ranges of events that the lock's own signature covers."""

    lock_id: str
    first: int
    last: int
    signed: tuple[tuple[int, int], ...]
    holes: int
    lock_key: str  # thumbprints (RFC 7638)
    platform_key: str
    lock_key_pinned: bool
    platform_key_pinned: bool
    made_at: int
    ground: str
    case: str


def write_evidence(evidence: Evidence, sign: Callable[[str, Mapping[str, Any]], str]) -> bytes:
    """Spell the file; `sign(kind, claims)` is the platform's."""
    head = evidence.events[-1].hash if evidence.events else evidence.anchor_hash
    last = evidence.events[-1].seq if evidence.events else evidence.anchor_seq
    out, previous = bytearray(), NOTHING
    for content in _contents(evidence):
        line, previous = spell_line(content, previous)
        out += pair(line)
    claims = {
        "iss": PLATFORM,
        "sub": evidence.lock_id,
        "iat": evidence.made_at,
        "first": evidence.anchor_seq + 1,
        "last": last,
        "head": base64url(head),
        "sha256": base64url(hashlib.sha256(out).digest()),
    }
    line, _ = spell_line({"signed": sign("evidence", claims)}, previous)
    return bytes(out + pair(line))


def verify_evidence(raw: bytes, keys: PublicKeys | None = None) -> Proof:
    """What the file proves; `keys`, when given, are the only ones the platform's signature may be by.

    Raises EvidenceDamaged with the place of the first change, also for a file that is no evidence at all.
    """
    lines = whole_lines(raw)
    header = _Header.read(lines[0], keys)
    walk = _Walk(header)
    for line in lines[1:-1]:
        walk.take(line)
    signer = _check_end(raw, lines[-1], header, walk)
    return Proof(
        header.lock_id,
        header.anchor_seq + 1,
        walk.seq,
        walk.signed_ranges(),
        walk.holes,
        header.lock_kid,
        signer,
        header.lock_pinned,
        keys is not None,
        header.made_at,
        header.ground,
        header.case,
    )


# -- content ----------------------------------------------------------------------------------------------------------


def _contents(evidence: Evidence) -> Iterable[dict[str, Any]]:
    yield {
        "anju": FORMAT,
        "v": VERSION,
        "lock": evidence.lock_id,
        "key": dict(evidence.lock_key),
        "platform": dict(evidence.platform_key),
        "anchor": {"seq": evidence.anchor_seq, "hash": base64url(evidence.anchor_hash)},
        "made_at": evidence.made_at,
        "ground": evidence.ground,
        "case": evidence.case,
    }
    if evidence.anchor_seq in evidence.checkpoints:
        yield {"checkpoint": evidence.checkpoints[evidence.anchor_seq]}
    for event in evidence.events:
        yield {"event": event.text, "hash": base64url(event.hash)}
        if event.seq in evidence.checkpoints:
            yield {"checkpoint": evidence.checkpoints[event.seq]}


@dataclass(frozen=True)
class _Header:
    line: Line
    lock_id: str
    anchor_seq: int
    anchor_hash: bytes
    made_at: int
    ground: str
    case: str
    lock_kid: str
    lock_keys: PublicKeys
    lock_pinned: bool
    platform_keys: PublicKeys

    @classmethod
    def read(cls, line: Line, keys: PublicKeys | None) -> _Header:
        """Raises EvidenceDamaged when the line is no header of a version we know."""
        said = line.content
        try:
            if said["anju"] != FORMAT or said["v"] != VERSION:
                raise line.wrong("this is no exported event log of a version known here")
            datetime.fromtimestamp(said["made_at"], UTC)
            if not all(said[name].isprintable() for name in ("lock", "ground", "case")):
                raise ValueError("it would be shown on a terminal")
            lock_key = public_key_from_jwk(said["key"])
            lock_kid = thumbprint(lock_key)
            own = {str(said["platform"]["kid"]): public_key_from_jwk(said["platform"])}
            pinned = keys is not None and lock_kid in {thumbprint(key) for key in keys.values()}
            return cls(
                line=line,
                lock_id=str(said["lock"]),
                anchor_seq=int(said["anchor"]["seq"]),
                anchor_hash=from_base64url(said["anchor"]["hash"]),
                made_at=int(said["made_at"]),
                ground=str(said["ground"]),
                case=str(said["case"]),
                lock_kid=lock_kid,
                lock_keys={lock_kid: lock_key},
                lock_pinned=pinned,
                platform_keys=own if keys is None else keys,
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError):
            raise line.wrong("its first line is not that of an exported event log") from None


class _Walk:
    """Follows the chain from the anchor and notes what the lock has signed."""

    def __init__(self, header: _Header) -> None:
        self.header, self.seq, self.head = header, header.anchor_seq, header.anchor_hash
        self.holes = 0
        self._bound = header.anchor_seq + 1  # the chain binds this event and those after it to the present head
        self._signed: list[tuple[int, int]] = []

    def take(self, line: Line) -> None:
        """Check one line. Raises EvidenceDamaged when it does not continue the chain or contradicts it."""
        content = line.content
        if content.keys() == {"event", "hash"} and all(isinstance(part, str) for part in content.values()):
            self._take_event(line, content["event"], content["hash"])
        elif content.keys() == {"checkpoint"}:
            self._take_checkpoint(line, content["checkpoint"])
        else:
            raise line.wrong("there is no such line in an exported event log")

    def _take_event(self, line: Line, text: str, hashed: str) -> None:
        self.seq += 1
        try:
            event = read_event(text)
        except MessageRejected:
            event = None  # the lock wrote what nobody can read; its bytes are in the chain all the same
        if event is not None and event.seq != self.seq:
            raise line.wrong(f"event {event.seq} stands where event {self.seq} belongs", self.seq)
        if isinstance(event, EventHole):
            self.holes += 1
            self._bound = self.seq
            expected: str | None = event.hole
        else:
            expected = _next(self.head, text)
        if hashed != expected:
            raise line.wrong("the event does not fit its chain hash", self.seq)
        self.head = from_base64url(hashed)

    def _take_checkpoint(self, line: Line, token: str) -> None:
        try:
            point = document_from(Checkpoint, verify("lockchk", token, self.header.lock_keys))
        except TokenRejected:
            raise line.wrong("the checkpoint is not signed by the lock", self.seq) from None
        if (point.iss, point.seq, point.head) != (self.header.lock_id, self.seq, base64url(self.head)):
            raise line.wrong("the lock has signed another chain than this one", self.seq)
        if self.seq > self.header.anchor_seq:
            if self._signed and self._signed[-1][1] + 1 >= self._bound:
                self._signed[-1] = (self._signed[-1][0], self.seq)
            else:
                self._signed.append((self._bound, self.seq))

    def signed_ranges(self) -> tuple[tuple[int, int], ...]:
        """First and last event of each stretch that a checkpoint covers; a hole ends a stretch before it."""
        return tuple(self._signed)


def _next(head: bytes, text: str) -> str | None:
    try:
        return base64url(next_hash(head, text))
    except UnicodeEncodeError:  # half a character: no lock has written that
        return None


def _check_end(raw: bytes, line: Line, header: _Header, walk: _Walk) -> str:
    """Check the platform's signature over all before the end; answers its key's thumbprint."""
    token = line.content["signed"]
    try:
        claims = verify("evidence", token, header.platform_keys)
    except TokenRejected as rejected:
        by_another = rejected.reason == "unknown_key"
        why = "it is not signed by one of the given keys" if by_another else "the platform's signature does not fit"
        raise line.wrong(why) from None
    digest = base64url(hashlib.sha256(raw[: line.offset]).digest())
    said = tuple(claims[name] for name in ("iss", "sub", "first", "last", "head", "sha256"))
    if said != (PLATFORM, header.lock_id, header.anchor_seq + 1, walk.seq, base64url(walk.head), digest):
        raise line.wrong("the platform has signed another content than this one")
    return thumbprint(header.platform_keys[key_id_of(token)])
