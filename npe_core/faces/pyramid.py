"""A photo at several sizes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from npe_core.opencv import opencv


@dataclass(frozen=True, eq=False)
class Level:
    """A photo at one size; ``x_scale`` and ``y_scale`` are its pixels per photo pixel."""

    image: np.ndarray
    """(H, W, 3) uint8"""

    x_scale: float
    y_scale: float

    @property
    def longest(self) -> int:
        """The longest side in pixels."""
        return max(self.image.shape[:2])

    def to_photo(self, points: np.ndarray) -> np.ndarray:
        """(..., 2) points of this level in photo coordinates."""
        return points / [self.x_scale, self.y_scale]

    def from_photo(self, points: np.ndarray) -> np.ndarray:
        """(..., 2) photo points in coordinates of this level."""
        return points * [self.x_scale, self.y_scale]


def reduced(level: Level, side: int) -> Level:
    """``level`` with its longest side reduced to ``side`` pixels.

    Halved as often as possible first: OpenCV halves ten times faster than it reduces by any other factor. An odd last
    row or column is left out.
    """
    cv2 = opencv()
    image, x_scale, y_scale = level.image, level.x_scale, level.y_scale
    while max(image.shape[:2]) >= 2 * side and min(image.shape[:2]) >= 2:
        rows, columns = image.shape[0] // 2, image.shape[1] // 2
        image = cv2.resize(image[: 2 * rows, : 2 * columns], (columns, rows), interpolation=cv2.INTER_AREA)
        x_scale, y_scale = x_scale / 2, y_scale / 2
    return _resized(Level(image, x_scale, y_scale), side, cv2.INTER_AREA)


def enlarged(level: Level, side: int) -> Level:
    """``level`` with its longest side enlarged to ``side`` pixels."""
    cv2 = opencv()
    return _resized(level, side, cv2.INTER_CUBIC)


def _resized(level: Level, side: int, interpolation: int) -> Level:
    cv2 = opencv()
    rows, columns = level.image.shape[:2]
    width, height = (max(1, round(length * side / level.longest)) for length in (columns, rows))
    image = cv2.resize(level.image, (width, height), interpolation=interpolation)
    return Level(image, level.x_scale * width / columns, level.y_scale * height / rows)
