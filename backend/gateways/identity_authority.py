"""Roles IdentityAuthority and NetworkIdentity: is this name and number one person, said by those who know.

The authority answers for the population base; the real adapter is a county's own interface, so what is here is the
stand-in, which fails like it (registry code 3002: not matched).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

UNMATCHED_NAME = "不符测试"  # a name the stand-in never matches, so that the path can be tried


class AuthorityUnavailable(Exception):
    """The authority did not answer; the declaration goes on and the registry's own check decides."""


@dataclass(frozen=True)
class AuthorityAnswer:
    """`matched`: name and number belong together. `reference`: the authority's own number for the question."""

    matched: bool
    reference: str


class IdentityAuthority(Protocol):
    """Answers whether a name and a number exist together; nothing else comes back."""

    def check(self, id_type: str, id_number: str, name: str) -> AuthorityAnswer:
        """Ask once. Raises AuthorityUnavailable."""
        ...


class StandInAuthority:
    """Answers from a rule instead of a population base: every checked number matches, one test name never does."""

    def check(self, id_type: str, id_number: str, name: str) -> AuthorityAnswer:
        return AuthorityAnswer(matched=name != UNMATCHED_NAME, reference=f"stand-in-{id_type}")


class FakeAuthority:
    """Answers what the test says."""

    def __init__(self, *, matched: bool = True, available: bool = True) -> None:
        self.matched, self.available = matched, available

    def check(self, id_type: str, id_number: str, name: str) -> AuthorityAnswer:
        if not self.available:
            raise AuthorityUnavailable("switched off")
        return AuthorityAnswer(self.matched, "fake")
