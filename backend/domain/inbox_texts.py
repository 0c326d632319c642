"""The form of an inbox message."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class InboxText:
    """A message of the inbox; `{…}` are filled from its params."""

    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
