"""A client made at run time from the OpenAPI document alone: what the document does not say, it cannot do.

`client.call("leases_record_lease", unit_id=…, body={…}, key="…")` finds path and method by the operationId, puts each
parameter where the document has it, refuses a body that does not fit the schema before anything is sent, sends the
token exactly where the document asks for one, and holds the answer against the promised schema.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from jsonschema import Draft202012Validator

Transport = Callable[..., Any]  # (method, url, headers, **body) -> status_code, headers, mimetype, json, data


class NotInDocument(Exception):
    """The caller asked for something that the document does not offer."""


class ProblemAnswer(Exception):
    """The API refused, with a reason that the document names for this call."""

    def __init__(self, operation_id: str, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{operation_id}: {status} {problem.get('code')}")
        self.status, self.code, self.problem = status, problem.get("code"), problem


@dataclass(frozen=True)
class Operation:
    """One call as the document describes it."""

    method: str
    path: str
    parameters: tuple[dict[str, Any], ...]
    described: dict[str, Any]


class DocumentClient:
    """All calls of a document, by operationId."""

    def __init__(self, document: dict[str, Any], transport: Transport) -> None:
        self._document, self._transport = document, transport
        self._operations = dict(self._read_operations())
        self._token: str | None = None
        self.used: set[str] = set()

    def sign_in_with(self, tokens: dict[str, Any]) -> None:
        """Carry these tokens from now on, as the security scheme says."""
        scheme = self._document["components"]["securitySchemes"]["bearer"]
        if scheme["type"] != "http" or scheme["scheme"] != "bearer":
            raise NotInDocument("no bearer token")
        self._token = tokens["access_token"]

    def call(self, operation_id: str, *, body: Any = None, files: Any = None, **parameters: Any) -> Any:
        """Call; answers the body, decoded. Raises ProblemAnswer when the API refuses."""
        return self.call_whole(operation_id, body=body, files=files, **parameters)[0]

    def call_whole(
        self, operation_id: str, *, body: Any = None, files: Any = None, **parameters: Any
    ) -> tuple[Any, dict[str, str]]:
        """The same, with the headers of the answer that the document or HTTP gives a meaning."""
        operation = self._operations.get(operation_id)
        if operation is None:
            raise NotInDocument(operation_id)
        self.used.add(operation_id)
        url, headers = self._place(operation, parameters)
        if operation.described["security"]:
            if self._token is None:
                raise NotInDocument(f"{operation_id} needs a token")
            headers["Authorization"] = f"Bearer {self._token}"
        sent = self._body(operation, body, files)
        answer = self._transport(operation.method, url, headers=headers, **sent)
        return self._judge(operation_id, operation, answer), dict(answer.headers)

    def _read_operations(self) -> Any:
        server = self._document["servers"][0]["url"].rstrip("/")
        for path, item in self._document["paths"].items():
            shared = item.get("parameters", [])
            for method, described in item.items():
                if method == "parameters":
                    continue
                parameters = tuple(self._resolve(each) for each in (*shared, *described.get("parameters", ())))
                yield described["operationId"], Operation(method.upper(), server + path, parameters, described)

    def _resolve(self, part: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in part:
            found: Any = self._document
            for step in part["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            part = found
        return part

    def _place(self, operation: Operation, given: dict[str, Any]) -> tuple[str, dict[str, str]]:
        """Put every parameter where it belongs: path, query or header (a header's dashes are underlines here)."""
        left, url, query, headers = dict(given), operation.path, {}, {}
        for parameter in operation.parameters:
            name = parameter["name"].replace("-", "_")
            if name not in left:
                if parameter.get("required"):
                    raise NotInDocument(f"{operation.path} needs {name}")
                continue
            value = left.pop(name)
            self._validate(parameter["schema"], value, f"{operation.path} {name}")
            if parameter["in"] == "path":
                url = url.replace("{" + parameter["name"] + "}", quote(str(value), safe=""))
            elif parameter["in"] == "query":
                query[parameter["name"]] = value
            else:
                headers[parameter["name"]] = str(value)
        if left:
            raise NotInDocument(f"{operation.path} takes no {sorted(left)}")
        return url + (f"?{urlencode(query)}" if query else ""), headers

    def _body(self, operation: Operation, body: Any, files: Any) -> dict[str, Any]:
        described = operation.described.get("requestBody")
        if described is None:
            if body is not None or files is not None:
                raise NotInDocument(f"{operation.path} takes no body")
            return {}
        content = described["content"]
        if files is None:
            media = content.get("application/json")
            if media is None:
                raise NotInDocument(f"{operation.path} takes no JSON")
            self._validate(media["schema"], body, operation.path)
            return {"json": body}
        media = content.get("multipart/form-data")
        if media is None:
            raise NotInDocument(f"{operation.path} takes no files")
        known = self._resolve(media["schema"])["properties"]
        if unknown := sorted(set(files) - set(known)):
            raise NotInDocument(f"{operation.path} takes no {unknown}")
        return {"data": {name: _part(value) for name, value in files.items()}, "content_type": "multipart/form-data"}

    def _judge(self, operation_id: str, operation: Operation, answer: Any) -> Any:
        promised = operation.described["responses"].get(str(answer.status_code))
        if promised is None:
            raise NotInDocument(f"{operation_id} answered {answer.status_code}: {answer.get_data(as_text=True)[:300]}")
        content = self._resolve(promised).get("content")
        if not content:
            return None
        media = content.get(answer.mimetype)
        if media is None:
            raise NotInDocument(f"{operation_id} answered {answer.mimetype}")
        if not answer.is_json:
            return answer.data
        self._validate(media["schema"], answer.json, operation_id)
        if answer.status_code >= 400:
            raise ProblemAnswer(operation_id, answer.status_code, answer.json)
        return answer.json

    def _validate(self, schema: dict[str, Any], value: Any, where: str) -> None:
        validator = Draft202012Validator({**schema, "components": self._document["components"]})
        faults = [f"{'/'.join(map(str, each.absolute_path))}: {each.message}" for each in validator.iter_errors(value)]
        if faults:
            raise NotInDocument(f"{where}: {faults}")


def _part(value: Any) -> Any:
    """A field of a multipart body; bytes (or a list of them) become files."""
    if isinstance(value, bytes):
        return io.BytesIO(value), "picture.jpg", "image/jpeg"
    if isinstance(value, list):
        return [_part(each) for each in value]
    return value
