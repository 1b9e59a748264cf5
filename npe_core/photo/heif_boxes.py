"""What HEIC and AVIF say of the photo's samples that Pillow does not tell: colours (CICP) and bits per channel.

Both are boxes of boxes (ISO/IEC 14496-12, 4.2); of each item in the file ``ipma`` tells which of the properties in
``ipco`` are its own, and ``pitm`` which item is the photo (ISO/IEC 23008-12, 9.3).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from npe_core.photo import png_data

_UNSPECIFIED = 2
_HIGH_BIT_DEPTH, _TWELVE_BIT = 0x40, 0x20  # of the third byte of av1C (AV1 in ISOBMFF, 2.3.3)


def colour(file: BinaryIO) -> tuple[tuple[bytes, bytes], ...]:
    """As a PNG would say it, a cICP chunk of (name, body); none where the colours are sRGB, or nothing is said."""
    for name, body in _properties(file):
        if name == b"colr" and body[:4] == b"nclx" and len(body) >= 8:
            primaries, curve = struct.unpack_from(">HH", body, 4)
            codes = [1 if primaries == _UNSPECIFIED else primaries, 13 if curve == _UNSPECIFIED else curve]
            if max(codes) > 255:
                return ()
            said = ((b"cICP", bytes([*codes, 0, 1])),)  # decoded: RGB, of full range
            return () if png_data.is_srgb(said) else said
    return ()


def av1_bits(file: BinaryIO) -> int | None:
    """Bits per channel of an AVIF; None where it does not say."""
    for name, body in _properties(file):
        if name == b"av1C" and len(body) >= 3:
            return 8 if not body[2] & _HIGH_BIT_DEPTH else 12 if body[2] & _TWELVE_BIT else 10
    return None


def _properties(file: BinaryIO) -> list[tuple[bytes, bytes]]:
    """(name, body) of those of the photo, then of all: tiles, of which a large one may consist, have some of its own.

    Empty where a box is damaged.
    """
    file.seek(0)
    try:
        meta = dict(_boxes(dict(_boxes(file.read()))[b"meta"][4:]))
        properties = dict(_boxes(meta[b"iprp"]))
        every = list(_boxes(properties[b"ipco"]))
        version, item = meta[b"pitm"][0], meta[b"pitm"][4:]
        own = _indices(properties[b"ipma"], struct.unpack_from(">I" if version else ">H", item)[0])
        return [every[index - 1] for index in own if index] + every
    except (KeyError, IndexError, struct.error):
        return []


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(name, body) of boxes that lie one after the other."""
    at = 0
    while at + 8 <= len(content):
        size, name = struct.unpack_from(">I4s", content, at)
        begins = 8
        if size == 1:
            size, begins = struct.unpack_from(">Q", content, at + 8)[0], 16
        elif size == 0:
            size = len(content) - at
        if size < begins:
            return
        yield name, content[at + begins : at + size]
        at += size


def _indices(associations: bytes, item: int) -> list[int]:
    """Of the properties of an item, from 1; 0 is none."""
    version, wide = associations[0], associations[3] & 1
    count, at = struct.unpack_from(">I", associations, 4)[0], 8
    for _ in range(count):
        number = struct.unpack_from(">I" if version else ">H", associations, at)[0]
        at += 4 if version else 2
        own = associations[at]
        indices = struct.unpack_from(f">{own}{'H' if wide else 'B'}", associations, at + 1)
        if number == item:
            return [index & (0x7FFF if wide else 0x7F) for index in indices]
        at += 1 + own * (2 if wide else 1)
    return []
