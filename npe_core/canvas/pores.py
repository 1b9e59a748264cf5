"""The fine texture of skin, pores and grain: taken out before its light falls on another colour, and given back after.

A fill carries the light of a region over in part, and bends it near white. What is so fine is no light but material,
or the photo's own grain: with less of it skin is plastic, and does not go with a nose or a neck beside it. With more,
as where dark skin and black hairs are drawn apart, it becomes specks and ragged edges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from npe_core.opencv import opencv

_FINE = 1 / 150
"""Of the longer side of a place: the standard deviation of what counts as around a pixel, at least one pixel."""
_BLOCKS = 2
"""Blocks a standard deviation, for which the surroundings are computed; between their centres they are interpolated."""
_PORES = 24
"""Levels of difference of which half is texture. Of less it is more, of lashes and lines, which belong to the light,
ever less; so slowly that light and texture stay in order together."""
_WHITE = 16
"""Levels below white from which on ever less is given back: what is blown out shows no pores."""
_SAME = 128
"""What stands for no difference."""

_DIFFERENCE = np.arange(256) - _SAME
_TEXTURE = _DIFFERENCE / (1 + (_DIFFERENCE / _PORES) ** 2)
_ROOM = np.rint(255 * np.clip((255 - np.arange(256)) / _WHITE, 0, 1)).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Texture:
    """By how much each pixel of a place is brighter than what lies around it."""

    difference: np.ndarray
    """(h, w) uint8: levels of 255 above ``_SAME``, which is where the mask is not full."""

    @classmethod
    def of(cls, pixels: np.ndarray, soft: np.ndarray) -> Texture:
        """Of pixels (h, w, 3) uint8 where the mask ``soft`` (h, w) uint8 is full."""
        cv2 = opencv()
        inside = cv2.compare(soft, 255, cv2.CMP_EQ)
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        sigma = max(_FINE * max(soft.shape), 1.0)
        height, width = (max(1, round(side * min(_BLOCKS / sigma, 1.0))) for side in soft.shape)

        def around(plane: np.ndarray) -> np.ndarray:
            small = cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
            spread: np.ndarray = cv2.GaussianBlur(small, (0, 0), sigma * width / soft.shape[1])
            return spread

        mean = 255 * around(cv2.bitwise_and(grey, inside)) / np.maximum(around(inside), 1)
        smooth = cv2.resize(cv2.convertScaleAbs(mean), soft.shape[::-1], interpolation=cv2.INTER_LINEAR)
        difference = cv2.addWeighted(grey, 1, smooth, -1, _SAME)
        difference[inside == 0] = _SAME
        return cls(difference)

    def taken_out_of(self, pixels: np.ndarray) -> np.ndarray:
        """(h, w, 3) uint8: those pixels without it."""
        cv2, (more, less) = opencv(), self._levels(-1.0)
        calm: np.ndarray = cv2.subtract(cv2.add(pixels, _as_rgb(more)), _as_rgb(less))
        return calm

    def given_to(self, paint: np.ndarray, times: float) -> np.ndarray:
        """(h, w, 3) uint8: paint (h, w, 3) uint8 with it, so many times as strong."""
        cv2 = opencv()
        room = cv2.LUT(cv2.cvtColor(paint, cv2.COLOR_RGB2GRAY), _ROOM)
        more, less = (_as_rgb(cv2.multiply(levels, room, scale=1 / 255)) for levels in self._levels(times))
        rough: np.ndarray = cv2.subtract(cv2.add(paint, more), less)
        return rough

    def _levels(self, times: float) -> tuple[np.ndarray, np.ndarray]:
        """(h, w) uint8 each: what it adds and what it takes away, so many times as strong."""
        levels = np.rint(times * _TEXTURE)
        more, less = (np.maximum(part, 0).astype(np.uint8) for part in (levels, -levels))
        return opencv().LUT(self.difference, more), opencv().LUT(self.difference, less)


def _as_rgb(levels: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8 for (h, w) uint8."""
    rgb: np.ndarray = opencv().cvtColor(levels, opencv().COLOR_GRAY2RGB)
    return rgb
