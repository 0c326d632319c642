"""Heads of uploaded files: what is refused before a decoder sees it."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from backend.domain.faces import PictureLimits
from backend.gateways.picture_headers import PictureRefused, check_document, check_frame, read_head
from tests.face_samples import landscape, saved

LIMITS = PictureLimits()
JPEG = saved(landscape(200, 150))
PNG = saved(landscape(200, 150), "PNG")
WEBP = saved(landscape(200, 150), "WEBP")


def refusal(content: bytes) -> str:
    with pytest.raises(PictureRefused) as refused:
        check_document(content, LIMITS)
    return refused.value.code


def png_that_claims(width: int, height: int) -> bytes:
    body = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    head = struct.pack(">I", 13) + b"IHDR" + body + struct.pack(">I", zlib.crc32(b"IHDR" + body))
    return PNG[:8] + head + PNG[33:]


def archive() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as made:
        made.writestr("note.txt", "nothing")
    return written.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        JPEG,
        saved(landscape(200, 150), progressive=True),
        PNG,
        WEBP,
        saved(landscape(200, 150), "WEBP", lossless=True),
        saved(landscape(200, 150), "WEBP", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"),
    ],
)
def test_size_and_end_are_read_from_the_head_of_each_kind(content: bytes) -> None:
    head = check_document(content, LIMITS)
    assert (head.width, head.height, head.end, head.is_animated) == (200, 150, len(content), False)


def test_a_bomb_is_refused_by_what_it_claims() -> None:
    assert refusal(png_that_claims(40_000, 40_000)) == "too_large"
    assert refusal(png_that_claims(0, 100)) == "damaged"


def test_more_bytes_than_allowed_are_refused_unread() -> None:
    assert refusal(b"\xff\xd8\xff" + bytes(10_000_000)) == "too_large"


def test_a_file_is_what_its_bytes_say_and_not_what_its_name_says() -> None:
    assert refusal(saved(landscape(80, 80), "GIF")) == "unknown_kind"
    assert refusal(saved(landscape(80, 80), "BMP")) == "unknown_kind"
    assert refusal(b"%PDF-1.7\n" + JPEG) == "unknown_kind"
    assert refusal(b"") == "unknown_kind"


@pytest.mark.parametrize("content", [JPEG, PNG, WEBP])
def test_a_truncated_file_is_damaged(content: bytes) -> None:
    for length in (12, 40, len(content) // 2, len(content) - 3):
        assert refusal(content[:length]) in ("damaged", "unknown_kind")


@pytest.mark.parametrize("tail", [archive(), b"<html><script>1</script></html>", b"%PDF-1.7 x", b"<?php echo 1; ?>"])
@pytest.mark.parametrize("content", [JPEG, PNG, WEBP])
def test_a_picture_that_is_also_something_else_is_refused(content: bytes, tail: bytes) -> None:
    assert refusal(content + tail) == "mixed"


@pytest.mark.parametrize("smuggled", [b"%PDF-1.7 1 0 obj", b"<script>alert(1)</script>", archive()])
def test_a_document_of_another_kind_in_the_metadata_is_refused(smuggled: bytes) -> None:
    told = PngInfo()
    told.add_text("Comment", smuggled.decode("latin-1"))
    for content in (saved(landscape(200, 150), comment=smuggled), saved(landscape(200, 150), "PNG", pnginfo=told)):
        assert refusal(content) == "mixed"


def test_what_a_phone_hangs_behind_a_picture_is_left_unread() -> None:
    assert check_document(JPEG + b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 40, LIMITS).end == len(JPEG)


def test_an_animation_is_refused() -> None:
    several = [landscape(80, 80, seed) for seed in range(3)]
    for kind in ("PNG", "WEBP"):
        assert refusal(saved(several[0], kind, save_all=True, append_images=several[1:])) == "animated"


def test_a_thumbnail_is_too_small() -> None:
    assert refusal(saved(landscape(200, 40))) == "too_small"


def test_live_frames_are_jpeg_of_a_cameras_size() -> None:
    assert check_frame(JPEG, LIMITS).kind == "JPEG"
    for content, code in ((PNG, "unknown_kind"), (saved(Image.new("RGB", (1_600, 1_400))), "too_large")):
        with pytest.raises(PictureRefused, match=code):
            check_frame(content, LIMITS)


@settings(max_examples=300)
@given(st.sampled_from([JPEG, PNG, WEBP]), st.integers(0, 2**32), st.binary(min_size=1, max_size=8))
def test_damage_at_any_place_is_read_or_refused_and_nothing_else(content: bytes, place: int, damage: bytes) -> None:
    at = place % len(content)
    try:
        read_head(content[:at] + damage + content[at + len(damage) :])
    except PictureRefused as refused:
        assert refused.code in ("damaged", "unknown_kind")
