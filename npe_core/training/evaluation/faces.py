"""Faces to edit, with their regions where somebody labelled them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from npe_core.canvas import Canvas
from npe_core.editor import Editor, FaceChoice
from npe_core.photo import Photo
from npe_core.training.reading import UNKNOWN, Choice, has_pairs, read_images, read_pairs

PAIR_SIZE = 256
"""Side at which labelled faces are read."""


@dataclass(frozen=True, eq=False)
class LabelledFace:
    """One aligned face."""

    image: np.ndarray
    """(S, S, 3) uint8"""
    ids: np.ndarray | None
    """(S, S) uint8 region ids, unknown pixels as background; None where nobody labelled them."""

    def canvas(self, editor: Editor) -> tuple[Photo, FaceChoice, Canvas]:
        """The face as a photo, the choice of it, and a canvas with its regions (the segmenter's without labels)."""
        photo = Photo.from_array(self.image)
        choice = editor.choose(photo, aligned=True)
        regions = self.ids if self.ids is not None else editor.segment(photo, choice)
        return photo, choice, Canvas(photo.image, regions)


def read_faces(path: Path, side: int, choice: Choice) -> list[LabelledFace]:
    """The chosen faces: labelled ones at 256 pixels, others at ``side``. Raises InputError."""
    if has_pairs(path):
        images, ids, _ = read_pairs(path, PAIR_SIZE, choice)
        labels = [np.where(one == UNKNOWN, np.uint8(0), one) for one in ids.numpy()]
        return [LabelledFace(image.permute(1, 2, 0).numpy(), one) for image, one in zip(images, labels, strict=True)]
    return [LabelledFace(image.permute(1, 2, 0).numpy(), None) for image in read_images(path, side, choice)]
