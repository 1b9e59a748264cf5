"""How much of a mask an edit reaches."""

from __future__ import annotations

import numpy as np

from npe_core.canvas.boxes import block_sums, box_of, cut, intersection, moved_by, side_of_blocks, within
from npe_core.editor.face_choice import MARK_PLACES
from npe_core.editor.framing import strength_at
from npe_core.editor.share import Share
from npe_core.faces import FaceCrop
from npe_core.parts import Box, Parts


def within_reach(levels: np.ndarray, crops: list[FaceCrop], fades: list[np.ndarray]) -> Parts:
    """(H, W) float32 in [0, 1]: a mask, (H, W) uint8 in 1/255, as far as the crops count by their fades (size, size).

    The mask is copied where the crops see it: it may change later.
    """
    seen: list[tuple[Box, np.ndarray, Share]] = []
    for crop, fade in zip(crops, fades, strict=True):
        x0, y0, x1, y1 = crop.box((levels.shape[1], levels.shape[0]))
        marked = box_of(levels[y0:y1, x0:x1])
        if marked is not None:
            box = moved_by((x0, y0, x1, y1), marked)
            seen.append((box, levels[cut(box)].copy(), Share(crop, fade)))

    def part(box: Box) -> np.ndarray:
        reached = np.zeros((box[3] - box[1], box[2] - box[0]), np.float32)
        for own, mask, counts in seen:
            common = intersection(box, own)
            if common is not None:
                amount = mask[cut(within(own, common))] / np.float32(255)
                share = counts.in_part(common)
                there = reached[cut(within(box, common))]
                np.maximum(there, amount if share is None else amount * share, out=there)
        return reached

    return Parts(levels.shape, np.float32, part)


def out_of_reach(levels: np.ndarray, crops: list[FaceCrop]) -> float:
    """The share, 0..1, of a mask (H, W) uint8 that no crop reaches, block by block."""
    side = side_of_blocks(levels.size, MARK_PLACES)
    blocks = block_sums(levels, side)
    rows, columns = np.nonzero(blocks)
    if not rows.size:
        return 0.0
    wanted = blocks[rows, columns]
    points = (np.stack([columns, rows], axis=1) + 0.5) * side
    size = levels.shape[1], levels.shape[0]
    reached = np.max([strength_at(crop, points, size) for crop in crops], axis=0)
    return 1 - float((wanted * reached).sum() / wanted.sum())
