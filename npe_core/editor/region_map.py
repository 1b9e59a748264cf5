"""What the segmenter says about a photo, at the photo's own size, without holding 11 maps of it in memory."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from npe_core.canvas.boxes import cut
from npe_core.canvas.selection import Face
from npe_core.editor.framing import FaceChoice, distance_to, fade_at_borders
from npe_core.faces import FaceCrop
from npe_core.faces.resample import inverse, transform, warp_levels
from npe_core.parallel import each
from npe_core.parts import Box
from npe_core.regions import LEGEND, REGIONS

_UNLIKELY = 1 / (len(REGIONS) + 1)
"""The likeliest of all regions has more than this."""


@dataclass(frozen=True, eq=False)
class Look:
    """One square of the photo as the segmenter saw it."""

    crop: FaceCrop
    """As large as the probabilities."""
    probabilities: np.ndarray
    """(11, S, S) float32"""


@dataclass(frozen=True, eq=False)
class RegionMap:
    """Region ids of the chosen faces; what lies beyond their looks, or is another face's, is background."""

    ids: np.ndarray
    """(H, W) uint8 region ids of the photo."""
    choice: FaceChoice
    looks: tuple[Look, ...]
    """One of each chosen face; where any other face is nearer, all its probabilities are 0."""

    @classmethod
    def of(cls, choice: FaceChoice, looks: list[tuple[Look, ...]], photo_size: tuple[int, int]) -> RegionMap:
        """Bring the looks at each chosen face, the widest first, to a photo of ``photo_size`` (width, height)."""
        ids = np.zeros((photo_size[1], photo_size[0]), np.uint8)
        faces = tuple(each(lambda number: one_look(looks[number], number, choice, photo_size), range(len(looks))))
        seen = each(lambda face: likeliest(face, photo_size), faces)
        for face, found in zip(faces, seen, strict=True):
            where = cut(face.crop.box(photo_size))
            np.copyto(ids[where], found, where=found > 0)
        return cls(ids, choice, faces)

    def probability(self, region: int, box: Box) -> np.ndarray:
        """(h, w) float32 in [0, 1]: how likely each pixel of a box (x0, y0, x1, y1) of the photo is that region."""
        total = np.zeros((box[3] - box[1], box[2] - box[0]), np.float32)
        for look in self.looks:
            reach = look.crop.box((self.ids.shape[1], self.ids.shape[0]))
            x0, y0, x1, y1 = common = _common(box, reach)
            if x0 < x1 and y0 < y1:
                part = total[y0 - box[1] : y1 - box[1], x0 - box[0] : x1 - box[0]]
                part += look.crop.to_box(look.probabilities[region], common)  # each place belongs to one face
        return np.minimum(total, 1, out=total)

    @property
    def area(self) -> float:
        """Pixels of the chosen faces' crops: what the share of a region is measured by."""
        return float(sum((crop.scale * crop.size) ** 2 for crop in self.choice.crops))

    def face_at(self, x: float, y: float) -> Face:
        """The chosen face that a place of the photo is nearest to, in units of the faces' own sizes."""
        point = np.array([x]), np.array([y])
        number = int(np.argmin([distance_to(crop, *point)[0] for crop in self.choice.crops]))
        crop = self.choice.crops[number]
        return Face(number, crop.scale * crop.size)

    def overlay(self, image: np.ndarray, opacity: float = 0.55) -> np.ndarray:
        """(H, W, 3) uint8: the legend's colours over the photo, for looking at."""
        tint = LEGEND[self.ids].astype(np.float32)
        mixed = image + (tint - image) * np.where(self.ids > 0, opacity, 0.0)[..., None]
        return np.rint(mixed).astype(np.uint8)


def one_look(looks: tuple[Look, ...], number: int, choice: FaceChoice, photo_size: tuple[int, int]) -> Look:
    """The looks at a chosen face, the widest first, as one: the closer look counts, and fades into the wider around it.

    As fine as the closest look, but not finer than the photo. What is nearer to another face, chosen or not, is left
    to that one: it is seen better from there.
    """
    wide, close = looks[0].crop, looks[-1].crop
    finest = wide.size * wide.scale / min(close.scale, wide.scale)
    crop = wide.resized(max(16, math.ceil(min(finest, wide.size * wide.scale))))
    probabilities = np.zeros((len(REGIONS), crop.size, crop.size), np.float32)
    for closer, look in enumerate(looks):
        seen = inside(look.crop, crop)  # the look, in a photo that is the new crop
        fade = fade_at_borders(look.crop, photo_size) if closer else np.ones((seen.size, seen.size), np.float32)
        mix_in(probabilities, look.probabilities, seen, fade)
    others = (*choice.crops[:number], *choice.crops[number + 1 :], *choice.others)
    probabilities[:, belongs_to(others, choice.crops[number], crop)] = 0
    return Look(crop, probabilities)


