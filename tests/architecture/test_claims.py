"""Each claim of the lock protocol is a test with that sentence as its name; this page says which, and none may go."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
CLAIMS = (
    "copied credential never opens",
    "replayed M3 never opens",
    "old tenant refused after the new tenant's first opening on a lock that stayed offline",
    "revocation carried by a third phone works at once",
    "exposure_until is never earlier than the last possible opening and at most the clock bound later",
    "unlock to an offline lock is refused and never runs later, even with a kept session",
    "20 % duplicate/reorder/loss: 0 lost, 0 doubled, identical key lists on 1,000 locks",
    "a will arriving after rebirth does not mark offline",
    "unknown clock + tvr refused, opens after a time token",
    "foreign topics and client-id takeover refused",
    "a flipped byte in an exported event log is found and located",
    "a key without identity token is refused by the lock itself",
    "a keypad code of an ended epoch never opens",
    "a month-long platform outage locks no resident out",
    "ack lost after actuation → unknown, resolved by the event",
    "older key list or epoch never applied",
    "five wrong proofs raise lockout.started while a valid key still opens",
)


def name_of_test(claim: str) -> str:
    """A sentence as the name of a test: signs in words, letters and digits in lower case, the rest one underscore."""
    signs = (("'", ""), (",000", "000"), ("%", "percent"), ("→", "is"), ("unknown,", "unknown and"))
    words = claim.lower()
    for sign, word in signs:
        words = words.replace(sign, word)
    return "test_" + re.sub(r"[^a-z0-9]+", "_", words).strip("_")



def names_of_tests() -> set[str]:
    """Every test function of this suite."""
    found: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found.add(node.name)
    return found


@pytest.mark.parametrize("claim", CLAIMS)
def test_each_claim_of_the_protocol_is_a_test(claim: str) -> None:
    assert name_of_test(claim) in names_of_tests()
