"""IPTC records (IIM 4.2): the captions, credits and keywords of news agencies, in JPEG and TIFF."""

from __future__ import annotations

import struct

from PIL import TiffImagePlugin

from npe_core.photo.opening import Opened

_RESOURCE = 0x0404
"""Number of the image resource that holds the records, in Photoshop's segment of a JPEG."""
_MARKER = b"\x1c"
"""With which every record begins (IIM 4.2, section 1.6)."""
_SIGNATURE = b"Photoshop 3.0\0"
_LONGEST = 65533 - len(_SIGNATURE) - 12
TIFF_TAG = TiffImagePlugin.IPTC_NAA_CHUNK


def read_records(opened: Opened) -> bytes | None:
    """The records as they lie in the file, None where there are none. Raises ValueError when they are no records.

    Adobe's programs call them LONG in TIFFs, of which Pillow gives the first four bytes as a number; its own reader of
    IPTC takes the bytes from where this does.
    """
    picture = opened.picture
    if isinstance(picture, TiffImagePlugin.TiffImageFile):
        records = picture.tag_v2._tagdata.get(TIFF_TAG)
    else:
        resources = picture.info.get("photoshop")
        records = resources.get(_RESOURCE) if isinstance(resources, dict) else None
    if records and not (isinstance(records, bytes) and records.startswith(_MARKER)):
        raise ValueError("bytes that are no IPTC records")
    return records or None


def jpeg_segment(records: bytes) -> bytes | None:
    """The marker and the segment of a JPEG that hold the records; None when they are too long for one."""
    if len(records) > _LONGEST:
        return None
    resource = b"8BIM" + struct.pack(">HHI", _RESOURCE, 0, len(records)) + records + b"\0" * (len(records) % 2)
    content = _SIGNATURE + resource
    return b"\xff\xed" + struct.pack(">H", len(content) + 2) + content
