"""How much of each pixel a round brush covers: distance to the stroke's line, soft rim, sub-pixel exact."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from npe_core.canvas.boxes import Box

Point = tuple[float, float]
"""(x, y) in pixels, pixel (i, j) spanning [i, i+1) x [j, j+1): the centre of the first pixel is (0.5, 0.5)."""


def reached(start: Point, end: Point, radius: float, size: tuple[int, int]) -> Box | None:
    """The box of pixels that a dab dragged from start to end can touch, None if it misses the image."""
    (xa, ya), (xb, yb), margin = start, end, radius + 1
    x0, x1 = max(min(xa, xb) - margin, 0), min(max(xa, xb) + margin, size[1])
    y0, y1 = max(min(ya, yb) - margin, 0), min(max(ya, yb) + margin, size[0])
    return (math.floor(x0), math.floor(y0), math.ceil(x1), math.ceil(y1)) if x0 < x1 and y0 < y1 else None


def pieces(start: Point, end: Point, radius: float) -> Iterator[tuple[Point, Point]]:
    """The segment in pieces of a few radii, so that a long diagonal does not cost its bounding box."""
    length = math.dist(start, end)
    count = max(1, math.ceil(length / max(4 * radius, 32)))
    stops = [
        (start[0] + (end[0] - start[0]) * k / count, start[1] + (end[1] - start[1]) * k / count)
        for k in range(count + 1)
    ]
    yield from pairwise(stops)


def coverage(box: Box, start: Point, end: Point, radius: float, hardness: float) -> np.ndarray:
    """(h, w) uint8 coverage, in 1/255, of the pixels of ``box`` by a dab dragged from start to end.

    The dab is 1 within ``hardness * radius`` of the line and falls to 0 at ``radius``; a pixel's value is the mean
    over its area, from n x n sample points, more of them the smaller the brush.
    """
    n = 8 if radius < 4 else 4 if radius < 16 else 2
    x0, y0, x1, y1 = box
    px = (np.arange((x1 - x0) * n, dtype=np.float32) + 0.5) / n - np.float32(start[0] - x0)
    py = (np.arange((y1 - y0) * n, dtype=np.float32)[:, None] + 0.5) / n - np.float32(start[1] - y0)
    dx, dy = end[0] - start[0], end[1] - start[1]
    squared = dx * dx + dy * dy
    if squared > 0:
        along = np.clip((px * dx + py * dy) / squared, 0, 1)
        px, py = px - along * dx, py - along * dy
    distance = np.sqrt(px * px + py * py)
    # The rim is never narrower than a sample, so that a hard edge is smooth too.
    inner = min(hardness * radius, radius - 0.5 / n)
    outer = max(radius, inner + 1 / n)
    t = np.clip((outer - distance) / (outer - inner), 0, 1)
    samples = t * t * (3 - 2 * t)
    h, w = y1 - y0, x1 - x0
    mean = samples.reshape(h, n, w, n).mean(axis=(1, 3))
    return (mean * 255 + 0.5).astype(np.uint8)
