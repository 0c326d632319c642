"""Pages that follow what happens: a page names its mark, and is answered 304 while nothing has moved.

live.js asks for the page itself again, with its mark, and renews the parts that carry `data-live` and an id.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import Response, g, make_response, request

from backend.queries.live_marks import mark_page
from backend.web import LIVE_HEADER
from mobile_api.pages.doors import account_id, world

EVERY_MS = 3000

View = Callable[..., Any]


@dataclass(frozen=True)
class LivePage:
    """What live.js needs to know of a page: its mark and how long to wait before asking again."""

    mark: str
    every_ms: int


def live(
    name: str, of: str | None = None, *, about: Callable[[], str] | None = None, every_ms: int = EVERY_MS
) -> Callable[[View], View]:
    """A view whose page follows what happens; `name` is a mark of `queries.live_marks`, `of` the id in its address.

    `about` answers which rows the page shows where its address does not say.
    The mark is taken before the page is made: what moves in between is seen the next time.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(**named: Any) -> Any:
            if request.method != "GET":
                return view(**named)
            shown = about() if about is not None else named[of] if of else ""
            mark = mark_page(name, account_id(), shown, world().clock.now())
            g.live = LivePage(mark, every_ms)
            if LIVE_HEADER in request.headers and request.if_none_match.contains(mark):
                return _tagged(Response(status=304), mark)
            return _tagged(make_response(view(**named)), mark)

        return wrapper

    return decorate


def live_page() -> LivePage | None:
    """The present page's mark, when it has one."""
    found: LivePage | None = g.get("live")
    return found


def _tagged(answer: Response, mark: str) -> Response:
    if answer.status_code in (200, 304):
        answer.set_etag(mark)
    return answer
