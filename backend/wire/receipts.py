"""Receipts of the registry: the number people quote and the signed proof that verifies without any network.

A receipt is a token of kind `receipt` (ES256, typ receipt+jwt). It names the record, its version, the leg, the hash of
what was declared, when it was declared and when it was accepted; it holds no document number and no name. In a QR code
it stands as text: `RR1:` followed by the token.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_11_10

from backend.wire import tokens
from backend.wire.jwk import PublicKeys
from backend.wire.registry_messages import is_record_id, read_time, write_time
from backend.wire.registry_payload import LEGS, OPS

ISSUER = "residence-registry"
QR_PREFIX = "RR1:"
LARGEST_SEQUENCE = 999_999

_NUMBER = re.compile(r"R-([0-9]{9})-([0-9]{8})-([0-9]{6})-([0-9])")
_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_LARGEST_STREAM = 1_000_000
_HASH = re.compile(r"[0-9a-f]{64}")


class ReceiptInvalid(Exception):
    """A receipt is not what it claims; `reason` is a word of tokens.REJECTIONS, or `bad_claim` or `not_found`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ReceiptNumber:
    """The parts of a receipt's number: 9-digit town, day of acceptance, running number of that town and day."""

    town: str
    on: date
    sequence: int

    def __str__(self) -> str:
        digits = f"{self.town}{self.on:%Y%m%d}{self.sequence:06d}"
        return f"R-{self.town}-{self.on:%Y%m%d}-{self.sequence:06d}-{mod_11_10.calc_check_digit(digits)}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt says; `payload_hash` is over the declared fields and a nonce, so it gives nothing away."""

    number: str
    record_id: str
    record_version: int
    op: str
    leg: str
    payload_hash: str
    declared_at: datetime
    accepted_at: datetime


def make_receipt_number(town: str, on: date, sequence: int) -> str:
    """Write a receipt's number with its check digit (ISO 7064 MOD 11,10 over the 23 digits).

    Raises ValueError for a town that is not 9 digits, a year before 1000 or a sequence outside 1 to 999999.
    """
    if not re.fullmatch(r"[0-9]{9}", town) or not 1 <= sequence <= LARGEST_SEQUENCE or on.year < 1000:
        raise ValueError("not the parts of a receipt number")
    return str(ReceiptNumber(town, on, sequence))


def read_receipt_number(text: str) -> ReceiptNumber:
    """Read a receipt's number; raises ValueError when its form or its check digit is wrong."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError("not a receipt number")
    town, day, sequence, _ = match.groups()
    try:
        mod_11_10.validate("".join(match.groups()))
    except ValidationError:
        raise ValueError("the check digit is wrong") from None
    return ReceiptNumber(town, date(int(day[:4]), int(day[4:6]), int(day[6:])), int(sequence))


def sign_receipt(receipt: Receipt, private_key: EllipticCurvePrivateKey, kid: str) -> str:
    """Make the signed receipt."""
    claims = {
        "iss": ISSUER,
        "sub": receipt.record_id,
        "jti": receipt.number,
        "iat": int(receipt.accepted_at.timestamp()),
        "ver": receipt.record_version,
        "op": receipt.op,
        "leg": receipt.leg,
        "hash": receipt.payload_hash,
        "declared_at": write_time(receipt.declared_at),
        "accepted_at": write_time(receipt.accepted_at),
    }
    return tokens.sign("receipt", claims, private_key, kid)


def verify_receipt(token: str, keys: PublicKeys) -> Receipt:
    """Return what a receipt says if one of the registry's `keys` (kid → public key) signed exactly that.

    Raises ReceiptInvalid with the reason. A receipt does not expire.
    """
    try:
        return _read(tokens.verify("receipt", token, keys))
    except tokens.TokenRejected as rejected:
        raise ReceiptInvalid(rejected.reason) from None


def claims_of(token: str) -> Receipt:
    """Return what a receipt says without checking who signed it: for one that was verified before it was stored.

    Raises ReceiptInvalid when it cannot be read.
    """
    try:
        return _read(tokens.claims_unverified(token))
    except tokens.TokenRejected as rejected:
        raise ReceiptInvalid(rejected.reason) from None


def _read(claims: Mapping[str, Any]) -> Receipt:
    version = claims.get("ver")
    try:
        receipt = Receipt(
            number=claims["jti"],
            record_id=claims["sub"],
            record_version=claims["ver"],
            op=claims["op"],
            leg=claims["leg"],
            payload_hash=claims["hash"],
            declared_at=read_time(claims["declared_at"]),
            accepted_at=read_time(claims["accepted_at"]),
        )
        read_receipt_number(receipt.number)
    except (KeyError, TypeError, ValueError):
        raise ReceiptInvalid("bad_claim") from None
    sound = (
        claims["iss"] == ISSUER
        and is_record_id(receipt.record_id)
        and isinstance(version, int)
        and not isinstance(version, bool)
        and receipt.op in OPS
        and receipt.leg in LEGS
        and isinstance(receipt.payload_hash, str)
        and _HASH.fullmatch(receipt.payload_hash) is not None
    )
    if not sound:
        raise ReceiptInvalid("bad_claim")
    return receipt


def qr_text(token: str) -> str:
    """The text a receipt's QR code carries; it can be verified without a network."""
    return QR_PREFIX + token


def find_receipt(text: str) -> str:
    """Find the receipt's token in what a person has: QR text, the bare token, or a saved page or file around it.

    Raises ReceiptInvalid (`not_found`) when there is none. The first one counts.
    """
    match = _TOKEN.search(text)
    if match is None:
        raise ReceiptInvalid("not_found")
    return match.group()


def find_receipt_in_file(raw: bytes) -> str:
    """Find the receipt's token in a file: a saved page, a text, or a PDF, also one whose parts were packed again.

    Raises ReceiptInvalid (`not_found`) when there is none.
    """
    text = raw.decode("latin-1")
    if raw.startswith(b"%PDF"):
        text += "".join(_unpacked(raw))
    return find_receipt(text.replace("\0", ""))  # a PDF may spell its keywords in UTF-16


def _unpacked(pdf: bytes) -> Iterator[str]:
    for match in re.finditer(rb"stream\r?\n", pdf):
        try:
            yield zlib.decompressobj().decompress(pdf[match.end() :], _LARGEST_STREAM).decode("latin-1")
        except zlib.error:
            continue  # not packed this way: it was read as it is
