"""From a face region to the places of its fill: what a region map is, and which pieces of it are meant."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any, Protocol

import numpy as np

from npe_core.canvas.border import Border
from npe_core.canvas.boxes import Box, cut, merged, moved_by, overlap, pad
from npe_core.canvas.brows import find_brows, hairs_of, take_hairs, take_skin
from npe_core.canvas.clusters import boxes_of
from npe_core.canvas.connected import piece_at
from npe_core.canvas.hairline import hair_over_skin, rim_of_lips, skin_through
from npe_core.canvas.iris import IRIS, find_irises, room_for
from npe_core.canvas.layers import to_levels
from npe_core.canvas.morphology import feather_levels
from npe_core.canvas.outline import background_through
from npe_core.canvas.soft_edge import apart_from_others, doubt_elsewhere, soft_edge
from npe_core.canvas.worn import take_away_not_worn
from npe_core.colour import srgb_to_lab
from npe_core.errors import InputError, UsageError
from npe_core.parallel import each
from npe_core.regions import REGIONS, Region, region_by_name

_HAIRY = ("background", "brows", "hair", "attire")
"""Regions whose edge follows the picture's own edges."""

_BROWS = region_by_name("brows")

_LEAST = 0.001
"""Share of what was looked at under which a region counts as not there."""


class Regions(Protocol):
    """What a segmentation model says about a picture."""

    @property
    def ids(self) -> np.ndarray:
        """(H, W) uint8 region ids."""
        ...

    def probability(self, region: int, box: Box) -> np.ndarray | None:
        """(h, w) float32 in [0, 1] of one region inside a box, or None: fills then have hard edges."""
        ...

    @property
    def area(self) -> float:
        """How many pixels were looked at: what a region's share is measured by."""
        ...

    def face_at(self, x: float, y: float) -> FaceScale:
        """The face that a place belongs to."""
        ...


@dataclass(frozen=True)
class FaceScale:
    """What a fill needs to know of a face: each face's hair is shaded by itself."""

    number: int
    side: float
    """Pixels across the crop in which the model saw it: how large a pixel of the model's is."""
    turn: float = 0.0
    """Radians by which it lies turned, clockwise."""


@dataclass(frozen=True)
class RegionArrays:
    """Regions whose maps all lie in memory."""

    ids: np.ndarray
    probabilities: np.ndarray | None = None
    """(11, H, W) float32"""

    def probability(self, region: int, box: Box) -> np.ndarray | None:
        return None if self.probabilities is None else self.probabilities[region][cut(box)]

    @property
    def area(self) -> float:
        return self.ids.size

    def face_at(self, x: float, y: float) -> FaceScale:
        return FaceScale(0, min(self.ids.shape))


def as_regions(regions: Any, size: tuple[int, int]) -> Regions:
    """``Regions``, an object with ``ids`` and ``probabilities``, or a bare (H, W) array of ids.

    Raises UsageError on other sizes.
    """
    ids = np.asarray(getattr(regions, "ids", regions))
    if ids.shape != size or ids.dtype != np.uint8 or (ids.size and int(ids.max()) >= len(REGIONS)):
        raise UsageError(
            f"The region map is {ids.dtype} of shape {ids.shape}; expected uint8 ids 0..{len(REGIONS) - 1} "
            f"of the picture's shape {size}."
        )
    if hasattr(regions, "probability"):
        return regions
    probabilities = getattr(regions, "probabilities", None)
    if probabilities is not None:
        probabilities = np.asarray(probabilities)
        if probabilities.shape != (len(REGIONS), *size):
            raise UsageError(
                f"The region probabilities have shape {probabilities.shape}; expected {(len(REGIONS), *size)}."
            )
    return RegionArrays(ids, probabilities)


@dataclass(frozen=True)
class Selection:
    """One place where a fill goes."""

    box: Box
    soft: np.ndarray
    """(h, w) uint8 in 1/255: the mask of the fill inside the box."""
    depth: np.ndarray
    """(h, w) float32: rises from 0 at the edge to 1 where the pixels show the region and nothing else."""
    face: int = 0
    varies: np.ndarray | None = None
    """(h, w) bool: where another colour may have another mask; None: nowhere."""


