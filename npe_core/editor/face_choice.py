"""Which faces of a photo an edit is for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from npe_core.canvas.boxes import block_sums, side_of_blocks
from npe_core.editor.framing import CROP, distance_to
from npe_core.editor.marks import marks_around
from npe_core.errors import UsageError
from npe_core.faces import FaceCrop

MARK_PLACES = 2**18
"""At so many places of a photo its marks are looked at."""
_STRAY = 0.02
"""Share of the marks under which they do not mean the face that they are nearest to."""
_LEAST_HEAD = 8
"""Pixels of the longer side of a box around a head."""


@dataclass(frozen=True)
class FaceChoice:
    """The faces that are meant, and those that are not."""

    crops: tuple[FaceCrop, ...]
    others: tuple[FaceCrop, ...] = ()
    """The other faces of the photo: what is nearer to them belongs to them."""
    numbers: tuple[int, ...] = ()
    """Of the chosen faces, from 1, left to right; empty where the place was named and no faces were looked for."""

    by_marks: bool = False
    """Whether nobody named the faces, and what is marked chose them."""

    def where_marked(self, mask: np.ndarray) -> FaceChoice:
        """Of all these faces those that the marks of a mask (H, W) are nearest to; the same ones where it has none."""
        everyone = self._everyone()
        if len(everyone) < 2 or not mask.any():
            return self
        side = side_of_blocks(mask.size, MARK_PLACES)
        rows, columns = np.nonzero(block_sums(mask, side))
        x, y = (columns + 0.5) * side, (rows + 0.5) * side
        nearest = np.argmin([distance_to(crop, x, y) for crop in everyone.values()], axis=0)
        marks = np.bincount(nearest, minlength=len(everyone))
        meant = {number for number, own in zip(everyone, marks, strict=True) if own >= _STRAY * len(rows)}
        return FaceChoice(
            tuple(crop for number, crop in everyone.items() if number in meant),
            tuple(crop for number, crop in everyone.items() if number not in meant),
            tuple(sorted(meant)),
            by_marks=True,
        )

    def reached_by(self, mask: np.ndarray) -> FaceChoice:
        """Without the faces on which, and around which, nothing of a mask (H, W) lies; all of them if it is none's."""
        crops = self.crops
        if len(crops) < 2:
            return self

        def is_marked(number: int) -> bool:
            x0, y0, x1, y1 = crops[number].box((mask.shape[1], mask.shape[0]))
            return bool(mask[y0:y1, x0:x1].any()) or len(marks_around(number, crops, mask).points) > 0

        meant = [number for number in range(len(crops)) if is_marked(number)]
        if len(meant) in (0, len(crops)):
            return self
        return replace(
            self,
            crops=tuple(crops[number] for number in meant),
            others=(*self.others, *(crop for number, crop in enumerate(crops) if number not in meant)),
            numbers=tuple(self.numbers[number] for number in meant if self.numbers),
        )

    def _everyone(self) -> dict[int, FaceCrop]:
        """All faces of the photo by their numbers, where they have some."""
        others = (number for number in count(1) if number not in self.numbers)
        numbered = [*zip(self.numbers, self.crops, strict=False), *zip(others, self.others, strict=False)]
        return dict(sorted(numbered, key=lambda one: one[0]))

    def notes(self, face: str | int, how: str, done: str = "edited") -> list[str]:
        """For who asked for the largest ``face`` of several: which one was ``done``, and ``how`` others are chosen."""
        if face != "largest" or not self.others or self.by_marks:
            return []
        found = len(self.crops) + len(self.others)
        return [f"{found} faces found; {done} face {self.numbers[0]} (the largest). {how} chooses others"]


def around(box: Iterable[float], photo_size: tuple[int, int]) -> FaceCrop:
    """The square around a head in a photo of that size, (width, height); ``box`` is (x0, y0, x1, y1) in its pixels.

    Raises UsageError for what is no box there, or none that a head has room in.
    """
    what_to_do = "Give a box around head and hair, in pixels of the photo."
    try:
        x0, y0, x1, y1 = (float(value) for value in box)
    except (TypeError, ValueError):
        raise UsageError(f"A box is four numbers x0, y0, x1, y1, not {box!r}. {what_to_do}") from None
    crop = FaceCrop.from_box((x0, y0, x1, y1), size=CROP)
    width, height = photo_size
    if x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
        place = f"{x1 - x0:g}x{y1 - y0:g} pixels from ({x0:g}, {y0:g}),"
        raise UsageError(f"The box, {place} lies outside the photo, which has {width}x{height} pixels. {what_to_do}")
    if max(x1 - x0, y1 - y0) < _LEAST_HEAD:
        side = f"{x1 - x0:g}x{y1 - y0:g}"
        raise UsageError(f"A box of {side} pixels is too small for a head, under {_LEAST_HEAD}. {what_to_do}")
    return crop
