"""Role TokenSigner: the platform's signatures (for locks, phones, the registry) and the API's access tokens.

Two P-256 keys in var/keys, made once: one signs what leaves for locks and the registry, the other the API's access
tokens. The public half of the first is written as a JWKS file, the trust list of locks and registry.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from backend.wire import jwk as wire_keys
from backend.wire import tokens as wire_tokens

ACCESS_TYPE = "at+jwt"  # RFC 9068
ACCESS_AUDIENCE = "anju-api"
ISSUER = "anju"
KNOWN_TOKENS = 4_096
REQUIRED = ["exp", "iat", "nbf", "aud", "iss", "sub", "jti"]


class TokenSigner(Protocol):
    """Signs for the platform."""

    kid: str

    def sign(self, kind: str, claims: Mapping[str, Any]) -> str:
        """Sign claims as a token of `kind` (see backend.wire.tokens)."""
        ...

    def sign_body(self, body: bytes) -> str:
        """Detached signature over a request body (RFC 7515 appendix F)."""
        ...

    def public_keys(self) -> Mapping[str, ec.EllipticCurvePublicKey]:
        """The platform's public keys by key id."""
        ...

    def sign_access(self, claims: Mapping[str, Any]) -> str:
        """Sign an API access token."""
        ...

    def read_access(self, token: str, now: datetime) -> dict[str, Any]:
        """Check an API access token at `now` and answer its claims; raises `AccessTokenRejected`."""
        ...


class AccessTokenRejected(Exception):
    """The bearer token is not one of ours, or no longer."""


class FileTokens:
    """Signing keys as PEM files of mode 0600 in `folder`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(folder / ".lock", "w") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            self._platform = _load_or_make(folder / "platform-signing.pem")
            self._access = _load_or_make(folder / "access-signing.pem")
            self.kid = wire_keys.thumbprint(self._platform.public_key())
            self._access_kid = wire_keys.thumbprint(self._access.public_key())
            # The same token comes with every call: its signature is checked once, its times and its session each time.
            self._verified_access = lru_cache(maxsize=KNOWN_TOKENS)(self._verify_access)
            _publish(folder / "platform.jwks.json", self.kid, self._platform)

    def sign(self, kind: str, claims: Mapping[str, Any]) -> str:
        return wire_tokens.sign(kind, dict(claims), self._platform, self.kid)

    def sign_body(self, body: bytes) -> str:
        return wire_tokens.sign_detached(body, self._platform, self.kid)

    def public_keys(self) -> Mapping[str, ec.EllipticCurvePublicKey]:
        return {self.kid: self._platform.public_key()}

    def sign_access(self, claims: Mapping[str, Any]) -> str:
        headers = {"typ": ACCESS_TYPE, "kid": self._access_kid}
        body = {"iss": ISSUER, "aud": ACCESS_AUDIENCE, **claims}
        return jwt.encode(body, self._access, algorithm="ES256", headers=headers)

    def read_access(self, token: str, now: datetime) -> dict[str, Any]:
        try:
            claims = self._verified_access(token)
            if not int(claims["nbf"]) <= now.timestamp() < int(claims["exp"]):
                raise AccessTokenRejected("time")
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise AccessTokenRejected(type(error).__name__) from None
        return dict(claims)

    def _verify_access(self, token: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        if header.get("typ") != ACCESS_TYPE or header.get("kid") != self._access_kid or "crit" in header:
            raise AccessTokenRejected("header")
        return jwt.decode(
            token,
            self._access.public_key(),
            algorithms=["ES256"],
            audience=ACCESS_AUDIENCE,
            issuer=ISSUER,
            # The times are checked at each use, against the caller's clock, which may stand elsewhere than ours.
            options={"require": REQUIRED, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )


def _load_or_make(path: Path) -> ec.EllipticCurvePrivateKey:
    if not path.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
    loaded = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path.name} is not a P-256 key")
    return loaded


def _publish(path: Path, kid: str, key: ec.EllipticCurvePrivateKey) -> None:
    jwk = {**wire_keys.jwk_of(key.public_key()), "kid": kid, "use": "sig", "alg": "ES256"}
    text = json.dumps({"keys": [jwk]}, indent=1)
    if path.exists() and path.read_text() == text:
        return
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    os.replace(fresh, path)
