"""Files that people send by mistake and on purpose, each with what has to come of it.

`HANDLED` means: decoded like any picture, its one face found. Everything else is the reason code.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.face_samples import document, landscape, picture, saved

HANDLED = "handled"
PNG_HEAD = b"\x89PNG\r\n\x1a\n"
Case = tuple[Callable[[], bytes], str]


def chunk(name: bytes, body: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, depth: int, colour: int, packed: bytes, *before: bytes) -> bytes:
    """A PNG written by hand: what Pillow cannot write."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return PNG_HEAD + head + b"".join(before) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def png_of_nothing(width: int, height: int) -> bytes:
    """A few bytes that unpack to `width` × `height` black pixels, one bit each."""
    packer, row = zlib.compressobj(9), bytes(1 + (width + 7) // 8)
    return png(width, height, 1, 0, b"".join(packer.compress(row) for _ in range(height)) + packer.flush())


def png_of_sixteen_bit_colours() -> bytes:
    with Image.open(io.BytesIO(document())) as image:
        pixels = np.asarray(image.convert("RGB").resize((480, 480))).astype(">u2") * 257
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    return png(480, 480, 16, 2, zlib.compress(rows))


def webp_that_claims_all() -> bytes:
    """An extended WebP whose canvas is as large as its head can say."""
    whole = saved(landscape(100, 100), "WEBP", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0")
    return whole[:24] + b"\xff" * 6 + whole[30:]


def jpeg_that_claims(width: int, height: int) -> bytes:
    content = bytearray(document())
    at = content.index(b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def with_segments(count: int) -> bytes:
    """The document with `count` segments of metadata of 60 kB each before the picture."""
    segment = b"\xff\xe1" + struct.pack(">H", 60_002) + b"Exif\0\0" + b"\x55" * 59_994
    return document()[:2] + segment * count + document()[2:]


def archive() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as made:
        made.writestr("note.txt", "nothing")
    return written.getvalue()


def oriented(orientation: int) -> bytes:
    """The document turned or mirrored in its pixels, and the EXIF tag that turns it back."""
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Image.Transpose that makes the stored picture
    exif = Image.Exif()
    exif[0x0112] = orientation
    return picture(
        "JPEG",
        lambda image: image.transpose(Image.Transpose(undo[orientation])) if orientation in undo else image,
        exif=exif,
        quality=90,
    )


def enlarged(width: int, height: int) -> bytes:
    """The document's portrait as a picture of many megapixels."""
    return picture("JPEG", lambda image: image.resize((width, height), Image.Resampling.BILINEAR), quality=60)


def two_faces() -> bytes:
    def both(image: Image.Image) -> Image.Image:
        canvas = Image.new("RGB", (2 * image.width, image.height))
        canvas.paste(image, (0, 0))
        canvas.paste(image, (image.width, 0))
        return canvas

    return picture("JPEG", both)


def animated(kind: str) -> bytes:
    return saved(landscape(80, 80), kind, save_all=True, append_images=[landscape(80, 80, 1), landscape(80, 80, 2)])


def mode(kind: str, name: str, **options: object) -> bytes:
    return picture(kind, lambda image: image.convert(name), **options)


def sixteen_bit_grey() -> bytes:
    return picture("PNG", lambda image: Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257))


def texts_that_unpack_large() -> bytes:
    told = PngInfo()
    told.add_text("Comment", "x" * 70_000_000, zip=True)
    return saved(landscape(200, 200), "PNG", pnginfo=told)


CASES: dict[str, Case] = {
    # sizes
    "png that claims 40,000 × 40,000": (
        lambda: png(40_000, 40_000, 8, 2, zlib.compress(b"\0")), "document_too_large"),
    "png of 900 megapixels in 110 kB": (lambda: png_of_nothing(30_000, 30_000), "document_too_large"),
    "png of 49 megapixels in a few kB": (lambda: png_of_nothing(7_000, 7_000), "document_no_face"),
    "png text that unpacks to 70 MB": (texts_that_unpack_large, "document_damaged"),
    "webp that claims 16,777,216 × 16,777,216": (webp_that_claims_all, "document_too_large"),
    "webp of 49 megapixels": (
        lambda: saved(Image.new("RGB", (7_000, 7_000), (90, 120, 150)), "WEBP", quality=10, method=0),
        "document_no_face"),
    "webp of 49 megapixels, lossless, transparent": (
        lambda: saved(Image.new("RGBA", (7_000, 7_000), (9, 120, 150, 99)), "WEBP", lossless=True, quality=0, method=0),
        "document_no_face"),
    "png of 49 megapixels, transparent": (
        lambda: saved(Image.new("RGBA", (8_100, 6_100), (90, 120, 150, 99)), "PNG", compress_level=1),
        "document_no_face"),
    "jpeg of 49 megapixels, progressive CMYK": (
        lambda: saved(Image.new("CMYK", (8_100, 6_100), (90, 120, 150, 9)), progressive=True), "document_no_face"),
    "jpeg that claims 65,500 × 65,500": (lambda: jpeg_that_claims(65_500, 65_500), "document_too_large"),
    "jpeg that claims no height": (lambda: jpeg_that_claims(1_020, 0), "document_damaged"),
    "40 megapixels": (lambda: enlarged(6_325, 6_325), HANDLED),
    "51 megapixels": (lambda: saved(Image.new("RGB", (8_500, 6_000)), quality=30), "document_too_large"),
    "1 × 1": (lambda: saved(Image.new("RGB", (1, 1)), "PNG"), "document_too_small"),
    "a line": (lambda: saved(Image.new("RGB", (4_000, 8))), "document_too_small"),
    # two things in one file
    "pdf behind": (lambda: document() + b"%PDF-1.7\n1 0 obj", "document_mixed"),
    "zip behind": (lambda: document() + archive(), "document_mixed"),
    "page behind": (lambda: document() + b"<!DOCTYPE html><html>", "document_mixed"),
    "program behind": (lambda: document() + b"<?php system($_GET[0]);", "document_mixed"),
    "rar behind a png": (lambda: picture("PNG") + b"Rar!\x1a\x07\0", "document_mixed"),
    "page behind a webp": (lambda: picture("WEBP") + b"<script>", "document_mixed"),
    "page in a comment": (lambda: picture(comment=b"<html><script>alert(1)</script>"), "document_mixed"),
    "pdf in a comment": (lambda: picture(comment=b"%PDF-1.4 1 0 obj"), "document_mixed"),
    # kinds
    "gif": (lambda: mode("GIF", "P"), "document_unknown_kind"),
    "gif, animated": (lambda: animated("GIF"), "document_unknown_kind"),
    "png, animated": (lambda: animated("PNG"), "document_animated"),
    "webp, animated": (lambda: animated("WEBP"), "document_animated"),
    "bmp": (lambda: picture("BMP"), "document_unknown_kind"),
    "tiff": (lambda: picture("TIFF"), "document_unknown_kind"),
    "svg": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "document_unknown_kind"),
    "heic": (lambda: b"\0\0\0\x18ftypheic" + bytes(300), "document_unknown_kind"),
    "text": (lambda: b"my face", "document_unknown_kind"),
    "zip": (archive, "document_unknown_kind"),
    "random bytes behind a jpeg's first": (
        lambda: b"\xff\xd8\xff" + np.random.default_rng(1).bytes(5_000), "document_damaged"),
    # what cameras, scanners and editors write
    "png under a jpeg's name": (lambda: picture("PNG"), HANDLED),
    "webp": (lambda: picture("WEBP"), HANDLED),
    "grey": (lambda: mode("JPEG", "L"), HANDLED),
    "grey with transparency": (lambda: mode("PNG", "LA"), HANDLED),
    "transparency": (lambda: mode("PNG", "RGBA"), HANDLED),
    "webp with transparency": (lambda: mode("WEBP", "RGBA"), HANDLED),
    "palette": (lambda: mode("PNG", "P"), HANDLED),
    "cmyk": (lambda: mode("JPEG", "CMYK"), HANDLED),
    "16 bit grey": (sixteen_bit_grey, HANDLED),
    "16 bit colours": (png_of_sixteen_bit_colours, HANDLED),
    "progressive": (lambda: picture(progressive=True, quality=85), HANDLED),
    "no subsampling": (lambda: picture(subsampling=0, quality=95), HANDLED),
    "several pictures, as some phones write (MPO)": (
        lambda: picture("MPO", save_all=True, append_images=[landscape(200, 200)]), HANDLED),
    "huge exif": (lambda: with_segments(1), HANDLED),
    "huge exif, 6 MB of it": (lambda: with_segments(100), HANDLED),
    "exif of nonsense": (lambda: picture(exif=b"Exif\0\0II*\0\xff\xff\xff\xff" + b"\xff" * 400), HANDLED),
    **{f"orientation {n}": (lambda n=n: oriented(n), HANDLED) for n in range(1, 9)},  # type: ignore[misc]
    "sideways without a word": (
        lambda: picture(change=lambda image: image.transpose(Image.Transpose.ROTATE_90)), HANDLED),
    "upside down without a word": (
        lambda: picture(change=lambda image: image.transpose(Image.Transpose.ROTATE_180)), HANDLED),
    # faces
    "two faces": (two_faces, "document_several_faces"),
    "no face": (lambda: saved(landscape()), "document_no_face"),
}  # fmt: skip


def truncated() -> list[tuple[str, bytes]]:
    """Pictures of each kind cut at many lengths, the shortest four bytes long."""
    cuts = []
    for kind in ("JPEG", "PNG", "WEBP"):
        whole = picture(kind, lambda image: image.resize((300, 300)))
        lengths = {4, 11, 12, 20, 24, 33, 60, 200, len(whole) // 4, len(whole) // 2, len(whole) - 100, len(whole) - 1}
        cuts += [(f"{kind} cut to {length} of {len(whole)}", whole[:length]) for length in sorted(lengths)]
    return cuts


# As one frame of a burst. Frames are JPEG pictures of a camera's size, nothing else.
FRAMES: dict[str, Case] = {
    "png": (lambda: picture("PNG", lambda image: image.resize((300, 300))), "frame_unknown_kind"),
    "text": (lambda: b"my face", "frame_unknown_kind"),
    "animation": (lambda: animated("WEBP"), "frame_animated"),
    "cut": (lambda: saved(landscape())[:900], "frame_damaged"),
    "page behind": (lambda: saved(landscape()) + b"<html>", "frame_mixed"),
    "3 megapixels": (lambda: saved(Image.new("RGB", (2_000, 1_500))), "frame_too_large"),
    "1 × 1": (lambda: saved(Image.new("RGB", (1, 1))), "frame_too_small"),
    "no face": (lambda: saved(landscape(320, 240)), "face_lost"),
}  # fmt: skip
