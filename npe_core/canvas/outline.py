"""The outline of a person: the background that is seen through hair and beside heads, where a map of regions calls it
hair or skin. Left out of a new background it would be a rim of the old one."""

from __future__ import annotations

import numpy as np

from npe_core.canvas.border import Border
from npe_core.canvas.boxes import box_of, cut, pad
from npe_core.canvas.matte import Material, shares_beside
from npe_core.canvas.morphology import smoothstep
from npe_core.regions import REGIONS

_BARE = ("skin", "nose", "ears", "neck")
_HAIR = np.array([region.name == "hair" for region in REGIONS])
_FLESH = np.array([region.name in _BARE for region in REGIONS])
"""By region id: what is told from the background, each by its own colours. Clothes are not: those of several colours
have the background's among them."""


def background_through(image: np.ndarray, ids: np.ndarray, ground: Border) -> np.ndarray:
    """(h, w) float32 in [0, 1]: how much background the pixels at an outline show, by their colour; 0 elsewhere.

    image is (h, w, 3) uint8 with its region ids (h, w) uint8; ``ground`` is what is filled of the background. It goes
    a band into hair and bare skin and as far out.
    """
    through = np.zeros(ids.shape, np.float32)
    box = box_of(ids)
    if box is not None:
        seen = cut(pad(box, 6 * ground.band, ids.shape))
        through[seen] = _through(image[seen], ids[seen], ground.outside[seen], ground.inside[seen], ground.band)
    return through


def _through(image: np.ndarray, ids: np.ndarray, away: np.ndarray, out: np.ndarray, band: int) -> np.ndarray:
    """As ``background_through``; ``away`` is how far pixels are from the background, ``out`` how far from the rest."""
    near, deep, edge = away < np.inf, away > 0.75 * band, away <= band
    materials = []
    for which in (_HAIR, _FLESH):
        own = which[ids]
        materials.append(Material(own & deep, own & near, own & edge))
    beside = (out > 0) & (out <= band)
    share = shares_beside(image, materials, out > band / 2, beside, band, max(0, band.bit_length() - 3))
    at = np.flatnonzero(beside | materials[0].edge | materials[1].edge)
    limit = smoothstep((np.float32(band + 0.5) - away.ravel()[at]) / np.float32(band / 2))
    through = np.zeros(ids.shape, np.float32)
    through.ravel()[at] = np.minimum(1 - share.ravel()[at], limit)
    return through
