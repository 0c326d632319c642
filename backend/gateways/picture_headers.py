"""Reads the head of an uploaded picture by hand: kind, size, frames, what hangs behind it. Decodes nothing.

No image library is asked before this file has agreed, so a bomb costs a few bytes of reading. Sources: JPEG is ITU-T
T.81 (markers, annex B), PNG is W3C PNG third edition (chunks, section 5), WebP is RFC 9649 (RIFF container).
"""

from __future__ import annotations

from dataclasses import dataclass

from backend.domain.faces import PictureLimits

_FOREIGN_TEXTS = (b"%pdf-", b"<script", b"<?php", b"<html", b"<!doctype", b"<svg ")
_FOREIGN_BYTES = (b"PK\x03\x04\x14\x00", b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c")
_ZIP_END = b"PK\x05\x06"
_ZIP_END_WITHIN = 66_000  # an archive's end record and its comment lie within this distance of the file's end
_MARKERS_AT_MOST = 2_000
_CHUNKS_AT_MOST = 20_000


class PictureRefused(Exception):
    """The file is not taken; `code` is a row of FACE_REASONS without its subject: unknown_kind, damaged, …"""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class PictureHead:
    """What the head says. `kind` is JPEG, PNG or WEBP; sizes in pixels.

    The picture's own bytes begin at `start` (before it stand metadata) and stop at `end`.
    """

    kind: str
    width: int
    height: int
    is_animated: bool
    start: int
    end: int


def check_document(content: bytes, limits: PictureLimits) -> PictureHead:
    """Head of a document's picture. Raises PictureRefused when the file may not be decoded."""
    return _checked(content, limits, limits.bytes_at_most, limits.pixels_at_most, kinds=("JPEG", "PNG", "WEBP"))


def check_frame(content: bytes, limits: PictureLimits) -> PictureHead:
    """Head of one live frame, JPEG only. Raises PictureRefused when it may not be decoded."""
    return _checked(content, limits, limits.frame_bytes_at_most, limits.frame_pixels_at_most, kinds=("JPEG",))


def read_head(content: bytes) -> PictureHead:
    """Kind, size, animation and end of a picture, whatever its name says. Raises PictureRefused."""
    try:
        if content[:3] == b"\xff\xd8\xff":
            return _read_jpeg(content)
        if content[:8] == b"\x89PNG\r\n\x1a\n":
            return _read_png(content)
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            return _read_webp(content)
    except IndexError:
        raise PictureRefused("damaged") from None
    raise PictureRefused("unknown_kind")


def _checked(
    content: bytes, limits: PictureLimits, bytes_at_most: int, pixels_at_most: int, *, kinds: tuple[str, ...]
) -> PictureHead:
    if len(content) > bytes_at_most:
        raise PictureRefused("too_large")
    head = read_head(content)
    if head.is_animated:
        raise PictureRefused("animated")
    if head.kind not in kinds:
        raise PictureRefused("unknown_kind")
    if head.width * head.height > pixels_at_most:
        raise PictureRefused("too_large")
    if min(head.width, head.height) < limits.side_at_least:
        raise PictureRefused("too_small")
    # Phones write metadata before a picture and hang things behind it (motion clips, depth maps): those are left
    # unread. A page, a program or an archive there means the file wants to be two things.
    if _holds_something_else(content[: head.start]) or _holds_something_else(content[head.end :]):
        raise PictureRefused("mixed")
    return head


def _holds_something_else(part: bytes) -> bool:
    lower = part.lower()
    return (
        any(sign in lower for sign in _FOREIGN_TEXTS)
        or any(sign in part for sign in _FOREIGN_BYTES)
        or _ZIP_END in part[-_ZIP_END_WITHIN:]
    )


def _read_jpeg(content: bytes) -> PictureHead:
    at, start, width, height = 2, 0, 0, 0
    for _ in range(_MARKERS_AT_MOST):
        if content[at] != 0xFF:
            raise PictureRefused("damaged")
        while content[at] == 0xFF:
            at += 1
        marker = content[at]
        at += 1
        if marker == 0xD9:
            if not width:
                raise PictureRefused("damaged")
            return PictureHead("JPEG", width, height, False, start or at, at)
        if 0xD0 <= marker <= 0xD7 or marker == 0x01:
            continue
        length = _big(content, at, 2)
        if length < 2:
            raise PictureRefused("damaged")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = _big(content, at + 3, 2), _big(content, at + 5, 2)
            if not (height and width):
                raise PictureRefused("damaged")
        at += length
        if marker == 0xDA:
            start = start or at
            at = _after_scan(content, at)
    raise PictureRefused("damaged")


def _after_scan(content: bytes, at: int) -> int:
    """Where the next marker stands: in entropy-coded bytes FF is followed by 00 (T.81 B.1.1.5) or is a restart."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0 or at + 1 >= len(content):
            raise PictureRefused("damaged")
        following = content[at + 1]
        if following not in (0x00, 0xFF) and not 0xD0 <= following <= 0xD7:
            return at
        at += 1 if following == 0xFF else 2


def _read_png(content: bytes) -> PictureHead:
    if content[12:16] != b"IHDR":
        raise PictureRefused("damaged")
    width, height = _big(content, 16, 4), _big(content, 20, 4)
    at, start, animated = 8, 0, False
    for _ in range(_CHUNKS_AT_MOST):
        length, name = _big(content, at, 4), content[at + 4 : at + 8]
        at += 12 + length
        if at > len(content) or not (width and height):
            raise PictureRefused("damaged")
        animated = animated or name == b"acTL"
        if name == b"IDAT" and not start:
            start = at - length
        if name == b"IEND":
            return PictureHead("PNG", width, height, animated, start or at, at)
    raise PictureRefused("damaged")


def _read_webp(content: bytes) -> PictureHead:
    end = 8 + _little(content, 4, 4)
    if end > len(content):
        raise PictureRefused("damaged")
    name, start = content[12:16], 20
    if name == b"VP8X":
        width, height = 1 + _little(content, start + 4, 3), 1 + _little(content, start + 7, 3)
        return PictureHead("WEBP", width, height, bool(content[start] & 0x02), start, end)
    if name == b"VP8L" and content[start] == 0x2F:
        packed = _little(content, start + 1, 4)
        return PictureHead("WEBP", 1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF), False, start, end)
    if name == b"VP8 " and content[start + 3 : start + 6] == b"\x9d\x01\x2a":
        width, height = _little(content, start + 6, 2) & 0x3FFF, _little(content, start + 8, 2) & 0x3FFF
        return PictureHead("WEBP", width, height, False, start, end)
    raise PictureRefused("damaged")


def _big(content: bytes, at: int, size: int) -> int:
    if at + size > len(content):
        raise PictureRefused("damaged")
    return int.from_bytes(content[at : at + size], "big")


def _little(content: bytes, at: int, size: int) -> int:
    if at + size > len(content):
        raise PictureRefused("damaged")
    return int.from_bytes(content[at : at + size], "little")
