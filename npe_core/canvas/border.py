"""The border of a region, which several parts of a fill measure from: found once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from npe_core.canvas.morphology import distance_inside


@dataclass(frozen=True, eq=False)
class Border:
    """A region, (h, w) bool inside a box, and how far the pixels lie from its border, centre to centre.

    Distances are (h, w) float32, off by up to 3 %, and infinite beyond two bands.
    """

    where: np.ndarray
    band: int
    """How far from its border the region may still move, in pixels."""

    @cached_property
    def outside(self) -> np.ndarray:
        """The distance to the region, 0 in it."""
        return distance_inside(~self.where, 2 * self.band, rough=True)

    @cached_property
    def inside(self) -> np.ndarray:
        """The distance to what is not the region, 0 there."""
        return distance_inside(self.where, 2 * self.band, rough=True)
