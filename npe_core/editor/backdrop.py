"""The background of a photo: what belongs to no person, judged from all faces together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from npe_core.canvas.boxes import cut, intersection, within
from npe_core.editor.framing import fade_at_borders
from npe_core.editor.looks import LOOK_FADE
from npe_core.faces import FaceCrop
from npe_core.faces.resample import inverse, transform
from npe_core.opencv import opencv
from npe_core.parts import Box

_POINTS = 2**14
"""Places of a photo at which is looked for what no look has seen."""


@dataclass(frozen=True, eq=False)
class Ground:
    """What the look at one face says about the background. It counts less and less towards its borders."""

    crop: FaceCrop
    """As large as the maps."""
    free: np.ndarray
    """(S, S) uint8 in 1/255: how likely a place is background, 255 where the look does not count."""
    seen: np.ndarray
    """(S, S) uint8 in 1/255: how much the look counts."""

    @classmethod
    def of(cls, crop: FaceCrop, background: np.ndarray, photo_size: tuple[int, int]) -> Ground:
        """Of a look at a face with nothing left out: background (S, S) uint8, its probability in 1/255."""
        fade = fade_at_borders(crop, photo_size, LOOK_FADE)
        # A body counts earlier than the background does: at the border of its own look it is none either.
        free = 255 - np.minimum(2 * fade, 1) * (255 - background.astype(np.float32))
        return cls(crop, np.rint(free).astype(np.uint8), np.rint(255 * fade).astype(np.uint8))


@dataclass(frozen=True)
class Backdrop:
    """The background as far as the chosen faces' looks reach; other people in front of it are no part of it."""

    chosen: tuple[Ground, ...] = ()
    beside: tuple[Ground, ...] = ()
    """Of the other faces: they take away from the background and show no more of it."""

    def levels(self, box: Box, photo_size: tuple[int, int]) -> np.ndarray:
        """(h, w) uint8 in 1/255: how likely each pixel of a box of the photo is background, 0 where no look reaches."""
        size = box[3] - box[1], box[2] - box[0]
        reached, free = np.zeros(size, np.uint8), np.full(size, 255, np.uint8)
        for ground in (*self.chosen, *self.beside):
            common = intersection(ground.crop.box(photo_size), box)
            if common is None:
                continue
            here = cut(within(box, common))
            own = ground.crop.to_box(ground.free, common, fill=255, amounts=True)
            opencv().multiply(free[here], own, free[here], scale=1 / 255)
            if ground in self.chosen:
                np.maximum(reached[here], ground.crop.to_box(ground.seen, common, amounts=True), out=reached[here])
        background: np.ndarray = opencv().multiply(free, reached, free, scale=1 / 255)
        return background

    def unseen(self, photo_size: tuple[int, int]) -> float:
        """The share, 0..1, of the photo that no look at a chosen face reaches, from places spread evenly."""
        width, height = photo_size
        stride = max(1, round((width * height / _POINTS) ** 0.5))
        rows, columns = np.mgrid[0:height:stride, 0:width:stride]
        points = np.stack([columns.ravel(), rows.ravel()], axis=1) + 0.5
        known = np.zeros(len(points), bool)
        for ground in self.chosen:
            x, y = np.floor(transform(inverse(ground.crop.matrix), points)).astype(int).T
            inside = np.flatnonzero((x >= 0) & (x < ground.crop.size) & (y >= 0) & (y < ground.crop.size))
            known[inside] |= ground.seen[y[inside], x[inside]] > 127
        return 1 - float(known.mean())
