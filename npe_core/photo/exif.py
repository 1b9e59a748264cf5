"""EXIF blocks, patched in place: orientation to 1, dimensions set, the thumbnail of the unedited picture removed.

Where a format has no other place for it, the resolution goes into the block too.

Patching keeps every other byte where it was, so maker notes, whose offsets count from the start of the block,
stay readable; writing the block anew would break them. A block is TIFF-shaped: byte order, then directories (IFD)
of 12-byte entries (EXIF 2.32, 4.6).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction

PREFIX = b"Exif\0\0"

ORIENTATION = 0x0112
_EXIF_IFD = 0x8769
_WIDTH, _HEIGHT = 0xA002, 0xA003
_X_RESOLUTION, _Y_RESOLUTION, _UNIT = 0x011A, 0x011B, 0x0128
_PER_INCH = {2: 1.0, 3: 2.54}  # inch, centimetre
_THUMBNAILS = ((0x0201, 0x0202), (0x0111, 0x0117))
"""Tags of where a thumbnail lies and how many bytes it has: as JPEG, and in strips of uncompressed samples."""
_FORMATS = {1: "B", 3: "H", 4: "I"}  # BYTE, SHORT, LONG
_SIGNED = {6: "b", 8: "h", 9: "i"}  # SBYTE, SSHORT, SLONG
_SHORT, _LONG = 3, 4


class _Block:
    """A mutable EXIF block. Methods raise struct.error or ValueError where the block is damaged."""

    def __init__(self, block: bytes) -> None:
        self.block = bytearray(block)
        if block[:4] not in (b"II*\0", b"MM\0*"):
            raise ValueError("not an EXIF block")
        self.order = "<" if self.block[:2] == b"II" else ">"

    def unpack(self, form: str, at: int) -> int:
        return int(struct.unpack_from(self.order + form, self.block, at)[0])

    def entries(self, ifd: int) -> Iterator[tuple[int, int]]:
        """(tag, offset of the 12-byte entry) of each entry of the directory at that offset."""
        for index in range(self.unpack("H", ifd)):
            at = ifd + 2 + 12 * index
            yield self.unpack("H", at), at

    def value(self, at: int) -> int:
        """The single number in the entry at that offset."""
        form = _FORMATS.get(self.unpack("H", at + 2))
        if form is None or self.unpack("I", at + 4) != 1:
            raise ValueError("not a single number")
        return self.unpack(form, at + 8)

    def values(self, at: int) -> tuple[int, ...]:
        """The numbers in the entry at that offset, or where it points to."""
        kind, count = self.unpack("H", at + 2), self.unpack("I", at + 4)
        if kind not in _FORMATS:
            raise ValueError("not numbers")
        form = f"{self.order}{count}{_FORMATS[kind]}"
        start = at + 8 if struct.calcsize(form) <= 4 else self.unpack("I", at + 8)
        return struct.unpack_from(form, self.block, start)

    def first(self, at: int) -> int:
        """The first of the numbers of any kind that lie within the entry at that offset."""
        form = (_FORMATS | _SIGNED).get(self.unpack("H", at + 2))
        if form is None or not 1 <= self.unpack("I", at + 4) <= 4 // struct.calcsize("=" + form):
            raise ValueError("no numbers in the entry")
        return self.unpack(form, at + 8)

    def set_value(self, at: int, value: int) -> None:
        """Of the kind that it has; where that holds no such number, or several, the entry becomes a plain one."""
        form = _FORMATS.get(self.unpack("H", at + 2))
        if form is None or self.unpack("I", at + 4) != 1 or value >= 1 << 8 * struct.calcsize("=" + form):
            kind = _SHORT if value < 1 << 16 else _LONG
            struct.pack_into(self.order + "HII", self.block, at + 2, kind, 1, 0)
            form = _FORMATS[kind]
        struct.pack_into(self.order + form, self.block, at + 8, value)

    def ratio(self, at: int) -> float:
        """The single fraction that the entry at that offset points to."""
        if self.unpack("H", at + 2) != 5 or self.unpack("I", at + 4) != 1:
            raise ValueError("not a single fraction")
        where = self.unpack("I", at + 8)
        return self.unpack("I", where) / self.unpack("I", where + 4)

    def next_ifd_field(self, ifd: int) -> int:
        return ifd + 2 + 12 * self.unpack("H", ifd)

    def drop_thumbnail(self) -> None:
        """Unlinks the second directory and clears the pictures it points to."""
        first = self.unpack("I", 4)
        field = self.next_ifd_field(first)
        if field + 4 > len(self.block):  # some writers end right after the entries
            return
        second = self.unpack("I", field)
        struct.pack_into(self.order + "I", self.block, field, 0)
        if not second or second + 2 > len(self.block):  # none, or cut off by who shortened the block
            return
        where = {tag: at for tag, at in self.entries(second)}
        parts = [
            part
            for starts, lengths in _THUMBNAILS
            if starts in where and lengths in where
            for part in zip(self.values(where[starts]), self.values(where[lengths]), strict=True)
        ]
        for start, length in sorted(parts, reverse=True):
            end = min(start + length, len(self.block))
            if any(start <= at < end for at in (0, first, second)):
                raise ValueError("a thumbnail over a directory")
            if end == len(self.block):
                del self.block[start:]
            elif start < end:
                self.block[start:end] = bytes(end - start)


def read_orientation(block: bytes) -> int | None:
    """The EXIF orientation 1..8 of a block (without the ``Exif`` prefix); None where there is none or it is invalid."""
    try:
        exif = _Block(block)
        for tag, at in exif.entries(exif.unpack("I", 4)):
            if tag == ORIENTATION:
                value = exif.first(at)
                return value if 1 <= value <= 8 else None
    except (struct.error, ValueError):
        return None
    return None


def made_upright(block: bytes, size: tuple[int, int]) -> bytes:
    """The block of the upright picture of (width, height) pixels: orientation 1, no thumbnail, all else as it was.

    Raises ValueError where the block is damaged.
    """
    try:
        exif = _Block(block)
        first = exif.unpack("I", 4)
        for tag, at in exif.entries(first):
            if tag == ORIENTATION:
                exif.set_value(at, 1)
            elif tag == _EXIF_IFD:
                for inner, inner_at in exif.entries(exif.value(at)):
                    if inner in (_WIDTH, _HEIGHT):
                        exif.set_value(inner_at, size[inner - _WIDTH])
        exif.drop_thumbnail()
    except struct.error as error:
        raise ValueError("EXIF block ends early or holds impossible numbers") from error
    return bytes(exif.block)


def read_resolution(block: bytes) -> tuple[float, float] | None:
    """Pixels per inch, (horizontal, vertical), of the picture as it is stored; None where the block has none."""
    try:
        exif = _Block(block)
        where = dict(exif.entries(exif.unpack("I", 4)))
        scale = _PER_INCH[exif.value(where[_UNIT]) if _UNIT in where else 2]
        return scale * exif.ratio(where[_X_RESOLUTION]), scale * exif.ratio(where[_Y_RESOLUTION])
    except (struct.error, ValueError, KeyError, ZeroDivisionError):
        return None


def with_resolution(block: bytes | None, dpi: tuple[float, float]) -> bytes:
    """The block of an upright picture (None: a new one) with these pixels per inch, (horizontal, vertical).

    The first directory is written anew behind all else, which stays where it was. Raises ValueError where the block is
    damaged.
    """
    try:
        exif = _Block(block or b"II*\0\x08\0\0\0" + bytes(6))
        entries = {tag: bytes(exif.block[at : at + 12]) for tag, at in exif.entries(exif.unpack("I", 4))}
        if any(len(entry) < 12 for entry in entries.values()):
            raise ValueError("EXIF block ends early")
        start = len(exif.block) + len(exif.block) % 2
        values = start + 2 + 12 * len(entries.keys() | {_X_RESOLUTION, _Y_RESOLUTION, _UNIT}) + 4
        for tag, where in ((_X_RESOLUTION, values), (_Y_RESOLUTION, values + 8)):
            entries[tag] = struct.pack(exif.order + "HHII", tag, 5, 1, where)
        entries[_UNIT] = struct.pack(exif.order + "HHIHH", _UNIT, 3, 1, 2, 0)
        directory = struct.pack(exif.order + "H", len(entries)) + b"".join(entries[tag] for tag in sorted(entries))
        ratios = [Fraction(value).limit_denominator(10000).as_integer_ratio() for value in dpi]
        struct.pack_into(exif.order + "I", exif.block, 4, start)
        exif.block += bytes(start - len(exif.block)) + directory + bytes(4)
        exif.block += struct.pack(exif.order + "4I", *ratios[0], *ratios[1])
    except struct.error as error:
        raise ValueError("EXIF block ends early or holds impossible numbers") from error
    return bytes(exif.block)
