"""One signature format: compact JWS, ES256 over P-256, the kind pinned by `typ` (RFC 7515, RFC 7518 section 3.4).

The algorithm is never read from the header and the key never comes from it: a header holds exactly alg, typ and kid.
Also here: detached signatures over a request's body. Keys themselves, as files and as JWK, are in backend.wire.jwk.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from backend.wire.jwk import PublicKeys, base64url, from_base64url

ALGORITHM = "ES256"
LARGEST_TOKEN_BYTES = 65_536  # a key list of 150 keys stays below; anything longer is not read at all
DETACHED_TYP = "body+jws"

Claims = dict[str, Any]


class TokenRejected(Exception):
    """A token is not accepted; `reason` is one of the words of REJECTIONS, safe to log and to count."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


REJECTIONS = frozenset(
    {
        "too_large",
        "malformed",
        "wrong_header",
        "wrong_algorithm",
        "wrong_kind",
        "unknown_key",
        "bad_signature",
        "missing_claim",
        "bad_claim",
        "wrong_audience",
        "not_yet_valid",
        "expired",
    }
)


@dataclass(frozen=True)
class Kind:
    """One kind of token: its `typ` and the claims without which it is neither made nor accepted."""

    typ: str
    required: frozenset[str]


def _kind(typ: str, claims: str) -> Kind:
    return Kind(typ, frozenset(claims.split()))


KINDS: Mapping[str, Kind] = {
    "ekey": _kind("ekey+jwt", "iss sub aud nbf exp iat jti cnf rights occ"),
    "delegate": _kind("delegate+jwt", "iss sub aud nbf exp iat jti cnf occ"),
    "activation": _kind("activation+jwt", "iss sub nbf exp iat jti cnf lvl"),
    "lockcmd": _kind("lockcmd+jwt", "iss aud iat exp jti act boot ctr"),
    "keylist": _kind("keylist+jwt", "iss aud iat ver occ keys rev"),
    "revocation": _kind("revocation+jwt", "iss aud iat ver occ rev"),
    "locktime": _kind("locktime+jwt", "iss aud iat exp nonce"),
    "lockcfg": _kind("lockcfg+jwt", "iss aud iat ver trust"),
    "lockchk": _kind("lockchk+jwt", "iss iat seq head boot"),
    "lockack": _kind("lockack+jwt", "iss aud iat seq head"),
    "receipt": _kind("receipt+jwt", "iss sub iat"),
    "nearhello": _kind("nearhello+jwt", "iss nonce boot clk q occ rev"),
    "nearproof": _kind("nearproof+jwt", "tag hs act crd"),
    "nearreceipt": _kind("nearreceipt+jwt", "iss nonce res crd seq head"),
    "evidence": _kind("evidence+jwt", "iss sub iat first last head sha256"),
}

_ES256 = jwt.PyJWS().get_algorithm_by_name(ALGORITHM)
_TIME_CLAIMS = ("iat", "nbf", "exp")
_TEXT_CLAIMS = ("iss", "sub", "jti")


def sign(kind: str, claims: Mapping[str, Any], private_key: EllipticCurvePrivateKey, kid: str) -> str:
    """Make the compact token of `kind`. Times among the claims are whole seconds since 1970 UTC.

    Raises KeyError for an unknown kind and ValueError when a claim the kind requires is missing or of a wrong type.
    """
    shape = KINDS[kind]
    reason = _fault_of(shape, claims)
    if reason is not None:
        raise ValueError(f"{kind}: {reason}")
    payload = json.dumps(claims, separators=(",", ":"), ensure_ascii=False).encode()
    return jwt.PyJWS().encode(payload, private_key, ALGORITHM, headers={"typ": shape.typ, "kid": kid})


def verify(
    kind: str,
    token: str,
    keys: PublicKeys,
    *,
    audience: str | None = None,
    now: datetime | float | None = None,
) -> Claims:
    """Return the claims of a token of `kind` signed by one of `keys` (kid → public key).

    `audience`, when given, must be the token's `aud` or among it; `now` (aware datetime or seconds since 1970), when
    given, must lie in [nbf, exp). Raises TokenRejected with the reason otherwise.
    """
    shape = KINDS[kind]
    payload = _verified_payload(token, shape.typ, keys)
    claims = _object(payload)
    reason = _fault_of(shape, claims)
    if reason is not None:
        raise TokenRejected(reason)
    if audience is not None and not _is_for(claims.get("aud"), audience):
        raise TokenRejected("wrong_audience")
    if now is not None:
        _check_time(claims, now.timestamp() if isinstance(now, datetime) else now)
    return claims


