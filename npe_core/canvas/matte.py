"""What colours tell of a soft edge: how much of a pixel is the region, and how much is what lies beside it."""

from __future__ import annotations

import numpy as np

from npe_core.canvas.guided import box_sum, linear_in_colour, reduced
from npe_core.opencv import opencv

_NONE, _ALL = 0.15, 0.7
"""A pixel this far from the colour beside the region to the region's own shows nothing of it, or nothing else."""

_CONTRAST = 30.0 / 255
"""Difference of the two colours, in [0, 1], at which half is believed of what they tell, if one colour lies beside."""


def share_by_colour(
    image: np.ndarray,
    inside: np.ndarray,
    outside: np.ndarray,
    band: int,
    where: np.ndarray,
    halvings: int,
    between: tuple[float, float] = (_NONE, _ALL),
) -> np.ndarray:
    """(H, W) float32 in [0, 1]: the most that each pixel can show of a region, by its colour.

    image is (H, W, 3) uint8. ``inside`` and ``outside`` (H, W) bool are surely the region and surely not. A pixel at
    the edge shows C = a F + (1 - a) B; with F and B the means of what is surely inside and outside nearby, a is where C
    lies between them. The nearer the two colours are to each other, or the more of them lie beside, the less that
    tells: the share is 1 then.
    ``band`` is the width of the edge in pixels; ``where`` and ``halvings`` as in ``guided_filter``; ``between`` are the
    a that show nothing and all of the region.
    """
    block = 2**halvings
    colours = np.moveaxis(reduced(image, block), -1, 0).astype(np.float32) / 255
    own, _, there = _colour_where(colours, inside, 3 * band, block)
    beside, spread, and_there = _colour_where(colours, outside, 5 * band, block)
    towards = own - beside
    squared = (towards * towards).sum(axis=0)
    belief = squared / (squared + np.float32(_CONTRAST**2) + spread) * (there & and_there)
    slope = towards / np.maximum(squared, np.float32(1e-6))
    offset = -(slope * beside).sum(axis=0)
    steepness = belief / np.float32(between[1] - between[0])
    constant = 1 - belief + steepness * (offset - np.float32(between[0]))
    linear = np.concatenate([slope * steepness / 255, constant[None]])
    side = 2 * (band // 6) + 1  # without the grain of the picture, which is no hair
    return linear_in_colour(opencv().blur(image, (side, side)), linear, block, where)


def _colour_where(
    colours: np.ndarray, where: np.ndarray, radius: int, block: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the blocks within ``radius`` pixels that are wholly True: the mean colour (3, h, w), the variance around it,
    summed over the channels, and whether there are any."""
    whole = (reduced(where.view(np.uint8) * np.uint8(255), block) == 255).astype(np.float32)
    squares = (colours * colours).sum(axis=0) * whole
    sums = box_sum(np.concatenate([colours * whole, squares[None], whole[None]]), max(1, radius // block))
    count = np.maximum(sums[4], 1)
    mean = sums[:3] / count
    return mean, np.maximum(sums[3] / count - (mean * mean).sum(axis=0), 0), sums[4] > 0.5
