"""The fine texture of what was re-imagined without paint: that of a place beside it, as healing brushes take it.

The denoiser sees 128 pixels of a face, and what the upscaler adds are no pores: where a spot was taken away the skin
would be wax. Colour and shapes stay those of the result; what is finer than its pixels comes from the photo, from where
it looks most like the result (the texture transfer of Efros and Freeman 2001, in large pieces), and is as strong as it
is around the mask. Texture that the result has already counts: of independent ones the squares add up.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from npe_core.canvas.boxes import box_of, cut, intersection, merged, moved_by, overlap, pad, within
from npe_core.colour import LUMA
from npe_core.editor.framing import distance_to
from npe_core.faces import FaceCrop
from npe_core.opencv import opencv
from npe_core.parallel import each
from npe_core.parts import Box

CELLS = 128
"""Along a crop: a cell is a pixel of the crop as the denoiser sees it."""
BLOCK = 32
"""Cells along the squares in which a mask is worked on; it bounds the memory."""
SEARCHED = 16
"""Cells around such a square among which texture is looked for."""
NEAR = 4
"""Cells around the marks: as strong as there texture should be."""
SMALLEST = 6
"""Cells along the pieces that are not cut any smaller when no place is like them."""
UNLIKE = 1.0
"""The distance (``Search.likest``) from which on a piece is cut in four; from twice as far one of the smallest
looks around all of the mask."""
STRONGEST = 1.5
"""The most that texture is amplified."""
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

    Only pixels of ``bare``, (H, W) bool, change: what is marked and has no paint. None is taken from where ``marked``,
    (H, W) uint8, is above 0. How fine texture is follows the nearest crop; ``kept`` (size, size) float32 in [0, 1] of
    each says how much of the photo's own texture the image has.
    """
    size = marked.shape[0], marked.shape[1]

    def texture(mask: tuple[int, list[Box]]) -> list[tuple[Box, np.ndarray]]:
        number, boxes = mask
        cell = cell_of(crops[number])
        around = whole_cells(pad(around_all(boxes), SEARCHED * cell, size), cell, size)
        where = np.zeros((around[3] - around[1], around[2] - around[0]), bool)
        for box in boxes:
            if (inner := intersection(box, around)) is not None:
                where[cut(within(around, inner))] = bare[cut(inner)]
        if not where.any():  # in a picture narrower than a cell
            return []
        place = Place(image[cut(around)], photo[cut(around)], marked[cut(around)] > 0, bare[cut(around)], where, cell)
        missing = missing_texture(place, lambda box: crops[number].to_box(kept[number], moved_by(around, box)))
        return [(moved_by(around, box), fine) for box, fine in missing]

    for found in each(texture, masks(bare, crops)):
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


def squares_of(box: Box, side: int) -> list[Box]:
    """The squares of a grid from a box's upper left corner on, cut at its right and lower end."""
    x0, y0, x1, y1 = box
    corners = [(x, y) for y in range(y0, y1, side) for x in range(x0, x1, side)]
    return [(x, y, min(x + side, x1), min(y + side, y1)) for x, y in corners]


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

    image: np.ndarray
    """(H, W, 3) uint8: the result"""
    photo: np.ndarray
    """(H, W, 3) uint8"""
    marked: np.ndarray
    """(H, W) bool: has no texture to give"""
    bare: np.ndarray
    """(H, W) bool: marked without paint"""
    where: np.ndarray
    """(H, W) bool: what of ``bare`` is of this mask"""
    cell: int


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
            most[cut(square)] = 8 * np.median(before.power[nearby][around[nearby]])
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


def times(box: Box, cell: int) -> Box:
    """The pixels of a box of cells."""
    x0, y0, x1, y1 = box
    return cell * x0, cell * y0, cell * x1, cell * y1


def means(x: np.ndarray, cell: int) -> np.ndarray:
    """(H, W[, C]) float32 -> (H / cell, W / cell[, C]) float32: of the cells."""
    size = x.shape[1] // cell, x.shape[0] // cell
    found: np.ndarray = opencv().resize(x, size, interpolation=opencv().INTER_AREA)
    return found


def between(x: np.ndarray, box: Box, cell: int) -> np.ndarray:
    """(rows, columns[, C]) float32 of cells -> (H, W[, C]) float32 in a box of them, linear between their middles."""
    framed = pad(box, 1, (x.shape[0], x.shape[1]))
    size = cell * (framed[2] - framed[0]), cell * (framed[3] - framed[1])
    large = opencv().resize(x[cut(framed)], size, interpolation=opencv().INTER_LINEAR)
    found: np.ndarray = large[cut(times(within(framed, box), cell))]
    return found


def any_of(where: np.ndarray, cell: int, margin: int = 0) -> np.ndarray:
    """(H, W) bool -> (rows, columns) bool: which cells are touched by it, or lie within ``margin`` pixels of it."""
    levels = where.astype(np.uint8)
    if margin:
        levels = opencv().dilate(levels, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8))
    return most_of(levels[..., None], cell)[..., 0] > 0


