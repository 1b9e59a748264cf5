"""How much a crop counts at each place of the photo."""

from __future__ import annotations

import numpy as np

from npe_core.canvas.boxes import box_of, cut
from npe_core.faces import FaceCrop
from npe_core.faces.resample import inverse
from npe_core.parts import Box


class Share:
    """A map (size, size) float32 in [0, 1] of a crop, of which most is 1."""

    def __init__(self, crop: FaceCrop, values: np.ndarray) -> None:
        self._crop, self._values = crop, values
        self._ones = box_of(values == 1) or (0, 0, 0, 0)
        if not (values[cut(self._ones)] == 1).all():
            self._ones = 0, 0, 0, 0
        self._to_crop: list[list[float]] = inverse(crop.matrix).tolist()
        self._margin = 2 + 2 / crop.scale
        """How far around a pixel it may be looked at, in pixels of the crop."""

    def in_part(self, part: Box) -> np.ndarray | None:
        """(h, w) float32 of a part of the photo; None where it is 1 all over."""
        x0, y0, x1, y1 = part
        for low, high, (a, b, c) in zip(self._ones[:2], self._ones[2:], self._to_crop, strict=True):
            ends = a * x0 + b * y0, a * x1 + b * y0, a * x0 + b * y1, a * x1 + b * y1
            if min(ends) + c < low + self._margin or max(ends) + c > high - self._margin:
                return self._crop.to_box(self._values, part)
        return None
