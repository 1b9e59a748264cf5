"""Tiles beside the faces with nothing but background in them: its fill is shown as it is, no network draws on it."""

from __future__ import annotations

import numpy as np

from npe_core.canvas import Canvas
from npe_core.canvas.boxes import cut
from npe_core.editor.hold import SUBTLE
from npe_core.editor.reach import out_of_reach
from npe_core.faces import FaceCrop
from npe_core.regions import region_by_name

_BACKGROUND = "background"


def set_apart(
    canvas: Canvas, crops: list[FaceCrop], faces: int, timestep: int
) -> tuple[list[FaceCrop], list[FaceCrop]]:
    """The crops that the networks draw on, the first ``faces`` of them the faces', and the tiles that stay plain.

    Above ``SUBTLE`` there are none: leaves and walls are drawn anew there, and where that ends would be seen. Nor are
    there any where hardly anything is marked on the faces' crops: an edit goes through the networks somewhere.
    """
    fills = {name for fill in canvas.targets for name in fill.region.split("+")}
    if timestep > SUBTLE or canvas.by_hand or _BACKGROUND not in fills:
        return crops, []
    others = [region_by_name(name).id for name in fills - {_BACKGROUND}]
    if (others and canvas.regions is None) or out_of_reach(canvas.levels, crops[:faces]) > 0.99:
        return crops, []
    tiles = [(tile, bool(others) and _shows(canvas, others, tile)) for tile in crops[faces:]]
    return [*crops[:faces], *(tile for tile, drawn in tiles if drawn)], [tile for tile, drawn in tiles if not drawn]


def _shows(canvas: Canvas, regions: list[int], tile: FaceCrop) -> bool:
    """Whether one of the regions is in the box around a tile."""
    assert canvas.regions is not None
    box = tile.box((canvas.size[1], canvas.size[0]))
    return bool(np.isin(canvas.regions.ids[cut(box)], regions).any())
