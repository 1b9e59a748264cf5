"""How long pictures will still take: their steps, and the finishing at full size, which is more than half of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from npe_core.canvas.boxes import box_of, cut
from npe_core.faces import FaceCrop

_ANYHOW, _BY_SHARE = 3.5, 8.0
"""Steps that finishing takes the time of: of any picture, and of one of which all is marked. Lips 4, hair 11 on a CPU;
the networks of both have the same crops before them."""


def finishing(crops: Sequence[FaceCrop], levels: np.ndarray) -> float:
    """How many steps of an edit its finishing takes the time of, as far as its crops tell and the mask, (H, W) uint8.

    What is enlarged is the box around what is marked.
    """
    shares = []
    for crop in crops:
        x0, y0, x1, y1 = box = crop.box((levels.shape[1], levels.shape[0]))
        marked = box_of(levels[cut(box)]) or (0, 0, 0, 0)
        shares.append((marked[2] - marked[0]) * (marked[3] - marked[1]) / max((x1 - x0) * (y1 - y0), 1))
    return _ANYHOW + _BY_SHARE * float(np.mean(shares))


class Pace:
    """What the last edit took to be finished, beside what had been thought: other machines have another balance."""

    def __init__(self) -> None:
        self._factor = 1.0

    def expected(self, thought: float) -> float:
        """Steps that finishing will take the time of; ``thought``: what ``finishing`` says."""
        return self._factor * thought

    def learn(self, thought: float, took: float) -> None:
        """Of an edit it was ``thought`` that much, and it ``took`` so much."""
        self._factor = took / thought


class Clock:
    """Steps done of some pictures, and the seconds that the rest will take."""

    def __init__(
        self, steps: Sequence[int], finishing: float = 0.0, now: Callable[[], float] = time.perf_counter
    ) -> None:
        """``steps`` of each picture; ``finishing``: of each, in steps."""
        self.done, self.total = 0, sum(steps)
        self._steps, self._finishing, self._now = steps, finishing, now
        self._done = [0] * len(steps)
        """Of each picture."""
        self._finished = 0
        """Pictures; of those that share the calls of a model none is before all are."""
        self._start = self._last = now()

    def tick(self, picture: int = 0) -> None:
        """Another step, of this picture."""
        if not self._done[picture]:
            self._finished = sum(done >= steps for done, steps in zip(self._done, self._steps, strict=True))
        self._done[picture] += 1
        self.done += 1
        self._last = self._now()

    @property
    def seconds_left(self) -> float:
        """From the last step to the end. After one step at least."""
        behind = self.done + self._finished * self._finishing
        whole = self.total + len(self._steps) * self._finishing
        return (self._last - self._start) / behind * (whole - behind)

    @property
    def finishing_took(self) -> float:
        """Of one picture, now that it is done: how many of its steps take the time that went by since the last."""
        return (self._now() - self._last) * self.done / (self._last - self._start)
