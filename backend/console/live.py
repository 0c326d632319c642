"""Parts of pages that are asked for again: by a click without leaving the page, or by the page itself."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from flask import make_response, request
from werkzeug.wrappers import Response

from backend.console import words
from backend.console.pages import world
from backend.web import language

PART_HEADER = "X-Anju-Part"  # the parts that change are wanted, without the page around them


def wants_parts() -> bool:
    """Whether the caller wants the changing parts alone."""
    return PART_HEADER in request.headers


def live_answer(render: Callable[[], str], *shown: object) -> Response:
    """What `render` makes, with a tag of what is `shown`; 304 and nothing rendered when the caller has that already.

    The tag leaves the moment of asking aside, which goes along in a header of its own.
    """
    tag = sha256(repr((language(), shown)).encode()).hexdigest()[:20]
    known = tag in request.if_none_match
    answer = make_response(("", 304) if known else (render(), 200))
    answer.set_etag(tag)
    answer.headers["X-Anju-As-Of"] = words.full_moment(world().clock.now())
    return answer
