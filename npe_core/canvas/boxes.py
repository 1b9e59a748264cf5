"""Boxes (x0, y0, x1, y1) in pixels, half open: work stays inside the rectangle that it concerns."""

from __future__ import annotations

import numpy as np

from npe_core.opencv import opencv
from npe_core.parts import Box as Box


def box_of(where: np.ndarray) -> Box | None:
    """The smallest box around the nonzero pixels of an (H, W) array, None if there are none."""
    rows = np.flatnonzero(where.any(axis=1))
    if rows.size == 0:
        return None
    y0, y1 = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(where[y0:y1].any(axis=0))
    return int(columns[0]), y0, int(columns[-1]) + 1, y1


def pad(box: Box, margin: int, size: tuple[int, int]) -> Box:
    """The box grown by ``margin`` on each side, kept inside an image of ``size`` (height, width)."""
    x0, y0, x1, y1 = box
    return max(x0 - margin, 0), max(y0 - margin, 0), min(x1 + margin, size[1]), min(y1 + margin, size[0])


def union(a: Box | None, b: Box | None) -> Box | None:
    """The smallest box around both; None is the empty box."""
    if a is None or b is None:
        return b if a is None else a
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def intersection(a: Box, b: Box) -> Box | None:
    """The box of the pixels that lie in both; None is the empty box."""
    x0, y0, x1, y1 = max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def overlap(a: Box, b: Box) -> bool:
    """Whether some pixel lies in both."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def moved_by(place: Box, box: Box) -> Box:
    """A box that is counted from the corner of a place, counted from where the place is counted from."""
    return place[0] + box[0], place[1] + box[1], place[0] + box[2], place[1] + box[3]


def within(place: Box, box: Box) -> Box:
    """A box counted from the corner of a place that it lies in: what ``moved_by`` undoes."""
    return box[0] - place[0], box[1] - place[1], box[2] - place[0], box[3] - place[1]


def cut(box: Box) -> tuple[slice, slice]:
    """The box as an index of the last two axes of a planar array, or of the first two of a picture."""
    return slice(box[1], box[3]), slice(box[0], box[2])


def window(planes: np.ndarray, box: Box) -> np.ndarray:
    """The view of a planar (n, H, W) array inside the box."""
    x0, y0, x1, y1 = box
    return planes[:, y0:y1, x0:x1]


def side_of_blocks(pixels: int, most: int) -> int:
    """The side of the square blocks of which ``most``, about, make up so many pixels."""
    return max(1, round((pixels / most) ** 0.5))


def block_sums(levels: np.ndarray, side: int) -> np.ndarray:
    """The sums of the square blocks of an (H, W) array, float32: of all of them, so the smallest mark counts.

    ``levels`` is uint8 or float32. At the right and lower edge blocks may be smaller.
    """
    cv2 = opencv()
    strips = (levels[y : y + side] for y in range(0, levels.shape[0], side))
    sums = np.concatenate([cv2.reduce(strip, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32F) for strip in strips])
    return np.add.reduceat(sums, range(0, levels.shape[1], side), axis=1)


def merged(boxes: list[Box]) -> list[Box]:
    """Boxes that overlap become the one box around them, until none do; from the top."""
    separate: list[Box] = []
    for box in boxes:
        while (other := next((one for one in separate if overlap(one, box)), None)) is not None:
            separate.remove(other)
            box = union(box, other) or box
        separate.append(box)
    return sorted(separate, key=lambda box: (box[1], box[0]))
