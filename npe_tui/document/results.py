"""The results of a document as steps of its history: each try can be taken back, and done again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from npe_core.canvas import Canvas

if TYPE_CHECKING:
    from npe_core.editor import EditResult

_ROOM = 1 << 30
"""Bytes for the results before the one in force, of which one is kept whatever its size."""


_ALIKE = 2.5
"""Of 255, the mean difference below which one cannot tell by eye that two pictures had other seeds."""


def hardly_differ(results: Sequence[EditResult], levels: np.ndarray) -> bool:
    """Whether several results of the same paint look the same where ``levels`` (H, W) is above 0."""
    step = max(min(levels.shape) // 1000, 1)
    inside = levels[::step, ::step] > 0
    first, *others = (result.image[::step, ::step][inside].astype(np.int16) for result in results)
    return all(np.abs(first - other).mean() < _ALIKE for other in others) if inside.any() else False


@dataclass(eq=False)
class Made:
    """A result, the guide and the mask that it was made from, and the file that it is in."""

    result: EditResult
    guide: np.ndarray
    levels: np.ndarray
    saved_as: Path | None = None

    def fits(self, canvas: Canvas) -> bool:
        """Whether the canvas is as it was then."""
        return bool((canvas.levels == self.levels).all() and (canvas.guide == self.guide).all())


class Results:
    """The result in force, those before it, and those that were taken back."""

    def __init__(self) -> None:
        self.now: Made | None = None
        self.newest: Made | None = None
        """What was made last, in force or taken back."""
        self._before: list[Made | None] = []
        self._after: list[Made | None] = []

    def add(self, made: Made) -> None:
        """Another result; what had been taken back can no longer be done again."""
        self._before.append(self.now)
        self.now = self.newest = made
        self._after.clear()
        self._make_room()

    def saved(self, made: Made, path: Path) -> None:
        """``made`` is in this file now, and no other result is any more."""
        for other in (self.now, *self._before, *self._after):
            if other is not None and other.saved_as == path:
                other.saved_as = None
        made.saved_as = path

    def back(self, canvas: Canvas) -> bool:
        """To the result before, or to none, if the canvas is still as the one in force was made from.

        Returns whether it was: otherwise what was painted since is the last step.
        """
        if self.now is None or not self._before or not self.now.fits(canvas):
            return False
        self._after.append(self.now)
        self.now = self._before.pop()
        return True

    def again(self, canvas: Canvas) -> bool:
        """To the result that was taken back, once the canvas is as it was made from. Returns whether it was."""
        made = self._after[-1] if self._after else None
        if made is None or not made.fits(canvas):
            return False
        self._before.append(self.now)
        self.now = self._after.pop()
        return True

    def forget_after(self) -> None:
        """Something else was done: what had been taken back belongs to another course of events."""
        self._after.clear()

    def _make_room(self) -> None:
        held = sum(_bytes(made) for made in self._before)
        while len(self._before) > 1 and held > _ROOM:
            held -= _bytes(self._before.pop(0))


def _bytes(made: Made | None) -> int:
    return 0 if made is None else made.result.image.nbytes + made.guide.nbytes + made.levels.nbytes
