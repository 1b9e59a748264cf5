"""Where a photo looks most like a result, cell by cell, and what comes from there (Efros and Freeman 2001)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from npe_core.canvas.boxes import box_of, cut, intersection, moved_by, pad, within
from npe_core.editor.cells import times
from npe_core.opencv import opencv
from npe_core.parts import Box

SEARCHED = 16
"""Cells around a square of ``cells.BLOCK`` among which texture is looked for."""
SMALLEST = 6
"""Cells along the pieces that are not cut any smaller when no place is like them."""
UNLIKE = 1.0
"""The distance (``Search.likest``) from which on a piece is cut in four; from twice as far one of the smallest
looks around all of the mask."""


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
