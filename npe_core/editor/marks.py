"""What is marked around a face, as places of the photo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from npe_core.canvas.boxes import block_sums
from npe_core.editor.framing import distance_to, moved, strength_at
from npe_core.faces import FaceCrop


@dataclass(frozen=True)
class Marks:
    """Evenly thinned out places of a photo that are marked."""

    points: np.ndarray
    """(N, 2) photo coordinates"""
    pixels: int
    """How many photo pixels each stands for."""

    def without(self, crop: FaceCrop, photo_size: tuple[int, int]) -> Marks:
        """Those that the crop does not cover at full strength."""
        if not len(self.points):
            return self
        return Marks(self.points[strength_at(crop, self.points, photo_size) < 0.99], self.pixels)


def marks_around(number: int, faces: tuple[FaceCrop, ...], mask: np.ndarray) -> Marks:
    """What is marked within one crop's side around a face's crop, and nearer to that face than to the others."""
    crop = faces[number]
    stride = max(1, round(crop.size * crop.scale / 128))
    x0, y0, x1, y1 = moved(crop, 0, 0, 3).box((mask.shape[1], mask.shape[0]))
    if x0 >= x1 or y0 >= y1:
        return Marks(np.empty((0, 2)), stride * stride)
    rows, columns = np.nonzero(block_sums(mask[y0:y1, x0:x1], stride))
    points = (np.stack([columns, rows], axis=1) + 0.5) * stride + (x0, y0)
    nearest = np.argmin([distance_to(face, points[:, 0], points[:, 1]) for face in faces], axis=0)
    return Marks(points[nearest == number], stride * stride)
