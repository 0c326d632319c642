"""Checking a receipt that somebody shows: against the registry's published keys, without asking anyone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backend.gateways.world import World
from backend.wire.jwk import keys_to_jwks, thumbprint
from backend.wire.receipts import ReceiptInvalid, find_receipt, verify_receipt


@dataclass(frozen=True)
class ReceiptCheck:
    """What a receipt says when it is genuine, else `reason`: 'not_found' (no receipt in the text), 'no_keys' (the
    registry's keys are not here), or a word of wire.tokens.REJECTIONS."""

    valid: bool
    reason: str | None = None
    number: str | None = None
    leg: str | None = None
    op: str | None = None
    version: int | None = None
    declared_at: datetime | None = None
    accepted_at: datetime | None = None


def check_receipt(world: World, *, text: str) -> ReceiptCheck:
    """Judge the receipt found in `text` (QR text, bare token, a page around it). Names no person; never raises."""
    keys = world.registry.receipt_keys()
    if not keys:
        return ReceiptCheck(False, "no_keys")
    try:
        receipt = verify_receipt(find_receipt(text), keys)
    except ReceiptInvalid as invalid:
        return ReceiptCheck(False, invalid.reason)
    return ReceiptCheck(
        True,
        None,
        receipt.number,
        receipt.leg,
        receipt.op,
        receipt.record_version,
        receipt.declared_at,
        receipt.accepted_at,
    )


def published_keys(world: World) -> dict[str, Any]:
    """The registry's published keys as a JWK set, each with `fingerprint` (RFC 7638, SHA-256): anyone may have them."""
    keys = world.registry.receipt_keys()
    listed = keys_to_jwks(keys)["keys"]
    return {"keys": [{**jwk, "fingerprint": thumbprint(keys[jwk["kid"]])} for jwk in listed]}
