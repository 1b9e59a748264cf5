"""How many pixels of a JPEG share one stored colour, and JPEGs that share them in ways that Pillow does not write.

A photo taken with the camera upright is often stored sideways as 4:2:2: made upright its colours are halved along the
columns, which is 4:4:0.
"""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any, TypeAlias

import numpy as np
from PIL import Image, JpegImagePlugin

Cell: TypeAlias = tuple[int, int]
"""Rows and columns of pixels that share a colour."""

_PILLOWS: dict[Cell, int] = {(1, 1): 0, (1, 2): 1, (2, 2): 2}
"""4:4:4, 4:2:2 and 4:2:0 as Pillow counts."""
_AS: dict[Cell, Cell] = {(2, 1): (1, 2), (1, 4): (2, 2), (4, 1): (2, 2)}
"""4:4:0, and 4:1:1 of both directions: what Pillow writes with as many blocks of brightness for one of colour."""
_SIDE = 8
"""Pixels of a block."""
_FRAMES = (0xC0, 0xC1)
"""Markers of the header of a JPEG in one scan (ITU-T T.81, B.2.2)."""


def cell_of(picture: JpegImagePlugin.JpegImageFile) -> Cell:
    """As the file holds it; (1, 1) for what cannot be written again."""
    factors = [layer[1:3] for layer in picture.layer]
    if len(factors) != 3 or factors[1:] != [(1, 1), (1, 1)]:
        return 1, 1
    across, down = factors[0]
    return (down, across) if (down, across) in (*_PILLOWS, *_AS) else (1, 1)


def in_cells(changed: np.ndarray, cell: Cell) -> np.ndarray:
    """(H, W) bool: the pixels that share their colour with one that has changed; both arrays begin with a cell."""
    if cell == (1, 1):
        return changed
    height, width = changed.shape
    down, across = cell
    padded = np.pad(changed, ((0, -height % down), (0, -width % across)))
    cells = padded.reshape(padded.shape[0] // down, down, padded.shape[1] // across, across).any(axis=(1, 3))
    return cells.repeat(down, axis=0).repeat(across, axis=1)[:height, :width]


def save(picture: Image.Image, buffer: BytesIO, cell: Cell, progressive: bool, **options: Any) -> None:
    """Writes a JPEG whose colours are shared in such cells; ``options`` are Pillow's.

    What Pillow does not write is never progressive. Raises OSError or ValueError where libjpeg refuses.
    """
    if cell in _PILLOWS:
        picture.save(buffer, "JPEG", subsampling=_PILLOWS[cell], progressive=progressive, **options)
        return
    like = _AS[cell]
    rearranged = BytesIO()
    _rearranged(picture, cell, like).save(rearranged, "JPEG", subsampling=_PILLOWS[like], **options)
    content = bytearray(rearranged.getvalue())
    at = _frame(content)
    # Marker, length, precision; height and width, the number of components; the first one's number and its factors.
    struct.pack_into(">HH", content, at + 5, picture.height, picture.width)
    content[at + 11] = cell[1] << 4 | cell[0]
    buffer.write(content)


def _rearranged(picture: Image.Image, cell: Cell, like: Cell) -> Image.Image:
    """The picture whose blocks, written in cells of ``like``, follow each other as this one's do in its own cells.

    In the one scan of a JPEG the blocks of brightness of one cell are followed by its blocks of colour; where they lie
    is not said but follows from the size and the factors in the header.
    """
    down, across = cell
    if picture.mode == "RGB":
        picture = picture.convert("YCbCr")
    samples = np.asarray(picture)
    height, width = samples.shape[:2]
    samples = np.pad(samples, ((0, -height % (_SIDE * down)), (0, -width % (_SIDE * across)), (0, 0)), mode="edge")
    rows, columns = samples.shape[0] // (_SIDE * down), samples.shape[1] // (_SIDE * across)
    blocks = samples[..., 0].reshape(rows, down, _SIDE, columns, across, _SIDE).transpose(0, 3, 1, 4, 2, 5)
    blocks = blocks.reshape(rows, columns, *like, _SIDE, _SIDE).transpose(0, 2, 4, 1, 3, 5)
    brightness = blocks.reshape(rows * like[0] * _SIDE, columns * like[1] * _SIDE)
    colours = samples[..., 1:].reshape(rows * _SIDE, down, columns * _SIDE, across, 2).sum(axis=(1, 3), dtype=np.uint16)
    shared = ((colours + down * across // 2) // (down * across)).astype(np.uint8)
    shared = shared.repeat(like[0], axis=0).repeat(like[1], axis=1)
    planes = np.dstack([brightness, shared])
    return Image.frombytes("YCbCr", (planes.shape[1], planes.shape[0]), planes.data)


def _frame(content: bytearray) -> int:
    """Where the header of the frame begins."""
    at = 2
    while content[at + 1] not in _FRAMES:
        at += 2 + struct.unpack_from(">H", content, at + 2)[0]
    return at
