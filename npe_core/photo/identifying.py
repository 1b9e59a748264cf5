"""Which format a file is in, by its content; what is not read is refused by what it is."""

from __future__ import annotations

import importlib
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError, features

from npe_core.errors import InputError
from npe_core.photo import jpeg_kind, tiff_kind

_PLUGINS = {
    "JPEG": "PIL.JpegImagePlugin",
    "PNG": "PIL.PngImagePlugin",
    "WEBP": "PIL.WebPImagePlugin",
    "TIFF": "PIL.TiffImagePlugin",
    "BMP": "PIL.BmpImagePlugin",
    "GIF": "PIL.GifImagePlugin",
}
_SIGNATURES = {
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "WebP": (b"RIFF",),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "GIF": (b"GIF87a", b"GIF89a"),
}
EXPECTED = "Expected a JPEG, PNG, WebP, TIFF, BMP or GIF picture (HEIC and AVIF where installed)."
"""What a file should be, in words."""
_AVIF_BRANDS = (b"avif", b"avis")
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")


def identified(file: BinaryIO, head: bytes, name: str) -> Image.Image:
    """The picture, not decoded yet, of a file that begins with ``head`` (64 bytes); within ``pillow_settings``.

    Raises InputError that says what it is instead.
    """
    formats = formats_of(head, name)
    file.seek(0)
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None  # ``check`` says it better
    try:
        return Image.open(file, formats=formats)
    except UnidentifiedImageError as error:
        begins_as = next((kind for kind, signatures in _SIGNATURES.items() if head.startswith(signatures)), None)
        if len(formats) == 1:
            begins_as = formats[0]
        if unread := tiff_kind.unread(file) if begins_as == "TIFF" else jpeg_kind.unread(file):
            raise InputError(f"{name} {unread}") from error
        if begins_as is not None and (begins_as != "WebP" or head[8:12] == b"WEBP"):
            raise InputError(
                f"{name} is damaged: it begins as {begins_as}, but its header cannot be read. "
                "Copy it again or re-export it."
            ) from error
        raise InputError(f"{name} is not a picture in a known format. {EXPECTED}") from error
    finally:
        Image.MAX_IMAGE_PIXELS = before


def formats_of(head: bytes, name: str) -> tuple[str, ...]:
    """The formats to try by a file's first 64 bytes, their plugins loaded; of other decoders none is let near a file.

    Raises InputError that tells what to install for HEIC and AVIF.
    """
    for plugin in _PLUGINS.values():
        importlib.import_module(plugin)
    brand = head[8:12] if head[4:8] == b"ftyp" else b""
    if brand in _AVIF_BRANDS or (brand in _HEIF_BRANDS and b"avif" in head[12:]):
        if not features.check("avif"):
            raise InputError(
                f"{name} is AVIF, which this Pillow cannot read. Install pillow>=11.3, or convert it to PNG."
            )
        importlib.import_module("PIL.AvifImagePlugin")
        return ("AVIF",)
    if brand in _HEIF_BRANDS:
        try:
            importlib.import_module("pillow_heif").register_heif_opener()
        except ImportError as error:
            raise InputError(
                f"{name} is HEIC. Install the extra (pip install 'neural-photo-editor[heic]') or convert it to JPEG."
            ) from error
        return ("HEIF",)
    return tuple(_PLUGINS)
