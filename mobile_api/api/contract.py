"""The decorators of an endpoint's contract: what comes in, what goes out, for which reasons it refuses."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import flask_smorest
from flask import Response
from flask_smorest.exceptions import NotModified
from werkzeug.routing import BaseConverter

from backend.domain.refusals import Refused
from mobile_api.api.paging import LINK, Page
from mobile_api.api.parsing import InputParser, idempotency_key
from mobile_api.api.schemas.base import example_of
from mobile_api.papers import pdf_answer
from mobile_api.requests import preferred_wait

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Blueprint(flask_smorest.Blueprint):
    """flask-smorest's blueprint with Anju's errors, examples made from the fields, and refusals in the contract."""

    ARGUMENTS_PARSER = InputParser()
    DEFAULT_LOCATION_CONTENT_TYPE_MAPPING = {
        **flask_smorest.Blueprint.DEFAULT_LOCATION_CONTENT_TYPE_MAPPING,
        "multipart": "multipart/form-data",
    }

    def __init__(self, name: str, zh: str, en: str) -> None:
        super().__init__(name, __name__, description=f"{zh} · {en}")
        self.title = f"{zh} {en}"

    def arguments(self, schema: Any, *, location: str = "json", **more: Any) -> Decorator:
        """What comes in; the document's example is put together from the fields."""
        if location in ("json", "multipart"):
            more.setdefault("example", example_of(schema))
        decorator: Decorator = super().arguments(schema, location=location, **more)
        return decorator

    def response(self, status_code: int, schema: Any = None, **more: Any) -> Decorator:
        """What goes out when all is well."""
        if schema is not None:
            one = example_of(schema)
            many = getattr(schema, "many", False)
            more.setdefault("example", [one] if many else one)
        decorator: Decorator = super().response(status_code, schema, **more)
        return (lambda call: decorator(_as_list(call))) if getattr(schema, "many", False) else decorator

    def response_page(self, schema: Any) -> Decorator:
        """A list that grows: a page of it, and the address of the next in a Link header."""
        return self.response(200, schema, headers={"Link": LINK})

    def refuses(self, *codes: str) -> Decorator:
        """Reasons (codes of backend.domain.reasons) for which the call may be refused, beside the general ones."""
        decorator: Decorator = self.doc(**{"x-problem-codes": list(codes)})
        return decorator

    def creates(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """A creating call: the Idempotency-Key header is read and given on as `idempotency_key`."""
        return self._with_key(call, needed=False)

    def creates_under_a_key(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same, refused without the header: what is done twice by mistake cannot be taken back."""
        return self._with_key(call, needed=True)

    def _with_key(self, call: Callable[..., Any], *, needed: bool) -> Callable[..., Any]:
        @wraps(call)
        def wrapper(*args: Any, **named: Any) -> Any:
            key = idempotency_key()
            if key is None and needed:
                raise Refused("input.missing", "Idempotency-Key")
            return call(*args, idempotency_key=key, **named)

        documented: Callable[..., Any] = self.doc(**{"x-idempotent": "needed" if needed else "possible"})(wrapper)
        return documented

    def paper(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """A call that answers the bytes of a PDF; its name comes from the address."""

        @wraps(call)
        def wrapper(*args: Any, **named: Any) -> Response:
            return pdf_answer(call(*args, **named))

        pdf = {"schema": {"type": "string", "format": "binary"}, "example": "%PDF-1.7 …"}
        responses = {"200": {"description": "PDF", "content": {"application/pdf": pdf}}}
        documented: Callable[..., Any] = self.doc(responses=responses)(wrapper)
        return documented

    def may_wait(self, *, most: int) -> Decorator:
        """A call that can wait for its result: `Prefer: wait=N` (RFC 7240) is given on as `wait_seconds`, else 0."""

        def decorate(call: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(call)
            def wrapper(*args: Any, **named: Any) -> Any:
                return call(*args, wait_seconds=min(preferred_wait(), most), **named)

            documented: Callable[..., Any] = self.doc(parameters=[_prefer_parameter(most)])(wrapper)
            return documented

        return decorate

    def route(self, rule: str, **options: Any) -> Decorator:
        """Register a call under the title of this blueprint."""
        decorator: Decorator = super().route(rule, tags=[self.title], **options)
        return decorator

    def _check_not_modified(self, etag: str) -> None:
        try:
            super()._check_not_modified(etag)
        except NotModified:
            unchanged = Response(status=304)
            unchanged.set_etag(etag)
            raise NotModified(response=unchanged) from None


def _prefer_parameter(most: int) -> dict[str, Any]:
    return {
        "name": "Prefer",
        "in": "header",
        "required": False,
        "description": f"在同一请求中等待结果的秒数 · Wait in this request for the result, at most {most} s (RFC 7240)",
        "schema": {"type": "string", "pattern": "wait=[0-9]+"},
        "example": f"wait={most}",
    }


def _as_list(call: Callable[..., Any]) -> Callable[..., Any]:
    """Services answer tuples; Flask would take one for (body, status, headers). A page's link goes into the headers."""

    @wraps(call)
    def wrapper(*args: Any, **named: Any) -> list[Any] | tuple[list[Any], int, dict[str, str]]:
        found = call(*args, **named)
        return (list(found.items), 200, found.headers()) if isinstance(found, Page) else list(found)

    return wrapper


class IdConverter(BaseConverter):
    """A UUID in a path, as lower-case text; anything else is no such page."""

    regex = "[A-Fa-f0-9]{8}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{12}"

    def to_python(self, value: str) -> str:
        """Lower case, as ids are stored."""
        return value.lower()


class WordConverter(BaseConverter):
    """A lower-case word in a path."""

    regex = "[a-z_]{1,40}"
