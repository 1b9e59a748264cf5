"""The crops that are edited: those of the faces, and tiles beside them as far as the marks go on."""

from __future__ import annotations

import numpy as np

from npe_core.editor.face_choice import FaceChoice
from npe_core.editor.framing import CROP, FADE, STRETCH, moved
from npe_core.editor.marks import Marks, marks_around
from npe_core.faces import FaceCrop
from npe_core.faces.resample import inverse, transform

_LEAST = 0.002
"""Share of a tile that must be marked before it is worth a look."""


def crops_for(choice: FaceChoice, mask: np.ndarray) -> list[FaceCrop]:
    """The crops to edit for a mask (H, W): those of the faces, wide enough where a little more does, and tiles beside.

    The first ``len(choice.crops)`` are the faces'.
    """
    faces = tuple(crop.resized(CROP) for crop in choice.crops)
    marks = [marks_around(number, faces, mask) for number in range(len(faces))]
    fitted = tuple(widened(crop, own.points) for crop, own in zip(faces, marks, strict=True))
    return [*fitted, *tiles_beside(fitted, marks, (mask.shape[1], mask.shape[0]))]


def widened(crop: FaceCrop, marks: np.ndarray) -> FaceCrop:
    """The crop, or one up to ``STRETCH`` times as wide if that holds all ``marks`` (N, 2) in photo coordinates."""
    if not len(marks):
        return crop
    inside = transform(inverse(crop.matrix), marks) / crop.size
    wider = 1.0
    margin = FADE + 2 / CROP
    for _ in range(4):  # a wider crop also fades over more of the photo
        low = np.minimum(inside.min(axis=0) - margin * wider, 0)
        high = np.maximum(inside.max(axis=0) + margin * wider, 1)
        wider = float((high - low).max())
    if not 1 < wider <= STRETCH:
        return crop
    right, down = (low + high) / 2 - 0.5
    return moved(crop, float(right), float(down), wider)


def tiles_beside(crops: tuple[FaceCrop, ...], marks: list[Marks], photo_size: tuple[int, int]) -> list[FaceCrop]:
    """Crops beside those of the faces, as far as their marks go on there: long hair beyond a face's crop.

    They have the scale and the turn of their face, so that the model sees hair as large as it knows it, and overlap by
    their fading borders. One ring around each face; what is marked farther off has no face to go by.
    """
    left_over = list(marks)
    for crop in crops:
        left_over = [marked.without(crop, photo_size) for marked in left_over]
    tiles: list[FaceCrop] = []
    step = 1 - 2 * FADE
    for crop in crops:
        for down, right in ((1, 0), (0, -1), (0, 1), (1, -1), (1, 1), (-1, 0), (-1, -1), (-1, 1)):
            tile = moved(crop, right * step, down * step)
            rest = [marked.without(tile, photo_size) for marked in left_over]
            pixels = sum(
                (len(before.points) - len(after.points)) * before.pixels
                for before, after in zip(left_over, rest, strict=True)
            )
            if pixels > _LEAST * (tile.size * tile.scale) ** 2:
                tiles.append(tile)
                left_over = rest
    return tiles
