"""The model's guess of a face, put into the picture where it belongs."""

from __future__ import annotations

import time

import numpy as np

from npe_core.canvas import Canvas
from npe_core.canvas.boxes import box_of, cut, moved_by
from npe_core.faces import FaceCrop
from npe_tui.engine.messages import Patch

_SHARE = 0.25
"""Of the time of an edit that may go into showing it."""


class Guesses:
    """Turns the crops that the model works on into patches of the photo, as far as the mask goes.

    On a large photo not every guess is shown, so that looking does not slow the edit down.
    """

    def __init__(self, canvas: Canvas, crops: list[FaceCrop]) -> None:
        self._canvas = canvas
        self._crops = crops
        self._started = time.perf_counter()
        self._spent = 0.0

    def patches(self, images: np.ndarray) -> tuple[Patch, ...]:
        """(faces, S, S, 3) uint8 -> the marked part of each face; nothing if there is no time for it."""
        start = time.perf_counter()
        if self._spent > _SHARE * (start - self._started):
            return ()
        found = [self._patch(crop, image) for crop, image in zip(self._crops, images, strict=True)]
        self._spent += time.perf_counter() - start
        return tuple(patch for patch in found if patch is not None)

    def _patch(self, crop: FaceCrop, image: np.ndarray) -> Patch | None:
        height, width = self._canvas.size
        box = crop.box((width, height))
        marked = box_of(self._canvas.levels[cut(box)])
        if marked is None:
            return None
        place = moved_by(box, marked)
        guess = crop.resized(image.shape[0]).to_box(image.astype(np.float32), place)
        mask = self._canvas.mask_parts[cut(place)][..., None]
        mixed = self._canvas.guide[cut(place)] * (1 - mask) + guess * mask
        return Patch(place, np.rint(mixed).clip(0, 255).astype(np.uint8))
