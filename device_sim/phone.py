"""The simulated phone: holds a P-256 key that never leaves its file, and speaks the near link."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

from backend.wire import codec, near_messages, tokens
from backend.wire.jwk import base64url, jwk_of, make_private_key, private_key_from_pem, private_key_to_pem, thumbprint
from backend.wire.lock_documents import Credential, HolderKey, claims_of
from backend.wire.near_messages import Box, Collect, Dial, Fetch, Hello, Leave, Request
from device_sim.near_link import HOST, FrameReader, frame

DEFAULT_PORT = 8013


@dataclass(frozen=True)
class Carried:
    """Documents a phone brings along; each may be absent."""

    delegate: str | None = None
    activation: str | None = None
    time: str | None = None
    revocation: str | None = None
    keys: str | None = None
    ack: str | None = None


NOTHING = Carried()


@dataclass(frozen=True)
class NearOutcome:
    """What the lock answered: `result` is opened, locked, refused or need_time; `receipt` is its signed receipt.

    `items` are what was collected for the platform, sealed.
    """

    result: str
    receipt: str
    items: tuple[str, ...] = ()


class NearLine:
    """A connection to one lock: whole messages out, whole messages in."""

    def __init__(self, lock_id: str, address: tuple[str, int], seconds: float) -> None:
        self._socket = socket.create_connection(address, timeout=seconds)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = FrameReader()
        self._socket.sendall(frame(codec.encode(Dial(lock_id))))

    def ask(self, message: bytes) -> bytes:
        """Send a message and wait for the answer. Raises ConnectionError when the lock hangs up."""
        self._socket.sendall(frame(message))
        while True:
            raw = self._socket.recv(65_536)
            if not raw:
                raise ConnectionError("the lock ended the conversation")
            for answer in self._reader.feed(raw):
                return answer

    def close(self) -> None:
        """Walk away."""
        self._socket.close()


class Phone:
    """A phone with its own key. `file` keeps the key at mode 0600; without a file it lives in memory."""

    def __init__(self, file: Path | None = None) -> None:
        self._key = _load_or_make(file)

    @property
    def jwk(self) -> dict[str, str]:
        """The public key, as the platform binds a key to it."""
        return jwk_of(self._key.public_key())

    @property
    def thumbprint(self) -> str:
        """The public key's name (RFC 7638)."""
        return thumbprint(self._key.public_key())

    def prove(self, m1: bytes, m2: bytes, action: str, credential: str) -> str:
        """Prove possession of the key for one conversation with a lock."""
        return near_messages.make_proof(self._key, m1, m2, action, credential)

    def sign(self, kind: str, claims: tokens.Claims) -> str:
        """Sign claims with the phone's key, as the browser's non-exportable key would."""
        return tokens.sign(kind, claims, self._key, self.thumbprint)

    def open(
        self,
        lock_id: str,
        credential: str,
        carried: Carried = NOTHING,
        *,
        action: str = "unlock",
        lock_key: EllipticCurvePublicKey | None = None,
        collect: int = 0,
        address: tuple[str, int] = (HOST, DEFAULT_PORT),
        seconds: float = 5.0,
    ) -> NearOutcome:
        """Stand before a lock and ask it to act, without any server.

        With `lock_key` the phone checks that the lock is the one it claims to be, before it shows its credential; then
        it collects at most so many items for the platform.
        Raises ConnectionError when the lock is not there or hangs up, TokenRejected when it is another lock.
        """
        with near_line(lock_id, address, seconds) as line:
            m1 = codec.encode(Hello(base64url(os.urandom(16))))
            m2 = line.ask(m1)
            if lock_key is not None:
                check_challenge(m1, m2, lock_id, lock_key)
            m3 = codec.encode(self.request(m1, m2, credential, carried, action))
            answer = near_messages.decode_answer(line.ask(m3))
            return NearOutcome(answer.result, answer.receipt, self.collect(line.ask, collect))

    def collect(self, ask: Callable[[bytes], bytes], most: int) -> tuple[str, ...]:
        """Collect what the lock has for the platform, `most` items at the most, in the visit in which it has opened."""
        items: list[str] = []
        while len(items) < most:
            given = near_messages.decode_collected(ask(codec.encode(Collect("events"))))
            if given.item is not None:
                items.append(given.item)
            if not given.more:
                break
        return tuple(items)

    def leave(
        self,
        lock_id: str,
        box: str,
        item: str,
        *,
        address: tuple[str, int] = (HOST, DEFAULT_PORT),
        seconds: float = 5.0,
    ) -> Box:
        """Leave a thing at the lock, in the box of these six digits. Raises ConnectionError, MessageRejected."""
        with near_line(lock_id, address, seconds) as line:
            return near_messages.decode_box(line.ask(codec.encode(Leave(box, item))))

    def fetch(
        self, lock_id: str, box: str, *, address: tuple[str, int] = (HOST, DEFAULT_PORT), seconds: float = 5.0
    ) -> Box:
        """Take what another phone left in that box. Raises ConnectionError, MessageRejected."""
        with near_line(lock_id, address, seconds) as line:
            return near_messages.decode_box(line.ask(codec.encode(Fetch(box))))

    def issue(
        self,
        delegate_token: str,
        lock_id: str,
        epoch: int,
        holder_jwk: dict[str, str],
        key_id: str,
        begins: int,
        ends: int,
    ) -> str:
        """Sign a credential as the landlord's phone that the delegate names; `begins` and `ends` in seconds since 1970.

        It opens only together with the delegate and with the platform's word on who holds it.
        """
        credential = Credential(
            iss=tokens.claims_unverified(delegate_token)["jti"],
            sub=key_id,
            aud=lock_id,
            nbf=begins,
            exp=ends,
            iat=begins,
            jti=base64url(os.urandom(16)),
            cnf=HolderKey(holder_jwk),
            rights=("unlock", "lock"),
            occ=epoch,
            cond=("idv",),
        )
        return self.sign("ekey", claims_of(credential))

    def request(self, m1: bytes, m2: bytes, credential: str, carried: Carried, action: str) -> Request:
        """Make M3 for a conversation."""
        return Request(
            credential=credential,
            action=action,
            proof=self.prove(m1, m2, action, credential),
            delegate=carried.delegate,
            activation=carried.activation,
            time=carried.time,
            revocation=carried.revocation,
            keys=carried.keys,
            ack=carried.ack,
        )


def check_challenge(m1: bytes, m2: bytes, lock_id: str, lock_key: EllipticCurvePublicKey) -> tokens.Claims:
    """Check that M2 is this lock's fresh answer to our M1; answers its claims. Raises TokenRejected."""
    token = near_messages.decode_challenge(m2).token
    claims = tokens.verify("nearhello", token, {thumbprint(lock_key): lock_key})
    if claims["iss"] != lock_id or claims.get("m1") != near_messages.digest(m1):
        raise tokens.TokenRejected("bad_claim")
    return claims


@contextmanager
def near_line(lock_id: str, address: tuple[str, int], seconds: float = 5.0) -> Iterator[NearLine]:
    """Open a line to a lock and close it afterwards."""
    line = NearLine(lock_id, address, seconds)
    try:
        yield line
    finally:
        line.close()


def _load_or_make(file: Path | None) -> EllipticCurvePrivateKey:
    if file is None:
        return make_private_key()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return private_key_from_pem(file.read_bytes())
    with os.fdopen(handle, "wb") as target:
        target.write(private_key_to_pem(make_private_key()))
    return private_key_from_pem(file.read_bytes())
