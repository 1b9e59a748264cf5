"""A face as found in a photo, and which of the faces are meant."""

from __future__ import annotations

from dataclasses import dataclass
from operator import index

import numpy as np

from npe_core.errors import InputError, UsageError


@dataclass(frozen=True, eq=False)
class Face:
    """One face in photo coordinates (pixels; the centre of the top left pixel is (0.5, 0.5))."""

    box: tuple[float, float, float, float]
    """(x0, y0, x1, y1) around the face from brow to chin; may reach beyond the photo's border."""

    landmarks: np.ndarray
    """(5, 2) float64, x and y of: right eye, left eye, nose tip, right and left mouth corner. Right and left are the
    person's own: in an upright, not mirrored photo the right eye is the one on the left of the picture."""

    score: float
    """The detector's confidence, 0 to 1, when it saw the face upright; a clear face has 0.9 or more."""

    @property
    def width(self) -> float:
        """Width of the box in photo pixels."""
        return self.box[2] - self.box[0]

    @property
    def height(self) -> float:
        """Height of the box in photo pixels."""
        return self.box[3] - self.box[1]


def left_to_right(faces: list[Face]) -> list[Face]:
    """The order in which faces are listed and numbered: by the middle of the box, from the left, then from the top."""
    return sorted(faces, key=lambda face: (face.box[0] + face.box[2], face.box[1] + face.box[3]))


def choose_faces(faces: list[Face], which: str | int = "all") -> list[tuple[int, Face]]:
    """The faces meant by ``which``, each with its number (from 1, in the order of ``faces``).

    ``which`` is "all", "largest" (by the area of the box) or a number, also as text. Raises InputError when there is
    no face at all, UsageError when ``which`` means none of them.
    """
    if not faces:
        raise InputError(
            "No face was found in this photo. Mark head and hair with a box (--box X,Y,W,H),\n"
            'or say that the photo is a face crop already (--aligned; "aligned": true in the watch folder).'
        )
    numbered = list(enumerate(faces, start=1))
    if which == "all":
        return numbered
    if which == "largest":
        return [max(numbered, key=lambda entry: entry[1].width * entry[1].height)]
    try:
        if isinstance(which, bool):  # which would be face 1
            raise TypeError
        number = int(which) if isinstance(which, str) else index(which)
    except (TypeError, ValueError):
        raise UsageError(f"{which!r} names no face. Give all, largest or a number from 1 (--face).") from None
    if not 1 <= number <= len(faces):
        have = "There is 1 face" if len(faces) == 1 else f"There are {len(faces)} faces, counted from the left"
        raise UsageError(f"There is no face {number}. {have}; `npe faces PHOTO`, in a shell, shows which is which.")
    return [numbered[number - 1]]
