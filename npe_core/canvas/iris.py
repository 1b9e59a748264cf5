"""Where the irises are inside the eyes: who asks for green eyes does not want the white to be green."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

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

_RIM = (0.65, 0.95)
"""Radii from which on an iris darkens towards the white, and where it is darkest."""
_RIMMED = 0.75
"""The share that is covered there: the rest is the photo's own rim, without which a new colour is a disc of paint."""


class Disc(NamedTuple):
    """In pixels along the axes of the face."""

    across: float
    down: float
    radius: float


@dataclass(frozen=True)
class Axes:
    """Where the pixels of a box lie along the axes of a face that is ``turn`` radians from upright, clockwise.

    Both count from the box's upper left corner: what is found in a turned photo is what is found in the upright one.
    """

    turn: float
    across: np.ndarray
    """(h, w): of the middle of each pixel, along the line of the eyes."""
    down: np.ndarray
    """(h, w): towards the chin."""

    @classmethod
    def of(cls, box: Box, turn: float) -> Axes:
        y, x = np.ogrid[0.5 : box[3] - box[1], 0.5 : box[2] - box[0]]
        return cls(turn, math.cos(turn) * x + math.sin(turn) * y, math.cos(turn) * y - math.sin(turn) * x)

    def reach(self, where: np.ndarray) -> tuple[float, float, float, float]:
        """From where to where (h, w) bool goes: left and upper, right and lower end."""
        across, down = self.across[where], self.down[where]
        return across.min() - 0.5, down.min() - 0.5, across.max() + 0.5, down.max() + 0.5

    def point(self, disc: Disc) -> tuple[float, float]:
        """(x, y) of its middle in the box."""
        cos, sin = math.cos(self.turn), math.sin(self.turn)
        return cos * disc.across - sin * disc.down, sin * disc.across + cos * disc.down

    def distance(self, disc: Disc) -> np.ndarray:
        """(h, w): of each pixel from its middle."""
        return np.hypot(self.across - disc.across, self.down - disc.down)


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
_UNSURE = 0.2
"""So many radii above and below that they may be as well."""
_ABOUT = np.array([0.75, 0.85, 0.95, 1.05])
"""Radii that are tried then, in shares of the one that it must have; of eyes seen whole none beyond them."""


def find_irises(image: np.ndarray, eyes: np.ndarray, radius: float = 0.0, turn: float = 0.0) -> np.ndarray:
    """(h, w) uint8 soft mask, in 1/255, of the irises in ``eyes`` (h, w) bool; all 0 where none can be made out.

    image: (h, w, 3) uint8. In each eye that is wide enough the disc is taken that is darkest against the rest, without
    pupil and reflections. ``radius``: what an iris of this face has in pixels, 0 where nobody knows; an eye too small
    for it was seen in part only, as behind glasses, and is looked at with what lies around. ``turn``: by how many
    radians the face lies turned, clockwise.
    """
    grey = image.astype(np.float32).mean(axis=-1) / 255
    labels, count = label_pieces(eyes)
    result = np.zeros(eyes.shape, np.uint8)
    for number in range(1, count + 1):
        seen = labels == number
        box = box_of(seen)
        if box is None:
            continue
        radii, eye, in_part = _likely_radii(box, radius), seen, room_for(box, radius) > 0
        if in_part:
            eye, radii = dilate(seen.astype(np.uint8), _AROUND * radius) > 0, _ABOUT * radius
            box = box_of(eye) or box
        axes, seen, eye = Axes.of(box, turn), seen[cut(box)], eye[cut(box)]
        left, _, right, _ = ends = axes.reach(seen)
        if right - left < _LEAST_WIDTH:
            continue
        found = _darkest_disc(grey[cut(box)], eye, axes, radii, ends if in_part else None)
        if found is not None:
            opening = eye.astype(np.float32)
            if in_part:
                opening *= _between_lids(axes, found)
            shown = opening * _out_of_the_shade(opening > 0, axes, found.radius)
            shown *= _within_the_rim(axes, found) * _coloured_part(grey[cut(box)], axes, found)
            iris = (_soft_disc(box, axes, found) * shown).astype(np.uint8)
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


def _soft_disc(box: Box, axes: Axes, disc: Disc) -> np.ndarray:
    middle = axes.point(disc)
    return coverage((0, 0, box[2] - box[0], box[3] - box[1]), middle, middle, disc.radius + 0.5, hardness=0.8)


