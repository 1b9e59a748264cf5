"""Find the faces of a photo, from about 24 pixels wide up to filling it, in a fraction of a second."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from npe_core.faces.face import Face, left_to_right
from npe_core.faces.landmarks import refine
from npe_core.faces.pyramid import Level, enlarged, reduced
from npe_core.faces.resample import transform, warp
from npe_core.faces.suppression import without_doubles
from npe_core.faces.yunet import detect_rows
from npe_core.parallel import each

_FINEST, _SIDES = 1280, (640, 320, 160)
"""Longest sides at which a photo is searched: YuNet sees faces of 10 to 300 pixels, best between 40 and 200. The first
search is at half the photo's size, where a face of 24 pixels has 12, but not below 640 nor above 1280."""

_SMALL = 32
"""A face narrower than this, in pixels of the finest level searched, says that its neighbours may have been missed."""

_TILE, _OVERLAP = 1280, 256
_TURNS = (30.0, -30.0, 90.0, -90.0, 180.0)
_CROWD = 8
"""With more faces than this landmarks are looked at less often, so that a crowd does not take seconds."""

_LEAST = 0.7
"""The score from which on the detector's find is worth a second look."""
_CONFIRMED = 0.08
"""By how much the score of a face must rise when it is seen upright and at the best size. Of 437 difficult faces none
had less than 0.81 then, where a cat had 0.48 and the parts of a motorcycle 0.71 to 0.84."""


def find_faces(image: np.ndarray) -> list[Face]:
    """The faces of an upright photo, LEFT TO RIGHT by the middle of their boxes; the same photo gives the same list.

    ``image`` is (H, W, 3) uint8 RGB of any size. The photo is searched at several sizes; in
    finer tiles only if nothing or only small faces were found; turned by 30, 90 and 180 degrees only if nothing was.
    Raises EnvironmentFault when the detector is not installed.
    """
    _check(image)
    levels = _levels(image)
    candidates = without_doubles(_search_upright(levels))
    if not candidates:
        candidates = without_doubles(_search_turned(_level_of(levels, 640)))
    candidates = _search_finer(levels[0], candidates)
    height, width = image.shape[:2]
    inside = [c for c in candidates if 0 <= c.centre[0] <= width and 0 <= c.centre[1] <= height]
    refined = each(lambda c: refine(levels, c.box, c.roll, thorough=len(inside) <= _CROWD), inside)
    faces = [Face(c.box, *result) for c, result in zip(inside, refined, strict=True) if result is not None]
    return left_to_right([face for face in faces if face.score >= _LEAST + _CONFIRMED])


@dataclass(frozen=True, eq=False)
class Candidate:
    """One detection in photo coordinates, and the turn in degrees at which the photo was searched."""

    box: tuple[float, float, float, float]
    score: float
    roll: float

    @property
    def centre(self) -> tuple[float, float]:
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2

    @property
    def width(self) -> float:
        return self.box[2] - self.box[0]


def require_detector() -> None:
    """Raises EnvironmentFault when the detector is not installed, before there is a photo to search."""
    detect_rows(np.zeros((64, 64, 3), np.uint8))


def _check(image: np.ndarray) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f"find_faces expects (H, W, 3) uint8 RGB, got {image.shape} {image.dtype}")


def _levels(image: np.ndarray) -> list[Level]:
    """The photo itself and its reductions, each made from the one before; a tiny photo is enlarged."""
    photo = Level(image, 1.0, 1.0)
    levels = [photo]
    half = min(_FINEST, -(-photo.longest // 2))
    for side in (half, *_SIDES) if half > _SIDES[0] else _SIDES:
        if side < photo.longest:
            levels.append(reduced(levels[-1], side))
        elif photo.longest < 320 and side <= 320:
            levels.append(enlarged(photo, side))
    return levels


def _level_of(levels: list[Level], side: int) -> Level:
    return min(levels, key=lambda level: abs(level.longest - side))


def _search_upright(levels: list[Level]) -> list[Candidate]:
    searched = levels[1:] if levels[0].longest > _SIDES[0] else levels
    return [c for level in searched for c in _candidates(level, np.eye(2, 3), detect_rows(level.image))]


def _search_turned(level: Level) -> list[Candidate]:
    height, width = level.image.shape[:2]
    side = int(np.ceil(np.hypot(width, height)))
    found: list[Candidate] = []
    for turn in _TURNS:
        cosine, sine = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        linear = np.array([[cosine, -sine], [sine, cosine]])
        to_level = np.column_stack([linear, np.array([width, height]) / 2 - linear @ [side / 2, side / 2]])
        turned = warp(level.image, to_level, side, side)
        found += _candidates(level, to_level, detect_rows(turned))
    return found


def _search_finer(photo: Level, found: list[Candidate]) -> list[Candidate]:
    """Doubles the resolution while that may bring faces, up to half the photo's: a 24 pixel face is 12 there."""
    side = _FINEST
    while side < photo.longest / 2 and (not found or min(c.width for c in found) * side / photo.longest < _SMALL):
        half = -(-photo.longest // 2)
        side = 2 * side if 3 * side < half else half
        level = reduced(photo, side)
        height, width = level.image.shape[:2]
        for top in range(0, max(1, height - _OVERLAP), _TILE - _OVERLAP):
            for left in range(0, max(1, width - _OVERLAP), _TILE - _OVERLAP):
                rows = detect_rows(level.image[top : top + _TILE, left : left + _TILE])
                found = found + _candidates(level, np.array([[1.0, 0, left], [0, 1, top]]), rows)
        found = without_doubles(found)
    return found


def _candidates(level: Level, to_level: np.ndarray, rows: np.ndarray) -> list[Candidate]:
    """Rows of the detector, seen through ``to_level`` (the searched picture's coordinates to the level's)."""
    roll = float(np.degrees(np.arctan2(to_level[1, 0], to_level[0, 0])))
    cosine, sine = abs(to_level[0, 0]), abs(to_level[1, 0])
    found = []
    for row in rows[rows[:, 14] >= _LEAST]:
        x, y = transform(to_level, row[:2] + row[2:4] / 2)
        # A face is an oval: half the width and height of the upright box around the turned oval.
        across = np.hypot(row[2] / 2 * cosine, row[3] / 2 * sine)
        down = np.hypot(row[2] / 2 * sine, row[3] / 2 * cosine)
        corners = level.to_photo(np.array([[x - across, y - down], [x + across, y + down]]))
        (x0, y0), (x1, y1) = corners.tolist()
        found.append(Candidate((x0, y0, x1, y1), float(row[14]), roll))
    return found
