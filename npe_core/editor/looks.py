"""The squares in which the segmenter sees a face: its crop, wider ones around it and a closer one inside."""

from __future__ import annotations

import numpy as np

from npe_core.editor.framing import STRETCH, moved, photo_corners_in
from npe_core.faces import FaceCrop

LOOK_FADE = 0.2
"""Share of a look's side over which it fades into the wider one: near its border the segmenter does not know what goes
on."""
WIDER = ((2.4, 0.5), (1.7, 0.18))
"""The wider looks for segmentation, the widest first: how many times the crop's side, and how much of it lower. The
second holds shoulders and most hair, the first long hair."""
CLOSE = 1 / 1.5
"""The closer look for segmentation has this share of the crop's side: brows, eyes and lips half as large again."""
CLOSE_DOWN = 0.05
"""It lies lower by this share of the crop's side, where they are."""


def wide_looks(crop: FaceCrop, photo_size: tuple[int, int]) -> list[FaceCrop]:
    """The wider squares around a crop, the widest first; none where the photo hardly goes on beyond a smaller one."""

    def area(square: FaceCrop) -> int:
        box = square.box(photo_size)
        return (box[2] - box[0]) * (box[3] - box[1])

    looks, inner = [], crop
    for wider, lower in reversed(WIDER):
        look = moved(crop, 0, lower, wider)
        if area(look) > 1.03 * area(inner):
            looks.append(look)
            inner = look
    return looks[::-1]


def looks_around(crop: FaceCrop, photo_size: tuple[int, int]) -> list[FaceCrop]:
    """The wider squares and the crop, the widest first: that holds the whole photo if it need not be much wider for it.

    Of a crop that a strip of the photo lies beside, all that lies near its border would be unsure.
    """
    widest, *inner = [*wide_looks(crop, photo_size), crop]
    corners = photo_corners_in(widest, photo_size) / widest.size
    low, high = np.minimum(corners.min(axis=0), 0), np.maximum(corners.max(axis=0), 1)
    wider = float((high - low).max())
    if 1 < wider <= STRETCH:
        right, down = (low + high) / 2 - 0.5
        widest = moved(widest, float(right), float(down), wider)
    return [widest, *inner]


def close_look(crop: FaceCrop) -> FaceCrop:
    """The closer square inside a crop."""
    return moved(crop, 0, CLOSE_DOWN, CLOSE)
