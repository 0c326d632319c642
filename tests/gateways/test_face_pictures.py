"""Bad and unusual pictures, with the real engine: each has its code or is handled; none stops the process."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from backend.domain.faces import FacePolicy, PictureLimits
from backend.gateways.face_engine import Box, Engine, find_document_faces, load_engine
from backend.gateways.face_pictures import _eight_bits, _shrunk, decode_document
from backend.gateways.face_pipeline import Retake, look_at_document
from backend.gateways.picture_headers import PictureRefused
from tests.face_samples import document, landscape, picture, saved

POLICY = FacePolicy()
ORIENTATION = 0x0112


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The real face library, loaded once."""
    return load_engine()


def oriented(image: Image.Image, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return saved(image, exif=exif)


def with_side_by_side(image: Image.Image, second_width: int) -> Image.Image:
    second = image.resize((second_width, second_width))
    both = Image.new("RGB", (image.width + second_width, image.height), (90, 90, 90))
    both.paste(image, (0, 0))
    both.paste(second, (image.width, 0))
    return both


def sixteen_bits(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)


def test_one_face_is_found_with_its_quality(engine: Engine) -> None:
    quality = look_at_document(engine, document(), POLICY).quality()
    assert quality.eyes_apart > 100 and abs(quality.yaw) < 0.1 and abs(quality.roll) < 10 and quality.is_inside


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda: picture("PNG"), id="png whatever its name"),
        pytest.param(lambda: picture("WEBP"), id="webp"),
        pytest.param(lambda: picture("JPEG", lambda i: i.convert("CMYK")), id="cmyk"),
        pytest.param(lambda: picture("JPEG", lambda i: i.convert("L")), id="grey"),
        pytest.param(lambda: picture("PNG", lambda i: i.convert("RGBA")), id="transparency"),
        pytest.param(lambda: picture("PNG", lambda i: i.convert("P")), id="palette"),
        pytest.param(lambda: picture("PNG", sixteen_bits), id="16 bit"),
        pytest.param(lambda: picture("JPEG", exif=b"Exif\0\0" + b"\xff" * 60_000), id="huge exif"),
        pytest.param(lambda: picture("JPEG", comment=b"x" * 60_000, progressive=True), id="progressive, comment"),
    ],
)
def test_unusual_files_are_handled(engine: Engine, content: object) -> None:
    assert look_at_document(engine, content(), POLICY).quality().eyes_apart > 60  # type: ignore[operator]


def test_the_cameras_orientation_is_obeyed(engine: Engine) -> None:
    with Image.open(io.BytesIO(document())) as image:
        sideways = image.transpose(Image.Transpose.ROTATE_90)
    assert abs(look_at_document(engine, oriented(sideways, 6), POLICY).quality().roll) < 10


def test_a_document_photographed_sideways_without_a_word_is_turned(engine: Engine) -> None:
    for turn in (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270):
        content = picture("JPEG", lambda image, turn=turn: image.resize((480, 480)).transpose(turn))  # type: ignore[misc]
        assert abs(look_at_document(engine, content, POLICY).quality().roll) < 10


class UnsureEngine:
    """Sees what looks a little like a face in a sideways picture, and a face once it stands upright."""

    def find_faces(self, picture: Image.Image, side: int, doublings: int = 0, threshold: float = 0.0) -> list[Box]:
        return [Box(0, 0, 90, 2.1)] if picture.height > picture.width else [Box(5, 5, 60, 0.3)]


def test_what_merely_looks_like_a_face_does_not_keep_a_sideways_document_from_being_turned() -> None:
    turned, boxes = find_document_faces(UnsureEngine(), landscape())  # type: ignore[arg-type]
    assert turned.size == (480, 640) and boxes[0].score == 2.1
    narrow = Image.new("RGB", (300, 300))
    assert find_document_faces(UnsureEngine(), narrow)[1][0].score == 0.3  # type: ignore[arg-type]


def test_shrinking_strip_by_strip_gives_the_same_pixels_as_at_once() -> None:
    for image in (landscape(700, 1_003), landscape(700, 1_003).convert("RGBA"), sixteen_bits(landscape(700, 1_003))):
        whole = _eight_bits(image).reduce(2)
        assert np.array_equal(np.asarray(_shrunk(image, 2)), np.asarray(whole))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (lambda: saved(landscape()), "document_no_face"),
        (lambda: picture("JPEG", lambda image: with_side_by_side(image, 900)), "document_several_faces"),
        (lambda: document()[:20_000], "document_damaged"),
        (lambda: document() + b"<html>", "document_mixed"),
        (lambda: b"GIF89a" + bytes(100), "document_unknown_kind"),
        (lambda: document()[:600] + b"\xff\xd9", "document_damaged"),
    ],
)
def test_unusable_files_have_their_code(engine: Engine, content: object, code: str) -> None:
    with pytest.raises(Retake) as retake:
        look_at_document(engine, content(), POLICY)  # type: ignore[operator]
    assert retake.value.reasons == (code,)


def test_the_small_second_portrait_of_a_passport_is_no_second_person(engine: Engine) -> None:
    content = picture("JPEG", lambda image: with_side_by_side(image, 500))
    assert look_at_document(engine, content, POLICY).quality().eyes_apart > 100


def test_a_large_picture_is_shrunk_while_it_is_decoded() -> None:
    for kind, options in (("JPEG", {"quality": 60}), ("PNG", {"compress_level": 1})):
        decoded = decode_document(saved(landscape(4_000, 3_000), kind, **options), PictureLimits())
        assert 1_280 <= max(decoded.size) < 2_560 and decoded.mode == "RGB"


def test_a_frame_that_lies_about_its_size_is_damaged() -> None:
    content = bytearray(saved(landscape(320, 240)))
    start = content.index(b"\xff\xc0")
    content[start + 5 : start + 7] = (480).to_bytes(2, "big")  # taller than the bytes that follow
    try:
        assert decode_document(bytes(content), PictureLimits()).size == (320, 480)
    except PictureRefused as refused:
        assert refused.code == "damaged"
