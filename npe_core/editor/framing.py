"""Which squares of a photo the models look at: one crop a face, a wider look around it, and tiles beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from npe_core.canvas.boxes import block_sums, side_of_blocks
from npe_core.faces import FaceCrop
from npe_core.faces.resample import inverse, transform

CROP = 512
"""Side of the crop that a face is brought to: four times the denoiser's picture."""
FADE = 32 / 512
"""Share of a crop's side over which it fades out at a border beyond which the photo goes on."""
LOOK_FADE = 0.2
"""The same share for a look of the segmenter's into the wider one: near its border it does not know what goes on."""
WIDER = ((2.4, 0.5), (1.7, 0.18))
"""The wider looks for segmentation, the widest first: how many times the crop's side, and how much of it lower. The
second holds shoulders and most hair, the first long hair."""
CLOSE = 1 / 1.5
"""The closer look for segmentation has this share of the crop's side: brows, eyes and lips half as large again."""
CLOSE_DOWN = 0.05
"""It lies lower by this share of the crop's side, where they are."""
STRETCH = 1.35
"""A crop may be made so many times as wide to hold all that is marked of its face."""
_LEAST = 0.002
"""Share of a tile that must be marked before it is worth a look."""

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


def moved(crop: FaceCrop, right: float, down: float, wider: float = 1.0) -> FaceCrop:
    """The crop moved by shares of its own side, along its own axes, and ``wider`` times as wide around its middle."""
    turn, side = crop.matrix[:, :2], crop.size
    middle = transform(crop.matrix, np.array([[side * (0.5 + right), side * (0.5 + down)]]))[0]
    corner = middle - turn @ np.array([side, side]) * wider / 2
    return FaceCrop(np.column_stack([turn * wider, corner]), side)


def fade_at_borders(crop: FaceCrop, photo_size: tuple[int, int], share: float = FADE) -> np.ndarray:
    """(size, size) float32: 1 inside the crop, falling to 0 at those of its sides beyond which the photo goes on."""
    fade = np.ones((crop.size, crop.size), np.float32)
    along = np.arange(crop.size, dtype=np.float32) + 0.5
    for side in inner_sides(crop, photo_size):
        turned = np.rot90(fade, side)  # a view: brings that side to the top
        turned *= ramp(along, crop.size, share)[:, None]
    return fade


def inner_sides(crop: FaceCrop, photo_size: tuple[int, int]) -> list[int]:
    """The sides of a crop (0 to 3: top, right, bottom, left) beyond which the photo goes on."""
    width, height = photo_size
    corners, pixel = crop.corners(), 1 / crop.scale
    x, y = photo_corners_in(crop, photo_size).T
    across = (y < -pixel, x > crop.size + pixel, y > crop.size + pixel, x < -pixel)
    inner = []
    for side in range(4):
        ends = corners[[side, (side + 1) % 4]]
        beyond = [ends[:, 0] <= 1, ends[:, 0] >= width - 1, ends[:, 1] <= 1, ends[:, 1] >= height - 1]
        if across[side].any() and not any(outside.all() for outside in beyond):
            inner.append(side)
    return inner


def photo_corners_in(crop: FaceCrop, photo_size: tuple[int, int]) -> np.ndarray:
    """(4, 2): the corners of the photo in the crop's pixels."""
    width, height = photo_size
    return transform(inverse(crop.matrix), np.array([(0, 0), (width, 0), (width, height), (0, height)], float))


def ramp(distance: np.ndarray, size: int, share: float = FADE) -> np.ndarray:
    """How much a crop of ``size`` pixels counts at a distance from a side at which it fades: 0 there, 1 farther in."""
    return np.clip(distance / np.float32(share * size), 0, 1)


def wide_looks(crop: FaceCrop, photo_size: tuple[int, int]) -> list[FaceCrop]:
    """The wider squares around a crop, the widest first; none where the photo hardly goes on beyond a smaller one."""

    def area(square: FaceCrop) -> int:
        box = square.box(photo_size)
        return (box[2] - box[0]) * (box[3] - box[1])

    looks, inner = [], crop
    for wider, lower in reversed(WIDER):
        look = moved(crop, 0, lower, wider)
        if area(look) > 1.03 * area(inner):
            looks.append(look)
            inner = look
    return looks[::-1]


def looks_around(crop: FaceCrop, photo_size: tuple[int, int]) -> list[FaceCrop]:
    """The wider squares and the crop, the widest first: that holds the whole photo if it need not be much wider for it.

    Of a crop that a strip of the photo lies beside, all that lies near its border would be unsure.
    """
    widest, *inner = [*wide_looks(crop, photo_size), crop]
    corners = photo_corners_in(widest, photo_size) / widest.size
    low, high = np.minimum(corners.min(axis=0), 0), np.maximum(corners.max(axis=0), 1)
    wider = float((high - low).max())
    if 1 < wider <= STRETCH:
        right, down = (low + high) / 2 - 0.5
        widest = moved(widest, float(right), float(down), wider)
    return [widest, *inner]


