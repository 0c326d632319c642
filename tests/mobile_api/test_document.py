"""The OpenAPI document keeps its promises: valid, complete, in both languages, readable without a foreign host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from backend.domain.reasons import REASONS
from backend.web import CONTENT_SECURITY_POLICY, load_policy

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)  # nothing here touches a row

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture
def document(mobile: Flask) -> dict[str, Any]:
    answer = mobile.test_client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert isinstance(answer.json, dict)
    return answer.json


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield f"{method.upper()} {path}", operation


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert not [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()]


def test_every_call_says_in_both_languages_what_it_does(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert re.search(r"[a-z]{3}", operation["summary"]), name
        chinese, english = operation["description"].split("\n\n")
        assert CHINESE.search(chinese), name
        assert english == operation["summary"], name


def test_every_call_has_an_example_of_what_goes_in_and_what_comes_out(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for media in operation.get("requestBody", {}).get("content", {}).values():
            assert "example" in media, name
        for status, answer in operation["responses"].items():
            for media in answer.get("content", {}).values():
                assert "example" in media or media["examples"], f"{name} {status}"


def test_every_example_fits_its_own_schema(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for media in (media for body in bodies for media in body.get("content", {}).values()):
            validator = Draft202012Validator({**media["schema"], "components": document["components"]})
            examples = [media["example"]] if "example" in media else [e["value"] for e in media["examples"].values()]
            for example in examples:
                assert not [error.message for error in validator.iter_errors(example)], name


def test_every_call_names_the_reasons_for_which_it_refuses(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert set(operation["x-problem-codes"]) <= set(REASONS), name
        documented = {
            code
            for status, answer in operation["responses"].items()
            if status != "default" and int(status) >= 400
            for code in answer["content"]["application/problem+json"]["examples"]
        }
        assert documented == set(operation["x-problem-codes"]), name
        assert "default" in operation["responses"], name


def test_what_the_policy_opens_to_anyone_asks_for_no_token(document: dict[str, Any]) -> None:
    opened = {
        endpoint.removeprefix("mobile.api.").replace(".", "_")
        for (endpoint, _method), rule in load_policy().items()
        if endpoint.startswith("mobile.api.") and "anyone" in rule.who
    }
    assert {operation["operationId"] for _, operation in operations(document) if not operation["security"]} == opened


def test_every_field_is_explained_in_both_languages(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        for field, shown in schema["properties"].items():
            if "$ref" in shown or "anyOf" in shown:
                continue
            assert CHINESE.search(shown["description"]) and re.search("[a-z]", shown["description"]), f"{name}.{field}"


def test_input_refuses_unknown_fields_and_output_does_not_promise_to(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["LeaseRecorded"]["additionalProperties"] is False
    assert "additionalProperties" not in schemas["LeaseShown"]


def test_no_schema_has_a_score_or_anything_like_it(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        for field in schema["properties"]:
            assert not re.search(r"score|risk|distance|bucket|rating|suspici", field), f"{name}.{field}"


@pytest.mark.parametrize("path", ["/api/v1/docs", "/api/v1/docs?lang=en", "/api/v1/problems"])
def test_the_documents_are_readable_under_the_strict_policy_without_a_foreign_host(mobile: Flask, path: str) -> None:
    answer = mobile.test_client().get(path)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=", page)
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//[^\"]*", page)
    for address in re.findall(r"<link[^>]+href=\"([^\"]+)\"", page):
        with mobile.test_client().get(address) as linked:
            assert linked.status_code == 200, address


def test_the_docs_page_shows_every_call(mobile: Flask, document: dict[str, Any]) -> None:
    page = mobile.test_client().get("/api/v1/docs").get_data(as_text=True)
    for _name, operation in operations(document):
        assert f'id="{operation["operationId"]}"' in page


def test_the_problems_page_explains_every_reason_in_both_languages(mobile: Flask) -> None:
    page = mobile.test_client().get("/api/v1/problems").get_data(as_text=True)
    for code in REASONS:
        assert f'id="{code}"' in page
    assert "HR-7" in page
