"""IPTC records (IIM 4.2): the captions, credits and keywords of news agencies, in JPEG and TIFF."""

from __future__ import annotations

import struct

from PIL import TiffImagePlugin

from npe_core.photo.opening import Opened

_RESOURCE = 0x0404
"""Number of the image resource that holds the records, in Photoshop's segment of a JPEG."""
_SIGNATURE = b"Photoshop 3.0\0"
_LONGEST = 65533 - len(_SIGNATURE) - 12
TIFF_TAG = TiffImagePlugin.IPTC_NAA_CHUNK


def read_records(opened: Opened) -> bytes | None:
    """The records as they lie in the file, None where there are none. Raises ValueError when they are not bytes."""
    picture = opened.picture
    if isinstance(picture, TiffImagePlugin.TiffImageFile):
        records = picture.tag_v2.get(TIFF_TAG)
    else:
        resources = picture.info.get("photoshop")
        records = resources.get(_RESOURCE) if isinstance(resources, dict) else None
    if records is not None and not isinstance(records, bytes):
        raise ValueError("IPTC records that are not bytes")
    return records or None


def jpeg_segment(records: bytes) -> bytes | None:
    """The marker and the segment of a JPEG that hold the records; None when they are too long for one."""
    if len(records) > _LONGEST:
        return None
    resource = b"8BIM" + struct.pack(">HHI", _RESOURCE, 0, len(records)) + records + b"\0" * (len(records) % 2)
    content = _SIGNATURE + resource
    return b"\xff\xed" + struct.pack(">H", len(content) + 2) + content