def close_look(crop: FaceCrop) -> FaceCrop:
    """The closer square inside a crop."""
    return moved(crop, 0, CLOSE_DOWN, CLOSE)


def crops_for(choice: FaceChoice, mask: np.ndarray) -> list[FaceCrop]:
    """The crops to edit for a mask (H, W): those of the faces, wide enough where a little more does, and tiles beside.

    The first ``len(choice.crops)`` are the faces'.
    """
    faces = tuple(crop.resized(CROP) for crop in choice.crops)
    marks = [marks_around(number, faces, mask) for number in range(len(faces))]
    fitted = tuple(widened(crop, own.points) for crop, own in zip(faces, marks, strict=True))
    return [*fitted, *tiles_beside(fitted, marks, (mask.shape[1], mask.shape[0]))]


@dataclass(frozen=True)
class Marks:
    """Evenly thinned out places of a photo that are marked."""

    points: np.ndarray
    """(N, 2) photo coordinates"""
    pixels: int
    """How many photo pixels each stands for."""

    def without(self, crop: FaceCrop, photo_size: tuple[int, int]) -> Marks:
        """Those that the crop does not cover at full strength."""
        if not len(self.points):
            return self
        return Marks(self.points[strength_at(crop, self.points, photo_size) < 0.99], self.pixels)


def marks_around(number: int, faces: tuple[FaceCrop, ...], mask: np.ndarray) -> Marks:
    """What is marked within one crop's side around a face's crop, and nearer to that face than to the others."""
    crop = faces[number]
    stride = max(1, round(crop.size * crop.scale / 128))
    x0, y0, x1, y1 = moved(crop, 0, 0, 3).box((mask.shape[1], mask.shape[0]))
    if x0 >= x1 or y0 >= y1:
        return Marks(np.empty((0, 2)), stride * stride)
    rows, columns = np.nonzero(block_sums(mask[y0:y1, x0:x1], stride))
    points = (np.stack([columns, rows], axis=1) + 0.5) * stride + (x0, y0)
    nearest = np.argmin([distance_to(face, points[:, 0], points[:, 1]) for face in faces], axis=0)
    return Marks(points[nearest == number], stride * stride)


def strength_at(crop: FaceCrop, points: np.ndarray, photo_size: tuple[int, int]) -> np.ndarray:
    """(N,) float32: how much a crop counts at photo points (N, 2)."""
    x, y = transform(inverse(crop.matrix), points).T
    strength = ((x >= 0) & (x < crop.size) & (y >= 0) & (y < crop.size)).astype(np.float32)
    from_sides = (y, crop.size - x, crop.size - y, x)
    for side in inner_sides(crop, photo_size):
        strength *= ramp(from_sides[side], crop.size)
    return strength


def distance_to(crop: FaceCrop, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How far photo points are from the middle of a crop, in sides of the crop."""
    middle = transform(crop.matrix, np.array([[crop.size / 2, crop.size / 2]]))[0]
    return np.hypot(x - middle[0], y - middle[1]) / (crop.scale * crop.size)


def widened(crop: FaceCrop, marks: np.ndarray) -> FaceCrop:
    """The crop, or one up to ``STRETCH`` times as wide if that holds all ``marks`` (N, 2) in photo coordinates."""
    if not len(marks):
        return crop
    inside = transform(inverse(crop.matrix), marks) / crop.size
    wider = 1.0
    margin = FADE + 2 / CROP
    for _ in range(4):  # a wider crop also fades over more of the photo
        low = np.minimum(inside.min(axis=0) - margin * wider, 0)
        high = np.maximum(inside.max(axis=0) + margin * wider, 1)
        wider = float((high - low).max())
    if not 1 < wider <= STRETCH:
        return crop
    right, down = (low + high) / 2 - 0.5
    return moved(crop, float(right), float(down), wider)


def tiles_beside(crops: tuple[FaceCrop, ...], marks: list[Marks], photo_size: tuple[int, int]) -> list[FaceCrop]:
    """Crops beside those of the faces, as far as their marks go on there: long hair beyond a face's crop.

    They have the scale and the turn of their face, so that the model sees hair as large as it knows it, and overlap by
    their fading borders. One ring around each face; what is marked farther off has no face to go by.
    """
    left_over = list(marks)
    for crop in crops:
        left_over = [each.without(crop, photo_size) for each in left_over]
    tiles: list[FaceCrop] = []
    step = 1 - 2 * FADE
    for crop in crops:
        for down, right in ((1, 0), (0, -1), (0, 1), (1, -1), (1, 1), (-1, 0), (-1, -1), (-1, 1)):
            tile = moved(crop, right * step, down * step)
            rest = [each.without(tile, photo_size) for each in left_over]
            pixels = sum(
                (len(before.points) - len(after.points)) * before.pixels
                for before, after in zip(left_over, rest, strict=True)
            )
            if pixels > _LEAST * (tile.size * tile.scale) ** 2:
                tiles.append(tile)
                left_over = rest
    return tiles
