"""Role IdentityAuthority: do this name and this number belong to one person? Said by those who know.

The authority answers for the population base. `HttpAuthority` asks a county's own interface over mutual TLS;
`StandInAuthority` takes its place in the demo and fails like it (registry code 3002: not matched).
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Protocol

import httpx

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


class HttpAuthority:
    """The real one: one signed-in JSON question over https, five seconds, nothing kept of question or answer.

    Sends {id_type, id_number, name}; expects {"matched": bool, "reference": text}.
    """

    def __init__(
        self, url: str, token: str, *, client_cert: str = "", client_key: str = "", ca: str = "", timeout: float = 5
    ) -> None:
        context = ssl.create_default_context(cafile=ca or None)
        if client_cert:
            context.load_cert_chain(client_cert, client_key or None)
        self._url = url
        self._client = httpx.Client(
            verify=context, timeout=timeout, headers={"Authorization": f"Bearer {token}"} if token else {}
        )

    def check(self, id_type: str, id_number: str, name: str) -> AuthorityAnswer:
        question = {"id_type": id_type, "id_number": id_number, "name": name}
        try:
            answer = self._client.post(self._url, json=question)
            answer.raise_for_status()
            said = answer.json()
            return AuthorityAnswer(matched=said["matched"] is True, reference=str(said["reference"])[:120])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise AuthorityUnavailable(type(error).__name__) from None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class FakeAuthority:
    """Answers what the test says."""

    def __init__(self, *, matched: bool = True, available: bool = True) -> None:
        self.matched, self.available = matched, available

    def check(self, id_type: str, id_number: str, name: str) -> AuthorityAnswer:
        if not self.available:
            raise AuthorityUnavailable("switched off")
        return AuthorityAnswer(self.matched, "fake")
