"""The framing of the training pictures, and the similarity that brings a face into it.

Eyes level at 0.47 of the height and a quarter of the width apart, as FFHQ is framed.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

TEMPLATE = np.array([[0.3748, 0.4721], [0.6252, 0.4721], [0.5, 0.6146], [0.393, 0.725], [0.607, 0.725]])
"""(5, 2): where the landmarks lie in a crop of side 1. Means of what ``find_faces`` gives on 500 of the training
pictures, made symmetric, so that a found face comes to lie as those do."""

MEAN_BOX = (0.503, 0.552, 0.549, 0.737)
"""Middle x, y, width and height of the detector's boxes in the same pictures."""


def umeyama(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The (2, 3) similarity that takes (N, 2) ``source`` points nearest to (N, 2) ``target`` points, in least squares.

    Umeyama 1991 (doi:10.1109/34.88573) in two dimensions, where the rotation has a closed form; never a reflection.
    Raises ValueError when all source points are the same.
    """
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    s, t = source - source_mean, target - target_mean
    variance = (s * s).sum()
    if variance == 0:
        raise ValueError("the source points of a similarity are all the same")
    a = (s * t).sum() / variance  # scale * cos
    b = (s[:, 0] * t[:, 1] - s[:, 1] * t[:, 0]).sum() / variance  # scale * sin
    linear = np.array([[a, -b], [b, a]])
    return np.column_stack([linear, target_mean - linear @ source_mean])


class BoxFraming(NamedTuple):
    """The upright square that frames a face of which only the box is known."""

    square: tuple[float, float, float, float]
    side: float


def box_framing(box: tuple[float, float, float, float]) -> BoxFraming:
    """Where the training pictures' frame would be around the box of an upright face, by the mean of those pictures."""
    x0, y0, x1, y1 = box
    side = math.sqrt((x1 - x0) * (y1 - y0) / (MEAN_BOX[2] * MEAN_BOX[3]))
    left = (x0 + x1) / 2 - MEAN_BOX[0] * side
    top = (y0 + y1) / 2 - MEAN_BOX[1] * side
    return BoxFraming((left, top, left + side, top + side), side)