def agreed(look: Look, closer: Look) -> Look:
    """A look with a closer one inside it taken into account: where both see, the mean of what they say."""
    seen = inside(closer.crop, look.crop)
    probabilities = look.probabilities.copy()
    mix_in(probabilities, closer.probabilities, seen, fade_at_borders(seen, (look.crop.size, look.crop.size)) / 2)
    return Look(look.crop, probabilities)


def mix_in(probabilities: np.ndarray, closer: np.ndarray, seen: FaceCrop, share: np.ndarray) -> None:
    """Take probabilities (11, N, N) towards those of a closer look (11, S, S), as far as ``share`` (S, S) says.

    ``seen`` is the place of the closer look.
    """
    place = seen.box(probabilities.shape[1:])
    amount = seen.to_box(share, place)
    for whole, likely in zip(probabilities, closer, strict=True):
        own = whole[cut(place)]
        own += amount * (seen.to_box(likely, place) - own)


def inside(crop: FaceCrop, other: FaceCrop) -> FaceCrop:
    """The same square with its place in the other crop instead of in the photo."""
    to_other = inverse(other.matrix)
    linear = to_other[:, :2] @ crop.matrix[:, :2]
    return FaceCrop(np.column_stack([linear, transform(to_other, crop.matrix[:, 2])]), crop.size)


def belongs_to(others: tuple[FaceCrop, ...], own: FaceCrop, crop: FaceCrop) -> np.ndarray:
    """(size, size) bool: which places of ``crop`` are nearer to the middle of another face than to that of its own."""
    along = np.arange(crop.size) + 0.5

    def squared(face: FaceCrop) -> np.ndarray:
        """(size, size): as ``distance_to``, squared. In the crop's own axes, in which it is a sum of two squares."""
        seen = inside(face, crop)
        middle = transform(seen.matrix, np.array([face.size / 2, face.size / 2]))
        x, y = ((along - place) / (seen.scale * seen.size) for place in middle)
        return (y * y)[:, None] + x * x

    to_own, nearer = squared(own), np.zeros((crop.size, crop.size), bool)
    for face in others:
        nearer |= squared(face) < to_own
    return nearer


def likeliest(look: Look, photo_size: tuple[int, int]) -> np.ndarray:
    """(h, w) uint8 in the box of the look: the likeliest region, 0 where that is the background.

    With probabilities in 1/255, and each region only where it is likely at all: most of a look is background and skin.
    """
    x0, y0, x1, y1 = box = look.crop.box(photo_size)
    best, found = np.zeros((2, y1 - y0, x1 - x0), np.uint8)
    for region in REGIONS:
        levels = np.rint(look.probabilities[region.id] * 255).astype(np.uint8)
        left, top, right, bottom = _common(box, _box_where(levels > 255 * _UNLIKELY, look.crop))
        if left >= right or top >= bottom:
            continue
        where = np.s_[top - y0 : bottom - y0, left - x0 : right - x0]
        to_map = inverse(look.crop.matrix)
        to_map[:, 2] += to_map[:, :2] @ [left, top]
        likely = warp_levels(levels, to_map, right - left, bottom - top)
        np.copyto(found[where], np.uint8(region.id), where=likely > best[where])
        np.maximum(best[where], likely, out=best[where])
    return found


def _box_where(marked: np.ndarray, crop: FaceCrop) -> Box:
    """The photo pixels that the marked part of a crop can reach."""
    rows, columns = np.flatnonzero(marked.any(axis=1)), np.flatnonzero(marked.any(axis=0))
    if not len(rows):
        return 0, 0, 0, 0
    x, y = (columns[0] - 1, columns[-1] + 2), (rows[0] - 1, rows[-1] + 2)
    corners = transform(crop.matrix, np.array([[x[i], y[j]] for i in (0, 1) for j in (0, 1)], np.float64))
    low, high = np.floor(corners.min(axis=0)).astype(int), np.ceil(corners.max(axis=0)).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _common(a: Box, b: Box) -> Box:
    return max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
