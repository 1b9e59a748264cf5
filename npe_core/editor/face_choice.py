"""Which faces of a photo an edit is for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from npe_core.canvas.boxes import block_sums, side_of_blocks
from npe_core.editor.framing import distance_to
from npe_core.editor.marks import marks_around
from npe_core.faces import FaceCrop

MARK_PLACES = 2**18
"""At so many places of a photo its marks are looked at."""
_STRAY = 0.02
"""Share of the marks under which they do not mean the face that they are nearest to."""


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
