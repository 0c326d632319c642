"""Fields of the API: strict types, both languages, an example each.

A wrong value raises a ValidationError whose message is a Fault: a reason code with its parameters, which parsing.py
turns into a refusal at the field.
"""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any

from marshmallow import ValidationError, fields

from backend.domain.calendars import FIRST_YEAR, LAST_YEAR, read_day

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
# Control characters and lone surrogates: no name, label or code holds one, and PostgreSQL refuses NUL.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_MESSAGES: dict[str, str | list[Any] | dict[Any, Any]] = {
    "required": "input.missing",
    "null": "input.missing",
    "invalid": "input.malformed",
}


class Fault(str):
    """A reason code as a validation message, with the parameters of its sentence and what is allowed instead."""

    params: dict[str, Any]
    allowed: tuple[str, ...]

    def __new__(cls, code: str, *, allowed: Iterable[str] = (), **params: Any) -> Fault:
        self = super().__new__(cls, code)
        self.params, self.allowed = params, tuple(allowed)
        return self


def wrong_type(expected: str) -> ValidationError:
    """The value is of another kind than `expected` says."""
    return ValidationError([Fault("input.wrong_type", expected=expected)])


def _words(zh: str, en: str, example: Any, more: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"description": f"{zh} · {en}", "examples": [example], **(more or {})}


class Text(fields.String):
    """A string of `least` to `most` characters without control characters."""

    default_error_messages = _MESSAGES

    def __init__(self, zh: str, en: str, example: Any, *, least: int = 1, most: int = 200, **more: Any) -> None:
        self.least, self.most = least, most
        bounds = {"minLength": least, "maxLength": most}
        super().__init__(metadata=_words(zh, en, example, bounds), **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> str:
        if not isinstance(value, str) or _UNPRINTABLE.search(value):
            raise wrong_type("文字 text")
        if not self.least <= len(value) <= self.most:
            raise ValidationError([Fault("input.length", least=self.least, most=self.most)])
        return value


class Choice(fields.String):
    """One of a list of words."""

    default_error_messages = _MESSAGES

    def __init__(self, zh: str, en: str, example: str, choices: Iterable[str], **more: Any) -> None:
        self.choices = tuple(choices)
        shown = [*self.choices, *([None] if more.get("allow_none") else [])]
        super().__init__(metadata=_words(zh, en, example, {"enum": shown}), **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> str:
        if not isinstance(value, str):
            raise wrong_type("文字 text")
        if value not in self.choices:
            raise ValidationError([Fault("input.not_one_of", allowed=self.choices)])
        return value


class Id(fields.String):
    """An identifier: a UUID as text, lower case."""

    default_error_messages = _MESSAGES

    def __init__(self, zh: str, en: str, example: str = "01936f0c-7a10-7cc3-8d21-5f2b6a4c9e01", **more: Any) -> None:
        super().__init__(metadata=_words(zh, en, example, {"format": "uuid"}), **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> str:
        try:
            return str(uuid.UUID(value))
        except (ValueError, AttributeError, TypeError):
            raise wrong_type("UUID") from None


class Whole(fields.Integer):
    """A whole number from `least` to `most`; in a query its digits."""

    default_error_messages = _MESSAGES

    def __init__(
        self, zh: str, en: str, example: Any, *, least: int = 0, most: int = 2**31 - 1, query: bool = False, **more: Any
    ) -> None:
        self.least, self.most, self.query = least, most, query
        super().__init__(metadata=_words(zh, en, example, {"minimum": least, "maximum": most}), **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> int:
        if self.query and isinstance(value, str) and re.fullmatch(r"[0-9]{1,10}", value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise wrong_type("整数 whole number")
        if not self.least <= value <= self.most:
            raise wrong_type(f"{self.least}–{self.most}")
        return value


class Number(fields.Float):
    """A finite number."""

    default_error_messages = _MESSAGES

    def __init__(self, zh: str, en: str, example: Any, **more: Any) -> None:
        super().__init__(metadata=_words(zh, en, example), **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> float:
        # 1e12 is beyond every measure here and keeps whole numbers of any length from overflowing a float.
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
            raise wrong_type("数字 number")
        if not math.isfinite(value):
            raise wrong_type("数字 number")
        return float(value)


class Flag(fields.Boolean):
    """true or false, nothing that merely looks like it."""

    default_error_messages = _MESSAGES

    def __init__(self, zh: str, en: str, example: Any = True, **more: Any) -> None:
        super().__init__(metadata=_words(zh, en, example), **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> bool:
        if not isinstance(value, bool):
            raise wrong_type("true / false")
        return value


class Day(fields.Date):
    """A calendar day, YYYY-MM-DD."""

    default_error_messages = _MESSAGES

    def __init__(self, zh: str, en: str, example: Any = "2026-11-23", **more: Any) -> None:
        super().__init__(metadata=_words(zh, en, example), **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> date:
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            raise wrong_type("YYYY-MM-DD")
        found = read_day(value)
        if found is None:
            raise wrong_type(f"YYYY-MM-DD, {FIRST_YEAR}–{LAST_YEAR}")
        return found


class Moment(fields.DateTime):
    """An instant, RFC 3339 in UTC; only ever goes out."""

    def __init__(self, zh: str, en: str, example: Any = "2026-11-23T06:30:00+00:00", **more: Any) -> None:
        super().__init__(format="iso", metadata=_words(zh, en, example), **more)


class Json(fields.Dict):
    """A JSON object whose shape its reader checks (a JWK, the parameters of a message)."""

    default_error_messages = _MESSAGES

    def __init__(self, zh: str, en: str, example: dict[str, Any], **more: Any) -> None:
        super().__init__(metadata=_words(zh, en, example), **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise wrong_type("对象 object")
        return value


class Part(fields.Nested):
    """Another schema inside this one."""

    default_error_messages = {**_MESSAGES, "type": "input.malformed"}

    def __init__(self, schema: Any, zh: str, en: str, **more: Any) -> None:
        # A reference to a shared schema has no description of its own in the document; the words stand in the code.
        self.words = (zh, en)
        super().__init__(schema, **more)


class Several(fields.List):
    """A list of fields or parts."""

    default_error_messages = _MESSAGES

    def __init__(self, each: Any, zh: str, en: str, **more: Any) -> None:
        super().__init__(each, metadata={"description": f"{zh} · {en}"}, **more)
