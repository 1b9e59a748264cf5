"""How much of each pixel a round brush covers: distance to the stroke's line, soft rim, sub-pixel exact."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np

from npe_core.canvas.boxes import Box
from npe_core.canvas.layers import to_levels

Point = tuple[float, float]
"""(x, y) in pixels, pixel (i, j) spanning [i, i+1) x [j, j+1): the centre of the first pixel is (0.5, 0.5)."""


def reached(start: Point, end: Point, radius: float, size: tuple[int, int]) -> Box | None:
    """The box of pixels that a dab dragged from start to end can touch, None if it misses the image."""
    (xa, ya), (xb, yb), margin = start, end, radius + 1
    x0, x1 = max(min(xa, xb) - margin, 0), min(max(xa, xb) + margin, size[1])
    y0, y1 = max(min(ya, yb) - margin, 0), min(max(ya, yb) + margin, size[0])
    return (math.floor(x0), math.floor(y0), math.ceil(x1), math.ceil(y1)) if x0 < x1 and y0 < y1 else None


def pieces(start: Point, end: Point, radius: float, size: tuple[int, int]) -> Iterator[tuple[Point, Point]]:
    """What of the segment can touch the image, in pieces of a few radii: a long diagonal does not cost its bounding
    box, nor a far point all the way there."""
    near = _near(start, end, radius + 1, size)
    if near is None:
        return
    start, end = near
    length = math.dist(start, end)
    count = max(1, math.ceil(length / max(4 * radius, 32)))
    stops = [
        (start[0] + (end[0] - start[0]) * k / count, start[1] + (end[1] - start[1]) * k / count)
        for k in range(count + 1)
    ]
    yield from pairwise(stops)


def _near(start: Point, end: Point, margin: float, size: tuple[int, int]) -> tuple[Point, Point] | None:
    """The segment inside the image grown by a margin, None if it misses that: one border after the other, as in
    Sutherland and Hodgman 1974."""
    for axis, side in ((0, size[1]), (1, size[0])):
        for border, inwards in ((-margin, 1), (side + margin, -1)):
            starts, ends = (inwards * point[axis] >= inwards * border for point in (start, end))
            if not starts and not ends:
                return None
            if not starts:
                start = _crossing(end, start, axis, border)
            elif not ends:
                end = _crossing(start, end, axis, border)
    return start, end


def _crossing(inside: Point, outside: Point, axis: int, border: float) -> Point:
    """Where a segment crosses a border; in whole numbers, as the rounding of a far point can be more than a picture."""
    (xa, ya), (xb, yb) = (map(Fraction, point) for point in (inside, outside))
    share = (Fraction(border) - (ya if axis else xa)) / (yb - ya if axis else xb - xa)
    return float(xa + share * (xb - xa)), float(ya + share * (yb - ya))


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
    return to_levels(mean)
