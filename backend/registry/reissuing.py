"""Receipts that its own key did not sign are signed anew, with the same number and content, before they go out again.

What was filed stands, so its sender can only ask for the receipt once more: without this a receipt that was spoilt when
it was made would stay spoilt for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, update

from backend.registry.signing import Signing
from backend.registry.tables import legs
from backend.wire.receipts import ReceiptInvalid, claims_of, sign_receipt, verify_receipt


def is_spoilt(token: str, signing: Signing) -> bool:
    """Whether nobody could verify this receipt with what the registry publishes."""
    try:
        verify_receipt(token, signing.public_keys())
    except ReceiptInvalid:
        return True
    return False


def reissue(connection: Connection, held: Sequence[Row[Any]], signing: Signing) -> dict[str, str]:
    """Sign the spoilt receipts among these legs anew and store them; answers the sound token of each part."""
    tokens = {}
    for part in held:
        tokens[part.part] = part.receipt_sig
        if is_spoilt(part.receipt_sig, signing):
            tokens[part.part] = sign_receipt(claims_of(part.receipt_sig), signing.key, signing.kid)
            mine = (legs.c.record_id == part.record_id, legs.c.part == part.part)
            connection.execute(update(legs).where(*mine).values(receipt_sig=tokens[part.part]))
    return tokens
