"""The square cut-out that the models see of a face, and the way of its maps back into the photo.

Coordinates are continuous, in pixels: the centre of the top left pixel is (0.5, 0.5), of the crop as of the photo.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from npe_core.errors import UsageError
from npe_core.faces.alignment import TEMPLATE, box_framing, umeyama
from npe_core.faces.face import Face
from npe_core.faces.resample import inside_square, inverse, scale_of, transform, warp, warp_ids, warp_levels
from npe_core.parts import Box, Source

_WHERE = " Give a box around head and hair, in pixels of the photo."

_LARGEST = 16
"""A crop may have this many times the area of the photo before it is taken for a mistake: its area is what it costs."""
_FARTHEST = 1e7
"""Coordinates beyond it, in pixels, are in no photo."""


@dataclass(frozen=True, eq=False)
class FaceCrop:
    """Where a square of ``size`` x ``size`` pixels lies in a photo: turned, scaled, perhaps partly outside.

    ::

        crop = FaceCrop.aligned(face)
        face_512 = crop.extract(photo)
        box = crop.box((width, height))
        where = crop.to_box(soft_mask_512, box)
    """

    matrix: np.ndarray
    """(2, 3) float64 similarity from crop coordinates to photo coordinates."""

    size: int = 512

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, np.float64)
        if matrix.shape != (2, 3) or not np.isfinite(matrix).all() or self.size < 1:
            raise ValueError(f"a crop needs a finite (2, 3) matrix and a size, got {matrix.tolist()} and {self.size}")
        (a, c, _), (b, d, _) = matrix
        if not np.allclose([a, b], [d, -c]) or scale_of(matrix) < 1e-6:
            raise ValueError(f"the matrix of a crop turns, scales and moves, nothing else; got {matrix.tolist()}")
        matrix.setflags(write=False)
        object.__setattr__(self, "matrix", matrix)

    @classmethod
    def aligned(cls, face: Face, size: int = 512) -> FaceCrop:
        """The framing of the training pictures: eyes level at 0.47 of the height, a quarter of the width apart.

        By the landmarks; by the box where they cannot be right (a profile whose eyes fall together).
        """
        crop = cls(umeyama(TEMPLATE * size, face.landmarks), size)
        framing = box_framing(face.box)
        side = crop.scale * size
        return crop if 0.65 < side / framing.side < 1.6 else cls.from_box(framing.square, size)

    @classmethod
    def from_box(cls, box: tuple[float, float, float, float], size: int = 512) -> FaceCrop:
        """The upright square around the middle of ``box`` (x0, y0, x1, y1 in photo pixels), as wide as its longer side.

        Raises UsageError for a box without an area, of less than half a pixel, or far from any photo.
        """
        x0, y0, x1, y1 = (float(value) for value in box)
        if not (np.isfinite([x0, y0, x1, y1]).all() and x1 > x0 and y1 > y0):
            raise UsageError(f"The box {x0:g},{y0:g},{x1:g},{y1:g} has no area. Give X0,Y0,X1,Y1 with X0<X1 and Y0<Y1.")
        side = max(x1 - x0, y1 - y0)
        if side < 0.5 or max(abs(value) for value in (x0, y0, x1, y1)) > _FARTHEST:
            raise UsageError(f"The box {x0:g},{y0:g},{x1:g},{y1:g} is no place in a photo.{_WHERE}")
        left, top = (x0 + x1 - side) / 2, (y0 + y1 - side) / 2
        return cls(np.array([[side / size, 0, left], [0, side / size, top]]), size)

    @classmethod
    def centred(cls, width: int, height: int, size: int = 512) -> FaceCrop:
        """The largest centred square of a photo that is a face crop already. On whole pixels, so that a square photo
        of ``size`` pixels comes back bit for bit."""
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        return cls.from_box((left, top, left + side, top + side), size)

    @property
    def scale(self) -> float:
        """Photo pixels per crop pixel."""
        return scale_of(self.matrix)

    def resized(self, size: int) -> FaceCrop:
        """The same square of the photo in ``size`` x ``size`` pixels; ``round(crop.size * crop.scale)`` keeps the
        photo's own resolution."""
        factor = self.size / size
        return replace(self, matrix=self.matrix * [factor, factor, 1], size=size)

    def corners(self) -> np.ndarray:
        """(4, 2) photo coordinates of the crop's corners: top left, top right, bottom right, bottom left."""
        s = float(self.size)
        return transform(self.matrix, np.array([[0, 0], [s, 0], [s, s], [0, s]]))

    def box(self, photo_size: tuple[int, int]) -> Box:
        """(x0, y0, x1, y1): the photo pixels that the crop touches, clipped to a photo of ``photo_size`` (width,
        height). Without an area if the crop lies outside."""
        corners, limits = self.corners(), np.array(photo_size)
        low = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, limits)
        high = np.clip(np.ceil(corners.max(axis=0)).astype(int), low, limits)
        return int(low[0]), int(low[1]), int(high[0]), int(high[1])

    def extract(self, image: Source, size: int | None = None) -> np.ndarray:
        """The crop of a photo (H, W[, C]) as (size, size[, C]) of the same type; ``size`` defaults to the crop's own.

        uint8 is resampled as a picture (cubic; as sharp as by Lanczos where it is reduced), float32 as a map (linear,
        area means; the values stay in their range). What lies outside the photo is its mirror image. Takes time and
        memory by the crop's area in the photo. Raises UsageError when the crop lies wholly outside, or is absurdly
        large.
        """
        height, width = image.shape[:2]
        x0, y0, x1, y1 = self.box((width, height))
        if x0 == x1 or y0 == y1:
            raise UsageError(f"{self._place()} lies outside the photo, which has {width}x{height} pixels.{_WHERE}")
        if (self.scale * self.size) ** 2 > _LARGEST * width * height:
            raise UsageError(
                f"{self._place()} is far larger than the photo, which has {width}x{height} pixels.{_WHERE}"
            )
        crop = self if size is None else self.resized(size)
        return warp(image, crop.matrix, crop.size, crop.size)

    def _place(self) -> str:
        (x0, y0), (x1, y1) = self.corners().min(axis=0), self.corners().max(axis=0)
        return f"The face's square, {x1 - x0:.0f}x{y1 - y0:.0f} pixels from ({x0:.0f}, {y0:.0f}),"

    def to_box(self, crop_map: np.ndarray, box: Box, fill: float = 0, amounts: bool = False) -> np.ndarray:
        """A map of the crop (size, size[, C]) as a map of ``box`` in the photo (H, W[, C]), ``fill`` outside the crop.

        ``box`` is (x0, y0, x1, y1) in whole photo pixels. float32 is interpolated, uint8 is taken for ids (the nearest
        one), or with ``amounts`` for amounts in 1/255 and interpolated, then (size, size).
        """
        if crop_map.shape[:2] != (self.size, self.size):
            raise ValueError(f"a map of this crop has {self.size} x {self.size} pixels, got {crop_map.shape}")
        x0, y0, x1, y1 = box
        width, height = x1 - x0, y1 - y0
        if x0 >= x1 or y0 >= y1:
            return np.zeros((max(0, height), max(0, width), *crop_map.shape[2:]), crop_map.dtype)
        to_crop = self.seen_from(box)
        if crop_map.dtype == np.uint8 and not amounts:
            return warp_ids(crop_map, to_crop, width, height, fill)
        result = (warp_levels if amounts else warp)(crop_map, to_crop, width, height)
        ends = transform(to_crop, np.array([[i * width, j * height] for i in (0, 1) for j in (0, 1)]))
        if ends.min() < 0 or ends.max() > self.size:
            result[~inside_square(to_crop, self.size, width, height)] = fill
        return result

    def seen_from(self, box: Box) -> np.ndarray:
        """(2, 3) similarity from coordinates in a box of the photo to those of the crop."""
        to_crop = inverse(self.matrix)
        to_crop[:, 2] += to_crop[:, :2] @ box[:2]
        return to_crop
