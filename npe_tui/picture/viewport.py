"""Where a photo stands on a grid of terminal cells: zoom, pan, and the way from one to the other. Pure geometry.

Photo coordinates are continuous pixels: pixel (column j, row i) covers [j, j+1) x [i, i+1). Cell coordinates likewise,
from the top left of the view. A cell shows two square dots, one above the other; ``scale`` is in dots per photo pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Self

from npe_core.canvas.boxes import Box

CLOSEST = 32.0
"""Dots per photo pixel at the closest zoom."""


@dataclass(frozen=True)
class Viewport:
    """A photo of ``photo`` (width, height) pixels seen through ``cells`` (columns, rows); every change is a new one.

    While ``zoomed`` is None the whole photo is fitted into the view, whatever the sizes become.
    """

    photo: tuple[int, int]
    cells: tuple[int, int]
    zoomed: float | None = None
    """Dots per photo pixel asked for; None: fitted."""
    centre: tuple[float, float] = (0.0, 0.0)
    """The photo point in the middle of the view; ignored along an axis on which all of the photo is seen."""

    @property
    def dots(self) -> tuple[int, int]:
        """(columns, rows) of dots: what a cell grid of this size can show."""
        return self.cells[0], 2 * self.cells[1]

    @property
    def fitted(self) -> float:
        """The scale at which the whole photo is just seen; 1 where there is nothing to see."""
        width, height = self.photo
        columns, rows = self.dots
        return min(columns / width, rows / height) if width and height and columns and rows else 1.0

    @property
    def scale(self) -> float:
        """Dots per photo pixel."""
        return self.fitted if self.zoomed is None else min(max(self.zoomed, self.fitted), max(CLOSEST, self.fitted))

    @property
    def origin(self) -> tuple[float, float]:
        """The photo point at the top left of the view; negative where the photo is smaller than the view."""
        scale = self.scale
        starts = []
        for size, dots, centre in zip(self.photo, self.dots, self.centre, strict=True):
            seen = dots / scale
            spare = size - seen
            starts.append(spare / 2 if spare <= 0 else min(max(centre - seen / 2, 0.0), spare))
        return starts[0], starts[1]

    def cell_to_photo(self, x: float, y: float) -> tuple[float, float]:
        """The photo point under a point of the view, both continuous."""
        (left, top), scale = self.origin, self.scale
        return left + x / scale, top + 2 * y / scale

    def photo_to_cell(self, x: float, y: float) -> tuple[float, float]:
        """The point of the view that shows a photo point, both continuous."""
        (left, top), scale = self.origin, self.scale
        return (x - left) * scale, (y - top) * scale / 2

    def zoom(self, factor: float, at: tuple[float, float] | None = None) -> Self:
        """Closer by ``factor`` (further below 1); the photo point under cell point ``at`` (the middle) stays there."""
        columns, rows = self.cells
        at = (columns / 2, rows / 2) if at is None else at
        x, y = self.cell_to_photo(*at)
        scale = replace(self, zoomed=self.scale * factor).scale
        if scale <= self.fitted:
            return self.fit()
        centre = x + (columns / 2 - at[0]) / scale, y + (rows - 2 * at[1]) / scale
        return replace(self, zoomed=scale, centre=centre)

    def pan(self, columns: float, rows: float) -> Self:
        """The view moved over the photo by this many cells: to the right and down where positive."""
        (left, top), scale, dots = self.origin, self.scale, self.dots
        moved = replace(self, centre=(left + (columns + dots[0] / 2) / scale, top + (2 * rows + dots[1] / 2) / scale))
        left, top = moved.origin
        return replace(moved, centre=(left + dots[0] / 2 / scale, top + dots[1] / 2 / scale))

    def fit(self) -> Self:
        """The whole photo, and so it stays when the view is resized."""
        return replace(self, zoomed=None)

    def resized(self, columns: int, rows: int) -> Self:
        """Another size of the view; the middle stays the middle."""
        x, y = self.cell_to_photo(self.cells[0] / 2, self.cells[1] / 2)
        return replace(self, cells=(columns, rows), centre=(x, y))

    def box_to_cells(self, box: tuple[float, float, float, float]) -> Box | None:
        """The cells (x0, y0, x1, y1) that show any part of a box of the photo, inside the view; None if none does."""
        left, top = self.photo_to_cell(box[0], box[1])
        right, bottom = self.photo_to_cell(box[2], box[3])
        columns, rows = self.cells
        x0, y0 = max(floor(left), 0), max(floor(top), 0)
        x1, y1 = min(ceil(right), columns), min(ceil(bottom), rows)
        return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None
