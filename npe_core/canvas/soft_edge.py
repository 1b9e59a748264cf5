"""The soft edge of a region: from its probability, and for hairy ones from the picture's own edges.

All masks are (h, w) inside a box.
"""

from __future__ import annotations

import numpy as np

from npe_core.canvas.border import Border
from npe_core.canvas.guided import guided_filter
from npe_core.canvas.layers import to_levels
from npe_core.canvas.matte import Sides
from npe_core.canvas.morphology import dilate, distance_inside, smoothstep
from npe_core.regions import region_by_name

_BACKGROUND = region_by_name("background").id

_LIKELY = (0.1, 0.5)
"""The probability up to which there is no hair before the background whatever the colours tell, and from which on there
is as much of it as they tell."""


def soft_edge(
    image: np.ndarray, border: Border, probability: np.ndarray, hairy: bool, apart: np.ndarray | None = None
) -> np.ndarray:
    """(h, w) uint8: the probability sharpened, and moved to the picture's own edges if ``hairy``; 0 beyond the band.

    ``apart`` (h, w) is how far pixels lie from all but the region and the background (``apart_from_others``). Within a
    band of nothing else what a pixel surely shows of the region is taken, however little the probability, which is
    soft, leaves of it: it would be a rim of the old colour around the new one.
    """
    band, outside = border.band, border.outside
    near = outside <= band
    p = probability.astype(np.float32, copy=False)
    if not hairy:
        levels = to_levels(sharpened(p))
        levels *= near
        return levels
    inside = border.inside
    soft = _surely_inside(inside, band)
    edge = near & (soft < 255)
    halvings = max(0, band.bit_length() - 3)
    filtered = guided_filter(image, p * near, radius=band, eps=1e-3, halvings=halvings, where=edge)
    sides = Sides.of(image, inside > 0.75 * band, outside > 0.75 * band, band, halvings)
    share, at = sides.most(edge), np.flatnonzero(edge)
    p, share, inside, outside = (plane.ravel()[at] for plane in (filtered, share, inside, outside))  # (n,) each
    far = _most_that_far_out(outside, band)
    mask = np.minimum(sharpened(p), np.minimum(far, _most_by_colour(share, inside, band)))
    if apart is not None:
        alone = smoothstep(np.minimum(apart.ravel()[at], band) / np.float32(band))
        likely = (p - np.float32(_LIKELY[0])) / np.float32(_LIKELY[1] - _LIKELY[0])
        most = alone * np.minimum(likely, far)
        doubted = np.flatnonzero(most > np.maximum(mask, 0))
        mask[doubted] = np.maximum(mask[doubted], np.minimum(sides.least(at[doubted]), most[doubted]))
    soft.ravel()[at] = np.maximum(soft.ravel()[at], to_levels(mask))
    return soft


def apart_from_others(ids: np.ndarray, region: int, band: int) -> np.ndarray:
    """(h, w) float32: how far pixels are from what is neither a region nor background, infinite beyond a band; 0 there.

    ids (h, w) uint8.
    """
    return distance_inside((ids == region) | (ids == _BACKGROUND), band, rough=True)


def sharpened(p: np.ndarray) -> np.ndarray:
    """Probabilities as a mask: 0 where they are under 0.25, 1 above 0.75; not yet limited to that."""
    sharp = p - 0.25
    sharp /= 0.5
    return sharp


def _surely_inside(inside: np.ndarray, band: int) -> np.ndarray:
    """(h, w) uint8: the least of the mask by the depth in the region: 0 within the band, 255 from half a band deeper.

    Deep inside, dark strands must not become holes.
    """
    soft = (inside > 1.5 * band + 0.5) * np.uint8(255)
    rim = np.flatnonzero((inside > band + 0.5) & (soft == 0))
    soft.ravel()[rim] = to_levels(smoothstep((inside.ravel()[rim] - np.float32(band + 0.5)) / np.float32(band / 2)))
    return soft


def _most_that_far_out(outside: np.ndarray, band: int) -> np.ndarray:
    """(n,) in [0, 1]: the most of the mask by the distance from the region, 1 up to half a band and 0 at its end."""
    return smoothstep((np.float32(band + 0.5) - outside) / np.float32(band / 2))


def _most_by_colour(share: np.ndarray, inside: np.ndarray, band: int) -> np.ndarray:
    """(n,) in [0, 1]: the most of the mask by the share of the region in a pixel's colour (``share_by_colour``).

    What has the colour of what lies beside would shine around the region in its new colour. Deep inside it is not
    doubted: lights are hair as well.
    """
    doubt = np.clip(1.5 - inside / np.float32(0.6 * band), 0, 1)
    return 1 - doubt * (1 - share)


def doubt_elsewhere(border: Border, probability: np.ndarray) -> np.ndarray:
    """(h, w) uint8: the background as it is likely, but for the doubt beside the chosen faces' people.

    Their edge is found in the picture. What is left are people who were not chosen, and the end of what was looked at.
    """
    likely = to_levels(sharpened(probability))
    beside = border.inside < np.inf
    return np.where(beside, dilate(likely, border.band), likely)
