"""What a view shows, a code for each dot: the picture through the viewport, another beside it, the marks on top."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from npe_core.canvas.boxes import Box
from npe_core.colour import LUMA
from npe_tui.picture import overlay
from npe_tui.picture.depth import Depth
from npe_tui.picture.quantise import black_and_white, quantise
from npe_tui.picture.sampling import Pyramid
from npe_tui.picture.viewport import Viewport

MARKED = 255 / 8
"""Mean of the mask, in 1/255, from which on a dot is marked: a thin stroke seen from afar is, a feathered edge too."""


@dataclass(frozen=True)
class Frame:
    """A rectangle of the photo (x0, y0, x1, y1) with a number, or without."""

    box: tuple[float, float, float, float]
    number: int | None
    chosen: bool


@dataclass
class Scene:
    """All that decides how a cell looks. It paints any box of cells on its own, the same as in a painting of all."""

    viewport: Viewport
    depth: Depth = Depth.TRUE
    backdrop: int = 0
    """The code around the photo."""
    picture: Pyramid | None = None
    other: Pyramid | None = None
    """Of the same size as the picture: shown instead of it, or left of the divider."""
    split: float | None = None
    """Where the divider stands, as a share of the photo's visible width."""
    mask: Pyramid | None = None
    """In 1/255."""
    brush: tuple[float, float, float] | None = None
    """Photo x, y and radius of the ring."""
    cursor: tuple[float, float] | None = None
    frames: tuple[Frame, ...] = ()

    def codes(self, cells: Box) -> np.ndarray:
        """The codes (2 h, w) uint32 of a box (x0, y0, x1, y1) of cells inside the view."""
        box = cells[0], 2 * cells[1], cells[2], 2 * cells[3]
        if self.picture is None:
            return np.full((box[3] - box[1], box[2] - box[0]), self.backdrop, np.uint32)
        colours = self._colours(box)
        codes = quantise(colours, self.depth, (box[0], box[1]))
        codes[self._outside(box)] = self.backdrop
        ink = self._ink(box, colours)
        black, white = black_and_white(self.depth)
        codes[ink == overlay.BLACK] = black
        codes[ink == overlay.WHITE] = white
        return codes

    def marks(self) -> list[Box]:
        """The cells under the brush and the cursor, which a move of them repaints."""
        boxes = []
        scale = self.viewport.scale
        if self.brush is not None:
            boxes.append(self._around(self.brush[:2], max(self.brush[2] * scale, 1.0) + 1))
        if self.cursor is not None:
            boxes.append(self._around(self.cursor, overlay.CROSS + 1))
        return [box for box in boxes if box is not None]

    def divider(self) -> int | None:
        """The column of dots that the divider stands in; None if there is none."""
        if self.split is None or self.other is None:
            return None
        left, right = self._across()
        return min(max(round(left + self.split * (right - left)), round(left)), max(round(right) - 1, 0))

    def split_at(self, column: float) -> float:
        """The ``split`` that puts the divider at a column of the view."""
        left, right = self._across()
        return min(max((column - left) / (right - left), 0.0), 1.0) if right > left else 0.5

    # --- the parts ----------------------------------------------------------------------------------------------

    def _colours(self, box: Box) -> np.ndarray:
        assert self.picture is not None
        origin, scale = self.viewport.origin, self.viewport.scale
        if self.other is None:
            return self.picture.sample(origin, scale, box)
        if (column := self.divider()) is None:
            return self.other.sample(origin, scale, box)
        seam = min(max(column, box[0]), box[2])
        halves = ((self.other, (box[0], box[1], seam, box[3])), (self.picture, (seam, box[1], box[2], box[3])))
        return np.concatenate([one.sample(origin, scale, half) for one, half in halves if half[0] < half[2]], axis=1)

    def _outside(self, box: Box) -> np.ndarray:
        """(h, w) bool: dots whose middle is not on the photo."""
        (left, top), scale, (width, height) = self.viewport.origin, self.viewport.scale, self.viewport.photo
        x = left + (np.arange(box[0], box[2]) + 0.5) / scale
        y = top + (np.arange(box[1], box[3]) + 0.5) / scale
        return ((y < 0) | (y >= height))[:, None] | ((x < 0) | (x >= width))[None, :]

    def _ink(self, box: Box, colours: np.ndarray) -> np.ndarray:
        """The marks on top: the later over the earlier."""
        scale = self.viewport.scale
        ink = np.zeros(colours.shape[:2], np.uint8)
        layers = []
        if self.mask is not None:
            wide = box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1
            inside = self.mask.sample(self.viewport.origin, scale, wide) >= MARKED
            if inside.any():
                layers.append(overlay.outline(inside & ~self._outside(wide), box))
        for one in self.frames:
            edges = *self._dot(*one.box[:2]), *self._dot(*one.box[2:])
            layers.append(overlay.frame(box, edges, one.number, one.chosen))
        if (column := self.divider()) is not None and box[0] <= column < box[2]:
            layers.append(overlay.divider(box, column))
        if self.brush is not None or self.cursor is not None:
            light = colours @ LUMA
            if self.brush is not None:
                layers.append(overlay.ring(light, box, self._dot(*self.brush[:2]), self.brush[2] * scale))
            if self.cursor is not None:
                layers.append(overlay.cross(light, box, self._dot(*self.cursor)))
        for layer in layers:
            ink = np.where(layer, layer, ink)
        return ink

    def _dot(self, x: float, y: float) -> tuple[float, float]:
        column, row = self.viewport.photo_to_cell(x, y)
        return column, 2 * row

    def _around(self, point: tuple[float, float], dots: float) -> Box | None:
        """The cells within so many dots of a photo point, inside the view."""
        reach = dots / self.viewport.scale
        x, y = point
        return self.viewport.box_to_cells((x - reach, y - reach, x + reach, y + reach))

    def _across(self) -> tuple[float, float]:
        """The columns of the view between which the photo is seen."""
        left, _ = self.viewport.photo_to_cell(0, 0)
        right, _ = self.viewport.photo_to_cell(self.viewport.photo[0], 0)
        return max(left, 0.0), min(right, float(self.viewport.cells[0]))
