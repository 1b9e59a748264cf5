"""Columns of cells as widgets of their own, so that little is written when little changes.

Textual writes a changed row from the left edge of a widget to the last changed cell, wherever the change begins. With
the picture cut into lanes of 16 cells, a dab of the brush writes some 16 cells a row, not the row.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from npe_tui.picture.cells import CellStrip
from npe_tui.picture.depth import Depth

LANE = 16
"""Cells across."""


class Lane(Widget):
    """A column of a picture: holds the codes of its cells, and the strips made of them."""

    ALLOW_SELECT = False
    DEFAULT_CSS = f"Lane {{ width: {LANE}; height: 100%; }}"

    def __init__(self, shown: Callable[[], object]) -> None:
        """``shown`` is called when the lane is being painted on the terminal."""
        super().__init__()
        self._shown = shown
        self._codes = np.zeros((0, 0), np.uint32)
        self._depth = Depth.TRUE
        self._strips: list[CellStrip | None] = []

    def put(self, codes: np.ndarray, depth: Depth) -> int:
        """Show these codes (2 * rows, LANE); only rows that differ are painted again. The number of cells in them."""
        if codes.shape != self._codes.shape or depth is not self._depth:
            self._codes, self._depth = codes.copy(), depth
            self._strips = [None] * (len(codes) // 2)
            self.refresh()
            return codes.size // 2
        differ = codes != self._codes
        if not differ.any():
            return 0
        self._codes = codes.copy()
        ends = _ends(differ[::2] | differ[1::2])
        regions = []
        for top, bottom, end in _runs(ends):
            regions.append(Region(0, top, end, bottom - top))
            self._strips[top:bottom] = [None] * (bottom - top)
        self.refresh(*regions)
        return sum(region.area for region in regions)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows as they are, past the cache of styles: a lane has no border, no padding and no tint."""
        if crop.height > 1 or self.size.height == 1:  # a single row of many: someone only looks for a style
            self._shown()
        strips: list[Strip] = [self.render_line(y) for y in crop.line_range]
        return strips if crop.width == LANE else [strip.crop(*crop.column_span) for strip in strips]

    def render_line(self, y: int) -> Strip:
        """One row; blank where the picture has not yet followed a change of size."""
        if not 0 <= y < len(self._strips):
            return Strip.blank(self.size.width, self.rich_style)
        strip = self._strips[y]
        if strip is None:
            strip = self._strips[y] = CellStrip(self._codes[2 * y], self._codes[2 * y + 1], self._depth)
        return strip


def _ends(differ: np.ndarray) -> list[int]:
    """For each row of (rows, cells) bool one past its last True, 0 if there is none."""
    last = differ.shape[1] - differ[:, ::-1].argmax(axis=1)
    return np.where(differ.any(axis=1), last, 0).tolist()


def _runs(ends: list[int]) -> list[tuple[int, int, int]]:
    """(top, bottom, end) of rows one after another that changed up to the same cell."""
    runs: list[tuple[int, int, int]] = []
    for row, end in enumerate(ends):
        if end and runs and runs[-1][1:] == (row, end):
            runs[-1] = runs[-1][0], row + 1, end
        elif end:
            runs.append((row, row + 1, end))
    return runs
