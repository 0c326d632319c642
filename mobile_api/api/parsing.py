"""Reads requests: a wrong shape becomes refusals at the fields, like every other refusal of Anju."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import marshmallow as ma
from flask import Request, request
from webargs import core
from webargs.flaskparser import FlaskParser

from backend.domain.reasons import REASONS
from backend.domain.refusals import Refusal, Refused
from mobile_api.api.schemas.fields import Fault

IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9._:-]{8,64}")
MOST_FAULTS = 20  # a body of a thousand unknown fields gets an answer a person can read


class InputParser(FlaskParser):
    """webargs with Anju's errors, and with a location for multipart bodies (fields and files together)."""

    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": ma.RAISE, "multipart": ma.RAISE}
    __location_map__ = {**FlaskParser.__location_map__, "multipart": "load_multipart"}

    def _raw_load_json(self, req: Request) -> Any:
        body = req.get_data(cache=True)
        if not body:
            return {}
        if not core.is_json(req.mimetype):
            raise Refused("input.malformed")
        try:
            return json.loads(body, parse_constant=_no_constant, parse_int=_short_int)
        except (ValueError, RecursionError):
            raise Refused("input.malformed") from None

    def load_multipart(self, req: Request, schema: ma.Schema) -> Any:
        """Fields and files of a multipart body; a name given several times becomes a list where the schema has one."""
        found: dict[str, Any] = {}
        for values in (req.form, req.files):
            for name in values:
                several = isinstance(schema.fields.get(name), ma.fields.List)
                found[name] = values.getlist(name) if several else values[name]
        return found

    def handle_error(self, error: ma.ValidationError, req: Request, schema: ma.Schema, **_more: Any) -> NoReturn:
        """Raise Refused with one refusal per faulty field."""
        faults = [fault for messages in _by_location(error) for fault in _faults(messages, ())]
        raise Refused.of(faults[:MOST_FAULTS] or [Refusal("input.malformed")])


def idempotency_key() -> str | None:
    """The Idempotency-Key header, or None. Raises Refused input.wrong_type when it has another form."""
    text = request.headers.get("Idempotency-Key")
    if text is not None and not IDEMPOTENCY_KEY.fullmatch(text):
        raise Refused("input.wrong_type", "Idempotency-Key", expected="8–64 × A–Z a–z 0–9 . _ : -")
    return text


def _by_location(error: ma.ValidationError) -> Iterator[Any]:
    messages = error.messages
    yield from messages.values() if isinstance(messages, dict) else [messages]


def _faults(messages: Any, path: tuple[str, ...]) -> Iterator[Refusal]:
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            yield from _faults(inner, path if name == "_schema" else (*path, str(name)))
        return
    field = "/".join(part.replace("~", "~0").replace("/", "~1") for part in path)[:120] or None
    for message in messages:
        if isinstance(message, Fault):
            yield Refusal(str(message), field, message.params, message.allowed)
        else:
            yield Refusal(message if message in REASONS else "input.malformed", field)


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _short_int(text: str) -> int:
    if len(text) > 20:
        raise ValueError("a number of this length means nothing here")
    return int(text)
