"""What a file says of the picture, kept from reading to saving: EXIF, XMP, IPTC, comments, resolution, parameters."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import Any

from PIL import ExifTags, Image, PngImagePlugin

from npe_core.photo import exif, iptc, png_data, xmp
from npe_core.photo.opening import Opened

PARAMETERS_KEY = "npe"
"""Keyword of the PNG text chunk with the edit parameters."""
MAX_PARAMETERS = 256 * 1024
"""Characters of JSON; more than that is not ours."""

_TEXT_KEPT_ELSEWHERE = (b"XML:com.adobe.xmp", PARAMETERS_KEY.encode())
_COMMENT = b"Comment"
EXIF_DIRECTORIES = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
# Description, Make, Model, Software, DateTime, Artist, HostComputer, Rating, Copyright, XPTitle .. XPSubject. The other
# tags of a first directory describe how the samples are stored, which a TIFF must say about itself.
_DESCRIPTIVE = (270, 271, 272, 305, 306, 315, 316, 18246, 33432, *range(40091, 40096), *EXIF_DIRECTORIES)

_XMP_EXTENSION = b"http://ns.adobe.com/xmp/extension/"


@dataclass(frozen=True)
class Metadata:
    """Of the upright picture. ``None`` or empty: the file had none."""

    exif: bytes | None = None
    """An EXIF block without the ``Exif`` prefix, orientation 1, no thumbnail."""
    xmp: bytes | None = None
    """A packet without edit parameters."""
    iptc: bytes | None = None
    """Records of captions, credits and keywords."""
    comment: bytes | None = None
    """JPEG and GIF comment, PNG text ``Comment``."""
    text: tuple[tuple[bytes, bytes], ...] = ()
    """(name, body) of the other PNG text chunks, as they lie in the file."""
    dpi: tuple[float, float] | None = None
    """Pixels per inch, (horizontal, vertical)."""
    colour: tuple[tuple[bytes, bytes], ...] = ()
    """(name, body) of PNG chunks that say, beside or instead of a profile, how its colours are meant. HEIC and AVIF say
    the same in a box."""

    def resized(self, size: tuple[int, int]) -> Metadata:
        """Of the same picture at another size, (width, height) in pixels."""
        return self if self.exif is None else replace(self, exif=exif.made_upright(self.exif, size))

    def stripped(self) -> Metadata:
        """Only what says how to show the picture: its resolution, and how its colours are meant."""
        return replace(Metadata(), dpi=self.dpi, colour=self.colour)


def read_metadata(opened: Opened) -> tuple[Metadata, dict[str, Any] | None, list[str]]:
    """(metadata, edit parameters of an earlier save, notes) of a decoded picture."""
    info, notes = opened.picture.info, []
    block = _exif_block(opened)
    dpi = _dpi(opened, block)
    if block:
        try:
            block = exif.made_upright(block, opened.size)
        except ValueError:
            block = None
            notes.append("the EXIF block is damaged and is not kept")
    records = None
    try:
        records = iptc.read_records(opened)
    except ValueError:
        notes.append("the IPTC records are damaged and are not kept")
    packet = info.get("xmp")
    packet = packet.encode() if isinstance(packet, str) else packet
    packet = packet.rstrip(b"\0") if isinstance(packet, bytes) else None
    if packet:
        packet, lost = xmp.without_attachments(xmp.made_upright(packet))
        notes += lost
    segments = getattr(opened.picture, "applist", ())  # of a JPEG
    extended = any(name == "APP1" and body.startswith(_XMP_EXTENSION) for name, body in segments)
    if extended and xmp.EXTENSION_LOST not in notes:
        notes.append(xmp.EXTENSION_LOST)
    texts = _png_texts(opened.picture)
    stored = texts.get(PARAMETERS_KEY)
    if stored is None and packet:
        stored = xmp.read_parameters(packet)
    comment = info.get("comment") or texts.get("Comment")
    metadata = Metadata(
        exif=block or None,
        xmp=xmp.without_parameters(packet) if packet else None,
        iptc=records,
        comment=comment.encode() if isinstance(comment, str) else comment,
        text=_other_texts(opened),
        dpi=dpi,
        colour=opened.colour(),
    )
    return metadata, parsed_parameters(stored), notes


def parsed_parameters(stored: str | None) -> dict[str, Any] | None:
    """Untrusted text from a file -> the parameters; None where it is not a JSON object of a sane size."""
    if stored is None or len(stored) > MAX_PARAMETERS:
        return None
    try:
        parameters = json.loads(stored, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None
    return parameters if isinstance(parameters, dict) else None


def keep_descriptive(tags: Image.Exif) -> None:
    """Leaves the tags that describe the photo, drops those about the storage of the samples."""
    for tag in [tag for tag in tags if tag not in _DESCRIPTIVE or (tag in EXIF_DIRECTORIES and not tags.get_ifd(tag))]:
        del tags[tag]


def _exif_block(opened: Opened) -> bytes | None:
    picture = opened.picture
    block = picture.info.get("exif")
    if opened.format == "TIFF" or (not block and "Raw profile type exif" in picture.info):
        try:
            tags = picture.getexif()
            keep_descriptive(tags)
            block = tags.tobytes() if len(tags) else None
        except Exception:  # Pillow writes the tags anew, and what it does with impossible values is not defined
            return b"damaged"
    return block.removeprefix(exif.PREFIX) if isinstance(block, bytes) else None


def _png_texts(picture: Image.Image) -> dict[str, str]:
    return dict(picture.text) if isinstance(picture, PngImagePlugin.PngImageFile) else {}


def _other_texts(opened: Opened) -> tuple[tuple[bytes, bytes], ...]:
    """Of several comments the last is the one that is kept elsewhere."""
    keyed = [(body.split(b"\0", 1)[0], name, body) for name, body in opened.png_chunks() if name in png_data.TEXTS]
    comments = sum(key == _COMMENT for key, _, _ in keyed)
    others = []
    for key, name, body in keyed:
        comments -= key == _COMMENT
        if key == _COMMENT:
            kept = comments > 0
        else:
            kept = key not in _TEXT_KEPT_ELSEWHERE and not key.startswith(b"Raw profile type")
        if kept:
            others.append((name, body))
    return tuple(others)


def _dpi(opened: Opened, block: bytes | None) -> tuple[float, float] | None:
    found: Any = opened.picture.info.get("dpi") or exif.read_resolution(block or b"")
    try:
        x, y = (float(value) for value in found)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    if not all(math.isfinite(value) and 1 < value <= 65535 for value in (x, y)):
        return None
    return (y, x) if opened.sideways else (x, y)


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
