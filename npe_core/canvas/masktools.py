"""The mask tools: pure functions (planes, radius) -> planes, on (5, h, w) uint8."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from npe_core.canvas.boxes import Box, box_of, pad
from npe_core.canvas.layers import ALPHA, MASK, Planes, visible
from npe_core.canvas.morphology import dilate, erode, feather_levels, nearest_source

Tool: TypeAlias = Callable[[Planes, float], Planes]


def reach(planes: Planes, radius: float) -> Box | None:
    """The box that a tool of this radius can change or needs to see, None if the mask is empty."""
    box = box_of(planes[MASK])
    size = (planes.shape[1], planes.shape[2])
    return None if box is None else pad(box, min(math.ceil(radius) + 1, max(size)), size)


def grow(planes: Planes, radius: float) -> Planes:
    """Widens the mask, and the paint that shows with it: an edge keeps its softness and moves outwards as a whole.

    Where paint waits, hidden, that paint comes back; a pixel that has none takes the nearest colour that shows. Mask
    without paint grows as mask without paint.
    """
    result = planes.copy()
    result[MASK] = dilate(planes[MASK], radius)
    shown = visible(planes)
    grown = dilate(shown, radius)
    result[ALPHA] = np.maximum(planes[ALPHA], grown)
    y, x = np.nonzero((grown > 0) & (planes[ALPHA] == 0))
    if y.size:
        from_y, from_x = nearest_source(shown > 0, y, x)
        result[:3, y, x] = planes[:3, from_y, from_x]
    return result


def shrink(planes: Planes, radius: float) -> Planes:
    """Narrows the mask; the paint stays, hidden, for the mask to grow back over."""
    result = planes.copy()
    result[MASK] = erode(planes[MASK], radius)
    return result


def feather(planes: Planes, radius: float) -> Planes:
    """Lets the mask fall to 0 at its edge, inwards only; the paint stays."""
    result = planes.copy()
    result[MASK] = feather_levels(planes[MASK], radius)
    return result


def invert(planes: Planes) -> Planes:
    """1 - mask; the paint stays."""
    result = planes.copy()
    result[MASK] = 255 - planes[MASK]
    return result
