"""A picture cell by cell: colour and texture in each, and what lies between them. Pure functions.

A cell is a pixel of the crop as the denoiser sees it, several pixels of the photo wide; boxes are of cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from npe_core.canvas.boxes import cut, pad, within
from npe_core.colour import LUMA
from npe_core.opencv import opencv
from npe_core.parallel import each
from npe_core.parts import Box

BLOCK = 32
"""Cells along the squares in which a mask is worked on; it bounds the memory."""


def squares_of(box: Box, side: int) -> list[Box]:
    """The squares of a grid from a box's upper left corner on, cut at its right and lower end."""
    x0, y0, x1, y1 = box
    corners = [(x, y) for y in range(y0, y1, side) for x in range(x0, x1, side)]
    return [(x, y, min(x + side, x1), min(y + side, y1)) for x, y in corners]


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


def light_of(picture: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 -> (H, W) uint8: its luminance."""
    light: np.ndarray = opencv().cvtColor(picture, opencv().COLOR_RGB2GRAY)
    return light


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