def meant_by(regions: Regions, region: Region) -> np.ndarray:
    """(H, W) bool: a region, and of attire what is meant by it, see ``worn``."""
    where = regions.ids == region.id
    if region.name == "attire":
        take_away_not_worn(regions.ids, where, lambda box: astuple(_face_of(regions, box))[:2])
    return where


def check_share(regions: Regions, region: Region, where: np.ndarray) -> None:
    """Raises InputError if what a fill of a region would take, (H, W) bool, is too little to be one."""
    share = np.count_nonzero(where) / regions.area
    if share < _LEAST:
        found = f"only {share:.2%} of it" if share else "not one pixel"
        raise InputError(f"No {region.name} found in this picture ({found}); nothing changed.")


def select_region(
    image: np.ndarray,
    regions: Regions,
    region: Region,
    at: tuple[int, int] | None,
    whole: bool,
    rgb: tuple[int, int, int] | None = None,
) -> list[Selection]:
    """The soft mask of a fill, in boxes that do not overlap.

    ``at`` (x, y) chooses the connected piece there. Of eyes only the irises are taken, unless ``whole`` or, face by
    face, if none can be made out. Without probabilities the mask is the region itself. With them it is 0 where the
    probability is under 0.25 and 1 above 0.75, of hair before a plain background under 0.1 and above 0.5; hair, brows,
    attire and background follow the picture's edges, in a band around the region; nothing outside that band is touched.
    Of brows the hairs are taken; of skin what shows between them and, if it becomes darker (``rgb``), the hairs too:
    those that fair skin lets look pale would shine in it. Of attire only what is meant (``meant_by``), unless ``at``
    says which.

    Raises InputError if the region is absent (under 0.1 % of what was looked at), or is not what lies at ``at``.
    """
    where = regions.ids == region.id if at is not None else meant_by(regions, region)
    check_share(regions, region, where)
    others = None
    if at is not None:
        there = REGIONS[int(regions.ids[at[1], at[0]])]
        if there != region:
            raise InputError(f"At {at} there is {there.name}, not {region.name}; nothing changed.")
        piece = piece_at(where, *at)
        others, where = where & ~piece, piece
    tight = boxes_of(where)
    seen = _irises(image, regions, where, tight) if region.name == "eyes" and not whole else []
    irises = [iris for _, iris in seen]
    tight = [box for box in tight if all(box != eye for eye, _ in seen)]
    padded = merged([pad(box, 3 * _band(_face_of(regions, box)), where.shape) for box in tight])
    if any(overlap(box, iris.box) for box in padded for iris in irises):
        padded = tight
    return _apart([*irises, *each(lambda box: _select_in(box, image, regions, region, where, others, rgb), padded)])


def _apart(places: list[Selection]) -> list[Selection]:
    """Those whose boxes overlap as one: an eye behind glasses or glare lies in pieces, and each has found the iris."""
    boxes = merged([place.box for place in places])
    if len(boxes) == len(places):
        return places
    found = []
    for box in boxes:
        parts = [place for place in places if overlap(place.box, box)]
        soft = np.zeros((box[3] - box[1], box[2] - box[0]), np.uint8)
        depth = np.zeros(soft.shape, np.float32)
        for part in parts:
            x0, y0 = part.box[0] - box[0], part.box[1] - box[1]
            there = np.s_[y0 : y0 + part.soft.shape[0], x0 : x0 + part.soft.shape[1]]
            np.maximum(soft[there], part.soft, out=soft[there])
            np.maximum(depth[there], part.depth, out=depth[there])
        found.append(Selection(box, soft, depth, parts[0].face))
    return found


