"""Decodes one picture to RGB pixels, upright, within bounded memory. Runs in a face worker only.

The head has been read by hand before (picture_headers); here the decoder is limited to that one format, shrinks while
decoding where it can, and whatever it raises becomes one code. Metadata is read for the orientation and dropped.
"""

from __future__ import annotations

import io
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from backend.domain.faces import PictureLimits
from backend.gateways.picture_headers import PictureHead, PictureRefused, check_document, check_frame

Pixels = NDArray[np.uint8]

DOCUMENT_SIDE = 1280  # the long side is at least this when the picture has it: a card's portrait stays 60 px wide
FRAME_SIDE = 640
_STRIP_ROWS = 64  # of the shrunk picture
_SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I;16N", "I")


def decode_document(content: bytes, limits: PictureLimits) -> Image.Image:
    """RGB picture, upright, long side 1280 to 2560 pixels when it has them. Raises PictureRefused."""
    return _decoded(content, check_document(content, limits), DOCUMENT_SIDE)


def decode_frame(content: bytes, limits: PictureLimits) -> Image.Image:
    """RGB frame, upright, long side 640 to 1280 pixels when it has them. Raises PictureRefused."""
    return _decoded(content, check_frame(content, limits), FRAME_SIDE)


def pixels_of(picture: Image.Image) -> Pixels:
    """Height × width × 3, 8 bit, RGB, contiguous: what dlib takes."""
    return np.ascontiguousarray(np.asarray(picture))


def _decoded(content: bytes, head: PictureHead, side: int) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged EXIF is told by warnings; it is not read further
            with Image.open(io.BytesIO(content), formats=[head.kind]) as opened:
                if opened.size != (head.width, head.height):
                    raise PictureRefused("damaged")
                # Only JPEG can shrink while decoding, and only for a box of the picture's own aspect.
                long = max(opened.size)
                if long > side:
                    opened.draft("RGB", (opened.width * side // long, opened.height * side // long))
                opened.load()
                small = _shrunk(opened, max(opened.size) // side)
                return _upright(small, opened).convert("RGB")
    except PictureRefused:
        raise
    except MemoryError:
        raise PictureRefused("too_large") from None
    except Exception:  # a decoder meets hostile bytes: its exceptions are many, our answer is one
        raise PictureRefused("damaged") from None


def _eight_bits(picture: Image.Image) -> Image.Image:
    if picture.mode in _SIXTEEN_BITS:
        return Image.fromarray((np.clip(np.asarray(picture), 0, 65_535) >> 8).astype(np.uint8))
    if picture.mode in ("L", "RGB"):
        return picture
    # CMYK, YCbCr, palettes and transparency; Pillow turns Adobe's inverted CMYK round by itself.
    return picture.convert("L" if picture.mode in ("1", "LA", "La") else "RGB")


def _shrunk(picture: Image.Image, factor: int) -> Image.Image:
    """The picture in 8 bits, shrunk by a whole factor: strip by strip, so that no second large copy is made."""
    if factor < 2:
        return _eight_bits(picture)
    small: Image.Image | None = None
    for top in range(0, picture.height, _STRIP_ROWS * factor):
        bottom = min(picture.height, top + _STRIP_ROWS * factor)
        strip = _eight_bits(picture.crop((0, top, picture.width, bottom))).reduce(factor)
        if small is None:
            small = Image.new(strip.mode, (strip.width, -(-picture.height // factor)))
        small.paste(strip, (0, top // factor))
    assert small is not None
    return small


def _upright(picture: Image.Image, opened: Image.Image) -> Image.Image:
    try:
        turn = _TURNS.get(opened.getexif().get(0x0112, 1))
    except Exception:  # an EXIF block that cannot be read says nothing about the orientation
        turn = None
    return picture.transpose(turn) if turn is not None else picture


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
