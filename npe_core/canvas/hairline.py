"""The hairline: skin that is seen through hairs, and hairs that lie on the skin.

A map of regions calls the one hair and the other skin. New skin without the first leaves hairs on a plate of the old
colour, and new hair without the second outlines the forehead in the old one. Lips have a rim of skin too, which is
seen when the skin becomes darker.
"""

from __future__ import annotations

import numpy as np

from npe_core.canvas.border import Border
from npe_core.canvas.boxes import box_of, cut, pad
from npe_core.canvas.matte import share_by_colour
from npe_core.canvas.morphology import distance_inside, smoothstep
from npe_core.regions import region_by_name

_HAIR, _LIPS, _SKIN = (region_by_name(name).id for name in ("hair", "lips", "skin"))

_BARE = (0.05, 0.95)
"""The share of skin in a pixel's colour up to which it is all hair, and from which on it is bare."""
_THROUGH = (0.35, 1.1)
"""Likewise of hair or lips, for what is painted of the skin that shows in them. It is more than the share of skin: the
paint of a mixture is as dark as the mixture, and what it does not cover stays as bright as old skin makes it."""


def skin_through(image: np.ndarray, ids: np.ndarray, skin: Border, darker: bool) -> np.ndarray:
    """(h, w) float32 in [0, 1]: how far the pixels at the borders of hair and lips are skin, by their colour; else 0.

    image is (h, w, 3) uint8 with its region ids (h, w) uint8; ``skin`` is what is filled of the skin. It goes a band
    into the hair and fades half of the way, likewise into the ``rim_of_lips``, there only if it becomes ``darker``.
    """
    through = np.zeros(ids.shape, np.float32)
    for other, depth in ((_HAIR, skin.band), (_LIPS, skin.band // 2 if darker else 0)):
        where = ids == other
        box = box_of(where)
        if box is not None and depth:
            seen = cut(pad(box, 5 * skin.band, ids.shape))
            between = _skin_between(image[seen], where[seen], skin.outside[seen], skin.band, depth)
            np.maximum(through[seen], between, out=through[seen])
    return through


def rim_of_lips(ids: np.ndarray, skin: Border) -> np.ndarray:
    """(h, w) bool: where skin may show in lips, half a band deep. Arguments as in ``skin_through``."""
    rim: np.ndarray = (ids == _LIPS) & (skin.outside <= skin.band // 2)
    return rim


def _skin_between(image: np.ndarray, other: np.ndarray, away: np.ndarray, band: int, depth: int) -> np.ndarray:
    """As ``skin_through``, into one region (h, w) bool; ``away`` (h, w) is how far pixels are from the skin."""
    skin = away == 0
    edge = np.where(skin, distance_inside(~other, band, rough=True) <= band, other & (away <= depth))
    share = share_by_colour(image, other, skin & ~edge, band, edge, max(0, band.bit_length() - 3), _THROUGH)
    limit = smoothstep((np.float32(depth + 0.5) - away[edge]) / np.float32(depth / 2))
    between = np.zeros(skin.shape, np.float32)
    between[edge] = np.minimum(1 - share[edge], limit)
    return between


def hair_over_skin(image: np.ndarray, ids: np.ndarray, border: Border) -> np.ndarray:
    """(h, w) float32 in [0, 1]: how much hair the pixels at the hairline show, by their colour; 0 elsewhere.

    Arguments as in ``skin_through``; the border is that of what is filled of the hair. It goes a band into the
    skin and fades all the way: what is darker than the skin beside it is hair or the shadow of hair, and the farther
    out the more likely the shadow.
    """
    skin, hair, band = ids == _SKIN, border.where, border.band
    away, depth = border.outside, border.inside
    over = np.zeros(ids.shape, np.float32)
    box = box_of(skin)
    if box is None:
        return over
    near = cut(pad(box, band, ids.shape))  # all that lies within a band of skin, and what tells how near it is
    edge = skin & (away <= band)
    edge[near] |= hair[near] & (distance_inside(~skin[near], band, rough=True) <= band)
    beside = skin & (away > band / 2)  # near enough to lie in the shadow of the hair itself
    bare = share_by_colour(image, beside, depth > 0.75 * band, band, edge, max(0, band.bit_length() - 3), _BARE)
    near = cut(pad(box, 3 * band, ids.shape))
    apart = distance_inside(hair[near] | skin[near], band, rough=True)[edge[near]]  # neither brows nor what is worn
    fade = smoothstep((np.float32(band + 0.5) - away[edge]) / np.float32(band))
    over[edge] = (1 - bare[edge]) * fade * smoothstep(np.minimum(apart, band) / np.float32(band))
    return over
