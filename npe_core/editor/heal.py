"""The fine texture of what was made anew: that of a place beside it, as healing brushes take it.

The denoiser sees 128 pixels of a face, and what the upscaler adds are no pores: where a spot was taken away, or skin
was painted, it would be wax. Colour and shapes stay those of the result; what is finer than its pixels comes from the
photo, from where it looks most like the result (the texture transfer of Efros and Freeman 2001, in large pieces), and
is as strong as around the mask. Texture that the result has already counts: of independent ones the squares add up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from npe_core.canvas.boxes import box_of, cut, intersection, merged, moved_by, overlap, pad, within
from npe_core.colour import LUMA
from npe_core.editor.cells import (
    BLOCK,
    Texture,
    any_of,
    between,
    blurred,
    carried,
    finer,
    log_rms,
    means,
    squares_of,
    times,
)
from npe_core.editor.framing import distance_to
from npe_core.editor.patches import SEARCHED, Search, shifted
from npe_core.faces import FaceCrop
from npe_core.opencv import opencv
from npe_core.parallel import each
from npe_core.parts import Box

CELLS = 128
"""Along a crop: a cell is a pixel of the crop as the denoiser sees it."""
NEAR = 4
"""Cells around the marks: as strong as there texture should be."""
STRONGEST = 1.5
"""The most that texture is amplified."""
USUAL = 1.5
"""Times the median power around that a cell counts for at most: with 8, folds beside a nose were strength to aim at."""
ALIKE = 20.0
"""Levels of 255 by which colours may differ where texture comes whole; from twice as many on none does. For the search
they are as far apart as texture of e times the strength."""


def heal(
    image: np.ndarray,
    photo: np.ndarray,
    marked: np.ndarray,
    bare: np.ndarray,
    crops: list[FaceCrop],
    kept: list[np.ndarray],
) -> None:
    """Give the edited ``image`` texture of ``photo``, both (H, W, 3) uint8, in place.

    Only pixels of ``bare``, (H, W) bool, change: what is marked and was made anew. None is taken from where ``marked``,
    (H, W) uint8, is above 0. How fine texture is follows the nearest crop; ``kept`` (size, size) float32 in [0, 1] of
    each says how much of the photo's own texture the image has.
    """

    def missing(place: Place, crop: FaceCrop, share: np.ndarray) -> list[tuple[Box, np.ndarray]]:
        return missing_texture(place, lambda box: crop.to_box(share, moved_by(place.box, box)))

    add_to(image, missing, photo, marked, bare, crops, kept)


def add_to(
    image: np.ndarray,
    missing: Callable[[Place, FaceCrop, np.ndarray], list[tuple[Box, np.ndarray]]],
    photo: np.ndarray,
    marked: np.ndarray,
    bare: np.ndarray,
    crops: list[FaceCrop],
    kept: list[np.ndarray],
) -> None:
    """Add to the ``image`` what is ``missing`` in each place, boxes of it with (h, w, 3) float32; the rest as in
    ``heal``."""

    def look(mask: tuple[int, list[Box]]) -> list[tuple[Box, np.ndarray]]:
        number, boxes = mask
        place = Place.around(boxes, image, photo, marked, bare, cell_of(crops[number]))
        if place is None:
            return []
        return [(moved_by(place.box, box), fine) for box, fine in missing(place, crops[number], kept[number])]

    for found in each(look, masks(bare, crops)):
        for box, fine in found:
            image[cut(box)] = np.clip(np.rint(image[cut(box)] + fine), 0, 255).astype(np.uint8)


def masks(bare: np.ndarray, crops: list[FaceCrop]) -> list[tuple[int, list[Box]]]:
    """What is marked in ``bare`` (H, W) bool as boxes that do not overlap: lists of those that lie near each other.

    Each list comes with the number of the crop that all of it is nearest to.
    """
    whole, of_crops = box_of(bare), dict[int, list[Box]]()
    if whole is None:
        return []
    for square in squares_of(whole, BLOCK * min(cell_of(crop) for crop in crops)):
        if (own := box_of(bare[cut(square)])) is not None:
            box = moved_by(square, own)
            of_crops.setdefault(nearest(box, crops), []).append(box)
    found = []
    for number, boxes in of_crops.items():
        margin = SEARCHED // 2 * cell_of(crops[number])
        groups = merged([pad(box, margin, (bare.shape[0], bare.shape[1])) for box in boxes])
        found += [(number, [box for box in boxes if overlap(box, group)]) for group in groups]
    return found


def around_all(boxes: list[Box]) -> Box:
    """The smallest box around some."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def cell_of(crop: FaceCrop) -> int:
    """The side of a cell in pixels of the photo, at least 2."""
    return max(2, round(crop.size * crop.scale / CELLS))


def nearest(box: Box, crops: list[FaceCrop]) -> int:
    """The number of the crop whose centre is nearest to that of the box, in sides of the crop."""
    x, y = np.array([[box[0] + box[2]], [box[1] + box[3]]]) / 2
    return int(np.argmin([distance_to(crop, x, y) for crop in crops]))


def whole_cells(box: Box, cell: int, size: tuple[int, int]) -> Box:
    """The box less what is no whole cell: at its right and lower end, or at the other where that is the picture's."""
    x0, y0, x1, y1 = box
    right, down = (x1 - x0) % cell, (y1 - y0) % cell
    left, up = (right if x1 == size[1] and x0 > 0 else 0), (down if y1 == size[0] and y0 > 0 else 0)
    return x0 + left, y0 + up, x1 - right + left, y1 - down + up


