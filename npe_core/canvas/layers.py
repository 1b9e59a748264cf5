"""What a canvas holds: the planes of paint and mask, and the guide and float mask that follow from them."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from npe_core.canvas.boxes import Box, cut, window
from npe_core.opencv import opencv

ALPHA, MASK = 3, 4
"""Indices of the planes after red, green and blue."""

_FLOAT = (np.arange(256) / 255).astype(np.float32)

Planes: TypeAlias = np.ndarray
"""(5, h, w) uint8: straight (not premultiplied) red, green, blue of the paint, its alpha, and the mask.

Alpha and mask count in 1/255: level 255 is 1.0 exactly, so that a mask goes through an 8-bit PNG, through
``invert`` twice and through undo without changing by a bit.
"""


def visible(planes: Planes) -> np.ndarray:
    """(h, w) uint8 alpha of the paint that shows: the mask limits it, and paint outside the mask waits hidden."""
    return np.minimum(planes[ALPHA], planes[MASK])


class Layers:
    """The planes over one picture. ``guide`` and ``mask`` are kept up to date box by box."""

    def __init__(self, image: np.ndarray) -> None:
        self.image = image
        self.planes: Planes = np.zeros((5, *image.shape[:2]), np.uint8)
        self.guide = image.copy()
        self.mask: np.ndarray = np.zeros(image.shape[:2], np.float32)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)"""
        return self.image.shape[0], self.image.shape[1]

    def put(self, box: Box, planes: Planes) -> None:
        """Replaces the planes inside the box and derives guide and mask there."""
        window(self.planes, box)[:] = planes
        self.refresh(box)

    def refresh(self, box: Box) -> None:
        """Derives guide and float mask from the planes inside the box."""
        cv2, where = opencv(), cut(box)
        planes = window(self.planes, box)
        alpha = visible(planes)
        if not alpha.size:
            return
        self.mask[where] = cv2.LUT(planes[MASK], _FLOAT)
        image, guide = self.image[where], self.guide[where]
        paint = cv2.merge(list(planes[:3]))
        guide[:] = cv2.copyTo(paint, (alpha == 255).view(np.uint8), image.copy())
        if (mixed := np.flatnonzero((alpha > 0) & (alpha < 255))).size:
            # Exact rounding in integers, as if alpha 0 left the original and 255 were the paint itself.
            y, x = np.divmod(mixed, alpha.shape[1])
            a = alpha[y, x].astype(np.int32)[:, None]
            guide[y, x] = (image[y, x] * (255 - a) + paint[y, x].astype(np.int32) * a + 127) // 255
