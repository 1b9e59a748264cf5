"""Grow, shrink and feather with round, Euclidean distances. Pure functions; no loop over pixels.

Outside the image there is nothing to grow from and nothing that eats into a mask: a border of the picture is no edge
of the mask, so hair that leaves the picture is not feathered where it leaves.
"""

from __future__ import annotations

import math

import numpy as np

from npe_core.opencv import opencv

_WIDEST = 1e6
"""Pixels, more than any picture has a side: a wider radius does no more, but its square would fit into no float."""


def dilate(levels: np.ndarray, radius: float) -> np.ndarray:
    """(H, W) uint8: the largest level within ``radius`` pixels (centre to centre), exact for a round disc.

    A disc is a stack of rows. The maximum over a row of any length comes from two overlapping windows of a power of
    two, and those windows are shared by all rows: O(N * (radius + log radius)).
    """
    height, width = levels.shape
    radius = min(radius, _WIDEST)
    r = min(int(radius), max(height, width))
    tables = [np.pad(levels, r)]  # tables[k][:, x]: maximum of the 2**k pixels from x on
    while 2 ** len(tables) <= 2 * r + 1:
        last, step = tables[-1], 2 ** (len(tables) - 1)
        tables.append(np.maximum(last[:, :-step], last[:, step:]))
    result = np.zeros_like(levels)
    for dy in range(r + 1):
        half = min(math.isqrt(max(0, math.floor(radius * radius - dy * dy))), r)
        k = (2 * half + 1).bit_length() - 1
        left, right = r - half, r + half + 1 - 2**k
        row = np.maximum(tables[k][:, left : left + width], tables[k][:, right : right + width])
        np.maximum(result, row[r + dy : r + dy + height], out=result)
        np.maximum(result, row[r - dy : r - dy + height], out=result)
    return result


def erode(levels: np.ndarray, radius: float) -> np.ndarray:
    """(H, W) uint8: the smallest level within ``radius`` pixels; the adjoint of ``dilate``."""
    return 255 - dilate(255 - levels, radius)


def distance_inside(inside: np.ndarray, limit: float, rough: bool = False) -> np.ndarray:
    """(H, W) float32: distance of each True pixel of ``inside`` (bool) to the nearest False one, centre to centre.

    Infinite beyond ``limit``. 0 where ``inside`` is False. O(N) (Felzenszwalb and Huttenlocher, by OpenCV); ``rough``
    takes a fifth of the time and is off by up to 3 % (Borgefors 1986, 5 x 5).
    """
    cv2 = opencv()
    how = cv2.DIST_MASK_5 if rough else cv2.DIST_MASK_PRECISE
    distance: np.ndarray = cv2.distanceTransform(inside.view(np.uint8), cv2.DIST_L2, how)
    np.copyto(distance, np.inf, where=distance > limit)
    return distance


def feather_levels(levels: np.ndarray, radius: float, rough: bool = False) -> np.ndarray:
    """(H, W) uint8: ``levels`` falling smoothly to 0 at the rim of their support, inwards only.

    The rim lies halfway between a pixel of the support and its neighbour outside; a pixel ``radius`` inside it and
    deeper keeps its level. ``rough`` as in ``distance_inside``.
    """
    soft = levels.copy()
    if radius <= 0.5:
        return soft
    radius = min(radius, _WIDEST)
    depth = distance_inside(levels > 0, radius + 0.5, rough).ravel()
    rim = np.flatnonzero((depth > 0) & (depth <= radius + 0.5))
    share = smoothstep((depth[rim] - np.float32(0.5)) / np.float32(radius))
    soft.ravel()[rim] = (soft.ravel()[rim] * share + np.float32(0.5)).astype(np.uint8)
    return soft


def smoothstep(t: np.ndarray) -> np.ndarray:
    """0 below 0, 1 above 1, a smooth rise between."""
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def nearest_source(source: np.ndarray, y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the True pixel of ``source`` (bool) nearest to each (y, x); it has one.

    Another may be up to 5 % nearer (Borgefors 1986, 5 x 5, by OpenCV).
    """
    cv2 = opencv()
    how = {"distanceType": cv2.DIST_L2, "maskSize": cv2.DIST_MASK_5, "labelType": cv2.DIST_LABEL_PIXEL}
    _, labels = cv2.distanceTransformWithLabels((~source).view(np.uint8), **how)
    places = np.flatnonzero(source)
    place_of = np.zeros(places.size + 1, np.intp)
    place_of[labels.ravel()[places]] = places
    rows, columns = np.divmod(place_of[labels[y, x]], source.shape[1])
    return rows, columns
