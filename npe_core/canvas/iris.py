"""Where the irises are inside the eyes: who asks for green eyes does not want the white to be green."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np

from npe_core.canvas.boxes import Box, box_of, cut
from npe_core.canvas.brush import coverage
from npe_core.canvas.connected import label_pieces
from npe_core.canvas.morphology import dilate, smoothstep
from npe_core.opencv import opencv

_LEAST_WIDTH = 8
"""Pixels an eye must be wide for its iris to be looked for."""

_LEAST_CONTRAST = 0.06
"""How much darker than the rest of the eye an iris is at least, in [0, 1] of grey."""

_DARK = 0.22
"""Grey, in [0, 1], of an iris that is hardly lighter than its pupil."""

_GRAIN = 0.1
"""Radii of an iris, the standard deviation by which it is smoothed to tell its pupil: without, it is full of specks."""

_SHADE = 0.4
"""Radii down from the upper lid, as far as its shadow falls."""
_SHADED = 0.4
"""The share that is covered right under the lid: the rest is the photo's own, and dark."""

Disc: TypeAlias = tuple[float, float, float]
"""x, y and radius in pixels of the eye's box."""

# An iris is 11.7 mm wide, the opening between the lids about 28 to 30 mm; masks of eyes take some lid along.
_RADII = np.array([0.16, 0.19, 0.22, 0.25])
"""Radii that are tried, in shares of the diagonal of the eye's box: it is as long however the head is tilted."""

IRIS = 0.0235
"""Radius of an iris in sides of a face's crop, in which the eyes lie a quarter apart: 5.85 of 62 mm."""
_SMALL = 0.82
"""An eye whose iris could have at most so much of the radius that it must have was not seen whole."""
_AROUND = 0.75
"""So many radii around what was seen of it such an eye is looked for."""
_LIDS = 0.65, 0.9
"""So many radii above and below the middle of its iris its lids are."""
_ABOUT = np.array([0.75, 0.85, 0.95, 1.05])
"""Radii that are tried then, in shares of the one that it must have; of eyes seen whole none beyond them."""


def find_irises(image: np.ndarray, eyes: np.ndarray, radius: float = 0.0) -> np.ndarray:
    """(h, w) uint8 soft mask, in 1/255, of the irises in ``eyes`` (h, w) bool; all 0 where none can be made out.

    image: (h, w, 3) uint8. In each eye that is wide enough the disc is taken that is darkest against the rest, without
    pupil and reflections. ``radius``: what an iris of this face has in pixels, 0 where nobody knows; an eye too small
    for it was seen in part only, as behind glasses, and is looked at with what lies around.
    """
    grey = image.astype(np.float32).mean(axis=-1) / 255
    labels, count = label_pieces(eyes)
    result = np.zeros(eyes.shape, np.uint8)
    for number in range(1, count + 1):
        eye = labels == number
        box = box_of(eye)
        if box is None or box[2] - box[0] < _LEAST_WIDTH:
            continue
        radii, middle = _likely_radii(box, radius), None
        if room_for(box, radius):
            seen, eye = box, dilate(eye.astype(np.uint8), _AROUND * radius) > 0
            box, radii = box_of(eye) or box, _ABOUT * radius
            middle = seen[0] - box[0], seen[1] - box[1], seen[2] - box[0], seen[3] - box[1]
        found = _darkest_disc(grey[cut(box)], eye[cut(box)], radii, middle)
        if found is not None:
            opening = eye[cut(box)].astype(np.float32)
            if middle is not None:
                opening *= _between_lids(box, found)
            shown = opening * _out_of_the_shade(opening > 0, found[2]) * _coloured_part(grey[cut(box)], found)
            iris = (_soft_disc(box, found) * shown).astype(np.uint8)
            result[cut(box)] = np.maximum(result[cut(box)], iris)
    return result


def room_for(eye: Box, radius: float) -> int:
    """How many pixels around an eye belong to it; 0 where its box is large enough for an iris of ``radius``."""
    return math.ceil(radius) if _RADII[-1] * _diagonal(eye) < _SMALL * radius else 0


def _diagonal(box: Box) -> float:
    return math.hypot(box[2] - box[0], box[3] - box[1])


