"""The claims inside the signed documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.wire import lock_documents as documents
from backend.wire.tokens import TokenRejected

SAMPLES = Path(__file__).parent / "samples"
KINDS: dict[str, type[Any]] = {
    "ekey": documents.Credential,
    "ekey_pad": documents.Credential,
    "ekey_delegated": documents.Credential,
    "delegate": documents.Delegate,
    "activation": documents.Activation,
    "lockcmd": documents.Order,
    "keylist": documents.KeyList,
    "keylist_pad": documents.KeyList,
    "revocation": documents.Revocation,
    "locktime": documents.LockTime,
    "lockcfg": documents.LockConfig,
    "lockcfg_pad": documents.LockConfig,
    "lockchk": documents.Checkpoint,
    "lockack": documents.Acknowledgement,
    "nearhello": documents.LockState,
    "nearreceipt": documents.Receipt,
}
MONDAY_8_CHINA = 1_767_571_200  # 2026-01-05 08:00 in China, 00:00 UTC


def claims(kind: str) -> dict[str, Any]:
    sample: dict[str, Any] = json.loads((SAMPLES / f"token_{kind}.json").read_text())["claims"]
    return sample


@pytest.mark.parametrize("kind", KINDS)
def test_claims_are_read_and_spelled_back_alike(kind: str) -> None:
    assert documents.claims_of(documents.document_from(KINDS[kind], claims(kind))) == claims(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_claim_of_a_wrong_type_is_refused_and_an_unknown_one_ignored(kind: str) -> None:
    good = claims(kind)
    assert documents.document_from(KINDS[kind], {**good, "later": 1})
    for name in good:
        with pytest.raises(TokenRejected, match="bad_claim"):
            documents.document_from(KINDS[kind], {**good, name: {"wrong": None}})


def test_a_credential_that_demands_what_firmware_does_not_know_says_so() -> None:
    good = claims("ekey")
    for change, unknown in (
        ({}, False),
        ({"cond": ["idv", "moon"]}, True),
        ({"crit": ["sched"]}, False),
        ({"crit": ["later"], "later": 1}, True),
    ):
        assert documents.document_from(documents.Credential, {**good, **change}).unknown_demand() is unknown


@pytest.mark.parametrize(
    "at, holds",
    [
        (MONDAY_8_CHINA - 1, False),
        (MONDAY_8_CHINA, True),
        (MONDAY_8_CHINA + 9 * 3600 + 3599, True),
        (MONDAY_8_CHINA + 10 * 3600, False),
        (MONDAY_8_CHINA + 86_400, False),
        (MONDAY_8_CHINA + 2 * 86_400, True),
    ],
)
def test_a_weekly_window_is_read_in_china_standard_time(at: int, holds: bool) -> None:
    assert documents.Window("13", 8 * 60, 18 * 60).holds(at) is holds
