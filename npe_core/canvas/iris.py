"""Where the irises are inside the eyes: who asks for green eyes does not want the white to be green."""

from __future__ import annotations

import math

import numpy as np

from npe_core.canvas.boxes import box_of, cut
from npe_core.canvas.brush import coverage
from npe_core.canvas.connected import label_pieces

_LEAST_WIDTH = 8
"""Pixels an eye must be wide for its iris to be looked for."""

_LEAST_CONTRAST = 0.06
"""How much darker than the rest of the eye an iris is at least, in [0, 1] of grey."""

# An iris is 11.7 mm wide, the opening between the lids about 28 to 30 mm; masks of eyes take some lid along.
_RADII = np.array([0.17, 0.2, 0.23, 0.26])


def find_irises(image: np.ndarray, eyes: np.ndarray) -> np.ndarray:
    """(h, w) uint8 soft mask, in 1/255, of the irises in ``eyes`` (h, w) bool; all 0 where none can be made out.

    image: (h, w, 3) uint8. In each eye that is wide enough the disc is taken that is darkest against the rest.
    """
    grey = image.astype(np.float32).mean(axis=-1) / 255
    labels, count = label_pieces(eyes)
    result = np.zeros(eyes.shape, np.uint8)
    for number in range(1, count + 1):
        eye = labels == number
        box = box_of(eye)
        if box is None or box[2] - box[0] < _LEAST_WIDTH:
            continue
        disc = _darkest_disc(grey[cut(box)], eye[cut(box)])
        if disc is not None:
            result[cut(box)] = np.maximum(result[cut(box)], disc * eye[cut(box)])
    return result


def _darkest_disc(grey: np.ndarray, eye: np.ndarray) -> np.ndarray | None:
    """(h, w) uint8: the soft disc whose inside is darkest against the rest of the eye, None if none stands out."""
    height, width = eye.shape
    step = max(1.0, width / 40)
    best, found = _LEAST_CONTRAST, None
    y, x = np.nonzero(eye)
    value = grey[y, x]
    for radius in _RADII * width:
        cx = np.arange(radius, width - radius + 0.01, step)[:, None]
        for cy in np.arange(height * 0.25, height * 0.75 + 0.01, step):
            inside = (x + 0.5 - cx) ** 2 + (y + 0.5 - cy) ** 2 <= radius * radius  # (candidates, pixels)
            n = inside.sum(axis=1)
            rest = np.maximum(value.size - n, 1)
            total = inside @ value
            contrast = (value.sum() - total) / rest - total / np.maximum(n, 1)
            # Of discs of like contrast the larger one, and the one that is more inside the eye, is the iris.
            score = contrast * np.sqrt(n / (math.pi * radius * radius)) * math.sqrt(radius / width / 0.2)
            k = int(score.argmax())
            if score[k] > best:
                best, found = float(score[k]), (float(cx[k, 0]), float(cy), float(radius))
    if found is None:
        return None
    centre = (found[0], found[1])
    return coverage((0, 0, width, height), centre, centre, found[2] + 0.5, hardness=0.8)
