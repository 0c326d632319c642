"""Keys: the registry's own, made once, and the senders' public ones, read again when an unknown one shows."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from backend.registry.settings import RegistrySettings
from backend.wire import tokens
from backend.wire.jwk import (
    PublicKeys,
    keys_from_jwks,
    keys_to_jwks,
    make_private_key,
    private_key_from_pem,
    private_key_to_pem,
    thumbprint,
)


@dataclass(frozen=True)
class Signing:
    """The key receipts are signed with, and its name."""

    key: EllipticCurvePrivateKey
    kid: str

    def public_keys(self) -> PublicKeys:
        """What anyone needs to verify a receipt."""
        return {self.kid: self.key.public_key()}


def load_signing(settings: RegistrySettings) -> Signing:
    """Read the signing key, making and publishing it the first time; safe when several processes start at once."""
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = settings.folder / "signing-key.pem"
    with open(settings.folder / ".lock", "w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not path.exists():
            _write(path, private_key_to_pem(make_private_key()), 0o600)
        signing = signing_of(private_key_from_pem(path.read_bytes()))
        text = json.dumps(keys_to_jwks(signing.public_keys()), indent=1).encode()
        if not settings.public_keys.exists() or settings.public_keys.read_bytes() != text:
            _write(settings.public_keys, text, 0o644)
    return signing


def signing_of(key: EllipticCurvePrivateKey) -> Signing:
    """Name a key by its thumbprint."""
    return Signing(key, thumbprint(key.public_key()))


@dataclass(frozen=True)
class Sender:
    """Who may report: a name and the prefixes of the divisions it may report for (none: all)."""

    name: str
    divisions: tuple[str, ...] = ()

    def may_report_for(self, division: str) -> bool:
        """Whether a unit in `division` (12 digits) is this sender's to report."""
        return not self.divisions or division.startswith(self.divisions)


class Senders:
    """The senders' JWKS file. A key may carry `sender` (default: platform) and `divisions`, a list of prefixes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: PublicKeys = {}
        self._senders: dict[str, Sender] = {}

    def verify(self, signature: str, signed: bytes) -> Sender:
        """Who signed these bytes. Raises TokenRejected; an unknown key makes the file be read again first."""
        try:
            kid = tokens.verify_detached(signature, signed, self._keys)
        except tokens.TokenRejected as rejected:
            if rejected.reason != "unknown_key":
                raise
            self._read()
            kid = tokens.verify_detached(signature, signed, self._keys)
        return self._senders[kid]

    def _read(self) -> None:
        try:
            jwks = json.loads(self._path.read_text())
            keys = keys_from_jwks(jwks)
        except (OSError, ValueError):
            return  # a file being replaced or spoilt leaves the keys known so far
        self._senders = {
            jwk["kid"]: Sender(str(jwk.get("sender", "platform")), tuple(map(str, jwk.get("divisions", []))))
            for jwk in jwks["keys"]
        }
        self._keys = keys


def _write(path: Path, content: bytes, mode: int) -> None:
    fresh = path.with_suffix(".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
