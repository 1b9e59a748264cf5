"""Faces so near to each other that their crops overlap: what is whose."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from npe_core.canvas.boxes import cut
from npe_core.faces import FaceCrop
from npe_core.faces.resample import inverse, transform
from npe_core.parts import Box

HANDOVER = 0.06
"""Width, in sides of their crops, of the strip between two faces in which one crop's picture turns into the other's."""


def inside(crop: FaceCrop, other: FaceCrop) -> FaceCrop:
    """The same square with its place in the other crop instead of in the photo."""
    to_other = inverse(other.matrix)
    linear = to_other[:, :2] @ crop.matrix[:, :2]
    return FaceCrop(np.column_stack([linear, transform(to_other, crop.matrix[:, 2])]), crop.size)


def squared_distance(face: FaceCrop, crop: FaceCrop) -> np.ndarray:
    """(size, size) of ``crop``: how far its places are from the middle of a face, in sides of its crop, squared.

    In the crop's own axes, in which it is a sum of two squares.
    """
    along = np.arange(crop.size) + 0.5
    seen = inside(face, crop)
    middle = transform(seen.matrix, np.array([face.size / 2, face.size / 2]))
    x, y = ((along - place) / (seen.scale * seen.size) for place in middle)
    squared: np.ndarray = (y * y)[:, None] + x * x
    return squared


def belongs_to(others: tuple[FaceCrop, ...], own: FaceCrop, crop: FaceCrop) -> np.ndarray:
    """(size, size) bool: which places of ``crop`` are nearer to the middle of another face than to that of its own."""
    to_own, nearer = squared_distance(own, crop), np.zeros((crop.size, crop.size), bool)
    for face in others:
        nearer |= squared_distance(face, crop) < to_own
    return nearer


def left_to_neighbours(crops: Sequence[FaceCrop], fades: Sequence[np.ndarray]) -> list[np.ndarray]:
    """How much the faces' crops count, ``fades`` (size, size) float32 each, when they are pasted from last to first.

    So every pixel that two of them see is pasted as a part of the face that it is nearest to: a crop leaves to those
    pasted before it what is nearer to their faces, as far as they count there. Where one of those fades out, it is the
    picture of the crop above into which it fades, not the photo.
    """
    shares = []
    for number, (crop, fade) in enumerate(zip(crops, fades, strict=True)):
        share = fade
        for other, above in zip(crops[:number], fades[:number], strict=True):
            place, box = _overlap(other, crop)
            if box is not None:
                share = fade.copy() if share is fade else share
                part = share[cut(box)]
                part += (1 - part) * place.to_box(above, box)
        kept = None
        for other, below in zip(crops[number + 1 :], fades[number + 1 :], strict=True):
            place, box = _overlap(other, crop)
            if box is not None:
                kept = np.ones_like(fade) if kept is None else kept
                kept[cut(box)] *= 1 - _nearer(other, crop)[cut(box)] * place.to_box(below, box)
        shares.append(share if kept is None else share * kept)
    return shares


def _overlap(other: FaceCrop, crop: FaceCrop) -> tuple[FaceCrop, Box | None]:
    """The place of another crop in this one, and the box that it takes there."""
    place = inside(other, crop)
    x0, y0, x1, y1 = place.box((crop.size, crop.size))
    return place, (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _nearer(other: FaceCrop, crop: FaceCrop) -> np.ndarray:
    """(size, size) float32: 1 where a crop is nearer to the other face, 0 where to its own, between them in between."""
    nearer = np.sqrt(squared_distance(crop, crop)) - np.sqrt(squared_distance(other, crop))
    share: np.ndarray = np.clip(nearer / HANDOVER + 0.5, 0, 1).astype(np.float32)
    return share
