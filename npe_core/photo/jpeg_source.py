"""A JPEG written again: what was not edited comes out as it was, by the brightness and colour that the file stores.

A decoder makes red, green and blue of them, with colour smoothed to four times as many pixels and what is beyond 0..255
cut off; from those an encoder gets other blocks. The stored values themselves it quantizes to the same blocks again.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, JpegImagePlugin

from npe_core.photo.opening import Opened, pillow_settings, upright

_CELLS = {0: (1, 1), 1: (1, 2), 2: (2, 2)}
"""Rows and columns of pixels that share a colour, by subsampling as Pillow counts."""
_ROWS = 256
"""That are compared together, so that memory does not double."""


@dataclass(frozen=True, eq=False)
class JpegSource:
    """A JPEG of RGB or grey: its bytes, and how its blocks were quantized, upright."""

    data: bytes
    orientation: int
    """EXIF orientation 1..8 of what the bytes hold."""
    quantization: tuple[tuple[int, ...], ...]
    subsampling: int
    """0, 1, 2 = 4:4:4, 4:2:2, 4:2:0, as Pillow counts."""
    progressive: bool
    rgb: bool
    """Red, green and blue are stored as such, not as brightness and colour."""

    @classmethod
    def of(cls, opened: Opened) -> JpegSource | None:
        """None where the picture is no JPEG of RGB or grey, whose tables would not fit."""
        picture = opened.picture
        if not isinstance(picture, JpegImagePlugin.JpegImageFile) or picture.mode not in ("RGB", "L"):
            return None
        tables = [picture.quantization[key] for key in sorted(picture.quantization)]
        if not tables:
            return None
        if opened.orientation >= 5:  # rows of the file's blocks are columns
            tables = [np.reshape(table, (8, 8)).T.ravel().tolist() for table in tables]
        subsampling = JpegImagePlugin.get_sampling(picture)
        return cls(
            data=opened.content(),
            orientation=opened.orientation,
            quantization=tuple(tuple(table) for table in tables),
            subsampling=subsampling if subsampling in _CELLS else 0,
            progressive=bool(picture.info.get("progressive")),
            rgb=_is_rgb(picture),
        )

    def write(self, rgb: np.ndarray, buffer: BytesIO, **options: Any) -> None:
        """The edited picture (H, W, 3) uint8 as a JPEG like this one; ``options`` are Pillow's.

        Whole blocks of which no pixel was changed are the source's, to a rounding where values are at 0 or 255 or
        quantized by steps of 1. Raises OSError or ValueError where libjpeg cannot write what it could read.
        """
        picture = Image.fromarray(rgb) if self.rgb else self._with_changes(rgb)
        picture.save(
            buffer,
            "JPEG",
            qtables=[list(table) for table in self.quantization],
            subsampling=self.subsampling,
            progressive=self.progressive,
            keep_rgb=self.rgb,
            **options,
        )

    def _with_changes(self, rgb: np.ndarray) -> Image.Image:
        """What the file stores, with the pixels of ``rgb`` where it differs from the source; mode YCbCr, or RGB."""
        was = upright(np.asarray(self._decoded()), self.orientation)
        if was.shape != rgb.shape or (stored := self._stored()) is None:  # grey, or not of this size
            return Image.fromarray(rgb)
        planes = upright(stored, self.orientation)
        down, across = _CELLS[self.subsampling]
        for top in range(0, len(rgb), _ROWS):
            rows = np.s_[top : top + _ROWS]
            red, green, blue = (rgb[rows] != was[rows]).transpose(2, 0, 1)
            changed = red | green | blue  # ``any`` along so short an axis takes several times as long
            if changed.any():
                new = np.asarray(Image.fromarray(rgb[rows]).convert("YCbCr"))
                np.copyto(planes[rows][..., 0], new[..., 0], where=changed)
                np.copyto(planes[rows][..., 1:], new[..., 1:], where=_in_cells(changed, down, across)[..., None])
        return Image.frombytes("YCbCr", (rgb.shape[1], rgb.shape[0]), planes.data)

    def _decoded(self, mode: str | None = None, size: tuple[int, int] | None = None) -> Image.Image:
        with pillow_settings(None):  # its size was checked when it was opened
            picture = Image.open(BytesIO(self.data), formats=["JPEG", "MPO"])
            picture.draft(mode, size)
            picture.load()
        return picture

    def _stored(self) -> np.ndarray | None:
        """(H, W, 3) uint8: brightness and colour, not upright; colour that pixels share is the same in all of them."""
        picture = self._decoded("YCbCr")
        if picture.mode != "YCbCr":
            return None
        stored = np.array(picture)
        if self.subsampling == 2:
            # At half its size brightness is reduced, and colour, which has no more there, is as it is stored.
            width, height = picture.size
            half = self._decoded("YCbCr", (max(width // 2, 1), max(height // 2, 1)))
            if half.size == ((width + 1) // 2, (height + 1) // 2):
                colour = np.asarray(half)[..., 1:]
                for y in (0, 1):
                    for x in (0, 1):
                        cells = stored[y::2, x::2, 1:]
                        cells[:] = colour[: cells.shape[0], : cells.shape[1]]
        return stored


def _in_cells(changed: np.ndarray, down: int, across: int) -> np.ndarray:
    """(H, W) bool: the pixels that share their colour with one that has changed; both arrays begin with a cell."""
    if down == across == 1:
        return changed
    height, width = changed.shape
    padded = np.pad(changed, ((0, -height % down), (0, -width % across)))
    cells = padded.reshape(padded.shape[0] // down, down, padded.shape[1] // across, across).any(axis=(1, 3))
    return cells.repeat(down, axis=0).repeat(across, axis=1)[:height, :width]


def _is_rgb(picture: JpegImagePlugin.JpegImageFile) -> bool:
    """Whether a JPEG stores red, green and blue as such, by what libjpeg goes by."""
    if picture.mode != "RGB" or "jfif" in picture.info:
        return False
    if "adobe" in picture.info:
        return picture.info.get("adobe_transform") == 0
    return [layer[0] for layer in picture.layer] == list(b"RGB")
