"""One reason for which Anju refuses something, and the kinds there are.

`kind` decides the HTTP status at the doors; `rule` is the id of the legal rule where there is one (see rules.py).
"""

from __future__ import annotations

from dataclasses import dataclass

KINDS = (
    "invalid",
    "not_found",
    "forbidden",
    "unauthenticated",
    "conflict",
    "gone",
    "too_many",
    "busy",
    "too_large",
    "unavailable",
)


@dataclass(frozen=True)
class Reason:
    """One reason in both languages, each with what to do about it."""

    kind: str
    zh: str
    en: str
    remedy_zh: str = ""
    remedy_en: str = ""
    rule: str | None = None