def key_id_of(token: str) -> str:
    """Return the `kid` a token names, unverified: only to choose a key. Raises TokenRejected when unreadable."""
    return _header(token)["kid"]


def claims_unverified(token: str) -> Claims:
    """Return a token's claims without any check: only to show or to route it. Raises TokenRejected when unreadable."""
    _header(token)
    return _object(_unbase64(token.split(".")[1]))


def sign_detached(body: bytes, private_key: EllipticCurvePrivateKey, kid: str) -> str:
    """Sign a request's or answer's body; the result leaves the body out (RFC 7515 appendix F)."""
    token = jwt.PyJWS().encode(body, private_key, ALGORITHM, headers={"typ": DETACHED_TYP, "kid": kid})
    head, _, signature = token.split(".")
    return f"{head}..{signature}"


def verify_detached(signature: str, body: bytes, keys: PublicKeys) -> str:
    """Check a detached signature over exactly these bytes and return the kid that made it.

    Raises TokenRejected with the reason otherwise.
    """
    parts = signature.split(".")
    if len(parts) != 3 or parts[1] != "":
        raise TokenRejected("malformed")
    whole = f"{parts[0]}.{base64url(body)}.{parts[2]}"
    _verified_payload(whole, DETACHED_TYP, keys, largest=len(whole))
    return _header(whole, largest=len(whole))["kid"]


def _verified_payload(token: str, typ: str, keys: PublicKeys, largest: int = LARGEST_TOKEN_BYTES) -> bytes:
    header = _header(token, largest)
    if header["typ"] != typ:
        raise TokenRejected("wrong_kind")
    key = keys.get(header["kid"])
    if key is None:
        raise TokenRejected("unknown_key")
    signed, _, signature = token.rpartition(".")
    # read here and strictly: one token has one spelling, and the library looks at each letter of a long body by itself
    payload, signature_bytes = _unbase64(signed.partition(".")[2]), _unbase64(signature)
    try:
        is_signed = _ES256.verify(signed.encode(), _ES256.prepare_key(key), signature_bytes)
    except (jwt.PyJWTError, ValueError, TypeError):
        raise TokenRejected("malformed") from None
    if not is_signed:
        raise TokenRejected("bad_signature")
    return payload


def _header(token: str, largest: int = LARGEST_TOKEN_BYTES) -> dict[str, str]:
    if not isinstance(token, str) or not token.isascii():
        raise TokenRejected("malformed")
    if len(token) > largest:
        raise TokenRejected("too_large")
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenRejected("malformed")
    header = _object(_unbase64(parts[0]))
    if header.get("alg") != ALGORITHM:
        raise TokenRejected("wrong_algorithm")
    if set(header) != {"alg", "typ", "kid"} or not all(isinstance(value, str) for value in header.values()):
        raise TokenRejected("wrong_header")
    return header


def _fault_of(shape: Kind, claims: Mapping[str, Any]) -> str | None:
    if not shape.required <= claims.keys():
        return "missing_claim"
    times = (claims[name] for name in _TIME_CLAIMS if name in claims)
    if not all(isinstance(value, int) and not isinstance(value, bool) and value >= 0 for value in times):
        return "bad_claim"
    if not all(isinstance(claims[name], str) and claims[name] for name in _TEXT_CLAIMS if name in claims):
        return "bad_claim"
    return None


def _is_for(aud: object, audience: str) -> bool:
    return aud == audience or (isinstance(aud, list) and audience in aud)


def _check_time(claims: Claims, now: float) -> None:
    if "nbf" in claims and now < claims["nbf"]:
        raise TokenRejected("not_yet_valid")
    if "exp" in claims and now >= claims["exp"]:
        raise TokenRejected("expired")


def _object(text: bytes) -> Claims:
    try:
        value = json.loads(text, object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError):
        raise TokenRejected("malformed") from None
    if not isinstance(value, dict):
        raise TokenRejected("malformed")
    return value


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name stands twice")
    return value


def _unbase64(text: str) -> bytes:
    try:
        return from_base64url(text)
    except ValueError:
        raise TokenRejected("malformed") from None
