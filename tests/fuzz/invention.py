"""Calls made up from an API's own document, made in this process, their answers held against the document.

What is made up is mostly refused at the gate; so some of it is led further in: a test puts ids that exist in the place
of invented ones and mends what a machine cannot guess (a signature, a hash). The examples are the same in each run.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import requests
import schemathesis
from flask import Flask
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from werkzeug.test import TestResponse

HOST = "http://localhost"
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@dataclass(frozen=True)
class Call:
    """A call as it goes over the line."""

    method: str
    target: str  # path and query
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Tally:
    """What became of the calls: how many, with which status, and what was wrong."""

    statuses: dict[int, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    reached: set[str] = field(default_factory=set)  # operations that answered well at least once

    @property
    def calls(self) -> int:
        """How many calls were made."""
        return sum(self.statuses.values())


def fuzz(
    app: Flask,
    document: dict[str, Any],
    *,
    examples: int,
    seed: int,
    prepare: Callable[[Call, random.Random], Call],
    lead: Callable[[schemathesis.Case, random.Random], None] = lambda case, chance: None,
) -> Tally:
    """Make `examples` calls of each operation; `lead` leads a case further in, `prepare` signs it."""
    tally = Tally()
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        _try_operation(app, found.ok(), examples, seed, prepare, lead, tally)
    return tally


def _try_operation(app: Flask, operation: Any, examples: int, seed: int, prepare: Any, lead: Any, tally: Tally) -> None:
    client = app.test_client()

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(), luck=st.integers(0, 2**32))
    def run(case: schemathesis.Case, luck: int) -> None:
        chance = random.Random(luck)
        lead(case, chance)
        call = prepare(_written(case), chance)
        answer = _make(client, call)
        tally.statuses[answer.status_code] = tally.statuses.get(answer.status_code, 0) + 1
        if answer.status_code < 400:
            tally.reached.add(operation.label)
        try:
            case.validate_response(answer, checks=CHECKS)
        except (Failure, FailureGroup) as failure:
            said = "; ".join(str(part) for part in getattr(failure, "exceptions", [failure]))
            tally.wrong.append(f"{operation.label} {call.target[:200]} {call.body[:300]!r}: {said[:600]}")

    run()


def _written(case: schemathesis.Case) -> Call:
    kwargs = case.as_transport_kwargs(base_url=HOST)
    kwargs.pop("timeout", None)
    known = {"method", "url", "headers", "files", "data", "params", "auth", "cookies", "json"}
    made = requests.Request(**{name: value for name, value in kwargs.items() if name in known}).prepare()
    body = made.body or b""
    headers = {name: value for name, value in made.headers.items() if name.lower() not in ("cookie", "content-length")}
    return Call(str(made.method), made.path_url, headers, body.encode() if isinstance(body, str) else body)


def _make(client: Any, call: Call) -> TestResponse:
    path, _, query = call.target.partition("?")
    answer: TestResponse = client.open(
        path,
        method=call.method,
        query_string=query,
        headers={name: _line(value) for name, value in call.headers.items()},
        data=call.body,
        environ_overrides={"RAW_URI": call.target},  # as a real server hands it over
    )
    return answer


def _line(value: str | bytes) -> str:
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    return text.replace("\r", "").replace("\n", "")
