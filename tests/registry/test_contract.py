"""The published contract is the one that is served: every route, valid OpenAPI, and nothing a caller can break."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from backend.registry.contract import make_document
from backend.wire.registry_codes import CODES
from backend.wire.registry_payload import FIELDS, shape_of
from tests.registry.stage import Stage, prepare_template
from tests.wire.registry_makers import LANDLORD_PAYLOAD, TENANT_PAYLOAD, make_batch, make_registration_item

KEY = "key-0123456789abcdef"
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NOT_PERMITTED = st.text(min_size=1, max_size=20).filter(lambda name: name not in FIELDS)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One registry for all examples: a dry run stores nothing."""
    folder: Path = tmp_path_factory.mktemp("contract")
    with Stage(prepare_template(folder)) as made:
        yield made


def validated(stage: Stage, body: bytes) -> tuple[int, dict[str, Any]]:
    answer = stage.call("POST", "/v1/validate", body)
    told = answer.get_json()
    codes = [e["code"] for e in told.get("errors", [])] + [
        e["code"] for i in told.get("items", []) for e in i["errors"]
    ]
    assert answer.status_code < 500 and set(codes) <= set(CODES)
    return answer.status_code, told


def with_payload(payload: object, leg: str = "TENANT") -> bytes:
    whole = json.loads(make_batch(make_registration_item(leg=leg)).to_bytes())
    whole["items"][0]["payload"] = payload
    return json.dumps(whole).encode()


def test_the_document_is_valid_openapi_3_1_and_served_to_anyone(stage: Stage) -> None:
    answer = stage.http.get("/v1/openapi.json")
    assert answer.status_code == 200 and answer.get_json() == make_document()
    assert not [error.message for error in OpenAPIV31SpecValidator(make_document()).iter_errors()]


def test_the_document_names_every_route_of_the_contract_and_no_other(stage: Stage) -> None:
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in stage.app.url_map.iter_rules()
        if rule.rule.startswith("/v1/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == {(path, method) for path, item in make_document()["paths"].items() for method in item}


def test_what_we_send_fits_the_document(stage: Stage) -> None:
    schema = {"$ref": "#/components/schemas/Batch", "components": make_document()["components"]}
    landlord = make_registration_item(leg="LANDLORD", payload=LANDLORD_PAYLOAD)
    body = json.loads(make_batch(make_registration_item(), landlord).to_bytes())
    assert not [error.message for error in Draft202012Validator(schema).iter_errors(body)]


@settings(max_examples=60)
@given(name=NOT_PERMITTED, value=ANYTHING, leg=st.sampled_from(["TENANT", "LANDLORD"]))
def test_any_other_field_is_refused_with_5003(lasting: Stage, name: str, value: object, leg: str) -> None:
    own = TENANT_PAYLOAD if leg == "TENANT" else LANDLORD_PAYLOAD
    status, told = validated(lasting, with_payload({**own, name: value}, leg))
    assert (status, told["items"][0]["state"]) == (200, "REJECTED")
    assert "5003" in {error["code"] for error in told["items"][0]["errors"]}


@settings(max_examples=60)
@given(
    field=st.sampled_from(sorted(TENANT_PAYLOAD)),
    name=NOT_PERMITTED,
    value=ANYTHING,
    path=st.lists(st.none() | st.sampled_from(sorted(FIELDS)), max_size=5),
)
def test_any_other_field_is_refused_at_any_depth(
    lasting: Stage, field: str, name: str, value: object, path: list[str | None]
) -> None:
    inner: object = {name: value}
    for step in path:
        inner = [inner] if step is None else {step: inner}
    _, told = validated(lasting, with_payload({**TENANT_PAYLOAD, field: inner}))
    assert {"2003", "5003"} <= {error["code"] for error in told["items"][0]["errors"]}


@settings(max_examples=60)
@given(field=st.sampled_from(sorted(shape_of("UPSERT", "TENANT").required)), value=ANYTHING)
def test_a_value_of_another_kind_has_a_code_of_its_field(lasting: Stage, field: str, value: object) -> None:
    _, told = validated(lasting, with_payload({**TENANT_PAYLOAD, field: value}))
    if not isinstance(value, str):
        assert (told["items"][0]["errors"][0]["code"][0], told["items"][0]["state"]) in (("2", "REJECTED"),) or (
            "5003" in {error["code"] for error in told["items"][0]["errors"]}
        )


@settings(max_examples=100)
@given(data=st.data(), value=ANYTHING)
def test_a_member_of_another_kind_is_refused_with_1102(lasting: Stage, data: st.DataObject, value: object) -> None:
    whole = json.loads(make_batch(make_registration_item()).to_bytes())
    place = data.draw(st.sampled_from(["schema", "purpose", "items", *whole["items"][0]]))
    holder = whole if place in whole else whole["items"][0]
    kept = holder[place]
    holder[place] = value
    status, told = validated(lasting, json.dumps(whole).encode())
    if type(value) is not type(kept):
        assert (status, told["code"]) == ((422, "5002") if place == "purpose" else (400, "1102"))


@settings(max_examples=100)
@given(body=st.binary(max_size=60) | ANYTHING.map(lambda value: json.dumps(value).encode()))
def test_no_body_breaks_the_registry(lasting: Stage, body: bytes) -> None:
    for target in ("/v1/validate", "/v1/batches", "/v1/records/0193a001-0000-7000-8000-000000000001/void"):
        answer = lasting.call("POST", target, body, key=KEY)
        assert 400 <= answer.status_code < 500 and answer.get_json()["code"] in CODES


@pytest.mark.parametrize("depth", [30, 900, 20_000])
def test_a_body_nested_without_end_is_refused(lasting: Stage, depth: int) -> None:
    nested = b'{"a":' * depth + b"1" + b"}" * depth
    body = with_payload("@").replace(b'"@"', nested)
    assert validated(lasting, body)[1]["code"] == "1102"


def test_an_answer_does_not_grow_with_its_question(lasting: Stage) -> None:
    _, told = validated(lasting, with_payload({f"n{number}": {} for number in range(20_000)}))
    assert len(told["items"][0]["errors"]) == 60


@pytest.mark.parametrize("path", ["batches/%00", "records/%00", "codes/%00", "codes/reason?since=99999999999999"])
def test_a_name_no_database_can_take_is_just_unknown(lasting: Stage, path: str) -> None:
    assert lasting.call("GET", f"/v1/{path}").status_code in (200, 404)
