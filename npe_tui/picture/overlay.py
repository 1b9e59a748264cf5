"""What is drawn over the picture, dot by dot: the edge of the mask, the brush, the cursor, the divider, frames.

Each is an array (h, w) uint8 for a box of dots: 0 where the picture shows, else BLACK or WHITE. The two stand out from
each other, so dashes of both are seen on any colour; ring and cursor take for each dot the one that the picture is not.
"""

from __future__ import annotations

import numpy as np

from npe_core.canvas.boxes import Box

BLACK, WHITE = 1, 2
CROSS = 3
"""Dots that the arms of the cursor reach from its middle."""
_LARGE = 16
"""Dots across a face of which a thick frame does not hide what is beside it."""
_GLYPHS = (
    "### #.# #.# #.# ###",
    ".#. ##. .#. .#. ###",
    "### ..# ### #.. ###",
    "### ..# ### ..# ###",
    "#.# #.# ### ..# ..#",
    "### #.. ### ..# ###",
    "### #.. ### #.# ###",
    "### ..# ..# .#. .#.",
    "### #.# ### #.# ###",
    "### #.# ### ..# ###",
)
"""The ten digits, row by row."""


def outline(inside: np.ndarray, box: Box) -> np.ndarray:
    """Dashes on the dots just outside of what is inside. ``inside``: bool, a dot larger than the box on each side."""
    beside = inside[1:-1, :-2] | inside[1:-1, 2:] | inside[:-2, 1:-1] | inside[2:, 1:-1]
    return np.where(beside & ~inside[1:-1, 1:-1], _dashes(box), 0).astype(np.uint8)


def ring(light: np.ndarray, box: Box, centre: tuple[float, float], radius: float) -> np.ndarray:
    """A circle in dots; the smallest still leaves its middle free. ``light`` (h, w): the luma of the picture."""
    x, y = _middles(box)
    distance = np.hypot(x - centre[0], y - centre[1])
    return np.where(np.abs(distance - max(radius, 1.0)) <= 0.5, _contrast(light), 0).astype(np.uint8)


def cross(light: np.ndarray, box: Box, centre: tuple[float, float]) -> np.ndarray:
    """Four arms around the dot of the cursor, which itself stays free."""
    x, y = _middles(box)
    across, down = np.abs(np.floor(x) - np.floor(centre[0])), np.abs(np.floor(y) - np.floor(centre[1]))
    arms = (np.minimum(across, down) == 0) & (np.maximum(across, down) >= 1) & (np.maximum(across, down) <= CROSS)
    return np.where(arms, _contrast(light), 0).astype(np.uint8)


def divider(box: Box, column: int) -> np.ndarray:
    """A dashed vertical line in one column of dots."""
    x, _ = _middles(box)
    return np.where(np.floor(x) == column, _dashes(box), 0).astype(np.uint8)


def frame(box: Box, edges: tuple[float, float, float, float], number: int | None, chosen: bool) -> np.ndarray:
    """A rectangle, in dots, with its number on a plate over its corner: it can be read however far the photo is.

    None: no number. The chosen one has a white line, outwards, which is thick where there is room, and a white plate.
    Where there is no room above, the plate covers.
    """
    x, y = np.arange(box[0], box[2])[None, :], np.arange(box[1], box[3])[:, None]
    left, top, right, bottom = (int(np.floor(edge)) for edge in edges)
    out = np.maximum(np.maximum(left - x, x - right), np.maximum(top - y, y - bottom))  # dots outwards from the line
    if chosen:
        thick = 2 if min(right - left, bottom - top) >= _LARGE else 1
        ink = np.select([(out >= 0) & (out < thick), out == thick], [WHITE, BLACK], 0)
    else:
        ink = np.where(out == 0, _dashes(box), 0)
    if number is None:
        return ink.astype(np.uint8)
    plate = _plate(number)
    row, column = y - max(top + 1 - plate.shape[0], 0), x - max(left, 0)
    on = (row >= 0) & (row < plate.shape[0]) & (column >= 0) & (column < plate.shape[1])
    digits = plate[row.clip(0, plate.shape[0] - 1), column.clip(0, plate.shape[1] - 1)]
    return np.where(on, np.where(digits == chosen, BLACK, WHITE), ink).astype(np.uint8)


def _plate(number: int) -> np.ndarray:
    """(7, w) bool: the digits of a number, 3 x 5 dots each, with a dot of room around them."""
    glyphs = [np.array([[mark == "#" for mark in row] for row in _GLYPHS[int(digit)].split()]) for digit in str(number)]
    return np.pad(np.hstack([np.pad(glyph, ((0, 0), (0, 1))) for glyph in glyphs]), ((1, 1), (1, 0)))


def _middles(box: Box) -> tuple[np.ndarray, np.ndarray]:
    """The middles of the dots of a box: x (1, w), y (h, 1)."""
    return np.arange(box[0], box[2])[None, :] + 0.5, np.arange(box[1], box[3])[:, None] + 0.5


def _dashes(box: Box) -> np.ndarray:
    """Black and white by position: the stripes of both diagonals against each other, so that any line has both."""
    x, y = np.arange(box[0], box[2])[None, :], np.arange(box[1], box[3])[:, None]
    return np.where(((x + y) // 2 + (x - y) // 3) % 2, BLACK, WHITE)


def _contrast(light: np.ndarray) -> np.ndarray:
    return np.where(light > 127, BLACK, WHITE)
