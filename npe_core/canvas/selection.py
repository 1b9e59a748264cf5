"""From a face region to the soft mask of its fill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from npe_core.canvas.boxes import Box, cut, merged, overlap, pad
from npe_core.canvas.clusters import boxes_of
from npe_core.canvas.connected import piece_at
from npe_core.canvas.guided import guided_filter
from npe_core.canvas.hairline import skin_through_hairs
from npe_core.canvas.iris import IRIS, find_irises, room_for
from npe_core.canvas.matte import share_by_colour
from npe_core.canvas.morphology import dilate, distance_inside, feather, smoothstep
from npe_core.errors import InputError, UsageError
from npe_core.parallel import each
from npe_core.regions import REGIONS, Region

_HAIRY = ("background", "brows", "hair", "attire")
"""Regions whose edge follows the picture's own edges."""

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

    def face_at(self, x: float, y: float) -> Face:
        """The face that a place belongs to."""
        ...


@dataclass(frozen=True)
class Face:
    """What a fill needs to know of a face: each face's hair is shaded by itself."""

    number: int
    side: float
    """Pixels across the crop in which the model saw it: how large a pixel of the model's is."""


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

    def face_at(self, x: float, y: float) -> Face:
        return Face(0, min(self.ids.shape))


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
        return regions  # type: ignore[no-any-return]
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


def select_region(
    image: np.ndarray, regions: Regions, region: Region, at: tuple[int, int] | None, whole: bool
) -> list[Selection]:
    """The soft mask of a fill, in boxes that do not overlap.

    ``at`` (x, y) chooses the connected piece there. Of eyes only the irises are taken, unless ``whole`` or, face by
    face, if none can be made out. Without probabilities the mask is the region itself. With them it is 0 where the
    probability is under 0.25 and 1 above 0.75; hair, brows, attire and background follow the picture's edges, in a band
    around the region; nothing outside that band is touched.

    Raises InputError if the region is absent (under 0.1 % of what was looked at), or is not what lies at ``at``.
    """
    where = regions.ids == region.id
    share = np.count_nonzero(where) / regions.area
    if share < _LEAST:
        found = f"only {share:.2%} of it" if share else "not one pixel"
        raise InputError(f"No {region.name} found in this picture ({found}); nothing changed.")
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
    return _apart([*irises, *each(lambda box: _select_in(box, image, regions, region, where, others), padded)])


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
        box = pad(eye, room_for(eye[2] - eye[0], radius), where.shape)
        soft = find_irises(image[cut(box)], where[cut(box)], radius)
        found.append((eye, Selection(box, soft, np.ones(soft.shape, np.float32), face.number)))
    seen = {iris.face for _, iris in found if iris.soft.any()}
    return [(eye, iris) for eye, iris in found if iris.face in seen]


def _select_in(
    box: Box, image: np.ndarray, regions: Regions, region: Region, where: np.ndarray, others: np.ndarray | None
) -> Selection:
    face, inside, hairy = _face_of(regions, box), cut(box), region.name in _HAIRY
    band = _band(face)
    probability = regions.probability(region.id, box)
    if probability is None:
        soft = where[inside].astype(np.uint8) * 255
        return Selection(box, soft, _depth(soft, band / 2), face.number)
    soft = _soft_edge(image[inside], where[inside], probability, band, hairy)
    if region.name == "background":
        soft = np.minimum(soft, _doubt_elsewhere(where[inside], probability, band))
    if region.name == "skin":
        soft = np.maximum(soft, _levels(skin_through_hairs(image[inside], regions.ids[inside], where[inside], band)))
    if others is not None:
        soft[others[inside]] = 0
    return Selection(box, soft, _depth(soft, band if hairy else band / 2), face.number)


def _face_of(regions: Regions, box: Box) -> Face:
    return regions.face_at((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)


def _band(face: Face) -> int:
    """How far from its edge a region may still move, in pixels."""
    return max(2, round(face.side / 64))


def _depth(soft: np.ndarray, margin: float) -> np.ndarray:
    return feather(soft, margin, rough=True) / np.float32(255)


def _soft_edge(image: np.ndarray, where: np.ndarray, probability: np.ndarray, band: int, hairy: bool) -> np.ndarray:
    """(h, w) uint8: the probability sharpened, and moved to the picture's own edges if ``hairy``."""
    outside = distance_inside(~where, band, rough=True)  # 0 in the region, infinite beyond the band
    near = outside <= band
    p = probability.astype(np.float32, copy=False)
    if not hairy:
        return near * _levels((p - 0.25) / 0.5)
    # Filtered near the edge only: deep inside, dark strands must not become holes. Both limits are soft themselves.
    half = np.float32(band / 2)
    inside = distance_inside(where, 1.5 * band + 0.5, rough=True)
    soft = (inside == np.inf) * np.uint8(255)
    rim = np.flatnonzero((inside > band + 0.5) & (soft == 0))
    soft.ravel()[rim] = _levels(smoothstep((inside.ravel()[rim] - np.float32(band + 0.5)) / half))
    edge = near & (soft < 255)
    halvings = max(0, band.bit_length() - 3)
    p = guided_filter(image, p * near, radius=band, eps=1e-3, halvings=halvings, where=edge)
    at = np.flatnonzero(edge)
    limit = smoothstep((np.float32(band + 0.5) - outside.ravel()[at]) / half)
    # What has the colour of what lies beside would shine around the region in its new colour.
    share = share_by_colour(image, inside > 0.75 * band, outside > 0.75 * band, band, edge, halvings).ravel()[at]
    doubt = np.clip(1.5 - inside.ravel()[at] / np.float32(0.6 * band), 0, 1)  # deep inside, lights are hair as well
    limit = np.minimum(limit, 1 - doubt * (1 - share))
    filtered = _levels(np.minimum((p.ravel()[at] - 0.25) / 0.5, limit))
    soft.ravel()[at] = np.maximum(soft.ravel()[at], filtered)
    return soft


def _doubt_elsewhere(where: np.ndarray, probability: np.ndarray, band: int) -> np.ndarray:
    """(h, w) uint8: the background (``where``) as it is likely, but for the doubt beside the chosen faces' people.

    Their edge is found in the picture. What is left are people who were not chosen, and the end of what was looked at.
    """
    likely = _levels((probability - 0.25) / 0.5)
    beside = distance_inside(where, 2 * band, rough=True) <= 2 * band
    return np.where(beside, dilate(likely, band), likely)


def _levels(p: np.ndarray) -> np.ndarray:
    return (np.clip(p, 0, 1) * 255 + 0.5).astype(np.uint8)
