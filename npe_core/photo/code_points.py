"""Colours that are told by code points (ITU-T H.273): by cICP in a PNG, by nclx in HEIC and AVIF.

Where a profile says the same, one is made, and all that holds for profiles holds for them. There is none for the curves
of high dynamic range, whose white is no white of a screen.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from functools import cache

import numpy as np

from npe_core.photo import png_data

_WHITE = (0.3127, 0.3290)
_PRIMARIES = {
    9: ("BT.2020 with the sRGB curve", (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    12: ("Display P3", (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
"""What the profile is called, and x and y of red, green and blue; of both the white is D65."""
_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_HDR_CURVES = {16: "PQ", 18: "HLG"}


def profile_of(colour: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """The ICC profile of the code points among ``png_data.COLOUR`` chunks; None where they are sRGB, or have none."""
    primaries, curve = _codes(colour)
    return _profile(primaries) if primaries in _PRIMARIES and curve in png_data.SRGB_CURVES else None


def hdr_curve(colour: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The name of the curve for high dynamic range that they say; None where they say none."""
    return _HDR_CURVES.get(_codes(colour)[1])


def _codes(colour: Iterable[tuple[bytes, bytes]]) -> tuple[int, int]:
    """(primaries, curve); 0, which is none, where nothing is said."""
    codes = dict(colour).get(b"cICP", b"")
    return (codes[0], codes[1]) if len(codes) == 4 else (0, 0)


@cache
def _profile(primaries: int) -> bytes:
    """A matrix profile with the curve of sRGB (ICC.1:2022, 8.3.3)."""
    named, *places = _PRIMARIES[primaries]
    white, *colours = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in (_WHITE, *places))
    to_xyz = np.transpose(colours) * np.linalg.solve(np.transpose(colours), white)
    adapted = np.linalg.inv(_BRADFORD) @ np.diag((_BRADFORD @ _D50) / (_BRADFORD @ white)) @ _BRADFORD
    red, green, blue = (adapted @ to_xyz).T
    curve = struct.pack(">4sIHH", b"para", 0, 3, 0) + _fixed(*_SRGB_CURVE)
    tags = {
        b"desc": _text(named),
        b"cprt": _text("CC0"),
        b"wtpt": b"XYZ \0\0\0\0" + _fixed(*_D50),
        b"chad": b"sf32\0\0\0\0" + _fixed(*adapted.ravel()),
        b"rXYZ": b"XYZ \0\0\0\0" + _fixed(*red),
        b"gXYZ": b"XYZ \0\0\0\0" + _fixed(*green),
        b"bXYZ": b"XYZ \0\0\0\0" + _fixed(*blue),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    at, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        table += struct.pack(">4sII", name, at + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    header = struct.pack(">I4sI4s4s4s12x4s28x", at + len(body), b"", 0x04400000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    return (header + _fixed(*_D50)).ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def _fixed(*numbers: float) -> bytes:
    """In 1/65536 (s15Fixed16Number)."""
    return b"".join(struct.pack(">i", round(float(number) * 65536)) for number in numbers)


def _text(text: str) -> bytes:
    """In English (multiLocalizedUnicodeType)."""
    letters = text.encode("utf-16-be")
    return struct.pack(">4sIII2s2sII", b"mluc", 0, 1, 12, b"en", b"US", len(letters), 28) + letters
