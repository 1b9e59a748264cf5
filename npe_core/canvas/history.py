"""Unlimited undo: each step keeps the XOR of what it changed, compressed, so one record serves undo and redo."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from npe_core.canvas.boxes import Box, box_of, union, window
from npe_core.canvas.layers import Layers, Planes

Note = TypeVar("Note")
"""What goes with the pixels, restored by undo: for the canvas, what was asked for."""


@dataclass(frozen=True)
class Patch:
    """before XOR after of the planes inside a box."""

    box: Box
    delta: bytes


@dataclass(frozen=True)
class Step(Generic[Note]):
    """One undo step."""

    patches: tuple[Patch, ...]
    before: Note
    after: Note


def make_patch(box: Box, before: Planes, after: Planes) -> Patch | None:
    """The change from ``before`` to ``after``, cut down to what really changed; None if nothing did."""
    delta = before ^ after
    tight = box_of(delta.any(axis=0))
    if tight is None:
        return None
    x0, y0 = box[:2]
    placed = (x0 + tight[0], y0 + tight[1], x0 + tight[2], y0 + tight[3])
    # Runs of zeros are what there is to save; photographs hardly repeat, and looking for it takes twice the time.
    packer = zlib.compressobj(level=1, strategy=zlib.Z_RLE)
    return Patch(placed, packer.compress(window(delta, tight).tobytes()) + packer.flush())


class History(Generic[Note]):
    """The steps done and the steps undone."""

    def __init__(self) -> None:
        self.done: list[Step[Note]] = []
        self.undone: list[Step[Note]] = []

    def push(self, step: Step[Note]) -> None:
        """Adds a step that was just done; what had been undone can no longer be redone."""
        self.done.append(step)
        self.undone.clear()

    @property
    def bytes_held(self) -> int:
        """Memory of all deltas, in bytes."""
        return sum(len(patch.delta) for step in self.done + self.undone for patch in step.patches)


def flip(layers: Layers, step: Step[Note]) -> Box | None:
    """Takes the layers across a step, in either direction. Returns the box that changed."""
    changed: Box | None = None
    for patch in step.patches:
        planes = window(layers.planes, patch.box)
        planes ^= np.frombuffer(zlib.decompress(patch.delta), np.uint8).reshape(planes.shape)
        layers.refresh(patch.box)
        changed = union(changed, patch.box)
    return changed
