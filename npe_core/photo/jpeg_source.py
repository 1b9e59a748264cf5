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

from npe_core.photo import jpeg_sampling
from npe_core.photo.jpeg_sampling import Cell
from npe_core.photo.opening import TURNS, Opened, pillow_settings, upright

_ROWS = 64
"""That are changed together, so that they stay in the cache; whole cells."""


@dataclass(frozen=True, eq=False)
class JpegSource:
    """A JPEG of RGB or grey: its bytes, and how its blocks were quantized, upright."""

    data: bytes
    orientation: int
    """EXIF orientation 1..8 of what the bytes hold."""
    quantization: tuple[tuple[int, ...], ...]
    """A table of 64 per channel; those after the last share it."""
    cell: Cell
    """The pixels that share a colour, upright."""
    progressive: bool
    rgb: bool
    """Red, green and blue are stored as such, not as brightness and colour."""

    @classmethod
    def of(cls, opened: Opened) -> JpegSource | None:
        """None where the picture is no JPEG of RGB or grey, whose tables would not fit."""
        picture = opened.picture
        if not isinstance(picture, JpegImagePlugin.JpegImageFile) or picture.mode not in ("RGB", "L"):
            return None
        numbers = [layer[3] for layer in picture.layer]
        if not numbers or not set(numbers) <= picture.quantization.keys():
            return None
        while len(numbers) > 1 and numbers[-1] == numbers[-2]:  # Pillow lets the rest share the last one
            del numbers[-1]
        tables = [picture.quantization[number] for number in numbers]
        cell = jpeg_sampling.cell_of(picture)
        if opened.orientation >= 5:  # rows of the file's blocks are columns
            tables = [np.reshape(table, (8, 8)).T.ravel().tolist() for table in tables]
            cell = cell[::-1]
        return cls(
            data=opened.content(),
            orientation=opened.orientation,
            quantization=tuple(tuple(table) for table in tables),
            cell=cell,
            progressive=bool(picture.info.get("progressive")),
            rgb=_is_rgb(picture),
        )

    def write(self, rgb: np.ndarray, buffer: BytesIO, **options: Any) -> None:
        """The edited picture (H, W, 3) uint8 as a JPEG like this one; ``options`` are Pillow's.

        Whole blocks of which no pixel was changed are the source's, to a rounding where values are at 0 or 255 or
        quantized by steps of 1. Raises OSError or ValueError where libjpeg cannot write what it could read.
        """
        picture = Image.fromarray(rgb) if self.rgb else self._with_changes(rgb)
        tables = [list(table) for table in self.quantization]
        jpeg_sampling.save(picture, buffer, self.cell, self.progressive, qtables=tables, keep_rgb=self.rgb, **options)

    def _with_changes(self, rgb: np.ndarray) -> Image.Image:
        """What the file stores, with the pixels of ``rgb`` where it differs from the source; mode YCbCr, or RGB."""
        changes = self._changes(rgb)
        if changes is None or (stored := self._stored()) is None:
            return Image.fromarray(rgb)
        if self.orientation in TURNS:
            stored = stored.transpose(TURNS[self.orientation])
        for top, changed in changes.items():
            rows = 0, top, stored.width, top + len(changed)
            wanted = np.asarray(Image.fromarray(rgb[top : rows[3]]).convert("YCbCr"))
            planes = np.array(stored.crop(rows))
            np.copyto(planes[..., 0], wanted[..., 0], where=changed)
            cells = jpeg_sampling.in_cells(changed, self.cell)
            np.copyto(planes[..., 1:], wanted[..., 1:], where=cells[..., None])
            stored.paste(Image.frombytes("YCbCr", (stored.width, len(changed)), planes.data), rows)
        return stored

    def _changes(self, rgb: np.ndarray) -> dict[int, np.ndarray] | None:
        """First row -> (``_ROWS``, W) bool, which pixels differ from the source; None where all would."""
        before = upright(np.asarray(self._decoded()), self.orientation)
        if before.shape != rgb.shape:
            return None
        found = {}
        for top in range(0, len(rgb), _ROWS):
            new, old = rgb[top : top + _ROWS], before[top : top + _ROWS]
            if not np.array_equal(new, old):
                red, green, blue = (new != old).transpose(2, 0, 1)
                found[top] = red | green | blue  # ``any`` along so short an axis takes several times as long
        return found

    def _decoded(self, mode: str | None = None, size: tuple[int, int] | None = None) -> Image.Image:
        with pillow_settings(None):  # its size was checked when it was opened
            picture = Image.open(BytesIO(self.data), formats=["JPEG", "MPO"])
            picture.draft(mode, size)
            picture.load()
        return picture

    def _stored(self) -> Image.Image | None:
        """Brightness and colour, mode YCbCr, not upright; colour that pixels share is the same in all of them."""
        picture = self._decoded("YCbCr")
        if picture.mode != "YCbCr":
            return None
        down, across = self.cell if self.orientation < 5 else self.cell[::-1]
        if (down, across) == (1, 1) or 4 in (down, across):  # 4:1:1 is not smoothed
            return picture
        planes = [picture.getchannel(0)]
        if down == 1 or across == 1:
            colours = (np.asarray(picture.getchannel(colour)) for colour in (1, 2))
            planes += [Image.fromarray(_unsmoothed(c) if down == 1 else _unsmoothed(c.T).T.copy()) for c in colours]
            return Image.merge("YCbCr", planes)
        width, height = picture.size
        del picture  # or a large photo is in memory once more than it need be
        # At half its size brightness is reduced, and colour, which has no more there, is as it is stored.
        half = self._decoded("YCbCr", (max(width // 2, 1), max(height // 2, 1)))
        for colour in (1, 2):
            twice = half.getchannel(colour).resize((2 * half.width, 2 * half.height), Image.Resampling.NEAREST)
            planes.append(twice.crop((0, 0, width, height)))
        return Image.merge("YCbCr", planes)


def _unsmoothed(colour: np.ndarray) -> np.ndarray:
    """(H, W) uint8: colour of 4:2:2 as it is decoded -> as it is stored, the same in two columns.

    Of stored columns x decoders make 2 W: (3 x[i] + x[i-1] + 1) // 4 and (3 x[i] + x[i+1] + 2) // 4 (libjpeg's "fancy
    upsampling"). Both bound x[i] where x[i-1] is known, and the first column is x[0] itself.
    """
    wide = np.pad(colour, ((0, 0), (0, colour.shape[1] % 2)), mode="edge").astype(np.int16)
    even, odd = wide[:, 0::2].T.copy(), wide[:, 1::2].T.copy()
    stored = (even + odd + 1) // 2
    stored[0] = even[0]
    for i in range(1, len(stored)):
        before = stored[i - 1]
        least = np.maximum(-((before + 1 - 4 * even[i]) // 3), 4 * odd[i - 1] - 2 - 3 * before)
        most = np.minimum((4 * even[i] + 2 - before) // 3, 4 * odd[i - 1] + 1 - 3 * before)
        np.clip(stored[i], least, most, out=stored[i])
    return stored.clip(0, 255).astype(np.uint8).T.repeat(2, axis=1)[:, : colour.shape[1]]


def _is_rgb(picture: JpegImagePlugin.JpegImageFile) -> bool:
    """Whether a JPEG stores red, green and blue as such, by what libjpeg goes by."""
    if picture.mode != "RGB" or "jfif" in picture.info:
        return False
    if "adobe" in picture.info:
        return picture.info.get("adobe_transform") == 0
    return [layer[0] for layer in picture.layer] == list(b"RGB")
