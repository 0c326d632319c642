"""The request class of the mobile app: what is uploaded stays in memory."""

from __future__ import annotations

from io import BytesIO
from typing import IO

from flask import Request

API_BODY_BYTES = 64 * 1024  # the largest JSON body is a phone key with its invitation, far below
REPORT_BYTES = 144 * 1024  # eight sealed items of 16 KiB from a lock
UPLOAD_BYTES = 24 * 1024 * 1024  # one document picture (10 MB) and a burst of 40 frames of 640 × 480


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
