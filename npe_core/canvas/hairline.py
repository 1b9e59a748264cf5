"""Skin that is seen through the hairs along the hairline.

A map of regions calls it hair. New skin without it leaves them on a plate of the old colour.
"""

from __future__ import annotations

import numpy as np

from npe_core.canvas.boxes import box_of, cut, pad
from npe_core.canvas.matte import share_by_colour
from npe_core.canvas.morphology import distance_inside, smoothstep
from npe_core.regions import region_by_name

_HAIR = region_by_name("hair").id


def skin_through_hairs(image: np.ndarray, ids: np.ndarray, skin: np.ndarray, band: int) -> np.ndarray:
    """(h, w) float32 in [0, 1]: how much skin the pixels at the hairline show, by their colour; 0 elsewhere.

    image is (h, w, 3) uint8 with its region ids (h, w) uint8; ``skin`` (h, w) bool is what is filled of the skin;
    ``band`` is the width of a soft edge in pixels. It goes half a band into the hair.
    """
    through = np.zeros(ids.shape, np.float32)
    hair = ids == _HAIR
    box = box_of(hair)
    if box is not None:
        seen = cut(pad(box, 5 * band, ids.shape))
        through[seen] = _skin_between(image[seen], hair[seen], skin[seen], band, band // 2)
    return through


def _skin_between(image: np.ndarray, hair: np.ndarray, skin: np.ndarray, band: int, depth: int) -> np.ndarray:
    """(h, w) float32, up to ``depth`` pixels into the hair."""
    away = distance_inside(~skin, depth, rough=True)  # 0 in the skin
    edge = np.where(skin, distance_inside(~hair, band, rough=True) <= band, hair & (away <= depth))
    share = share_by_colour(image, hair, skin & ~edge, band, edge, max(0, band.bit_length() - 3))
    limit = smoothstep((np.float32(depth + 0.5) - away[edge]) / np.float32(depth / 2))
    between = np.zeros(skin.shape, np.float32)
    between[edge] = np.minimum(1 - share[edge], limit)
    return between
