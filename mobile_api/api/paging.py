"""Turning pages of a list by the last item seen: `before` and `limit` go in, a Link header (RFC 8288) leads on.

The body stays the plain list. A service is asked for one item more than the page holds, so that the last page has no
link and nobody asks in vain.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any
from urllib.parse import urlencode

from flask import request

from backend.domain.calendars import is_in_reach
from backend.domain.refusals import Refused

LINK = {
    "description": '下一页的地址（rel="next"），最后一页没有 · address of the next page',
    "schema": {"type": "string"},
}


@dataclass(frozen=True)
class Page:
    """One page of a list, and the cursor of the next when there is one."""

    items: tuple[Any, ...]
    following: str | None
    limit: int

    def headers(self) -> dict[str, str]:
        """The link to the next page."""
        if self.following is None:
            return {}
        return {"Link": f'<{request.path}?{urlencode({"before": self.following, "limit": self.limit})}>; rel="next"'}


def page_by_id(found: Sequence[Any], limit: int, id_of: Callable[[Any], str] = attrgetter("id")) -> Page:
    """A page out of up to `limit` + 1 items whose ids are cursors."""
    items = tuple(found[:limit])
    return Page(items, id_of(items[-1]) if len(found) > limit else None, limit)


def read_moment(before: str | None) -> tuple[datetime | None, int]:
    """The moment of such a cursor and how many items of it were seen. Raises Refused input.malformed."""
    if before is None:
        return None, 0
    moment, _, count = before.partition("~")
    try:
        until = datetime.fromisoformat(moment)
    except ValueError:
        raise Refused("input.malformed", "before") from None
    if until.tzinfo is None or not is_in_reach(until.date()) or not re.fullmatch(r"[0-9]{1,6}", count):
        raise Refused("input.malformed", "before")
    return until, int(count)


def page_by_moment(found: Sequence[Any], limit: int, before: str | None) -> Page:
    """A page out of up to `limit` + 1 items that have a moment `at` and no id.

    The cursor is the last moment and how many items of that moment have been seen: it tells no more than the list.
    """
    items = tuple(found[:limit])
    if len(found) <= limit:
        return Page(items, None, limit)
    last = items[-1].at
    seen = sum(item.at == last for item in items)
    earlier, _, count = (before or "").partition("~")
    if earlier == last.isoformat():
        seen += int(count)
    return Page(items, f"{last.isoformat()}~{seen}", limit)
