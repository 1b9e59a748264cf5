"""Paint too small for the denoiser, as freckles, moles and beauty spots: it is laid on the result as marks lie on skin.

The denoiser sees 128 pixels of a face: of a dot of one or two of them it leaves next to nothing, at any strength, and
pasted such a dot would be all seam. So each small piece of paint keeps its colour, in the light that falls around it
and with the photo's own fine texture, and its edge becomes a soft one, inwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from npe_core.canvas.boxes import box_of, cut, intersection, moved_by, pad, within
from npe_core.colour import LUMA
from npe_core.editor.cells import between, carried, finer, means
from npe_core.editor.framing import distance_to
from npe_core.editor.heal import CELLS, around_all, cell_of, masks, whole_cells
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
        cell, around = cell_of(crops[number]), around_all(boxes)
        framed = whole_cells(pad(around, AROUND * cell, size), cell, size)
        box = intersection(around, framed)
        if box is None:  # in a picture narrower than a cell
            continue
        own, at = cut(within(specks.box, box)), cut(within(framed, box))
        result, free = image[cut(framed)], (~covered[cut(framed)]).astype(np.float32)
        light, texture = (x[at] for x in light_and_texture(result, photo[cut(framed)], free, cell))
        marked = guide[cut(box)].astype(np.float32)
        marked += missing(marked, light, texture, specks.labels[own])
        edited, share = image[cut(box)], specks.share[own] * (reached[cut(box)] > 0)
        edited[:] = np.rint(edited + share[..., None] * (np.clip(marked, 0, 255) - edited))


def light_and_texture(
    image: np.ndarray, photo: np.ndarray, free: np.ndarray, cell: int
) -> tuple[np.ndarray, np.ndarray]:
    """Both (H, W) float32, in levels of luminance: the light of the ``image`` around specks, as it falls on them, and
    what the ``photo`` has that is finer than a cell, no more than is usual around them.

    Pictures (H, W, 3) uint8 of whole cells; free (H, W) float32: 1 where no speck is.
    """
    share, whole = means(free, cell), (0, 0, photo.shape[1] // cell, photo.shape[0] // cell)

    def around(x: np.ndarray) -> np.ndarray:
        known = means(x * free, cell) / np.maximum(share, 1e-6)
        return between(carried(known, share, AROUND / 2), whole, cell)

    texture = finer(photo, means(photo.astype(np.float32), cell), whole, cell) @ LUMA
    most = USUAL * np.sqrt(around(texture**2))
    return around(image.astype(np.float32) @ LUMA), np.clip(texture, -most, most)


def missing(painted: np.ndarray, light: np.ndarray, texture: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(h, w, 3) float32: what paint (h, w, 3) lacks of light and texture, both (h, w), by pieces (``labels``).

    That of flat paint is all: a tint, and what is seen through paint, have texture already.
    """
    own = painted @ LUMA
    has = mean_of_each((own - mean_of_each(own, labels)) * texture, labels)
    has /= np.maximum(mean_of_each(texture**2, labels), 0.25)
    falls = (light + BLACK) / (mean_of_each(light, labels) + BLACK) - 1
    lacking: np.ndarray = np.clip(1 - has, 0, 1)[..., None] * (painted * falls[..., None] + texture[..., None])
    return lacking


def mean_of_each(x: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(h, w) float32: the mean of (h, w) over all pixels that have the same label."""
    means_of = np.bincount(labels.ravel(), x.ravel()) / np.maximum(np.bincount(labels.ravel()), 1)
    mean: np.ndarray = means_of.astype(np.float32)[labels]
    return mean
