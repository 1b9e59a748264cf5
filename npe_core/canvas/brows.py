"""Brows as what they are, hairs over skin: how much of each pixel is hair.

A map of regions calls the skin between the hairs brows as well, and stray hairs beside them skin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from npe_core.canvas.boxes import Box, cut, pad
from npe_core.canvas.clusters import boxes_of
from npe_core.canvas.guided import box_sum
from npe_core.canvas.layers import to_levels
from npe_core.canvas.morphology import distance_inside, smoothstep
from npe_core.opencv import opencv
from npe_core.parallel import each
from npe_core.regions import region_by_name

_BROWS, _SKIN = (region_by_name(name).id for name in ("brows", "skin"))

_NONE = 0.05
"""A pixel this far from the colour of the skin to that of the hairs shows no hair; one all the way is all hair."""
_OWN = 5
"""The percentage of a brow, the least like skin, that shows its hairs alone."""
_SHARED = 0.5
"""How far a pixel's share is that of those around it: else hairs as light as the skin would not be seen."""
_CONTRAST = 24.0
"""Levels between the colours of hair and skin, under which they cannot be told apart."""
_FAINT = (0.1, 0.35)
"""Of the usual contrast of the brow: up to which nothing is believed of what the colours tell, as in the shadow under
it, and from which on all is."""
_LIKELY = (0.03, 0.25)
"""The probability of brows up to which beside them nothing is taken for hair, and from which on all may be."""


@dataclass(frozen=True, eq=False)
class Brow:
    """One brow and what lies around it."""

    box: Box
    near: np.ndarray
    """(h, w) float32 in [0, 1]: 1 in the brow, and falling to 0 around it."""


def find_brows(ids: np.ndarray, likely: Callable[[Box], np.ndarray], band: int) -> list[Brow]:
    """All brows among region ids (h, w) uint8.

    ``likely`` gives the probability of brows, float32, inside a box; ``band`` is the width of a soft edge in pixels.
    """

    def brow_in(box: Box) -> Brow:
        brows = ids[cut(box)] == _BROWS
        apart = distance_inside(brows | (ids[cut(box)] == _SKIN), band, rough=True)  # neither lashes nor hair
        beside = _rise(likely(box), _LIKELY) * smoothstep(np.minimum(apart, band) / np.float32(band))
        return Brow(box, np.where(brows, np.float32(1), beside))

    return each(brow_in, [pad(box, 3 * band, ids.shape) for box in boxes_of(ids == _BROWS)])


def hairs_of(brow: Brow, image: np.ndarray, ids: np.ndarray, band: int) -> tuple[np.ndarray, np.ndarray]:
    """How much of a pixel is hair, and how far that is known: (h, w) float32 in [0, 1] each, inside the brow's box.

    image (H, W, 3) uint8 with its region ids (H, W) uint8.
    """
    image, ids = image[cut(brow.box)], ids[cut(brow.box)]
    brows, nothing = ids == _BROWS, np.zeros_like(brow.near)
    skin = (ids == _SKIN) & (distance_inside(~brows, band, rough=True) > band / 2) & (brow.near < 0.1)
    if not skin.any():
        return nothing, nothing
    around = _spread(image, skin, band)
    unlike = image - around
    towards = _own_colour(image, unlike, brows) - around
    length = np.sqrt(np.einsum("ijk,ijk->ij", towards, towards))
    usual = float(np.median(length[brows]))
    if usual < _CONTRAST:
        return nothing, nothing
    place = np.einsum("ijk,ijk->ij", unlike, towards) / np.maximum(length * length, 1)
    share = np.clip((place - np.float32(_NONE)) / np.float32(1 - _NONE), 0, 1)
    side = 2 * (band // 3) + 1
    share += np.float32(_SHARED) * (opencv().blur(share, (side, side)) - share)
    return share, brow.near * _rise(length / np.float32(usual), _FAINT)


Hairs = tuple[Brow, np.ndarray, np.ndarray]
"""A brow, what of each pixel is hair, and how far that is to be trusted."""


def take_hairs(soft: np.ndarray, depth: np.ndarray, brows: list[Hairs]) -> None:
    """Makes the mask of brows (h, w) uint8, and its depth (h, w) float32, that of their hairs."""
    for brow, share, trust in brows:
        there = cut(brow.box)
        soft[there] = _towards(share, trust, soft[there])
        depth[there] = soft[there] / np.float32(255)


def take_skin(soft: np.ndarray, depth: np.ndarray, brows: list[Hairs]) -> np.ndarray:
    """Extends the mask of skin (h, w) uint8 to all of the brows that is not hair.

    The depth (h, w) float32 is 1 there: what darkens the skin is no other region that shines through. Returns where
    that depends on what is taken for hair, (h, w) bool.
    """
    varies = np.zeros(soft.shape, np.bool_)
    for brow, share, trust in brows:
        there = cut(brow.box)
        soft[there] = _towards(1 - share, trust, soft[there])
        depth[there] = np.maximum(depth[there], brow.near)
        varies[there] |= brow.near > 0
    return varies


def _towards(share: np.ndarray, trust: np.ndarray, soft: np.ndarray) -> np.ndarray:
    """(h, w) uint8: a share (h, w) in [0, 1] as far as it is to be trusted (h, w), elsewhere the mask (h, w) uint8."""
    kept = soft / np.float32(255)
    return to_levels(kept + trust * (share - kept))


def _own_colour(image: np.ndarray, unlike: np.ndarray, brows: np.ndarray) -> np.ndarray:
    """(3,) float32: of the hairs, darker than the skin or, grey on dark skin, lighter; ``unlike`` skin (h, w, 3)."""
    darker = -unlike[brows].sum(axis=-1)
    signed = darker if np.median(darker) >= 0 else -darker
    own: np.ndarray = image[brows][signed >= np.percentile(signed, 100 - _OWN)].mean(axis=0, dtype=np.float32)
    return own


def _spread(image: np.ndarray, where: np.ndarray, radius: int) -> np.ndarray:
    """(h, w, 3) float32: the colours of an image (h, w, 3) uint8 at the True pixels nearby, smoothly; one is True."""
    cv2, (height, width) = opencv(), where.shape
    block = max(1, radius // 4)
    size = (-(-width // block), -(-height // block))
    weight = where.view(np.uint8) * np.uint8(255)
    shown = (cv2.bitwise_and(image, image, mask=weight), weight)
    stack = np.dstack([cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in shown]).astype(np.float32)
    stack = np.ascontiguousarray(np.moveaxis(stack, -1, 0))
    mean = np.broadcast_to(image[where].mean(axis=0, dtype=np.float32), (*stack.shape[1:], 3))
    for wide in (4 * radius // block, 2 * radius // block, radius // block):
        sums = box_sum(box_sum(stack, wide), wide)
        sums[3] /= 255
        enough = np.float32(0.02 * (2 * wide + 1) ** 4)
        mean = (np.moveaxis(sums[:3], 0, -1) + enough * mean) / (sums[3] + enough)[..., None]
    spread: np.ndarray = cv2.resize(np.ascontiguousarray(mean), (width, height), interpolation=cv2.INTER_LINEAR)
    return spread


def _rise(values: np.ndarray, between: tuple[float, float]) -> np.ndarray:
    """float32 in [0, 1]: 0 up to the first of two values, 1 from the second on."""
    return smoothstep((values - np.float32(between[0])) / np.float32(between[1] - between[0]))
