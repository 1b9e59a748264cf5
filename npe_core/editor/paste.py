"""The way back from a crop's result to the photo's own pixels."""

from __future__ import annotations

import numpy as np

from npe_core.canvas.boxes import box_of, cut
from npe_core.canvas.morphology import feather
from npe_core.faces import FaceCrop
from npe_core.faces.resample import Box
from npe_core.parallel import each

SEAM = 2.5 / 512
"""Share of the crop's side over which an edit fades in at the edge of its mask, inwards."""
_TILE = 128
"""Side of the squares that are worked on, so that a face of thousands of pixels takes little memory and the parts of
it where nothing is marked take no time."""


def seam_width(crop: FaceCrop) -> int:
    """Width of the seam in photo pixels, at least 1."""
    return max(1, round(SEAM * crop.size * crop.scale))


def seam(mask: np.ndarray, crop: FaceCrop, box: Box) -> np.ndarray:
    """(h, w) uint8 in a box of the photo: 255 under the mask (H, W), falling to 0 at its edge, inwards.

    The edge of the photo is no edge of the mask.
    """
    margin = seam_width(crop) + 1
    x0, y0 = max(0, box[0] - margin), max(0, box[1] - margin)
    around = mask[y0 : box[3] + margin, x0 : box[2] + margin]
    level = feather(np.where(around > 0, np.uint8(255), np.uint8(0)), seam_width(crop), rough=True)
    return level[box[1] - y0 :, box[0] - x0 :][: box[3] - box[1], : box[2] - box[0]]


def paste(
    photo: np.ndarray,
    guide: np.ndarray,
    mask: np.ndarray,
    crop: FaceCrop,
    base: np.ndarray,
    weight: np.ndarray,
    fade: np.ndarray,
    texture: np.ndarray,
) -> None:
    """Write the edited pixels of one crop into ``photo`` (H, W, 3) uint8, only where ``mask`` (H, W) is above 0.

    ``guide`` (H, W, 3) uint8 is the painted photo. base (size, size, 3), weight, fade and texture (size, size), all
    float32, are the crop's. The edited picture is base + weight * guide, in 0..255. At the edge of the mask it fades,
    within the seam, into the guide where ``texture`` is 1: a fill is soft by itself, there and in every strand, and
    the photo's own colour would be a rim around it. Where ``texture`` is 0, at flat paint, it fades into the photo.
    ``fade`` is how much the crop counts against what is in ``photo`` already.
    """
    x0, y0, *_ = box = crop.box((photo.shape[1], photo.shape[0]))
    marked = box_of(mask[cut(box)])
    if marked is None:
        return
    left, top, right, bottom = place = (x0 + marked[0], y0 + marked[1], x0 + marked[2], y0 + marked[3])
    edge = seam(mask, crop, place)
    maps = np.dstack([base, weight, fade, texture]).astype(np.float32, copy=False)

    def write_row(y: int) -> None:
        for x in range(left, right, _TILE):
            part: Box = (x, y, min(x + _TILE, right), min(y + _TILE, bottom))
            share = edge[y - top : part[3] - top, x - left : part[2] - left]
            if share.any():
                where = cut(part)
                photo[where] = _mixed(photo[where], guide[where], share, crop.to_box(maps, part))

    each(write_row, range(top, bottom, _TILE))


def _mixed(photo: np.ndarray, guide: np.ndarray, edge: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8; maps (h, w, 6): base, weight, fade and texture."""
    fade, share = maps[..., 4:5], (edge / np.float32(255))[..., None]
    painted = guide - photo.astype(np.float32)
    change = maps[..., 3:4] * guide
    change += maps[..., :3]
    change -= photo  # the edited picture, as a difference from the photo
    under = (1 - share) * maps[..., 5:6]
    under *= share > 0
    change *= share
    change += under * painted
    change *= fade
    change += photo
    return np.clip(np.rint(change, out=change), 0, 255).astype(np.uint8)
