"""Paint that tints: the photo's own light and texture in another colour, pixel by pixel.

A pixel of lightness L (CIE L*) in surroundings of lightness M, under a colour of lightness Lp, becomes as light as

    L' = (1 - k) Lp + k M + (L - M)                                     kept within 0..100, k = KEPT

so that the texture of the photo stays, and its broad light in part. M is the mean of what lies around and is about as
light (bilateral filter, Tomasi and Manduchi 1998): beside an edge, as of hair on a bright wall, a plain mean would make
paint too dark on the one side and too bright on the other. The hue is the paint's. In linear r, g, b, with p the paint,
Yp its luminance and Y' that of L', the colour is

    Y' + g (p - Yp),    g = Y' / Yp                                                 in less light: the paint itself
                        g = (Y' + e) / (Yp + e) * (Lp + 16) / (L' + 16)             in more: about as colourful

and at most what the gamut has room for. e, the luminance of L* = 8, keeps paint that is all but black from glowing.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from npe_core.canvas.boxes import Box, cut
from npe_core.colour import (
    LEAST_LUMINANCE,
    LUMINANCE,
    lightness_of,
    linear_to_srgb,
    luminance_of,
    srgb_to_lab,
    srgb_to_linear,
)
from npe_core.opencv import opencv
from npe_core.parallel import each

KEPT = np.float32(1 / 3)
"""The share of the photo's broad light that stays: the modelling of a cheek under blush. With half of it a dark colour
on light hair is another colour."""

_SURROUNDINGS = 50
"""Their standard deviation is one of so many parts of the photo's shorter side."""
_ALIKE = 20.0
"""Levels of L*, the standard deviation of the weights by lightness: of strands all count, across an edge hardly any."""
_BLOCKS = 4
"""Blocks a standard deviation, for which the surroundings are computed; between their centres they are interpolated."""
_REACH = 5 * _BLOCKS + 1
"""Blocks, the diameter of the filter."""

_LINEAR = srgb_to_linear(np.arange(256, dtype=np.uint8))
_STEPS = 20
"""Of the table of a colour, for a level of L*: an eighth of a level of sRGB."""
_ROWS = 64
"""So many rows are tinted together."""


class Tinter:
    """A picture whose light falls on paint."""

    def __init__(self, image: np.ndarray) -> None:
        """image: (H, W, 3) uint8, looked at when the first paint tints, and where it does."""
        self._image = image

    @cached_property
    def _surroundings(self) -> np.ndarray:
        """(h, w) float32: M of blocks of the picture."""
        cv2, size = opencv(), self._image.shape[:2]
        blocks = _SURROUNDINGS * _BLOCKS / min(size)
        height, width = (max(1, round(side * min(blocks, 1))) for side in size)
        small = cv2.resize(self._image, (width, height), interpolation=cv2.INTER_AREA)
        around: np.ndarray = cv2.bilateralFilter(srgb_to_lab(small)[..., 0], _REACH, _ALIKE, _BLOCKS)
        return around

    def _around(self, box: Box) -> np.ndarray:
        """(h, w) float32: M of the pixels in a box, the same in any box around them."""
        (y0, y1, down), (x0, x1, right) = (
            _between(first, end, whole, blocks)
            for first, end, whole, blocks in zip(
                box[1::-1], box[3:1:-1], self._image.shape[:2], self._surroundings.shape, strict=True
            )
        )
        rows = self._surroundings[y0] + down[:, None] * (self._surroundings[y1] - self._surroundings[y0])
        around: np.ndarray = rows[:, x0] + right * (rows[:, x1] - rows[:, x0])
        return around

    def tinted(self, box: Box, paint: np.ndarray, covered: np.ndarray | None = None) -> np.ndarray:
        """(h, w, 3) uint8: the pixels of a box under paint, (3,) or (h, w, 3) uint8; where ``covered`` (h, w) is 0, if
        there is one, they are of no use."""
        x0, y0, x1, y1 = box
        result = np.empty((y1 - y0, x1 - x0, 3), np.uint8)
        table = _table(paint) if paint.ndim == 1 else None

        def tint(top: int) -> None:
            rows = slice(top, top + _ROWS)
            part = (x0, y0 + top, x1, min(y0 + top + _ROWS, y1))
            around = self._around(part)
            own = lightness_of(_luminance(opencv().LUT(self._image[cut(part)], _LINEAR)))
            light = KEPT * around + own - around
            if table is not None:
                level = light + (1 - KEPT) * lightness_of(_luminance(_LINEAR[paint]))
                np.take(table, _step_of(level), axis=0, out=result[rows])
                return
            where = np.ones(light.shape, bool) if covered is None else covered[rows] > 0
            linear = _LINEAR[paint[rows][where]]
            result[rows][where] = _in_light(light[where] + (1 - KEPT) * lightness_of(_luminance(linear)), linear)

        each(tint, range(0, y1 - y0, _ROWS))
        return result


def _between(first: int, end: int, whole: int, blocks: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For the pixels first..end of a side of ``whole`` that is cut into blocks: the two blocks between whose centres
    each lies, and how far it is on the way from the one to the other."""
    place = np.clip((np.arange(first, end) + 0.5) * blocks / whole - 0.5, 0, blocks - 1)
    before = place.astype(np.intp)
    return before, np.minimum(before + 1, blocks - 1), (place - before).astype(np.float32)


def _luminance(linear: np.ndarray) -> np.ndarray:
    """(...) of (..., 3) linear r, g, b."""
    return linear @ LUMINANCE


def _table(paint: np.ndarray) -> np.ndarray:
    """(N, 3) uint8: paint, (3,) uint8, at each of ``_STEPS`` parts of the levels of L*."""
    return _in_light(np.arange(100 * _STEPS + 1, dtype=np.float32) / _STEPS, _LINEAR[paint])


def _step_of(level: np.ndarray) -> np.ndarray:
    """The row of that table for levels of L*."""
    return (np.clip(level, 0, 100) * _STEPS + np.float32(0.5)).astype(np.intp)


def _in_light(level: np.ndarray, linear: np.ndarray) -> np.ndarray:
    """(..., 3) uint8: paint of linear r, g, b (..., 3) where it is as light as ``level`` (...), kept within 0..100."""
    level = np.clip(level, 0, 100)[..., None]
    own, light = _luminance(linear)[..., None], luminance_of(level)
    tint = linear - own
    more = (light + LEAST_LUMINANCE) / (own + LEAST_LUMINANCE) * (lightness_of(own) + 16) / (level + 16)
    gain = np.where(light > own, more, light / np.maximum(own, 1e-6))
    room = (1 - light) / np.maximum(tint.max(-1, keepdims=True), 1e-6)
    return (255 * linear_to_srgb(light + np.minimum(gain, room) * tint) + 0.5).astype(np.uint8)
