"""What a canvas holds: the planes of paint and mask, and the guide and the float mask that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from npe_core.canvas.boxes import Box, box_of, cut, window
from npe_core.opencv import opencv

ALPHA, MASK = 3, 4
"""Indices of the planes after red, green and blue."""

_FLOAT = (np.arange(256) / 255).astype(np.float32)

Planes: TypeAlias = np.ndarray
"""(5, h, w) uint8: straight (not premultiplied) red, green, blue of the paint, its alpha, and the mask.

Alpha and mask count in 1/255: level 255 is 1.0 exactly, so that a mask goes through an 8-bit PNG, through
``invert`` twice and through undo without changing by a bit.
"""


def to_levels(p: np.ndarray) -> np.ndarray:
    """uint8 in 1/255 of what is 0 to 1, and less or more beyond."""
    levels = np.clip(p, 0, 1)
    levels *= 255
    levels += 0.5
    return levels.astype(np.uint8)


def visible(planes: Planes) -> np.ndarray:
    """(h, w) uint8 alpha of the paint that shows: the mask limits it, and paint outside the mask waits hidden."""
    return np.minimum(planes[ALPHA], planes[MASK])


class Layers:
    """The planes over one picture. ``guide`` is made when first asked for, and then kept up to date."""

    def __init__(self, image: np.ndarray) -> None:
        self.image = image
        self.planes: Planes = np.zeros((5, *image.shape[:2]), np.uint8)
        self._guide: np.ndarray | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)"""
        return self.image.shape[0], self.image.shape[1]

    @property
    def guide(self) -> np.ndarray:
        """(H, W, 3) uint8: the picture with the paint that shows."""
        if self._guide is None:
            guide = self.image.copy()
            if (marked := box_of(self.planes[MASK])) is not None:
                guide[cut(marked)] = self._painted(marked, window(self.planes, marked))
            self._guide = guide
        return self._guide

    def guide_in(self, box: Box) -> np.ndarray:
        """(h, w, 3): ``guide`` inside a box."""
        return self._painted(box, window(self.planes, box)) if self._guide is None else self._guide[cut(box)]

    def mask_in(self, box: Box) -> np.ndarray:
        """(h, w) float32 in [0, 1]: the mask inside a box."""
        levels = self.planes[MASK][cut(box)]
        mask: np.ndarray = opencv().LUT(levels, _FLOAT) if levels.size else levels.astype(np.float32)
        return mask

    def put(self, box: Box, planes: Planes) -> None:
        """Replaces the planes inside the box, and the guide there: both, or none where memory runs out."""
        guide = self._guide
        painted = None if guide is None else self._painted(box, planes)
        window(self.planes, box)[:] = planes
        if guide is not None:
            guide[cut(box)] = painted

    def flip(self, boxes: Sequence[Box], deltas: Sequence[np.ndarray]) -> None:
        """XORs the planes inside each box with its delta (5, h, w), and derives the guide there; all or nothing."""
        self._cross(boxes, deltas)
        try:
            if (guide := self._guide) is not None:
                painted = [self._painted(box, window(self.planes, box)) for box in boxes]
                for box, there in zip(boxes, painted, strict=True):
                    guide[cut(box)] = there
        except Exception:
            self._cross(boxes, deltas)
            raise

    def take_back(self, boxes: Sequence[Box], deltas: Sequence[np.ndarray]) -> None:
        """As ``flip``, but the guide is made anew when it is next asked for: this takes no memory."""
        self._cross(boxes, deltas)
        self._guide = None

    def _cross(self, boxes: Sequence[Box], deltas: Sequence[np.ndarray]) -> None:
        for box, delta in zip(boxes, deltas, strict=True):
            planes = window(self.planes, box)
            planes ^= delta

    def _painted(self, box: Box, planes: Planes) -> np.ndarray:
        """The guide in a box with these planes."""
        cv2, image = opencv(), self.image[cut(box)]
        alpha = visible(planes)
        if not alpha.any():
            return image.copy()
        guide: np.ndarray = cv2.merge(list(planes[:3]))
        cv2.copyTo(image, (alpha != 255).view(np.uint8), guide)
        if (mixed := np.flatnonzero((alpha > 0) & (alpha < 255))).size:
            # Exact rounding in integers, as if alpha 0 left the original and 255 were the paint itself.
            y, x = np.divmod(mixed, alpha.shape[1])
            a = alpha[y, x].astype(np.uint16)[:, None]
            paint = planes[:3, y, x].T.astype(np.uint16)
            guide[y, x] = (image[y, x] * (255 - a) + paint * a + 127) // 255
        return guide