def _between_lids(axes: Axes, disc: Disc) -> np.ndarray:
    """(h, w) float64 in [0, 1]: the opening around an iris, for an eye whose own was not seen."""
    across, down = axes.across - disc.across, axes.down - disc.down
    lids = disc.radius * np.where(down < 0, *_LIDS)
    lids = lids * np.sqrt(np.clip(1 - (across / (2.4 * disc.radius)) ** 2, 0, 1))
    unsure = max(1.0, _UNSURE * disc.radius)
    return 1 - smoothstep((abs(down) - lids + unsure) / (2 * unsure))


def _out_of_the_shade(opening: np.ndarray, axes: Axes, radius: float) -> np.ndarray:
    """(h, w) float64: least right under the upper edge of an opening (h, w) bool, where the lid casts its shadow."""
    across, down = axes.across[opening], axes.down[opening]
    first = across.min() - 0.5
    columns, place = np.unique((across - first).astype(int), return_inverse=True)
    upper = np.full(columns.size, np.inf)
    np.minimum.at(upper, place, down - 0.5)
    below = axes.down - np.interp(axes.across, first + columns + 0.5, upper)
    return _SHADED + (1 - _SHADED) * smoothstep(below / (_SHADE * radius))


def _within_the_rim(axes: Axes, disc: Disc) -> np.ndarray:
    """(h, w) float64: 1 in the middle of an iris, less towards its rim."""
    out = (axes.distance(disc) / disc.radius - _RIM[0]) / (_RIM[1] - _RIM[0])
    return 1 - (1 - _RIMMED) * smoothstep(out)


def _coloured_part(grey: np.ndarray, axes: Axes, disc: Disc) -> np.ndarray:
    """(h, w) float32: 0 in the pupil and in the light's reflection, which no coloured lens would cover, 1 elsewhere.

    The pupil is what is clearly darker than the iris; in a dark eye, where the two look alike, the middle of the disc.
    """
    distance = axes.distance(disc) / disc.radius
    ring = grey[(distance > 0.5) & (distance < 0.85)]
    if not ring.size:
        return np.ones_like(grey)
    iris = float(np.median(ring))
    kept = 1 - smoothstep((grey - (iris + 0.2)) / 0.15)
    if iris < _DARK:
        return kept * smoothstep((distance - 0.3) / 0.12)
    calm = opencv().GaussianBlur(np.minimum(grey, iris), (0, 0), _GRAIN * disc.radius)
    darker = 1 - smoothstep((calm - 0.55 * iris) / (0.2 * iris))
    return kept * (1 - darker * (1 - smoothstep((distance - 0.55) / 0.15)))


def _darkest_disc(
    grey: np.ndarray,
    eye: np.ndarray,
    axes: Axes,
    radii: np.ndarray,
    middle: tuple[float, float, float, float] | None = None,
) -> Disc | None:
    """The disc of one of these radii that is darkest against the rest of the eye, None if none stands out.

    Its middle lies between the ends ``middle``, else where all of it is between the corners of the eye.
    """
    left, top, right, bottom = axes.reach(eye)
    step, quarter = max(1.0, (right - left) / 40), (bottom - top) / 4
    best, found = _LEAST_CONTRAST, None
    across, down = axes.across[eye], axes.down[eye]
    value, usual = grey[eye], float(np.median(radii))
    for radius in radii:
        x0, y0, x1, y1 = middle or (left + radius, top + quarter, right - radius, bottom - quarter)
        x = _spaced(x0, x1, step)[:, None]
        for y in _spaced(y0, y1, step) if x.size else ():  # in a narrow eye there is no room for the larger ones
            inside = (across - x) ** 2 + (down - y) ** 2 <= radius * radius  # (candidates, pixels)
            n = inside.sum(axis=1)
            rest = np.maximum(value.size - n, 1)
            total = inside @ value
            contrast = (value.sum() - total) / rest - total / np.maximum(n, 1)
            # Of discs of like contrast the larger one, and the one that is more inside the eye, is the iris.
            score = contrast * np.sqrt(n / (math.pi * radius * radius)) * math.sqrt(radius / usual)
            k = int(score.argmax())
            if score[k] > best:
                best, found = float(score[k]), Disc(float(x[k, 0]), float(y), float(radius))
    return found


def _spaced(start: float, stop: float, step: float) -> np.ndarray:
    """Places a step apart, as many as lie between two ends, as far from the one as from the other; none if they cross.

    So a mirrored eye is looked at in the same places.
    """
    count = math.floor((stop - start + 0.01) / step) + 1
    return (start + stop) / 2 + (np.arange(count) - (count - 1) / 2) * step
