"""Which pieces of attire are meant: no glasses beside clothes, no socket in deep shadow, no mark on the forehead."""

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
_SKIN, _EARS, _EYES, _NOSE = (region_by_name(name).id for name in ("skin", "ears", "eyes", "nose"))

_LARGEST = 0.015
"""Of the face's square: what is larger is worn, as a visor."""
_HIGHEST = 0.25
"""Of the face's side: what is higher is no glasses but a mask, or a collar."""
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
    side: float

    @property
    def small(self) -> bool:
        return self.area <= _LARGEST * self.side**2


def take_away_not_worn(ids: np.ndarray, attire: np.ndarray, face_of: Callable[[Box], tuple[int, float]]) -> None:
    """Takes small pieces within a face from ``attire`` (H, W) bool, in place, and glasses where clothes are worn.

    ids (H, W) uint8; ``face_of`` tells the number of the face that a box belongs to, and its side in pixels. The map
    has no glass: who makes a jacket red does not ask for red lenses. Of what lies within a face only glasses stay,
    which come in pairs, reach both eyes or an ear; and not these, where more than ``_LARGEST`` of a face is clothes.
    """
    faces = box_of(ids == _SKIN)
    if faces is None:
        return
    faces = pad(faces, (faces[2] - faces[0]) // 8, ids.shape)  # temples reach over ears and hair
    everywhere = np.count_nonzero(attire)
    ids, attire = ids[cut(faces)], attire[cut(faces)]
    found = opencv().connectedComponentsWithStats(np.ascontiguousarray(attire).view(np.uint8), connectivity=8)
    count, labels, stats, _ = found
    pieces, within = [], []
    for label in range(1, count):
        x, y, width, height, area = stats[label].tolist()
        box = (x, y, x + width, y + height)
        piece = _Piece(label, box, area, *face_of(moved_by(faces, box)))
        pieces.append(piece)
        if piece.small and _is_within(ids, labels, piece):
            within.append(piece)
    strange = [piece for piece in within if not any(_are_pair(piece, other) for other in within)]
    worn = [piece for piece in pieces if piece not in strange]
    lenses = [piece for piece in worn if piece in within or _is_before_eyes(ids, labels, piece)]
    glasses = [
        piece for piece in worn if piece in lenses or (piece.small and any(_are_level(piece, x) for x in lenses))
    ]
    other = everywhere - sum(piece.area for piece in (*strange, *glasses))
    for piece in (*strange, *(piece for piece in glasses if other > _LARGEST * piece.side**2)):
        attire[cut(piece.box)] &= labels[cut(piece.box)] != piece.label


def _around(ids: np.ndarray, labels: np.ndarray, piece: _Piece) -> tuple[np.ndarray, np.ndarray]:
    """(h, w) ids of where a piece lies, and bool: what is right beside it."""
    width = max(2, round(piece.side / 128))
    there = cut(pad(piece.box, width + 1, ids.shape))
    own = labels[there] == piece.label
    return ids[there], (dilate(own.view(np.uint8), width) > 0) & ~own


def _is_before_eyes(ids: np.ndarray, labels: np.ndarray, piece: _Piece) -> bool:
    """Whether a piece is a lens or a frame: no higher than those, beside an eye or the nose."""
    if piece.box[3] - piece.box[1] > _HIGHEST * piece.side:
        return False
    there, beside = _around(ids, labels, piece)
    return bool(np.isin(there[beside], (_EYES, _NOSE)).any())


def _are_level(piece: _Piece, other: _Piece) -> bool:
    """Whether two pieces of one face share a height, as a temple and its lens do."""
    level = max(piece.box[1], other.box[1]) < min(piece.box[3], other.box[3])
    return piece.face == other.face and level


def _is_within(ids: np.ndarray, labels: np.ndarray, piece: _Piece) -> bool:
    """Whether a piece lies in the middle of a face, at one eye at most."""
    x0, y0, x1, y1 = piece.box
    if x0 == 0 or y0 == 0 or x1 == ids.shape[1] or y1 == ids.shape[0]:
        return False  # it goes on beyond the faces
    there, beside = _around(ids, labels, piece)
    around = there[beside]
    if not around.size or (around == _EARS).any() or np.isin(around, _FACE).mean() < _ENCLOSED:
        return False
    eyes, _ = label_pieces(there == _EYES)
    return np.unique(eyes[beside & (eyes > 0)]).size < 2


def _are_pair(piece: _Piece, other: _Piece) -> bool:
    """Whether two pieces of one face are alike and lie beside each other."""
    apart = max(piece.box[0], other.box[0]) >= min(piece.box[2], other.box[2])
    alike = max(piece.area, other.area) <= _ALIKE * min(piece.area, other.area)
    return apart and alike and _are_level(piece, other)