@dataclass(frozen=True)
class Place:
    """A mask and what lies around it. Height and width are multiples of ``cell``."""

    box: Box
    """Where it is in the photo"""
    image: np.ndarray
    """(H, W, 3) uint8: the result"""
    photo: np.ndarray
    """(H, W, 3) uint8"""
    marked: np.ndarray
    """(H, W) bool: has no texture to give"""
    bare: np.ndarray
    """(H, W) bool: what was made anew"""
    where: np.ndarray
    """(H, W) bool: what of ``bare`` is of this mask"""
    cell: int

    @classmethod
    def around(
        cls, boxes: list[Box], image: np.ndarray, photo: np.ndarray, marked: np.ndarray, bare: np.ndarray, cell: int
    ) -> Place | None:
        """Around the boxes of a mask, of pictures and masks of the size of the photo. None if that is not a cell."""
        size = marked.shape[0], marked.shape[1]
        around = whole_cells(pad(around_all(boxes), SEARCHED * cell, size), cell, size)
        where = np.zeros((around[3] - around[1], around[2] - around[0]), bool)
        for box in boxes:
            if (inner := intersection(box, around)) is not None:
                where[cut(within(around, inner))] = bare[cut(inner)]
        if not where.any():  # in a picture narrower than a cell
            return None
        at = cut(around)
        return cls(around, image[at], photo[at], marked[at] > 0, bare[at], where, cell)


def missing_texture(place: Place, kept: Callable[[Box], np.ndarray]) -> list[tuple[Box, np.ndarray]]:
    """Boxes with the (h, w, 3) float32 to add to the image there, 0 outside ``where``; none if nothing is to be had.

    kept(box) (h, w) float32: the share of the photo's texture that the image has.
    """
    cv2, cell = opencv(), place.cell
    avoided, wanted = any_of(place.marked, cell, margin=cell), any_of(place.where, cell)
    around = cv2.dilate(avoided.astype(np.uint8), np.ones((2 * NEAR + 1, 2 * NEAR + 1), np.uint8)).astype(bool)
    around &= ~avoided
    box = box_of(wanted)
    if box is None or not around.any():
        return []
    rows, columns = wanted.shape
    squares = [square for square in squares_of(box, BLOCK) if wanted[cut(square)].any()]
    before = Texture.of(place.photo, squares_of((0, 0, columns, rows), BLOCK), cell)
    after = Texture.of(place.image, squares, cell)
    share, has = np.zeros_like(before.power), np.zeros_like(before.power)
    for square in squares:
        pixels = times(square, cell)
        share[cut(square)] = means(place.where[cut(pixels)].astype(np.float32), cell)
        has[cut(square)] = means(kept(pixels), cell)
    most = np.full_like(before.power, np.inf)
    for square in squares_of((0, 0, columns, rows), BLOCK):
        nearby = cut(pad(square, SEARCHED, (rows, columns)))
        if around[nearby].any():
            most[cut(square)] = USUAL * np.median(before.power[nearby][around[nearby]])
    aim = carried(np.minimum(before.power, most), around, max(2.0, min(wanted.sum() ** 0.5, BLOCK) / 3))
    lacking = np.maximum(aim - carried(after.power, share, 1.5), 0) * np.clip(2 - 2 * has, 0, 1)
    if not lacking[wanted].any():
        return []
    search = Search(
        places=np.dstack([blurred(before.colours, 1) / ALIKE, log_rms(blurred(before.power, 1))]),
        pieces=np.dstack([blurred(after.colours, 1) / ALIKE, log_rms(aim)]),
        wanted=wanted,
        avoided=avoided | before.spots,
    )
    shifts = [shift for found in each(search.shifts, squares) for shift in found]
    colours, covered = shifted(lambda source: before.colours[cut(source)], shifts, (0, 0, columns, rows), 1)
    unlike = np.abs(carried(colours - after.colours, covered, 1.5)).max(axis=2)

    def texture(square: Box) -> np.ndarray:
        return shifted(lambda source: finer(place.photo, before.colours, source, cell), shifts, square, cell)[0]

    framed = pad(box, 1, (rows, columns))  # as pieces are
    squares = [square for square in squares_of(framed, BLOCK) if covered[cut(square)].any()]
    textures, power = each(texture, squares), np.zeros_like(before.power)
    for square, fine in zip(squares, textures, strict=True):
        power[cut(square)] = means((fine @ LUMA) ** 2, cell)
    power = carried(power, covered, 1.5)
    gain = np.minimum(np.sqrt(lacking / np.maximum(power, 0.25)), STRONGEST) * np.clip(2 - unlike / ALIKE, 0, 1)
    for square, fine in zip(squares, textures, strict=True):
        pixels = times(square, cell)
        fine *= (between(gain, square, cell) * inwards(place.bare, pixels, cell) * place.where[cut(pixels)])[..., None]
    return [(times(square, cell), fine) for square, fine in zip(squares, textures, strict=True)]


def inwards(bare: np.ndarray, box: Box, cell: int) -> np.ndarray:
    """(h, w) float32 in a box: 0 outside ``bare`` (H, W) bool, rising to 1 half a cell inside it."""
    cv2, framed = opencv(), pad(box, cell, (bare.shape[0], bare.shape[1]))
    distance = cv2.distanceTransform(bare[cut(framed)].astype(np.uint8), cv2.DIST_L2, 5)
    rising: np.ndarray = np.minimum(distance[cut(within(framed, box))] * (2 / cell), 1)
    return rising
