"""Samples of 16 bits a channel, which Pillow reduces to 8: OpenCV reads them, and Pillow's files get them back."""

from __future__ import annotations

import io
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from npe_core.opencv import opencv
from npe_core.photo.png_data import chunks, joined

LEVEL = 257
"""Of 16 bits between two neighbouring levels of 8: 255 is 65535."""
FORMATS = ("PNG", "TIFF")
"""That are read and written with 16 bits, by Pillow's names."""

_silenced = threading.Lock()
"""Held while OpenCV is silent: it has one log level for all threads, and the one after would be that of another's."""
_ROWS = 64
_PNG_COMPRESSION = 3
_TIFF_WIDTH, _TIFF_BITS = 256, 258
_TIFF_SHORT = 3


@dataclass(frozen=True, eq=False)
class Deep:
    """What a file holds in 16 bits."""

    rgb: np.ndarray
    """(H, W, 3) uint16."""
    alpha: np.ndarray | None
    """(H, W) uint16, None where the file has no transparency."""

    def reduced(self) -> tuple[np.ndarray, np.ndarray | None]:
        """(rgb (H, W, 3), alpha (H, W)) uint8, rounded."""
        even = self.each(_rounded)
        return even.rgb, even.alpha

    def each(self, change: Callable[[np.ndarray], np.ndarray]) -> Deep:
        """``change`` done to both arrays."""
        return Deep(change(self.rgb), None if self.alpha is None else change(self.alpha))

    def at_levels(self, rgb: np.ndarray) -> Deep:
        """These samples, moved by as many levels of 8 bits as ``rgb`` (H, W, 3) uint8 differs from ``reduced``.

        Where it does not differ they stay, to the last bit.
        """
        moved = self.rgb.copy()
        for top in range(0, len(rgb), _ROWS):
            rows = np.s_[top : top + _ROWS]
            difference = rgb[rows].astype(np.int32) - _rounded(self.rgb[rows])
            if difference.any():
                moved[rows] = np.clip(self.rgb[rows] + LEVEL * difference, 0, 65535)
        return replace(self, rgb=moved)


def read(content: bytes) -> Deep | None:
    """The samples of a PNG or TIFF, turned as its TIFF orientation says; None where OpenCV gives no 16 bits of it."""
    cv2 = opencv()
    log = cv2.utils.logging
    with _silenced:
        level = log.setLogLevel(log.LOG_LEVEL_SILENT)  # or it writes to stderr what libtiff finds odd
        try:
            samples = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        except cv2.error:
            return None
        finally:
            log.setLogLevel(level)
    if samples is None or samples.dtype != np.uint16:
        return None
    if samples.ndim == 2:
        return Deep(np.repeat(samples[..., None], 3, axis=-1), None)
    return Deep(np.ascontiguousarray(samples[..., 2::-1]), samples[..., 3].copy() if samples.shape[2] == 4 else None)


def png(deep: Deep, other: bytes) -> bytes:
    """The PNG ``other`` with the pixels of ``deep`` instead of its own."""
    cv2 = opencv()
    options = [cv2.IMWRITE_PNG_COMPRESSION, _PNG_COMPRESSION]
    done, encoded = cv2.imencode(".png", _interleaved(deep, blue_first=True), options)
    if not done:
        raise MemoryError("OpenCV could not encode the PNG")
    pixels = [chunk for chunk in chunks(io.BytesIO(encoded)) if chunk[0] in (b"IHDR", b"IDAT")]
    around = [chunk for chunk in chunks(io.BytesIO(other)) if chunk[0] != b"IHDR"]
    at = next(index for index, (name, _) in enumerate(around) if name == b"IDAT")
    after = [chunk for chunk in around[at:] if chunk[0] != b"IDAT"]
    return joined([pixels[0], *around[:at], *pixels[1:], *after])


def doubled(deep: Deep) -> np.ndarray:
    """(H, 2 W, 3 or 4) uint8: the bytes of ``deep`` as a picture of 8 bits, which fills a TIFF's strips just so."""
    return _interleaved(deep).astype("<u2", copy=False).view(np.uint8).reshape(len(deep.rgb), -1, _channels(deep))


def tiff(other: bytes) -> bytes:
    """The uncompressed little-endian TIFF ``other`` of ``doubled`` samples, telling now that they are 16 bits wide."""
    content = bytearray(other)
    magic, at = struct.unpack_from("<4sI", content)
    if magic != b"II*\0":
        raise ValueError(f"a little-endian TIFF was expected, not {magic!r}")
    (entries,) = struct.unpack_from("<H", content, at)
    for entry in range(at + 2, at + 2 + 12 * entries, 12):
        tag, kind, count, value = struct.unpack_from("<HHII", content, entry)
        if tag == _TIFF_WIDTH:
            struct.pack_into("<H" if kind == _TIFF_SHORT else "<I", content, entry + 8, value // 2)
        elif tag == _TIFF_BITS:
            struct.pack_into(f"<{count}H", content, value, *[16] * count)  # three and more lie outside the entry
    return bytes(content)


def _channels(deep: Deep) -> int:
    return 3 if deep.alpha is None else 4


def _interleaved(deep: Deep, blue_first: bool = False) -> np.ndarray:
    """(H, W, 3 or 4) uint16."""
    samples = np.empty((*deep.rgb.shape[:2], _channels(deep)), np.uint16)
    samples[..., :3] = deep.rgb[..., ::-1] if blue_first else deep.rgb
    if deep.alpha is not None:
        samples[..., 3] = deep.alpha
    return samples


def _rounded(samples: np.ndarray) -> np.ndarray:
    """uint16 -> uint8."""
    rounded = np.empty(samples.shape, np.uint8)
    for top in range(0, len(samples), _ROWS):
        rows = np.s_[top : top + _ROWS]
        rounded[rows] = (samples[rows].astype(np.uint32) + LEVEL // 2) // LEVEL
    return rounded
