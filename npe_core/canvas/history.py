"""Unlimited undo: each step keeps the XOR of what it changed, so that one record serves undo and redo; compressed once
another step follows."""

from __future__ import annotations

import contextlib
import functools
import zlib
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from npe_core.canvas.boxes import Box, box_of, moved_by, union, window
from npe_core.canvas.layers import Layers, Planes
from npe_core.parallel import each

Note = TypeVar("Note")
"""What goes with the pixels, restored by undo: for the canvas, what was asked for."""


class Patch:
    """before XOR after of the planes inside a box."""

    def __init__(self, box: Box, delta: np.ndarray) -> None:
        self.box = box
        self._shape = delta.shape
        self._held: np.ndarray | bytes = delta

    @property
    def delta(self) -> np.ndarray:
        """(5, h, w) uint8"""
        if isinstance(self._held, np.ndarray):
            return self._held
        return np.frombuffer(zlib.decompress(self._held), np.uint8).reshape(self._shape)

    def compress(self) -> None:
        """Takes less memory from now on, unless there is too little to do it in."""
        if not isinstance(self._held, np.ndarray):
            return
        with contextlib.suppress(MemoryError):
            # Runs of zeros are what there is to save; photographs hardly repeat: to look for it takes twice the time.
            packer = zlib.compressobj(level=1, strategy=zlib.Z_RLE)
            self._held = packer.compress(self._held.tobytes()) + packer.flush()


@dataclass(frozen=True)
class UndoStep(Generic[Note]):
    """One undo step."""

    patches: tuple[Patch, ...]
    before: Note
    after: Note


def make_patch(box: Box, before: Planes, after: Planes) -> Patch | None:
    """The change from ``before`` to ``after``, cut down to what really changed; None if nothing did."""
    changed = before[0] != after[0]
    for one, other in zip(before[1:], after[1:], strict=True):
        changed |= one != other
    tight = box_of(changed)
    if tight is None:
        return None
    return Patch(moved_by(box, tight), window(before, tight) ^ window(after, tight))


class History(Generic[Note]):
    """The steps done and the steps undone."""

    def __init__(self) -> None:
        self.done: list[UndoStep[Note]] = []
        self.undone: list[UndoStep[Note]] = []

    def push(self, step: UndoStep[Note]) -> None:
        """Adds a step that was just done; what had been undone can no longer be redone.

        The one before it is compressed now: who fills a region and saves the picture does not wait for that.
        """
        if self.done:
            each(Patch.compress, self.done[-1].patches)
        self.done.append(step)
        self.undone.clear()


def flip(layers: Layers, step: UndoStep[Note]) -> Box | None:
    """Takes the layers across a step, in either direction, or leaves them where memory runs out.

    Returns the box that changed.
    """
    boxes = [patch.box for patch in step.patches]
    layers.flip(boxes, [patch.delta for patch in step.patches])
    return functools.reduce(union, boxes, None)
