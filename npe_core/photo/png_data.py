"""The chunks of a PNG, and whether it is whole: Pillow leaves black what its pixel data do not reach, and no word."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_STEP = 1 << 20
COLOUR = (b"cICP", b"sRGB", b"gAMA", b"cHRM")
"""Names of the chunks that say how the colours are meant, those first that others give way to."""
TEXTS = (b"tEXt", b"zTXt", b"iTXt")
"""Names of the chunks that begin with a keyword and a zero byte."""
_SRGB_PRIMARIES_CODE = 1  # ITU-T H.273, as are the curves
SRGB_CURVES = (1, 6, 13, 14, 15)
"""Its own, and the one of BT.709 under its four numbers: by that cameras write what screens show as sRGB."""
_SRGB_GAMMA = 45455
_SRGB_PRIMARIES = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)  # x and y of white, red, green and blue
_NEAR_GAMMA, _NEAR_PRIMARIES = 2300, 1000
"""In 1/100000, as are both: what libpng takes for the same."""


def check_whole(file: BinaryIO) -> None:
    """Reads the PNG once. Raises ValueError for a wrong checksum, missing chunks, or too little pixel data."""
    file.seek(len(_SIGNATURE))
    inflater = zlib.decompressobj()
    expected = found = 0
    while True:
        head = file.read(8)
        length, name = struct.unpack(">I4s", head) if len(head) == 8 else (0, b"")
        body = file.read(length)
        check = file.read(4)
        if len(body) < length or len(check) < 4:
            raise ValueError("the file ends early")
        if struct.unpack(">I", check)[0] != zlib.crc32(body, zlib.crc32(name)):
            raise ValueError(f"the checksum of a {name.decode('ascii', 'replace')!r} chunk is wrong")
        if name == b"IHDR":
            expected = _bytes_of_pixels(body)
        elif name == b"IDAT":
            while body and found < expected:
                found += len(inflater.decompress(body, _STEP))
                body = inflater.unconsumed_tail
        elif name == b"IEND":
            break
    if found < expected:
        raise ValueError(f"the pixel data end after {found / expected:.0%} of the picture")


def _bytes_of_pixels(header: bytes) -> int:
    """Of the inflated pixel data: each row has one byte for its filter (PNG specification, 7 to 9)."""
    width, height, depth, colour_type, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    total = 0
    for x, y, across, down in passes:
        columns, rows = -(-(width - x) // across), -(-(height - y) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + -(-columns * depth * _CHANNELS[colour_type] // 8))
    return total


def chunks(file: BinaryIO, but: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
    """(name, body) of each chunk of a PNG that is known to be whole; of the file only what is asked for is read.

    Those of the name ``but`` are passed over.
    """
    file.seek(len(_SIGNATURE))
    while head := file.read(8):
        length, name = struct.unpack(">I4s", head)
        if name == but:
            file.seek(length, io.SEEK_CUR)
        else:
            yield name, file.read(length)
        file.seek(4, io.SEEK_CUR)


def is_srgb(colour: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the colours are meant as sRGB by the (name, body) of these ``COLOUR`` chunks; by none of them, yes."""
    said = dict(colour)
    codes, gamma, primaries = said.get(b"cICP", b""), said.get(b"gAMA", b""), said.get(b"cHRM", b"")
    if len(codes) == 4:
        return codes[0] == _SRGB_PRIMARIES_CODE and codes[1] in SRGB_CURVES
    if b"sRGB" in said:
        return True
    if len(gamma) == 4 and abs(int.from_bytes(gamma, "big") - _SRGB_GAMMA) > _NEAR_GAMMA:
        return False
    apart = zip(struct.unpack(">8I", primaries), _SRGB_PRIMARIES, strict=True) if len(primaries) == 32 else ()
    return all(abs(one - other) <= _NEAR_PRIMARIES for one, other in apart)


def joined(parts: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The PNG of these chunks."""
    pieces = [_SIGNATURE]
    for name, body in parts:
        pieces += [struct.pack(">I4s", len(body), name), body, struct.pack(">I", zlib.crc32(body, zlib.crc32(name)))]
    return b"".join(pieces)
