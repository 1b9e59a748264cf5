"""What the segmenter says about a photo, at the photo's own size, without holding 11 maps of it in memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from npe_core.canvas.boxes import box_of, cut, intersection, moved_by, union, within
from npe_core.canvas.selection import FaceScale
from npe_core.editor.backdrop import Backdrop, Ground
from npe_core.editor.face_choice import FaceChoice
from npe_core.editor.framing import distance_to, fade_at_borders
from npe_core.editor.looks import LOOK_FADE
from npe_core.editor.neighbours import belongs_to, inside
from npe_core.faces import FaceCrop
from npe_core.faces.resample import bounds, levels_at, warp_ids, warp_levels
from npe_core.opencv import opencv
from npe_core.parallel import each
from npe_core.parts import Box
from npe_core.regions import LEGEND, REGIONS, region_by_name

_BACKGROUND, _NECK = (region_by_name(name).id for name in ("background", "neck"))
_UNDER_NECK = 0.4
"""So much of the upper edge of a piece of background must lie right under a neck for it to be bare skin."""
_RIM = 1 / 100
"""Of the side of a look: how far around such a piece what is taken for background is skin too."""
_OPACITY = 0.55
"""Of the legend's colours over a photo: the photo shows through, and the regions can be told apart."""
_ROWS = 256
"""So many rows of a large photo are mixed at a time, in float32."""


@dataclass(frozen=True, eq=False)
class Look:
    """One square of the photo as the segmenter saw it."""

    crop: FaceCrop
    """As large as the map."""
    levels: np.ndarray
    """(11, S, S) uint8: the probabilities in 1/255."""


