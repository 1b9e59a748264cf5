"""The way back from a crop's result to the photo's own pixels."""

from __future__ import annotations

import numpy as np

from npe_core.canvas.morphology import feather
from npe_core.faces import FaceCrop

SEAM = 2.5 / 512
"""Share of the crop's side over which an edit fades in at the edge of its mask, inwards."""
FRAME = 32 / 512
"""Share of the crop's side over which an edit fades out at the crop's border, where the photo goes on."""

Box = tuple[int, int, int, int]


def frame_fade(crop: FaceCrop, photo_size: tuple[int, int]) -> np.ndarray:
    """(size, size) float32: 1 inside the crop, falling to 0 at those of its sides beyond which the photo goes on."""
    width, height = photo_size
    fade = np.ones((crop.size, crop.size), np.float32)
    ramp = np.clip((np.arange(crop.size, dtype=np.float32) + 0.5) / (FRAME * crop.size), 0, 1)
    corners = crop.corners()
    for side in range(4):  # top, right, bottom, left
        ends = corners[[side, (side + 1) % 4]]
        outside = (ends[:, 0] <= 1) | (ends[:, 0] >= width - 1) | (ends[:, 1] <= 1) | (ends[:, 1] >= height - 1)
        if not outside.all():
            turned = np.rot90(fade, side)  # a view: brings that side to the top
            turned *= ramp[:, None]
    return fade


def box_around(crop: FaceCrop, photo_size: tuple[int, int]) -> Box:
    """The photo pixels of a crop and one seam's width around them, clipped to the photo."""
    margin = seam_width(crop) + 1
    x0, y0, x1, y1 = crop.box(photo_size)
    return max(0, x0 - margin), max(0, y0 - margin), min(photo_size[0], x1 + margin), min(photo_size[1], y1 + margin)


def seam_width(crop: FaceCrop) -> int:
    """Width of the seam in photo pixels, at least 1."""
    return max(1, round(SEAM * crop.size * crop.scale))


def blend_into(
    photo: np.ndarray,
    guide: np.ndarray,
    mask: np.ndarray,
    crop: FaceCrop,
    base: np.ndarray,
    weight: np.ndarray,
    box: Box,
) -> None:
    """Write the edited pixels of one crop into ``photo`` (H, W, 3) uint8, only where ``mask`` is above 0.

    guide (h, w, 3) uint8 and mask (h, w) float32 are those of the box; base (size, size, 3) and weight (size, size)
    float32 are the crop's, in units of 255: the edited picture is base + weight * guide. The mask's edge is a seam of
    ``SEAM``, inwards.
    """
    support = np.where(mask > 0, np.uint8(255), np.uint8(0))
    alpha = feather(support, seam_width(crop)).astype(np.float32) / 255
    rows, columns = np.nonzero(alpha > 0)
    if not len(rows):
        return
    inner = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
    part: Box = (
        box[0] + inner[1].start,
        box[1] + inner[0].start,
        box[0] + inner[1].stop,
        box[1] + inner[0].stop,
    )
    edited = crop.to_box(base, part) + crop.to_box(weight, part)[..., None] * guide[inner]
    target = photo[part[1] : part[3], part[0] : part[2]]
    share = alpha[inner][..., None]
    mixed = np.clip(np.rint(target + share * (edited - target)), 0, 255).astype(np.uint8)
    np.copyto(target, mixed, where=share > 0)
