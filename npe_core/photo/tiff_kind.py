"""Kinds of TIFF that Pillow misreads or does not read: mended where it only needs telling, else refused by their name.

The words are those of TIFF 6.0, section 8 (sample formats: section 19, planes: PlanarConfiguration 2).
"""

from __future__ import annotations

from typing import BinaryIO

from PIL import TiffImagePlugin
from PIL.TiffImagePlugin import TiffImageFile

_BITS, _PHOTOMETRIC, _FILL_ORDER, _PLANAR, _FORMAT = 258, 262, 266, 284, 339
EXTRA_SAMPLES = 338
NO_ALPHA = 0
"""The value of the tag for a channel that is neither colour nor transparency."""
_IN_PLANES = 2
_WHITE_IS_ZERO = 0
_COLOURS = {
    _WHITE_IS_ZERO: "grey with white at zero",
    1: "grey",
    2: "RGB",
    3: "palette",
    5: "CMYK",
    6: "YCbCr",
    8: "L*a*b*",
    9: "ICC L*a*b*",
    10: "ITU L*a*b*",
}
_FORMATS = {1: "", 2: "signed ", 3: "floating-point "}


def read_planes(picture: TiffImageFile) -> str | None:
    """Lets Pillow read channels that lie one after the other, each in a plane; what to say where it cannot.

    Of uncompressed planes it would take 16 bits for 8, and some kinds it mixes up. Call before ``picture.load()``.
    """
    tags = picture.tag_v2
    if tags.get(_PLANAR) != _IN_PLANES:
        return None
    args = [tile.args if isinstance(tile.args, tuple) else (tile.args,) for tile in picture.tile]
    bits = max(tags.get(_BITS, (1,)))
    if picture.tile[0].codec_name == "libtiff":
        kind = str(args[0][0]).removesuffix(";16N")
        known = kind in ("RGB", "CMYK") or (kind in ("RGBA", "RGBa") and EXTRA_SAMPLES in tags)
        return None if known or len(picture.getbands()) == 1 else _planes(tags)
    if bits == 16 and picture.mode in ("RGB", "RGBA"):
        order = ";16L" if tags.prefix == b"II" else ";16B"
        parts = zip(picture.tile, args, strict=True)
        picture.tile = [tile._replace(args=(f"{band}{order}", *rest)) for tile, (band, *rest) in parts]
    elif bits != 8 or picture.mode not in ("L", "P", "RGB", "RGBA", "CMYK"):
        return _planes(tags)
    named = all(band in picture.getbands() for band, *_ in args)
    as_they_lie = tags.get(_FILL_ORDER, 1) == 1 and tags.get(_PHOTOMETRIC) != _WHITE_IS_ZERO
    return None if named and as_they_lie else _planes(tags)


def unread(file: BinaryIO) -> str | None:
    """What to say of a TIFF that Pillow does not know; None where its header is damaged."""
    try:
        file.seek(0)
        head = file.read(8)
        tags = TiffImagePlugin.ImageFileDirectory_v2(head + file.read(8) if head[2] == 43 else head)
        file.seek(tags.next)
        tags.load(file)
        if tags.get(_PLANAR) == _IN_PLANES:
            return _planes(tags)
        bits = tags[_BITS]
        extra = tags.get(EXTRA_SAMPLES, ())
        key = tags.prefix, tags[_PHOTOMETRIC], _format(tags), tags.get(_FILL_ORDER, 1), bits, extra
        if key in TiffImagePlugin.OPEN_INFO:
            return None
        return f"holds {_named(tags)}, which cannot be read. Export it as RGB with 8 or 16 bits per channel."
    except Exception:  # Pillow's reader of tags raises nearly anything on damaged ones
        return None


def _planes(tags: TiffImagePlugin.ImageFileDirectory_v2) -> str:
    return f"holds {_named(tags)} in separate planes, which cannot be read. Save it with the channels interleaved."


def _format(tags: TiffImagePlugin.ImageFileDirectory_v2) -> tuple[int, ...]:
    formats = tags.get(_FORMAT, (1,))
    return formats[:1] if len(set(formats)) == 1 else formats


def _named(tags: TiffImagePlugin.ImageFileDirectory_v2) -> str:
    bits = "/".join(str(bits) for bits in sorted(set(tags.get(_BITS, (1,)))))
    colour = _COLOURS.get(tags[_PHOTOMETRIC], f"colours of kind {tags[_PHOTOMETRIC]}")
    kind = "".join(_FORMATS.get(format, f"kind-{format} ") for format in _format(tags))
    extra = len(tags.get(EXTRA_SAMPLES, ()))
    beside = "" if not extra else " with one more channel" if extra == 1 else f" with {extra} more channels"
    return f"{bits}-bit {kind}{colour}{beside}"
