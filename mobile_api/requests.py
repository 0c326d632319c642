"""Requests of the mobile app: what is uploaded stays in memory, and how long the caller would wait for a result."""

from __future__ import annotations

import re
from io import BytesIO
from typing import IO

from flask import Request, request

API_BODY_BYTES = 64 * 1024  # the largest JSON body is a phone key with its invitation, far below
REPORT_BYTES = 144 * 1024  # eight sealed items of 16 KiB from a lock
LIST_BYTES = 3 * 1024 * 1024  # a list of tenancies (2 MB) and what multipart wraps around it
UPLOAD_BYTES = 24 * 1024 * 1024  # one document picture (10 MB) and a burst of 40 frames of 640 × 480

_WAIT = re.compile(r"(?:^|[,\s])wait=([0-9]{1,4})(?=$|[,;\s])")


class MemoryRequest(Request):
    """Keeps uploaded files in memory: Werkzeug writes those above 500 kB to disk, and no picture of a face may be."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return BytesIO()


def preferred_wait() -> int:
    """The seconds of `Prefer: wait=N`, else 0: a preference that cannot be read is none (RFC 7240, section 2)."""
    found = _WAIT.search(request.headers.get("Prefer", ""))
    return int(found[1]) if found else 0
