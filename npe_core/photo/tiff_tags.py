"""What an EXIF block becomes in a TIFF: the tags that describe the photo, as far as Pillow writes them.

Over one of an odd type, as some programs and all damage leave them, its writers fail the whole file.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import ExifTags, Image

from npe_core.photo import exif
from npe_core.photo.metadata import EXIF_DIRECTORIES, keep_descriptive

SOME_LOST = "damaged entries of the EXIF block cannot be written into a TIFF and are not kept"
_ALL_LOST = "the EXIF block cannot be written into a TIFF and is not kept"


def tags_of(block: bytes) -> tuple[Image.Exif, list[str]]:
    """The descriptive tags of a block (without the ``Exif`` prefix) that can be written, and notes on the others.

    Call it within ``pillow_settings``: Pillow warns of what it passes over.
    """
    tags = Image.Exif()
    try:
        tags.load(exif.PREFIX + block)
        # It says where in the block a directory lies that is not written: in a TIFF anything may lie there.
        tags.get_ifd(ExifTags.IFD.Exif).pop(ExifTags.IFD.Interop, None)
        keep_descriptive(tags)
    except Exception:  # see metadata._exif_block
        return Image.Exif(), [_ALL_LOST]
    return (tags, []) if _is_written(tags) else (_exif_of(_written(tags)), [SOME_LOST])


def compression(tags: Image.Exif) -> str:
    """Pillow's name of how a TIFF with these tags is compressed.

    Its writer for compressed ones (libtiff) fails on EXIF and GPS directories; its own does not.
    """
    return "raw" if any(tag in tags for tag in EXIF_DIRECTORIES) else "tiff_lzw"


def _is_written(tags: Image.Exif) -> bool:
    try:
        Image.new("RGB", (1, 1)).save(BytesIO(), "TIFF", compression=compression(tags), exif=tags)
    except Exception:  # it raises whatever an impossible value leads to
        return False
    return True


def _written(tags: Image.Exif) -> dict[int, Any]:
    """Those that are written when they are tried one by one: tag -> value, or the directory in which they are."""
    kept: dict[int, Any] = {}
    for tag in tags:
        if tag in EXIF_DIRECTORIES:
            parts = tags.get_ifd(tag).items()
            if inside := {inner: value for inner, value in parts if _is_written(_exif_of({tag: {inner: value}}))}:
                kept[tag] = inside
        elif _is_written(one := _exif_of({tag: tags[tag]})):
            kept[tag] = one[tag]
    return kept


def _exif_of(values: dict[int, Any]) -> Image.Exif:
    tags = Image.Exif()
    for tag, value in values.items():
        if isinstance(value, dict):
            tags.get_ifd(tag).update(value)
        tags[tag] = value
    return tags