@dataclass(frozen=True, eq=False)
class RegionMap:
    """Region ids of the chosen faces; what lies beyond their looks, or is another face's, is background."""

    ids: np.ndarray
    """(H, W) uint8 region ids of the photo."""
    choice: FaceChoice
    looks: tuple[Look, ...]
    """One of each chosen face; where any other face is nearer, all its levels are 0."""
    backdrop: Backdrop = field(default_factory=Backdrop)

    @classmethod
    def of(
        cls,
        choice: FaceChoice,
        looks: list[tuple[Look, ...]],
        photo_size: tuple[int, int],
        beside: Sequence[Look] = (),
    ) -> RegionMap:
        """Bring the looks at each chosen face, the widest first, to a photo of ``photo_size`` (width, height).

        ``beside``: one look at each of the other faces near them.
        """
        ids = np.zeros((photo_size[1], photo_size[0]), np.uint8)
        whole = each(lambda own: with_chest(one_look(own, photo_size)), looks)
        grounds = [
            tuple(Ground.of(look.crop, look.levels[_BACKGROUND], photo_size) for look in some)
            for some in (whole, beside)
        ]
        faces = tuple(each(lambda number: left_to_others(whole[number], number, choice), range(len(looks))))
        seen = each(lambda face: likeliest(face, photo_size), faces)
        for face, found in zip(faces, seen, strict=True):
            where = cut(face.crop.box(photo_size))
            np.copyto(ids[where], found, where=found > 0)
        return cls(ids, choice, faces, Backdrop(*grounds))

    def probability(self, region: int, box: Box) -> np.ndarray:
        """(h, w) float32 in [0, 1]: how likely each pixel of a box (x0, y0, x1, y1) of the photo is that region."""
        return np.multiply(self._levels(region, box), np.float32(1 / 255), dtype=np.float32)

    def _levels(self, region: int, box: Box) -> np.ndarray:
        photo_size = self.ids.shape[1], self.ids.shape[0]
        if region == _BACKGROUND:
            return self.backdrop.levels(box, photo_size)
        total = np.zeros((box[3] - box[1], box[2] - box[0]), np.uint8)
        for look in self.looks:
            common = intersection(box, look.crop.box(photo_size))
            if common is not None:  # each place belongs to one face
                part = total[cut(within(box, common))]
                opencv().add(part, look.crop.to_box(look.levels[region], common, amounts=True), part)  # 255 at most
        return total

    @property
    def area(self) -> float:
        """Pixels of the chosen faces' crops: what the share of a region is measured by."""
        return float(sum((crop.scale * crop.size) ** 2 for crop in self.choice.crops))

    def face_at(self, x: float, y: float) -> FaceScale:
        """The chosen face that a place of the photo is nearest to, in units of the faces' own sizes."""
        point = np.array([x]), np.array([y])
        number = int(np.argmin([distance_to(crop, *point)[0] for crop in self.choice.crops]))
        crop = self.choice.crops[number]
        return FaceScale(number, crop.scale * crop.size, math.atan2(crop.matrix[1, 0], crop.matrix[0, 0]))

    def overlay(self, image: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8: the legend's colours over the photo, for looking at."""
        mixed, ids = np.empty_like(image), self.ids
        for top in range(0, len(image), _ROWS):
            rows = slice(top, top + _ROWS)
            photo = image[rows].astype(np.float32)
            share = np.float32(_OPACITY) * (ids[rows] > 0)[..., None]
            mixed[rows] = np.rint(photo + (LEGEND[ids[rows]] - photo) * share)
        return mixed


def one_look(looks: tuple[Look, ...], photo_size: tuple[int, int]) -> Look:
    """The looks at a chosen face, the widest first, as one: the closer look counts, and fades into the wider around it.

    As fine as the closest look, but not finer than the photo.
    """
    wide, close = looks[0].crop, looks[-1].crop
    finest = wide.size * wide.scale / min(close.scale, wide.scale)
    crop = wide.resized(max(16, math.ceil(min(finest, wide.size * wide.scale))))
    levels = np.zeros((len(REGIONS), crop.size, crop.size), np.uint8)
    for closer, look in enumerate(looks):
        seen = inside(look.crop, crop)  # the look, in a photo that is the new crop
        fade = np.ones((seen.size, seen.size), np.float32)
        if closer:
            fade = fade_at_borders(look.crop, photo_size, LOOK_FADE)
        mix_in(levels, look.levels, seen, fade)
    return Look(crop, levels)


def with_chest(look: Look) -> Look:
    """The look with the bare skin between a neck and its neckline as neck, which it is to the segmenter elsewhere.

    Far below the face it is taken for background. But what lies behind a person goes on at the sides, or has hair,
    skin or clothes above it rather than a neck. In place.
    """
    cv2, ids = opencv(), largest(look.levels)
    count, pieces = cv2.connectedComponents((ids == _BACKGROUND).astype(np.uint8), connectivity=4)
    above = np.vstack([np.full_like(ids[:1], len(REGIONS)), ids[:-1]])  # above the look there is nothing
    upper = (pieces > 0) & (above != _BACKGROUND)
    edges, necks = (np.bincount(pieces[where], minlength=count) for where in (upper, upper & (above == _NECK)))
    chest = necks > _UNDER_NECK * edges
    chest[pieces[:, [0, -1]]] = False  # what goes on at the sides
    if chest.any():
        rim = 2 * round(_RIM * look.crop.size) + 1
        where = cv2.dilate(chest[pieces].astype(np.uint8), np.ones((rim, rim), np.uint8)) > 0
        both = cv2.add(look.levels[_NECK], look.levels[_BACKGROUND])  # 255 at most
        np.copyto(look.levels[_NECK], both, where=where)
        look.levels[_BACKGROUND][where] = 0
    return look


def left_to_others(look: Look, number: int, choice: FaceChoice) -> Look:
    """The look at a chosen face without what is nearer to another one, chosen or not: that is seen better from there.

    In place.
    """
    others = (*choice.crops[:number], *choice.crops[number + 1 :], *choice.others)
    look.levels[:, belongs_to(others, choice.crops[number], look.crop)] = 0
    return look


def agreed(look: Look, closer: Look) -> Look:
    """A look with a closer one inside it taken into account: where both see, the mean of what they say."""
    seen = inside(closer.crop, look.crop)
    levels = look.levels.copy()
    mix_in(levels, closer.levels, seen, fade_at_borders(seen, (look.crop.size, look.crop.size)) / 2)
    return Look(look.crop, levels)


def mix_in(levels: np.ndarray, closer: np.ndarray, seen: FaceCrop, share: np.ndarray) -> None:
    """Take levels (11, N, N) towards those of a closer look (11, S, S), as far as ``share`` (S, S) says.

    ``seen`` is the place of the closer look.
    """
    place = seen.box(levels.shape[1:])
    amount = seen.to_box(share, place)
    rest = 1 - amount
    for whole, likely in zip(levels, closer, strict=True):
        own = whole[cut(place)]
        there = union(_reach_of(likely > 0, seen, place), box_of(own))
        if there is not None:  # of most regions there is nothing in most of a look
            x0, y0, x1, y1 = there
            said = warp_levels(likely, seen.seen_from(moved_by(place, there)), x1 - x0, y1 - y0)
            own, here = own[cut(there)], cut(there)
            opencv().blendLinear(said, own, amount[here], rest[here], own)


def likeliest(look: Look, photo_size: tuple[int, int]) -> np.ndarray:
    """(h, w) uint8 in the box of the look: the likeliest region of each pixel, 0 where that is the background.

    Between pixels of the look that agree there is nothing to find out. Only near the borders of regions are the
    probabilities themselves interpolated, in 1/255.
    """
    box = look.crop.box(photo_size)
    width, height = box[2] - box[0], box[3] - box[1]
    to_map = look.crop.seen_from(box)
    ids, undecided = largest(look.levels), np.uint8(len(REGIONS))
    ids[~alike_around(ids)] = undecided
    found = warp_ids(ids, to_map, width, height)
    at = np.flatnonzero(found == undecided)
    found.ravel()[at] = largest(levels_at(look.levels, to_map, at % width, at // width))
    return found


def largest(levels: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    """uint8: which of several uint8 arrays of one shape is the largest at each place, of equals the first."""
    which, most = np.zeros(levels[0].shape, np.uint8), levels[0].copy()
    for number, own in enumerate(levels[1:], start=1):
        np.copyto(which, np.uint8(number), where=own > most)
        np.maximum(most, own, out=most)
    return which


def alike_around(ids: np.ndarray) -> np.ndarray:
    """(H, W) bool: where all eight neighbours of a pixel, as far as there are any, have its own value."""
    cv2, around = opencv(), np.ones((3, 3), np.uint8)
    same: np.ndarray = cv2.erode(ids, around) == cv2.dilate(ids, around)
    return same


def _reach_of(marked: np.ndarray, crop: FaceCrop, place: Box) -> Box | None:
    """What the marked part (S, S) of a crop can reach of a place, counted from the place's corner."""
    box = box_of(marked)
    if box is None:
        return None
    left, top, right, bottom = box
    corner = crop.matrix[:, :2] @ [left, top] + crop.matrix[:, 2] - place[:2]
    matrix = np.column_stack([crop.matrix[:, :2], corner])
    low, high = bounds(matrix, right - left, bottom - top, margin=math.ceil(crop.scale))
    return intersection((*low.tolist(), *high.tolist()), (0, 0, place[2] - place[0], place[3] - place[1]))
