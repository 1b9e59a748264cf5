"""Which pieces of attire somebody wears: the map also calls a socket in deep shadow so, or a mark on the forehead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from npe_core.canvas.boxes import Box, box_of, cut, moved_by, pad
from npe_core.canvas.connected import label_pieces
from npe_core.canvas.morphology import dilate
from npe_core.opencv import opencv
from npe_core.regions import region_by_name

_FACE = np.array([region_by_name(name).id for name in ("skin", "brows", "eyes", "nose")])
_SKIN, _EARS, _EYES = (region_by_name(name).id for name in ("skin", "ears", "eyes"))

_LARGEST = 0.015
"""Of the face's square: what is larger is worn, as a visor."""
_ENCLOSED = 0.85
"""The share of what lies around a piece that is the face's middle, from which on it lies in it."""
_ALIKE = 2.0
"""The ratio of two pieces' areas up to which they can be a pair of lenses."""


@dataclass(frozen=True)
class _Piece:
    label: int
    box: Box
    area: int
    face: int


def take_away_not_worn(ids: np.ndarray, attire: np.ndarray, face_of: Callable[[Box], tuple[int, float]]) -> None:
    """Takes small pieces within a face from ``attire`` (H, W) bool, in place, but for those that are glasses.

    ids (H, W) uint8; ``face_of`` tells the number of the face that a box belongs to, and its side in pixels. Glasses
    come in pairs, reach both eyes or an ear.
    """
    faces = box_of(ids == _SKIN)
    if faces is None:
        return
    ids, attire = ids[cut(faces)], attire[cut(faces)]
    found = opencv().connectedComponentsWithStats(np.ascontiguousarray(attire).view(np.uint8), connectivity=8)
    count, labels, stats, _ = found
    within = []
    for label in range(1, count):
        x, y, width, height, area = stats[label].tolist()
        box = (x, y, x + width, y + height)
        number, side = face_of(moved_by(faces, box))
        if area <= _LARGEST * side**2 and _is_within(ids, labels, label, box, max(2, round(side / 128))):
            within.append(_Piece(label, box, area, number))
    for piece in within:
        if not any(_are_pair(piece, other) for other in within):
            attire[cut(piece.box)] &= labels[cut(piece.box)] != piece.label


def _is_within(ids: np.ndarray, labels: np.ndarray, label: int, box: Box, width: int) -> bool:
    """Whether a piece lies in the middle of a face, at one eye at most; ``width`` of what is looked at around it."""
    if box[0] == 0 or box[1] == 0 or box[2] == ids.shape[1] or box[3] == ids.shape[0]:
        return False  # it goes on beyond the faces
    there = cut(pad(box, width + 1, ids.shape))
    piece = labels[there] == label
    beside = (dilate(piece.view(np.uint8), width) > 0) & ~piece
    around = ids[there][beside]
    if not around.size or (around == _EARS).any() or np.isin(around, _FACE).mean() < _ENCLOSED:
        return False
    eyes, _ = label_pieces(ids[there] == _EYES)
    return np.unique(eyes[beside & (eyes > 0)]).size < 2


def _are_pair(piece: _Piece, other: _Piece) -> bool:
    """Whether two pieces of one face are alike and lie beside each other."""
    apart = max(piece.box[0], other.box[0]) >= min(piece.box[2], other.box[2])
    level = max(piece.box[1], other.box[1]) < min(piece.box[3], other.box[3])
    alike = max(piece.area, other.area) <= _ALIKE * min(piece.area, other.area)
    return piece.face == other.face and apart and level and alike
