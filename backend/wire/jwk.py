"""Keys of the wire: P-256 only, as PEM files, as JWK (RFC 7517) and by thumbprint (RFC 7638); and base64url."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
    generate_private_key,
)

PublicKeys = Mapping[str, EllipticCurvePublicKey]  # kid → key


def base64url(raw: bytes) -> str:
    """Encode bytes as base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def from_base64url(text: str) -> bytes:
    """Decode unpadded base64url; raises ValueError for any other spelling, so that one value has one spelling."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not base64url") from None
    if base64url(raw) != text:
        raise ValueError("not base64url in its shortest form")
    return raw


def make_private_key() -> EllipticCurvePrivateKey:
    """Make a new P-256 private key."""
    return generate_private_key(SECP256R1())


def private_key_to_pem(key: EllipticCurvePrivateKey) -> bytes:
    """Write a private key as unencrypted PKCS#8 PEM; the caller keeps the file at mode 0600."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def private_key_from_pem(pem: bytes) -> EllipticCurvePrivateKey:
    """Read a P-256 private key; raises ValueError for anything else."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (TypeError, UnsupportedAlgorithm):
        raise ValueError("not an unencrypted private key") from None
    if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name != SECP256R1.name:
        raise ValueError("not a P-256 private key")
    return key


def jwk_of(key: EllipticCurvePublicKey) -> dict[str, str]:
    """Describe a public key as a JWK: kty, crv, x, y, the four members a thumbprint is made of."""
    numbers = key.public_numbers()
    return {
        "crv": "P-256",
        "kty": "EC",
        "x": base64url(numbers.x.to_bytes(32, "big")),
        "y": base64url(numbers.y.to_bytes(32, "big")),
    }


def public_key_from_jwk(jwk: object) -> EllipticCurvePublicKey:
    """Read a P-256 public key from a JWK; raises ValueError for another curve, a private key or a bad point."""
    if not isinstance(jwk, Mapping) or jwk.get("kty") != "EC" or jwk.get("crv") != "P-256" or "d" in jwk:
        raise _unusable("not a public P-256 JWK")
    x, y = jwk.get("x"), jwk.get("y")
    if not isinstance(x, str) or not isinstance(y, str):
        raise _unusable("not a public P-256 JWK")
    raw_x, raw_y = from_base64url(x), from_base64url(y)
    if len(raw_x) != 32 or len(raw_y) != 32:
        raise ValueError("a coordinate is not 32 bytes long")
    numbers = EllipticCurvePublicNumbers(int.from_bytes(raw_x, "big"), int.from_bytes(raw_y, "big"), SECP256R1())
    return numbers.public_key()


def thumbprint(key: EllipticCurvePublicKey) -> str:
    """Name a public key by the hash of its JWK (RFC 7638, SHA-256, base64url, 43 characters)."""
    text = json.dumps(jwk_of(key), separators=(",", ":"), sort_keys=True)
    return base64url(hashlib.sha256(text.encode("ascii")).digest())


def keys_to_jwks(keys: PublicKeys) -> dict[str, list[dict[str, str]]]:
    """Describe a trust list (kid → public key) as a JWK set."""
    listed = [{**jwk_of(key), "kid": kid, "alg": "ES256", "use": "sig"} for kid, key in keys.items()]
    return {"keys": listed}


def keys_from_jwks(jwks: object) -> dict[str, EllipticCurvePublicKey]:
    """Read a JWK set into kid → public key; raises ValueError when any member is unusable."""
    if not isinstance(jwks, Mapping) or not isinstance(jwks.get("keys"), Iterable):
        raise _unusable("not a JWK set")
    keys: dict[str, EllipticCurvePublicKey] = {}
    for jwk in jwks["keys"]:
        if not isinstance(jwk, Mapping) or not isinstance(jwk.get("kid"), str):
            raise _unusable("a key of the set has no kid")
        keys[jwk["kid"]] = public_key_from_jwk(jwk)
    return keys


def _unusable(why: str) -> ValueError:
    return ValueError(why)
