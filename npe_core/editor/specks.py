"""Paint too small for the denoiser, as freckles, moles and beauty spots: it is laid on the result as marks lie on skin.

The denoiser sees 128 pixels of a face: of a dot of one or two of them it leaves next to nothing, at any strength, and
pasted such a dot would be all seam. So each small piece of paint keeps its colour, in the light that falls around it
and with the photo's own fine texture, and its edge becomes a soft one, inwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from npe_core.canvas.boxes import box_of, cut, intersection, moved_by, pad, within
from npe_core.editor.cells import between, carried, light_of, means
from npe_core.editor.framing import distance_to
from npe_core.editor.heal import CELLS, cell_of, masks, whole_cells
from npe_core.faces import FaceCrop
from npe_core.opencv import opencv
from npe_core.parts import Box, Source

WIDTH, LENGTH = (4.5, 6.0), (8.0, 10.0)
"""In pixels of 128: what is no wider and no longer than the first is a speck, from the second on nothing is, as an iris
and frames of glasses are none. In between a piece is one in part."""
EDGE, ROUND = 0.3, 0.5
"""Width of the soft edge, in pixels of 128 and at least one of the photo, and of larger specks in halves of theirs."""
AROUND = 4
"""Cells around specks whose light and texture count."""
REACH = round(LENGTH[1]) + AROUND
"""Cells around a part of a speck that hold all of it, and what counts for it."""
USUAL = 2.0
"""Standard deviations of the texture around: what differs more and lies under a speck, as a spot, is covered by it."""
BLACK = 8
"""Levels of 255 that are added to lights that are divided."""


@dataclass(frozen=True)
class Specks:
    """The small pieces of a canvas's paint, as arrays over a box around them."""

    box: Box
    labels: np.ndarray
    """(h, w) int32: the number of the piece, 0 beside them"""
    share: np.ndarray
    """(h, w) float32 in [0, 1]: how far a pixel is the piece's, less towards its edge; 0 beside them"""

    @classmethod
    def of(cls, painted: np.ndarray, crops: list[FaceCrop]) -> Specks | None:
        """Of paint, (H, W) bool, as small as the nearest crop shows it to the denoiser. None if there are none."""
        cv2, whole = opencv(), box_of(painted)
        if whole is None:
            return None
        paint = painted[cut(whole)].view(np.uint8)
        count, labels, stats, centres = cv2.connectedComponentsWithStats(paint, connectivity=8)
        x, y = centres[:, 0] + whole[0], centres[:, 1] + whole[1]
        nearest = np.argmin([distance_to(crop, x, y) for crop in crops], axis=0)
        pixel = np.array([crop.size * crop.scale / CELLS for crop in crops])[nearest]
        small = np.interp(stats[:, 2:4].max(axis=1) / pixel, LENGTH, (1, 0))  # their widths and heights
        small[0] = 0
        inner = box_of((small > 0)[labels])
        if inner is None:
            return None
        labels = labels[cut(inner)]
        labels = np.where((small > 0)[labels], labels, 0)
        framed = np.pad((labels > 0).view(np.uint8), 1)
        depth = cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
        half = np.zeros(count, np.float32)
        np.maximum.at(half, labels[labels > 0], depth[labels > 0])
        small *= np.interp(2 * half / pixel, WIDTH, (1, 0))
        soft = np.maximum(np.maximum(EDGE * pixel, 1), ROUND * half)
        share = np.clip((depth - 0.5) / soft.astype(np.float32)[labels], 0, 1) * small.astype(np.float32)[labels]
        return cls(moved_by(whole, inner), np.where(share > 0, labels, 0), share) if share.any() else None

    def labels_in(self, box: Box) -> np.ndarray:
        """(h, w) int32: the numbers of the pieces in another box."""
        labels = np.zeros((box[3] - box[1], box[2] - box[0]), np.int32)
        if (common := intersection(self.box, box)) is not None:
            labels[cut(within(box, common))] = self.labels[cut(within(self.box, common))]
        return labels


def lay(
    image: np.ndarray, photo: np.ndarray, guide: Source, reached: Source, specks: Specks, crops: list[FaceCrop]
) -> None:
    """Lay specks on the edited ``image`` in place: as in ``guide``, the painted ``photo``, all (H, W, 3) uint8.

    Only pixels of specks that are ``reached``, (H, W) above 0, change.
    """
    size = photo.shape[0], photo.shape[1]
    covered = np.zeros(size, bool)
    covered[cut(specks.box)] = specks.labels > 0
    for number, boxes in masks(covered, crops):
        cell = cell_of(crops[number])
        for box in boxes:
            around = whole_cells(pad(box, REACH * cell, size), cell, size)
            own = intersection(box, around)
            if own is None:  # in a picture narrower than a cell
                continue
            result, before, painted = (
                light_of(picture[cut(around)]).astype(np.float32) for picture in (image, photo, guide)
            )
            lacking = missing(result, before, painted, specks.labels_in(around), cell)
            brighter, texture = (x[cut(within(around, own))] for x in lacking)
            marked = guide[cut(own)] * (1 + brighter)[..., None] + texture[..., None]
            share, edited = specks.share[cut(within(specks.box, own))] * (reached[cut(own)] > 0), image[cut(own)]
            edited[:] = np.rint(edited + share[..., None] * (np.clip(marked, 0, 255) - edited))


def missing(
    image: np.ndarray, photo: np.ndarray, guide: np.ndarray, labels: np.ndarray, cell: int
) -> tuple[np.ndarray, np.ndarray]:
    """Two (H, W) float32: the share by which paint has to be lighter, and what to add to it in levels.

    Its light is that of the ``image`` around specks, as it falls on them; its texture what the ``photo`` has that is
    finer than a cell, no more than is usual around them. That of flat paint is all missing; a tint, and what is seen
    through paint, have some. All are (H, W), whole cells; the pictures are luminances, ``labels`` those of specks.
    """
    free = (labels == 0).astype(np.float32)
    share, whole = means(free, cell), (0, 0, photo.shape[1] // cell, photo.shape[0] // cell)

    def around(x: np.ndarray) -> np.ndarray:
        known = means(x * free, cell) / np.maximum(share, 1e-6)
        return between(carried(known, share, AROUND / 2), whole, cell)

    texture = photo - between(means(photo, cell), whole, cell)
    most = USUAL * np.sqrt(around(texture**2))
    texture, light = np.clip(texture, -most, most), around(image)
    has = mean_of_each((guide - mean_of_each(guide, labels)) * texture, labels)
    lacking = np.clip(1 - has / np.maximum(mean_of_each(texture**2, labels), 0.25), 0, 1)
    return lacking * ((light + BLACK) / (mean_of_each(light, labels) + BLACK) - 1), lacking * texture


def mean_of_each(x: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(h, w) float32: the mean of (h, w) over all pixels that have the same label."""
    means_of = np.bincount(labels.ravel(), x.ravel()) / np.maximum(np.bincount(labels.ravel()), 1)
    mean: np.ndarray = means_of.astype(np.float32)[labels]
    return mean
