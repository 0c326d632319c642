"""What a lock and the platform know together without ever saying it: one secret for each purpose.

    secret = HKDF-SHA256(ECDH P-256 between the lock's agreement key and the platform's, no salt,
                         info = purpose NUL lock id), 32 bytes                                       RFC 5869

Who knows the secret of one purpose learns nothing of another's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDH, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from backend.wire.jwk import public_key_from_jwk

SECRET_BYTES = 32


def agree(purpose: str, own: EllipticCurvePrivateKey, other: Mapping[str, Any], lock_id: str) -> bytes:
    """The secret of this purpose and lock, from one side's private and the other's public key (JWK).

    Raises ValueError when `other` is no public P-256 JWK.
    """
    agreed = own.exchange(ECDH(), public_key_from_jwk(other))
    info = f"{purpose}\x00{lock_id}".encode()
    return HKDF(algorithm=SHA256(), length=SECRET_BYTES, salt=None, info=info).derive(agreed)
