"""A refusal is a value with its reason; a service raises it as `Refused`, each door renders it its own way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as field_of
from typing import Any

from backend.domain.reasons import REASONS, Reason


@dataclass(frozen=True)
class Refusal:
    """Why something is refused.

    `code` is a row of REASONS; `field` names the input it is about (a JSON pointer without the leading slash);
    `params` fill the sentences; `allowed` lists what would be accepted instead.
    """

    code: str
    field: str | None = None
    params: Mapping[str, Any] = field_of(default_factory=dict)
    allowed: tuple[str, ...] = ()

    @property
    def reason(self) -> Reason:
        """The row of the reasons table."""
        return REASONS[self.code]

    def sentence(self, language: str) -> str:
        """What is wrong, in 'zh' or 'en'."""
        return self._fill(self.reason.zh if language == "zh" else self.reason.en, language)

    def remedy(self, language: str) -> str:
        """What the person can do, in 'zh' or 'en'."""
        return self._fill(self.reason.remedy_zh if language == "zh" else self.reason.remedy_en, language)

    def _fill(self, text: str, language: str) -> str:
        joined = ("、" if language == "zh" else ", ").join(self.allowed) or ("无" if language == "zh" else "nothing")
        # A param given as a pair is said in the reader's language: (zh, en).
        said = {name: _in(value, language) for name, value in self.params.items()}
        return text.format_map(_Blanks({"allowed": joined, **said}))


class _Blanks(dict[str, Any]):
    """A reason that must be said never fails for want of a detail."""

    def __missing__(self, name: str) -> str:
        return "…"


def _in(value: Any, language: str) -> Any:
    return value[0 if language == "zh" else 1] if isinstance(value, tuple) else value


def illegal_transition(
    state: tuple[str, str], allowed: Mapping[str, tuple[str, str]], field: str | None = None
) -> Refusal:
    """Refuse what a state does not allow; both the state and what is allowed are said in words (zh, en)."""
    words = allowed.values()
    can = ("、".join(zh for zh, _ in words) or "无", ", ".join(en for _, en in words) or "nothing")
    return Refusal("transition", field, {"state": state, "can": can}, tuple(allowed))


class Refused(Exception):
    """Raised by a service; carries one refusal, or several when an input has several faults."""

    def __init__(self, code: str, field: str | None = None, *, allowed: tuple[str, ...] = (), **params: Any) -> None:
        self.refusals: tuple[Refusal, ...] = (Refusal(code, field, params, allowed),)
        super().__init__(code)

    @classmethod
    def of(cls, refusals: list[Refusal]) -> Refused:
        """One error for all faults of an input, in their order; `refusals` must not be empty."""
        first = refusals[0]
        error = cls(first.code, first.field, allowed=first.allowed, **first.params)
        error.refusals = tuple(refusals)
        return error

    @property
    def refusal(self) -> Refusal:
        """The first refusal."""
        return self.refusals[0]
