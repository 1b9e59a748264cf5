"""The fine texture of what was re-imagined without paint: that of a place beside it, as healing brushes take it.

The denoiser sees 128 pixels of a face, and what the upscaler adds are no pores: where a spot was taken away the skin
would be wax. Colour and shapes stay those of the result; what is finer than its pixels comes from the photo, from where
it looks most like the result (the texture transfer of Efros and Freeman 2001, in large pieces), and is as strong as it
is around the mask. Texture that the result has already counts: of independent ones the squares add up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from npe_core.canvas.boxes import box_of, cut, intersection, moved_by, pad, within
from npe_core.colour import LUMA
from npe_core.editor.framing import distance_to
from npe_core.faces import FaceCrop
from npe_core.opencv import opencv
from npe_core.parallel import each
from npe_core.parts import Box

CELLS = 128
"""Along a crop: a cell is a pixel of the crop as the denoiser sees it."""
BLOCK = 32
"""Cells along the squares into which a mask is cut; it bounds the memory."""
SEARCHED = 16
"""Cells around such a square among which texture is looked for."""
NEAR = 4
"""Cells around the marks: as strong as there texture should be."""
SMALLEST = 6
"""Cells along the pieces that are not cut any smaller when no place is like them."""
UNLIKE = 1.0
"""The distance (``Search.distances``) from which on a piece is cut in four; from twice as far no texture is taken."""
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
    size, whole = (marked.shape[0], marked.shape[1]), box_of(bare)
    if whole is None:
        return
    side = BLOCK * min(cell_of(crop) for crop in crops)
    corners = [(x, y) for y in range(whole[1], whole[3], side) for x in range(whole[0], whole[2], side)]

    def healed(corner: tuple[int, int]) -> tuple[Box, np.ndarray] | None:
        x, y = corner
        block = x, y, min(x + side, whole[2]), min(y + side, whole[3])
        if (own := box_of(bare[cut(block)])) is None:
            return None
        block = moved_by(block, own)
        number = nearest(block, crops)
        cell = cell_of(crops[number])
        around = whole_cells(pad(block, SEARCHED * cell, size), cell)
        inner = intersection(block, around)
        if inner is None or marked[cut(around)].all():
            return None
        where, own = np.zeros((around[3] - around[1], around[2] - around[0]), bool), within(around, inner)
        where[cut(own)] = bare[cut(inner)]
        has = crops[number].to_box(kept[number], around)
        texture = missing_texture(image[cut(around)], photo[cut(around)], marked[cut(around)] > 0, where, has, cell)
        return None if texture is None else (inner, texture[cut(own)])

    for box, texture in filter(None, each(healed, corners)):
        image[cut(box)] = np.clip(np.rint(image[cut(box)] + texture), 0, 255).astype(np.uint8)


def cell_of(crop: FaceCrop) -> int:
    """The side of a cell in pixels of the photo, at least 2."""
    return max(2, round(crop.size * crop.scale / CELLS))


def nearest(box: Box, crops: list[FaceCrop]) -> int:
    """The number of the crop whose centre is nearest to that of the box, in sides of the crop."""
    x, y = np.array([[box[0] + box[2]], [box[1] + box[3]]]) / 2
    return int(np.argmin([distance_to(crop, x, y) for crop in crops]))


def whole_cells(box: Box, cell: int) -> Box:
    """The box less what is no whole cell at its right and lower end."""
    x0, y0, x1, y1 = box
    return x0, y0, x1 - (x1 - x0) % cell, y1 - (y1 - y0) % cell


def missing_texture(
    image: np.ndarray, photo: np.ndarray, marked: np.ndarray, where: np.ndarray, kept: np.ndarray, cell: int
) -> np.ndarray | None:
    """(H, W, 3) float32 to add to ``image``, 0 outside ``where``; None if nothing is missing or to be had.

    image and photo (H, W, 3) uint8, marked and where (H, W) bool, kept (H, W) float32: the share of the photo's texture
    that the image has. H and W are multiples of ``cell``.
    """
    cv2, cells = opencv(), Cells((where.shape[1] // cell, where.shape[0] // cell))
    avoided, wanted = cells.any(marked, margin=cell), cells.any(where)
    around = cv2.dilate(avoided.astype(np.uint8), np.ones((2 * NEAR + 1, 2 * NEAR + 1), np.uint8)).astype(bool)
    around &= ~avoided
    if not around.any():
        return None
    before, after = Texture.of(cells, photo), Texture.of(cells, image)
    most = 8 * np.median(before.power[around])
    aim = carried(np.minimum(before.power, most), around, max(2.0, wanted.sum() ** 0.5 / 3))
    has = carried(after.power, cells.mean(where.astype(np.float32)), 1.5)
    lacking = np.maximum(aim - has, 0) * np.clip(2 - 2 * cells.mean(kept), 0, 1)
    if not lacking[wanted].any():
        return None
    search = Search(
        places=np.dstack([blurred(before.colours, 1) / ALIKE, log_rms(blurred(before.power, 1))]),
        pieces=np.dstack([blurred(after.colours, 1) / ALIKE, log_rms(aim)]),
        wanted=wanted,
        avoided=avoided | before.spots,
    )
    shifts = search.shifts()
    colours, covered = shifted(before.colours, shifts, 1)
    unlike = np.abs(carried(colours - after.colours, covered, 1.5)).max(axis=2)
    texture, _ = shifted(before.fine, shifts, cell)
    power = carried(cells.mean((texture @ LUMA) ** 2), covered, 1.5)
    gain = np.minimum(np.sqrt(lacking / np.maximum(power, 0.25)), STRONGEST) * np.clip(2 - unlike / ALIKE, 0, 1)
    inwards = cv2.distanceTransform(where.astype(np.uint8), cv2.DIST_L2, 5) * (2 / cell)
    texture *= (cells.enlarged(gain, cell) * np.minimum(inwards, 1))[..., None]
    return texture


@dataclass(frozen=True)
class Cells:
    """A grid (columns, rows) of equal square cells over an array."""

    size: tuple[int, int]

    def mean(self, x: np.ndarray) -> np.ndarray:
        """(H, W[, C]) float32 -> (rows, columns[, C]) float32."""
        means: np.ndarray = opencv().resize(x, self.size, interpolation=opencv().INTER_AREA)
        return means

    def enlarged(self, x: np.ndarray, cell: int) -> np.ndarray:
        """(rows, columns[, C]) float32 -> (H, W[, C]) float32, linear between the middles of the cells."""
        size = self.size[0] * cell, self.size[1] * cell
        large: np.ndarray = opencv().resize(x, size, interpolation=opencv().INTER_LINEAR)
        return large

    def blocks(self, x: np.ndarray) -> np.ndarray:
        """(H, W, C) -> (rows, H / rows, columns, W / columns, C), a view."""
        columns, rows = self.size
        return x.reshape(rows, x.shape[0] // rows, columns, x.shape[1] // columns, -1)

    def any(self, where: np.ndarray, margin: int = 0) -> np.ndarray:
        """(H, W) bool -> (rows, columns) bool: what is touched by it, or lies within ``margin`` pixels of it."""
        levels = where.astype(np.uint8)
        if margin:
            levels = opencv().dilate(levels, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8))
        touched: np.ndarray = self.blocks(levels).max((1, 3))[..., 0] > 0
        return touched


@dataclass(frozen=True)
class Texture:
    """What of a picture is finer than the cells, and what is not."""

    colours: np.ndarray
    """(rows, columns, 3) float32"""
    fine: np.ndarray
    """(H, W, 3) float32: the picture less ``colours``, which are linear between the cells"""
    power: np.ndarray
    """(rows, columns) float32: the mean square of the luminance of ``fine``"""
    spots: np.ndarray
    """(rows, columns) bool: cells with something that must not be seen twice, such as moles, beside what is usual"""

    @classmethod
    def of(cls, cells: Cells, picture: np.ndarray) -> Texture:
        """Of an (H, W, 3) uint8 picture."""
        x = picture.astype(np.float32)
        colours = cells.mean(x)
        x -= cells.enlarged(colours, picture.shape[0] // cells.size[1])
        light, away = x @ LUMA, np.abs(colours - blurred(colours, 3))
        size = np.abs(light)[..., None]
        odd = cells.blocks(size).max((1, 3)) > 5.5 * usual(cells.mean(size)) + 2
        odd = odd | (away > 2 * usual(away) + 3)
        return cls(colours, x, cells.mean(light**2), odd.any(axis=2))


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

    This is normalised convolution (Knutsson and Westin 1993).
    """
    weights = known.astype(np.float32)
    total = np.maximum(blurred(weights, width), 1e-6)
    if values.ndim == 3:
        return blurred(values * weights[..., None], width) / total[..., None]
    return blurred(values * weights, width) / total


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

    def shifts(self) -> list[Shift]:
        """Pieces that cover all that is wanted, as large as they may be."""
        box = box_of(self.wanted)
        return [] if box is None else self._cover(box)

    def _cover(self, box: Box) -> list[Shift]:
        x0, y0, x1, y1 = box
        if not self.wanted[cut(box)].any():
            return []
        framed = pad(box, 1, self.wanted.shape)  # pieces overlap by their frames
        distances = self.distances(box, framed)
        row, column = np.unravel_index(distances.argmin(), distances.shape)
        least = float(distances[row, column])
        if least > UNLIKE and max(x1 - x0, y1 - y0) > SMALLEST:
            x, y = (x0 + x1 + 1) // 2, (y0 + y1 + 1) // 2
            quarters = (x0, y0, x, y), (x, y0, x1, y), (x0, y, x, y1), (x, y, x1, y1)
            return [shift for quarter in quarters for shift in self._cover(quarter)]
        return [Shift(framed, int(column) - framed[0], int(row) - framed[1])] if least <= 2 * UNLIKE else []

    def distances(self, box: Box, framed: Box) -> np.ndarray:
        """Mean squares of the differences for every place that the framed box may take, inf where it may not."""
        cv2, here = opencv(), np.zeros((framed[3] - framed[1], framed[2] - framed[0]), np.float32)
        here[cut(within(framed, box))] = self.wanted[cut(box)]
        piece = np.ascontiguousarray(self.pieces[cut(framed)])
        squares = cv2.matchTemplate(self.places, piece, cv2.TM_SQDIFF, mask=np.dstack([here] * 4)) / here.sum()
        needed = cv2.dilate(here, np.ones((3, 3), np.float32))
        taken = cv2.matchTemplate(self.avoided.astype(np.float32), needed, cv2.TM_CCORR)
        rows, columns = np.indices(squares.shape)
        farther = np.hypot(rows - framed[1], columns - framed[0]) / (8 * SEARCHED)
        return np.where(taken > 0.5, np.inf, squares + farther)


def shifted(layers: np.ndarray, shifts: list[Shift], cell: int) -> tuple[np.ndarray, np.ndarray]:
    """(H, W, C) float32, what comes to each place by the shifts, and (H, W) float32, 1 where anything does."""
    result, weights = np.zeros_like(layers), np.zeros(layers.shape[:2], np.float32)
    for shift in shifts:
        x0, y0, x1, y1 = (cell * edge for edge in shift.box)
        across, down = cell * shift.columns, cell * shift.rows
        window = np.outer(ramped_ends(y1 - y0, 2 * cell), ramped_ends(x1 - x0, 2 * cell))
        source = x0 + across, y0 + down, x1 + across, y1 + down
        result[y0:y1, x0:x1] += window[..., None] * layers[cut(source)]
        weights[y0:y1, x0:x1] += window
    result /= np.maximum(weights, 1e-6)[..., None]
    return result, (weights > 0).astype(np.float32)


def ramped_ends(length: int, width: int) -> np.ndarray:
    """(length,) float32: 1, rising from 0 and falling to 0 over ``width`` at the ends."""
    place = np.arange(length, dtype=np.float32) + 0.5
    return np.minimum(np.minimum(place, length - place) / width, 1)
