"""Skin that is seen through hairs: between those of brows, and along the hairline.

A map of regions calls it brows or hair. New skin without it leaves both on a plate of the old colour.
"""

from __future__ import annotations

import numpy as np

from npe_core.canvas.boxes import box_of, cut, pad
from npe_core.canvas.matte import share_by_colour
from npe_core.canvas.morphology import distance_inside, smoothstep
from npe_core.regions import region_by_name


def skin_through_hairs(image: np.ndarray, ids: np.ndarray, skin: np.ndarray, band: int) -> np.ndarray:
    """(h, w) float32 in [0, 1]: how much skin the pixels in and at the hairs show, by their colour; 0 elsewhere.

    image is (h, w, 3) uint8 with its region ids (h, w) uint8; ``skin`` (h, w) bool is what is filled of the skin;
    ``band`` is the width of a soft edge in pixels.
    """
    through = np.zeros(ids.shape, np.float32)
    for name, depth in (("brows", 4 * band), ("hair", band // 2)):
        hairs = ids == region_by_name(name).id
        box = box_of(hairs)
        if box is not None:
            seen = cut(pad(box, 5 * band, ids.shape))
            own = _least_like(image[seen], hairs[seen], skin[seen]) if name == "brows" else hairs[seen]
            between = _skin_between(image[seen], hairs[seen], own, skin[seen], band, depth)
            np.maximum(through[seen], between, out=through[seen])
    return through


def _least_like(image: np.ndarray, hairs: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """Half of what counts as brows is skin; the other half shows their own colour."""
    if not skin.any():
        return hairs
    unlike = np.abs(image[hairs] - image[skin].mean(axis=0, dtype=np.float32)).sum(axis=1)
    own = hairs.copy()
    own[hairs] = unlike >= np.median(unlike)
    return own


def _skin_between(
    image: np.ndarray, hairs: np.ndarray, own: np.ndarray, skin: np.ndarray, band: int, depth: int
) -> np.ndarray:
    """(h, w) float32, up to ``depth`` pixels into the hairs; ``own`` are those that surely show the colour of hair."""
    away = distance_inside(~skin, depth, rough=True)  # 0 in the skin
    edge = np.where(skin, distance_inside(~hairs, band, rough=True) <= band, hairs & (away <= depth))
    share = share_by_colour(image, own, skin & ~edge, band, edge, max(0, band.bit_length() - 3))
    limit = smoothstep((np.float32(depth + 0.5) - away[edge]) / np.float32(depth / 2))
    between = np.zeros(skin.shape, np.float32)
    between[edge] = np.minimum(1 - share[edge], limit)
    return between