def _irises(image: np.ndarray, regions: Regions, where: np.ndarray, boxes: list[Box]) -> list[tuple[Box, Selection]]:
    """The boxes around eyes with their irises, of those faces of which one can be made out at all."""
    found = []
    for eye in boxes:
        face = _face_of(regions, eye)
        radius = IRIS * face.side
        box = pad(eye, room_for(eye, radius), where.shape)
        soft = find_irises(image[cut(box)], where[cut(box)], radius, face.turn)
        found.append((eye, Selection(box, soft, np.ones(soft.shape, np.float32), face.number)))
    seen = {iris.face for _, iris in found if iris.soft.any()}
    return [(eye, iris) for eye, iris in found if iris.face in seen]


def _select_in(
    box: Box,
    image: np.ndarray,
    regions: Regions,
    region: Region,
    where: np.ndarray,
    others: np.ndarray | None,
    rgb: tuple[int, int, int] | None,
) -> Selection:
    face, inside, hairy = _face_of(regions, box), cut(box), region.name in _HAIRY
    band = _band(face)
    probability = regions.probability(region.id, box)
    if probability is None:
        soft = where[inside].astype(np.uint8) * 255
        return Selection(box, soft, _depth(soft, band / 2), face.number)
    border = Border(where[inside], band)
    apart = apart_from_others(regions.ids[inside], region.id, band) if region.name == "hair" else None
    soft = soft_edge(image[inside], border, probability, hairy, apart)
    if region.name == "background":
        np.maximum(soft, to_levels(background_through(image[inside], regions.ids[inside], border)), out=soft)
        np.minimum(soft, doubt_elsewhere(border, probability), out=soft)
    darker = region.name == "skin" and rgb is not None and _darker(rgb, image[inside], where[inside])
    if region.name == "skin":
        np.maximum(soft, to_levels(skin_through(image[inside], regions.ids[inside], border, darker)), out=soft)
    depth = _depth(soft, band if hairy else band / 2)
    if region.name == "hair":
        np.maximum(soft, to_levels(hair_over_skin(image[inside], regions.ids[inside], border)), out=soft)
    varies = None
    if region.name in ("skin", "brows"):
        ids = regions.ids[inside]
        brows = find_brows(ids, lambda part: _likely_brows(regions, box, part), band)
        if region.name == "brows":
            take_hairs(soft, depth, each(lambda brow: (brow, *hairs_of(brow, image[inside], ids, band)), brows))
        elif darker:
            varies = take_skin(soft, depth, [(brow, np.zeros_like(brow.near), brow.near) for brow in brows])
        else:
            varies = take_skin(soft, depth, each(lambda brow: (brow, *hairs_of(brow, image[inside], ids, band)), brows))
        if varies is not None:
            varies |= rim_of_lips(ids, border)
    if others is not None:
        soft[others[inside]] = 0
        if varies is not None:
            varies[others[inside]] = False
    return Selection(box, soft, depth, face.number, varies)


def _likely_brows(regions: Regions, box: Box, part: Box) -> np.ndarray:
    """The probability of brows in a part of a box, where there are probabilities."""
    found = regions.probability(_BROWS.id, moved_by(box, part))
    assert found is not None, "there are probabilities of all regions or of none"
    return found


def _darker(rgb: tuple[int, int, int], image: np.ndarray, where: np.ndarray) -> bool:
    """Whether a colour is darker than an image (h, w, 3) uint8 is on average where (h, w) is True."""
    at = np.flatnonzero(where)
    some = image[np.divmod(at[:: max(1, at.size // 1000)], where.shape[1])]
    return bool(srgb_to_lab(np.array(rgb, np.uint8))[0] < srgb_to_lab(some)[:, 0].mean())


def _face_of(regions: Regions, box: Box) -> FaceScale:
    return regions.face_at((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)


def _band(face: FaceScale) -> int:
    """How far from its edge a region may still move, in pixels."""
    return max(2, round(face.side / 64))


def _depth(soft: np.ndarray, margin: float) -> np.ndarray:
    return feather_levels(soft, margin, rough=True) / np.float32(255)
