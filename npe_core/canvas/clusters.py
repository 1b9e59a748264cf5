"""What is marked in a large picture, as a few boxes: work stays near the marks instead of in the one box around all."""

from __future__ import annotations

import numpy as np

from npe_core.canvas.boxes import Box, box_of, merged, moved_by
from npe_core.canvas.connected import label_pieces

_BLOCKS = 128
"""The picture is looked at in about so many blocks a side."""


def boxes_of(where: np.ndarray) -> list[Box]:
    """Boxes that do not overlap around all True pixels of (H, W), one for each group of blocks that touch."""
    step = max(4, max(where.shape) // _BLOCKS)
    rows = _any_of_rows(where, step)
    blocks = np.logical_or.reduceat(rows, np.arange(0, where.shape[1], step), axis=1)
    labels, count = label_pieces(blocks)
    found = []
    for number in range(1, count + 1):
        x0, y0, x1, y1 = (step * side for side in box_of(labels == number) or (0, 0, 0, 0))
        inner = box_of(where[y0:y1, x0:x1])
        if inner is not None:
            found.append(moved_by((x0, y0, x1, y1), inner))
    return merged(found)


def _any_of_rows(where: np.ndarray, step: int) -> np.ndarray:
    """(ceil(H / step), W) bool: whether anything is True in so many rows; eight pixels at a time."""
    starts, eights = np.arange(0, where.shape[0], step), where.shape[1] // 8 * 8
    many = np.ascontiguousarray(where[:, :eights]).view(np.uint64)
    return np.hstack(
        [
            np.bitwise_or.reduceat(many, starts, axis=0).view(np.bool_),
            np.logical_or.reduceat(where[:, eights:], starts, axis=0),
        ]
    )
