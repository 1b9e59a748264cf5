"""From a photo of any size to the dots of a view: area averages, from a pyramid so that no frame reads it whole."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log2

import numpy as np

from npe_core.canvas.boxes import Box, cut
from npe_core.opencv import opencv


class Pyramid:
    """An image (H, W, 3) uint8, or a plane (H, W) uint8, with itself at 1/2, 1/4, ... the size, made when needed.

    The image is kept, not copied; ``update`` after it has changed.
    """

    def __init__(self, image: np.ndarray) -> None:
        self._levels = [image]

    @property
    def image(self) -> np.ndarray:
        """The image itself."""
        return self._levels[0]

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the image itself."""
        return self._levels[0].shape[1], self._levels[0].shape[0]

    def update(self, image: np.ndarray, box: Box) -> None:
        """Another image of the same size, or the same one, that differs from what was seen inside the box only."""
        self._levels[0] = image
        for depth, (above, level) in enumerate(pairwise(self._levels), 1):
            height, width = level.shape[:2]
            x0, y0, x1, y1 = box[0] // 2, box[1] // 2, min((box[2] + 1) // 2, width), min((box[3] + 1) // 2, height)
            box = x0, y0, x1, y1
            if x0 < x1 and y0 < y1:
                level[cut(box)] = _halved(above[2 * y0 : 2 * y1, 2 * x0 : 2 * x1], depth)

    def sample(self, origin: tuple[float, float], scale: float, box: Box) -> np.ndarray:
        """The dots of a box (x0, y0, x1, y1): (h, w, ...) float32, each the mean of what it covers of the image.

        Dot (x, y) covers the square of side 1 / ``scale`` image pixels whose top left is ``origin`` plus (x, y) /
        ``scale``. A dot that is wholly outside the image is 0.
        """
        level, factor = self._level(1 / scale)
        x0, y0, x1, y1 = box
        width, height = self.size
        columns = _Taps.over((origin[0] + np.arange(x0, x1 + 1) / scale) * factor, width * factor)
        rows = _Taps.over((origin[1] + np.arange(y0, y1 + 1) / scale) * factor, height * factor)
        window = level[rows.window, columns.window].astype(np.float32)
        return columns.mean(rows.mean(window, axis=0), axis=1)

    def _level(self, pixels: float) -> tuple[np.ndarray, float]:
        """The smallest level of which a dot of this many image pixels still covers two each way, and its scale."""
        depth = max(floor(log2(pixels)) - 1, 0)
        while len(self._levels) <= depth and max(self._levels[-1].shape[:2]) > 1:
            self._levels.append(_halved(self._levels[-1], len(self._levels)))
        depth = min(depth, len(self._levels) - 1)
        return self._levels[depth], 2.0**-depth


def _halved(image: np.ndarray, depth: int) -> np.ndarray:
    """Means of 2 x 2 pixels, for the level of this depth; an odd last row or column stands for itself.

    OpenCV rounds halves up; at every other depth they are rounded down, lest far views be lighter than near ones.
    """
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        spare = ((0, height % 2), (0, width % 2), (0, 0))[: image.ndim]
        image = np.pad(image, spare, mode="edge")
    cv2 = opencv()
    down = depth % 2 == 0 and image.dtype == np.uint8
    size = image.shape[1] // 2, image.shape[0] // 2
    half = cv2.resize(~image if down else image, size, interpolation=cv2.INTER_AREA)
    return ~half if down else half


@dataclass(frozen=True)
class _Taps:
    """Along one axis: which pixels each dot covers, and how much of them."""

    window: slice
    """The pixels that any dot covers."""
    first: np.ndarray
    """(dots,) the first pixel of each dot, counted from the window's start."""
    weights: np.ndarray
    """(taps, dots) float32: the share of each pixel from the first on; they sum to 1."""

    @classmethod
    def over(cls, edges: np.ndarray, size: float) -> _Taps:
        """For dots between these (dots + 1,) edges, in pixels, on an axis that ends at ``size``."""
        edges = np.clip(edges, 0, size)
        left, right = edges[:-1], edges[1:]
        pixels = ceil(size)
        first = np.minimum(np.floor(left).astype(np.intp), pixels - 1)
        last = np.clip(np.ceil(right).astype(np.intp), first + 1, pixels)
        pixel = first + np.arange((last - first).max())[:, None]
        overlap = np.maximum(np.minimum(right, pixel + 1) - np.maximum(left, pixel), 0)
        weights = overlap / np.maximum(right - left, 1e-9)
        return cls(slice(int(first[0]), int(last[-1])), first - first[0], weights.astype(np.float32))

    def mean(self, window: np.ndarray, axis: int) -> np.ndarray:
        """The dots along an axis of a float32 window."""
        weights = self.weights.reshape(len(self.weights), *(-1 if one == axis else 1 for one in range(window.ndim)))
        dots = window.take(self.first, axis) * weights[0]
        for tap in range(1, len(weights)):
            dots += window.take(self.first + tap, axis, mode="clip") * weights[tap]
        return dots
