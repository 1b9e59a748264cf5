"""The photo's grain on what was made anew: it lies on everything, also on colours that nothing around has.

Texture comes from where the photo looks like the result (``heal``), so painted lips, hats and beards get none. Grain is
no part of what is seen, and any will do: cells of it, drawn from where around there is least to see.
"""

from __future__ import annotations

import numpy as np

from npe_core.canvas.boxes import cut, moved_by, pad, within
from npe_core.editor.cells import BLOCK, any_of, between, blurred, carried, light_of, means, squares_of, times
from npe_core.editor.heal import Place, add_to, inwards
from npe_core.faces import FaceCrop
from npe_core.parallel import each
from npe_core.parts import Box

FINEST = 2.0
"""Pixels of the photo, the standard deviation of the smoothing that takes away grain."""
LEAST = (0.05, 0.3)
"""Between which of the cells around, by how much they have that is so fine, there is grain: of the others less may be
flat, and more is texture."""
SEVERAL = 256
"""So many of them at most: grain is not known again."""
FAINT = 1.0
"""Levels of 255 up to which grain is not seen."""


def add_grain(
    image: np.ndarray,
    photo: np.ndarray,
    marked: np.ndarray,
    where: np.ndarray,
    crops: list[FaceCrop],
    kept: list[np.ndarray],
) -> None:
    """Give the edited ``image`` the grain of ``photo`` that it lacks, in place; arguments as those of ``heal``."""
    add_to(image, missing_grain, photo, marked, where, crops, kept)


def missing_grain(place: Place, crop: FaceCrop, kept: np.ndarray) -> list[tuple[Box, np.ndarray]]:
    """Boxes with the (h, w, 3) float32 to add to the image there, as ``heal.missing_texture``."""
    cell, wanted = place.cell, any_of(place.where, place.cell)
    rows, columns = wanted.shape
    everywhere = squares_of((0, 0, columns, rows), BLOCK)
    squares = [square for square in everywhere if wanted[cut(square)].any()]
    free = ~(place.marked | clipped(place.photo))
    before, after = power_of(place.photo, free, everywhere, cell), power_of(place.image, place.where, squares, cell)
    around = ~any_of(~free, cell)
    several = some_cells(carried(before, around, 2.0), around)
    aim = before[several].mean() if several[0].size else 0
    if aim < FAINT**2:
        return []
    share = np.zeros_like(before)
    for square in squares:
        share[cut(square)] = means(place.where[cut(times(square, cell))].astype(np.float32), cell)
    gain = np.sqrt(np.maximum(aim - carried(after, share, 1.5), 0) / aim)
    boxes = [times((x, y, x + 1, y + 1), cell) for y, x in zip(*several, strict=True)]
    grains = np.stack([finest(place.photo, free, box) for box in boxes])

    def grain(square: Box) -> tuple[Box, np.ndarray]:
        pixels, (x0, y0, x1, y1) = times(square, cell), square
        drawn = np.random.default_rng(square).integers(len(grains), size=(y1 - y0, x1 - x0))
        fine = grains[drawn].swapaxes(1, 2).reshape(pixels[3] - pixels[1], pixels[2] - pixels[0], 3)
        has = crop.to_box(kept, moved_by(place.box, pixels))
        amount = np.clip(2 - 2 * has, 0, 1) * inwards(place.bare, pixels, cell) * place.where[cut(pixels)]
        return pixels, fine * (amount * between(gain, square, cell))[..., None]

    return each(grain, squares)


def some_cells(power: np.ndarray, around: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of ``SEVERAL`` of the cells ``around``, (rows, columns) bool, with grain and no texture."""
    rows, columns = np.nonzero(around)
    first, end = (int(share * rows.size) for share in LEAST)
    order = np.argsort(power[rows, columns], kind="stable")[first : max(end, first + 1)]
    order = order[np.linspace(0, order.size - 1, min(order.size, SEVERAL)).astype(int)]
    return rows[order], columns[order]


def power_of(picture: np.ndarray, where: np.ndarray, squares: list[Box], cell: int) -> np.ndarray:
    """(rows, columns) float32: the mean square of the luminance of what is ``finest`` within ``where``, (H, W) bool, in
    squares of cells; else 0."""
    light, power = light_of(picture), np.zeros((picture.shape[0] // cell, picture.shape[1] // cell), np.float32)

    def measure(square: Box) -> None:
        pixels = times(square, cell)
        share = means(where[cut(pixels)].astype(np.float32), cell)
        power[cut(square)] = means(finest(light, where, pixels) ** 2, cell) / np.maximum(share, 1e-3)

    each(measure, squares)
    return power


def finest(picture: np.ndarray, where: np.ndarray, box: Box) -> np.ndarray:
    """(h, w[, 3]) float32: what is finer than ``FINEST`` in a box of an (H, W[, 3]) uint8 picture; only what is
    ``where``, (H, W) bool, is looked at (normalised convolution), 0 beside it."""
    framed = pad(box, round(4 * FINEST), (where.shape[0], where.shape[1]))
    known = where[cut(framed)].astype(np.float32)
    around, depth = np.maximum(blurred(known, FINEST), 1e-3), (...,) + (None,) * (picture.ndim - 2)
    x = picture[cut(framed)] * known[depth]
    return ((x - blurred(x, FINEST) / around[depth]) * known[depth])[cut(within(framed, box))]


def clipped(picture: np.ndarray) -> np.ndarray:
    """(H, W) bool: where an (H, W, 3) uint8 picture is black or white, which has no grain."""
    return (picture.max(axis=2) < 4) | (picture.min(axis=2) > 251)
