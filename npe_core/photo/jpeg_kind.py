"""JPEGs that Pillow does not read, and the formats of their name: refused by what they are, not as damaged.

What kind a JPEG is, the marker of its frame says (ITU-T T.81, table B.1; T.87, annex C).
"""

from __future__ import annotations

import io
import struct
from typing import BinaryIO

_BEGINNINGS = {
    "JPEG 2000": (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),
    "JPEG XL": (b"\0\0\0\x0cJXL \r\n\x87\n", b"\xff\x0a"),
    "JPEG XR": (b"II\xbc\x01",),
}
_JPEG = b"\xff\xd8"
_FILL = 0xFF
"""With which a marker begins, and of which any number may stand before it."""
_JPEG_LS = 0xF7
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}


def unread(file: BinaryIO) -> str | None:
    """What to say of such a file; None where it is none of them, or damaged."""
    file.seek(0)
    head = file.read(12)
    for kind, beginnings in _BEGINNINGS.items():
        if head.startswith(beginnings):
            return f"is a {kind} picture, which cannot be read. Convert it to PNG."
    if not head.startswith(_JPEG):
        return None
    marker, bits = _frame(file)
    if marker == _JPEG_LS:
        return "is a JPEG-LS picture, which cannot be read. Convert it to PNG."
    if marker in _FRAMES and bits != 8:
        return (
            f"is a JPEG of {bits} bits per channel, which cannot be read. Export it with 8, or as PNG or TIFF with 16."
        )
    return None


def _frame(file: BinaryIO) -> tuple[int, int]:
    """(marker, bits per channel) of a JPEG's frame; (0, 0) where there is none."""
    file.seek(len(_JPEG))
    while len(head := file.read(5)) == 5 and head[0] == _FILL:
        _, marker, length, bits = struct.unpack(">BBHB", head)
        if marker == _FILL:
            file.seek(-4, io.SEEK_CUR)
        elif marker in _FRAMES or marker == _JPEG_LS:
            return marker, bits
        else:
            file.seek(length - 3, io.SEEK_CUR)
    return 0, 0