def _likely_radii(eye: Box, radius: float) -> np.ndarray:
    """(4,) pixels: those that the iris of a whole eye may have, in a face whose irises have about ``radius``."""
    radii, about = _RADII * _diagonal(eye), _ABOUT * radius
    # An eye too large for an iris of this face is not one of this face.
    return np.clip(radii, about[0], about[-1]) if radii[0] <= about[-1] else radii


def _soft_disc(box: Box, disc: Disc) -> np.ndarray:
    x, y, radius = disc
    return coverage((0, 0, box[2] - box[0], box[3] - box[1]), (x, y), (x, y), radius + 0.5, hardness=0.8)


def _between_lids(box: Box, disc: Disc) -> np.ndarray:
    """(h, w) float32 in [0, 1]: the opening around an iris, for an eye whose own was not seen."""
    x, y, radius = disc
    rows, columns = np.ogrid[: box[3] - box[1], : box[2] - box[0]]
    lids = radius * np.where(rows + 0.5 < y, *_LIDS)
    lids = lids * np.sqrt(np.clip(1 - ((columns + 0.5 - x) / (2.4 * radius)) ** 2, 0, 1))
    return 1 - smoothstep((abs(rows + 0.5 - y) - lids + 1) / 2)


def _out_of_the_shade(opening: np.ndarray, radius: float) -> np.ndarray:
    """(h, w) float32: least right under the upper edge of an opening (h, w) bool, where the lid casts its shadow."""
    below = np.arange(len(opening))[:, None] + 0.5 - opening.argmax(axis=0)
    return np.float32(_SHADED) + np.float32(1 - _SHADED) * smoothstep(below / (_SHADE * radius))


def _coloured_part(grey: np.ndarray, disc: Disc) -> np.ndarray:
    """(h, w) float32: 0 in the pupil and in the light's reflection, which no coloured lens would cover, 1 elsewhere.

    The pupil is what is clearly darker than the iris; in a dark eye, where the two look alike, the middle of the disc.
    """
    x, y, radius = disc
    rows, columns = np.ogrid[: grey.shape[0], : grey.shape[1]]
    distance = np.hypot(columns + 0.5 - x, rows + 0.5 - y) / radius
    ring = grey[(distance > 0.5) & (distance < 0.85)]
    if not ring.size:
        return np.ones_like(grey)
    iris = float(np.median(ring))
    kept = 1 - smoothstep((grey - (iris + 0.2)) / 0.15)
    if iris < _DARK:
        return kept * smoothstep((distance - 0.3) / 0.12)
    calm = opencv().GaussianBlur(np.minimum(grey, iris), (0, 0), _GRAIN * radius)
    darker = 1 - smoothstep((calm - 0.55 * iris) / (0.2 * iris))
    return kept * (1 - darker * (1 - smoothstep((distance - 0.55) / 0.15)))


def _darkest_disc(grey: np.ndarray, eye: np.ndarray, radii: np.ndarray, middle: Box | None = None) -> Disc | None:
    """The disc of one of these radii that is darkest against the rest of the eye, None if none stands out.

    Its middle lies in the box ``middle``, else where all of it is between the corners of the eye.
    """
    height, width = eye.shape
    step = max(1.0, width / 40)
    best, found = _LEAST_CONTRAST, None
    y, x = np.nonzero(eye)
    value, usual = grey[y, x], float(np.median(radii))
    for radius in radii:
        left, top, right, bottom = middle or (radius, height * 0.25, width - radius, height * 0.75)
        cx = np.arange(left, right + 0.01, step)[:, None]
        for cy in np.arange(top, bottom + 0.01, step):
            inside = (x + 0.5 - cx) ** 2 + (y + 0.5 - cy) ** 2 <= radius * radius  # (candidates, pixels)
            n = inside.sum(axis=1)
            rest = np.maximum(value.size - n, 1)
            total = inside @ value
            contrast = (value.sum() - total) / rest - total / np.maximum(n, 1)
            # Of discs of like contrast the larger one, and the one that is more inside the eye, is the iris.
            score = contrast * np.sqrt(n / (math.pi * radius * radius)) * math.sqrt(radius / usual)
            k = int(score.argmax())
            if score[k] > best:
                best, found = float(score[k]), (float(cx[k, 0]), float(cy), float(radius))
    return found
