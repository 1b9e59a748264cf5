"""Landmarks that do not depend on how large or how tilted the face is in the photo.

YuNet finds tilted faces but draws their landmarks nearly upright: it reports half of a tilt of 30 degrees, and nothing
of a face upside down. So a face is looked at again, at one size, turned upright by what was seen before, and the
landmarks of several such looks are averaged (their noise is that of the detector's grid).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from npe_core.faces.alignment import TEMPLATE, umeyama
from npe_core.faces.pyramid import Level
from npe_core.faces.resample import transform, warp_fast
from npe_core.faces.yunet import detect_rows

_SIDE = 192
_FACE = 88
"""Width of a face in a look of _SIDE pixels: above 90 or so the detector follows a tilt, below 60 it hardly does."""

_ASPECT = 0.75
"""Width by height of a usual face's box."""

_SURE = 0.9
"""Nine of ten upright faces score more than this, of those upside down fewer than one in fifty."""

_BETTER = 0.02
_GAIN = 1.4
"""Seen tilts are too small by this factor: 10 degrees for 15, 21 for 30."""

_VARIED = ((4.0, False, 0.95), (4.0, True, 1.05), (-4.0, False, 1.05), (-4.0, True, 0.95))
"""Turn in degrees, mirrored, zoom of the looks that are averaged: balanced, as the detector leans to one side."""

_MIRRORED = [1, 0, 2, 4, 3]


def refine(
    levels: list[Level], box: tuple[float, float, float, float], roll: float, thorough: bool
) -> tuple[np.ndarray, float] | None:
    """(5, 2) landmarks in photo coordinates of the face in ``box``, its score when seen upright; None if none is there.

    ``levels`` holds the photo at several sizes, ``roll`` is a first guess of the tilt in degrees (clockwise).
    """
    level = _level_for(levels, box)
    x0, y0, x1, y1 = level.from_photo(np.array(box).reshape(2, 2)).ravel()
    scale = math.sqrt((x1 - x0) * (y1 - y0) * _ASPECT) / _FACE
    view = _View(level.image, ((x0 + x1) / 2, (y0 + y1) / 2), scale)

    look = _upright(view, view.look(roll))
    if look is None or look.score < _SURE:
        look = _upright(view, _best_turn(view, roll, look))
    if look is None:
        return None
    varied = [view.look(look.roll + turn, mirrored, zoom) for turn, mirrored, zoom in _VARIED] if thorough else []
    seen = [one.landmarks for one in varied if one is not None] or [look.landmarks]
    return level.to_photo(np.mean(seen, axis=0)), look.score


@dataclass(frozen=True, eq=False)
class _Look:
    landmarks: np.ndarray
    score: float
    roll: float


@dataclass(frozen=True, eq=False)
class _View:
    """A face in one level: where its middle is, and how many pixels of the level are one pixel of a look."""

    image: np.ndarray
    middle: tuple[float, float]
    scale: float

    def look(self, roll: float, mirrored: bool = False, zoom: float = 1.0) -> _Look | None:
        """The detector's best face near the middle of the picture turned back by ``roll`` degrees."""
        scale, angle = self.scale / zoom, math.radians(roll)
        a, b = scale * math.cos(angle), scale * math.sin(angle)
        linear = np.array([[-a if mirrored else a, -b], [-b if mirrored else b, a]])
        to_level = np.column_stack([linear, self.middle - linear @ [_SIDE / 2, _SIDE / 2]])
        rows = detect_rows(warp_fast(self.image, to_level, _SIDE, _SIDE))
        distance = np.hypot(*(rows[:, :2] + rows[:, 2:4] / 2 - _SIDE / 2).T)
        rows = rows[distance < _FACE / 2]
        if not len(rows):
            return None
        row = rows[rows[:, 14].argmax()]
        landmarks = transform(to_level, row[4:14].reshape(5, 2))
        return _Look(landmarks[_MIRRORED] if mirrored else landmarks, float(row[14]), roll)


def _level_for(levels: list[Level], box: tuple[float, float, float, float]) -> Level:
    """The smallest level that shows the face in no less detail than a look does; the photo itself if none does."""
    width = box[2] - box[0]
    enough = [level for level in levels if width * level.x_scale >= _FACE and level.x_scale <= 1]
    return min(enough, key=lambda level: level.longest, default=levels[0])


def _upright(view: _View, look: _Look | None) -> _Look | None:
    """Look again, turned by the tilt that was seen, until hardly any is left."""
    for _ in range(4):
        if look is None or abs(rest := math.remainder(_tilt(look.landmarks) - look.roll, 360)) < 1.5:
            break
        look = view.look(look.roll + _GAIN * rest) or look
    return look


def _best_turn(view: _View, roll: float, first: _Look | None) -> _Look | None:
    """The look with the best score of eight turns; another than the first only if it is clearly better."""
    best, to_beat = first, -1.0 if first is None else first.score + _BETTER
    for turn in (45, -45, 90, -90, 135, -135, 180):
        look = view.look(roll + turn)
        if look is not None and look.score > to_beat:
            best, to_beat = look, look.score
    return best


def _tilt(landmarks: np.ndarray) -> float:
    matrix = umeyama(TEMPLATE, landmarks)
    return math.degrees(math.atan2(matrix[1, 0], matrix[0, 0]))