def most_of(x: np.ndarray, cell: int) -> np.ndarray:
    """(H, W, C) -> (rows, columns, C): the largest value in each cell."""
    height, width, depth = x.shape
    most: np.ndarray = x.reshape(height // cell, cell, width // cell, cell, depth).max((1, 3))
    return most


def finer(picture: np.ndarray, colours: np.ndarray, box: Box, cell: int) -> np.ndarray:
    """(H, W, 3) float32: a picture in a box of cells less their ``colours``, which are linear between the cells."""
    x = picture[cut(times(box, cell))].astype(np.float32)
    x -= between(colours, box, cell)
    return x


@dataclass(frozen=True)
class Texture:
    """What a picture is like in each cell. One row and column a cell."""

    colours: np.ndarray
    """(rows, columns, 3) float32"""
    power: np.ndarray
    """(rows, columns) float32: the mean square of the luminance of what is ``finer``"""
    spots: np.ndarray
    """(rows, columns) bool: cells with something that must not be seen twice, such as moles, beside what is usual"""

    @classmethod
    def of(cls, picture: np.ndarray, squares: list[Box], cell: int) -> Texture:
        """Of an (H, W, 3) uint8 picture; ``power`` and ``spots`` in the squares of cells alone, 0 elsewhere."""
        rows, columns = picture.shape[0] // cell, picture.shape[1] // cell
        colours = np.empty((rows, columns, 3), np.float32)
        power, mean, most = (np.zeros((rows, columns), np.float32) for _ in range(3))

        def colour(square: Box) -> None:
            colours[cut(square)] = means(picture[cut(times(square, cell))].astype(np.float32), cell)

        def measure(square: Box) -> None:
            light = finer(picture, colours, square, cell) @ LUMA
            size = np.abs(light)
            power[cut(square)], mean[cut(square)] = means(light**2, cell), means(size, cell)
            most[cut(square)] = most_of(size[..., None], cell)[..., 0]

        each(colour, squares_of((0, 0, columns, rows), BLOCK))
        each(measure, squares)
        away = np.abs(colours - blurred(colours, 3))
        odd = (most[..., None] > 5.5 * usual(mean) + 2) | (away > 2 * usual(away) + 3)
        return cls(colours, power, odd.any(axis=2))


def usual(x: np.ndarray) -> np.ndarray:
    """(h, w[, C]) float32 -> (h, w, C): the medians of 5 x 5 cells."""
    x = x.reshape(*x.shape[:2], -1)
    return np.dstack([opencv().medianBlur(np.ascontiguousarray(x[..., i]), 5) for i in range(x.shape[2])])


def blurred(x: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur of an (h, w[, C]) float32 array, edges mirrored."""
    cv2 = opencv()
    result: np.ndarray = cv2.GaussianBlur(x, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
    return result


def log_rms(power: np.ndarray) -> np.ndarray:
    """The logarithm of the root of a mean square, in levels of 255, with a level of noise in it."""
    logarithm: np.ndarray = np.log(np.sqrt(power) + 1)
    return logarithm


def carried(values: np.ndarray, known: np.ndarray, width: float) -> np.ndarray:
    """(h, w[, C]) float32: the mean of the values nearby, over about ``width`` cells, as far as ``known``, 0 to 1.

    This is normalised convolution (Knutsson and Westin 1993). Far from all that is known it is the mean of that.
    """
    weights, least = known.astype(np.float32), np.float32(1e-4)
    total = blurred(weights, width) + least
    if values.ndim == 3:
        weights, total = weights[..., None], total[..., None]
    mean = (values * weights).sum((0, 1)) / np.maximum(weights.sum(), 1e-6)
    return (blurred(values * weights, width).reshape(values.shape) + least * mean) / total


@dataclass(frozen=True)
class Shift:
    """A box of cells that takes its texture from ``rows`` and ``columns`` of cells farther on."""

    box: Box
    columns: int
    rows: int


@dataclass(frozen=True)
class Search:
    """Where the photo looks as the result does. One row and column a cell."""

    places: np.ndarray
    """(h, w, 4) float32: colour and strength of the texture of the photo"""
    pieces: np.ndarray
    """(h, w, 4) float32: colour of the result, and how strong its texture should be"""
    wanted: np.ndarray
    """(h, w) bool: for which cells texture is looked for"""
    avoided: np.ndarray
    """(h, w) bool: which cells have none to give"""

    @cached_property
    def _taken(self) -> np.ndarray:
        return self.avoided.astype(np.float32)

    @cached_property
    def _offers(self) -> dict[int, tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """By their sides all squares that can give texture: first rows and columns, (N, 4) means, summed variances."""
        cv2, found = opencv(), {}
        for side in range(1, SMALLEST + 3):
            taken, means, squares = (
                cv2.blur(x, (side, side), anchor=(0, 0)) for x in (self._taken, self.places, self._squares)
            )
            taken[max(0, len(taken) - side + 1) :] = 1
            taken[:, max(0, taken.shape[1] - side + 1) :] = 1
            rows, columns = np.nonzero(taken < 0.5 / side**2)
            means = means[rows, columns]
            found[side] = rows, columns, means, squares[rows, columns] - (means**2).sum(axis=1)
        return found

    @cached_property
    def _squares(self) -> np.ndarray:
        return (self.places**2).sum(axis=2)

    def shifts(self, square: Box) -> list[Shift]:
        """Pieces that cover all that is wanted in a square, as large as they may be."""
        own = box_of(self.wanted[cut(square)])
        if own is None:
            return []
        box = moved_by(square, own)
        return self._cover(box, pad(box, SEARCHED, (self.wanted.shape[0], self.wanted.shape[1])))

    def _cover(self, box: Box, near: Box) -> list[Shift]:
        x0, y0, x1, y1 = box
        if not self.wanted[cut(box)].any():
            return []
        framed = pad(box, 1, (self.wanted.shape[0], self.wanted.shape[1]))  # pieces overlap by their frames
        least, shift = self.likest(box, framed, near)
        if least > UNLIKE and max(x1 - x0, y1 - y0) > SMALLEST:
            x, y = (x0 + x1 + 1) // 2, (y0 + y1 + 1) // 2
            quarters = (x0, y0, x, y), (x, y0, x1, y), (x0, y, x, y1), (x, y, x1, y1)
            return [piece for quarter in quarters for piece in self._cover(quarter, near)]
        return [shift] if least <= 2 * UNLIKE else self.anywhere(box, framed)

    def anywhere(self, box: Box, framed: Box) -> list[Shift]:
        """One of the places for one of the smallest boxes that are most like its mean throughout, if there is any.

        Which one is drawn by where the box lies: boxes side by side would else show the same marks again and again.
        """
        rows, columns, means, varying = self._offers[max(framed[2] - framed[0], framed[3] - framed[1])]
        if not rows.size:
            return []
        piece = self.pieces[cut(box)][self.wanted[cut(box)]].mean(axis=0)
        farther = np.hypot(rows - framed[1], columns - framed[0]) / (8 * SEARCHED)
        distances = ((means - piece) ** 2).sum(axis=1) + varying + farther
        alike = np.flatnonzero(distances <= distances.min() + UNLIKE / 4)
        k = alike[np.random.default_rng(framed).integers(alike.size)]
        return [Shift(framed, int(columns[k]) - framed[0], int(rows[k]) - framed[1])]

    def likest(self, box: Box, framed: Box, among: Box) -> tuple[float, Shift]:
        """The distance of the place that is most like a box, of those that its frame may take in another box."""
        cv2, here = opencv(), np.zeros((framed[3] - framed[1], framed[2] - framed[0]), np.float32)
        here[cut(within(framed, box))] = self.wanted[cut(box)]
        needed = cv2.dilate(here, np.ones((3, 3), np.float32))
        if self.avoided[cut(among)].all():
            return math.inf, Shift(framed, 0, 0)
        free = cv2.matchTemplate(self._taken[cut(among)], needed, cv2.TM_CCORR) < 0.5
        if not free.any():
            return math.inf, Shift(framed, 0, 0)
        piece = self.pieces[cut(framed)] * here[..., None]
        squares = cv2.matchTemplate(self._squares[cut(among)], here, cv2.TM_CCORR) + (piece**2).sum()
        squares -= 2 * cv2.matchTemplate(self.places[cut(among)], piece, cv2.TM_CCORR)
        right, down = among[0] - framed[0], among[1] - framed[1]
        y, x = np.ogrid[down : down + squares.shape[0], right : right + squares.shape[1]]
        distances = np.where(free, squares / here.sum() + np.hypot(y, x) / (8 * SEARCHED), np.inf)
        row, column = np.unravel_index(distances.argmin(), distances.shape)
        return float(distances[row, column]), Shift(framed, int(column) + right, int(row) + down)


def shifted(
    layer: Callable[[Box], np.ndarray], shifts: list[Shift], box: Box, cell: int
) -> tuple[np.ndarray, np.ndarray]:
    """(H, W, 3) float32, what comes to a box of cells by the shifts, and (H, W) float32, 1 where anything does.

    layer(box) gives (h, w, 3) float32, what there is in another.
    """
    height, width = cell * (box[3] - box[1]), cell * (box[2] - box[0])
    result, weights = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
    for shift in shifts:
        own = intersection(shift.box, box)
        if own is not None:
            x0, y0, x1, y1 = shift.box
            window = np.outer(ramped_ends(cell * (y1 - y0), 2 * cell), ramped_ends(cell * (x1 - x0), 2 * cell))
            window = window[cut(times(within(shift.box, own), cell))]
            here = cut(times(within(box, own), cell))
            result[here] += window[..., None] * layer(moved_by((shift.columns, shift.rows, 0, 0), own))
            weights[here] += window
    result /= np.maximum(weights, 1e-6)[..., None]
    return result, (weights > 0).astype(np.float32)


def ramped_ends(length: int, width: int) -> np.ndarray:
    """(length,) float32: 1, rising from 0 and falling to 0 over ``width`` at the ends."""
    place = np.arange(length, dtype=np.float32) + 0.5
    return np.minimum(np.minimum(place, length - place) / width, 1)
