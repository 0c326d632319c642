"""The registry's contract under made-up calls: signed, on both databases, in this process."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import schemathesis

from backend.registry.contract import make_document
from backend.registry.corrections import correct_record
from backend.wire.jwk import from_base64url
from backend.wire.registry_messages import canonical_json, hash_payload, signing_input, write_time
from tests.fuzz.invention import Call, Tally, fuzz
from tests.registry.stage import Stage, prepare_template
from tests.wire.registry_makers import (
    RECORD,
    TENANT_PAYLOAD,
    make_batch,
    make_registration_item,
)

KEY = "key-0123456789abcdef"


@pytest.fixture
def filled(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """A registry that holds a record, a batch and a correction."""
    url = ""
    if database_kind == "postgresql":
        server = request.getfixturevalue("postgres")
        url = server.url(server.create())
    with Stage(prepare_template(tmp_path, url), url) as stage:
        stage.file(make_registration_item(), key=KEY)
        correct_record(stage.registry, RECORD, {"address": "样本路2号"}, office="省登记中心", badge="S-0042")
        yield stage


def leading(stage: Stage) -> Any:
    """Lead a case to what is there: known ids, days and tables, hashes that fit."""
    batch_id = stage.client.submit(make_batch(make_registration_item()), KEY).batch_id
    known = {"batch_id": batch_id, "record_id": RECORD, "table": "reason"}
    asked = {"day": "2026-11-23", "town": "330522003", "record": RECORD}

    def lead(case: schemathesis.Case, chance: random.Random) -> None:
        if chance.random() < 0.3:
            return
        for name in case.path_parameters or {}:
            case.path_parameters[name] = known[name]
        for name in set(case.query or {}) & set(asked):
            case.query[name] = asked[name]
        if isinstance(case.body, dict):
            void = case.operation.path.endswith("/void")
            if void and chance.random() < 0.8:
                case.body["op"] = "VOID"
            items = [case.body] if void else case.body.get("items")
            for item in items if isinstance(items, list) else []:
                mend(item, chance)

    return lead


def mend(item: Any, chance: random.Random) -> None:
    """Make an invented item more like one that might be accepted."""
    if not isinstance(item, dict) or not isinstance(item.get("payload"), dict):
        return
    for name, value in TENANT_PAYLOAD.items():
        if chance.random() < 0.8:
            item["payload"][name] = value
    if chance.random() < 0.8:
        item["record_id"] = RECORD
    try:
        item["payload_hash"] = hash_payload(item["payload"], from_base64url(item["nonce"]))
        canonical_json(item)
    except (KeyError, TypeError, ValueError, AttributeError):
        pass


def signing(stage: Stage) -> Any:
    """Sign a call as a sender does, and give it a key that can name it."""

    def prepare(call: Call, chance: random.Random) -> Call:
        key = call.headers.get("Idempotency-Key", "")
        key = f"key-{chance.getrandbits(64):016x}" if key and chance.random() < 0.8 else key
        key = key.strip(" \t") if isinstance(key, str) else ""
        signed_at = write_time(datetime.now(UTC))
        try:
            covered = signing_input(call.method, call.target, key, call.body, signed_at)
        except UnicodeEncodeError:
            return call
        own = {"X-Schema": "rr/1.0", "X-Signed-At": signed_at, "X-Body-Signature": stage.signer.sign_body(covered)}
        return replace(call, headers={**call.headers, **own, **({"Idempotency-Key": key} if key else {})})

    return prepare


def run(stage: Stage, examples: int, seed: int = 1) -> Tally:
    document = json.loads(json.dumps(make_document()))
    tally = fuzz(stage.app, document, examples=examples, seed=seed, prepare=signing(stage), lead=leading(stage))
    while stage.judge():
        pass
    assert tally.wrong == []
    assert max(tally.statuses) < 500
    every = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}
    # a void is taken only of a record that another made-up call has left: in a short run perhaps of none
    assert tally.reached >= (every if examples > 100 else every - {"POST /v1/records/{record_id}/void"})
    return tally


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_no_made_up_call_breaks_the_registry(filled: Stage) -> None:
    assert run(filled, 15).calls >= 120


@pytest.mark.release
def test_no_call_of_thousands_breaks_the_registry(filled: Stage) -> None:
    assert run(filled, 450, seed=20261123).calls >= 4_500
