"""What callers hand to a canvas, checked once at the door. All raise UsageError."""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Integral, Real
from typing import TypeAlias

import numpy as np

from npe_core.canvas.brush import Point
from npe_core.canvas.layers import to_levels
from npe_core.colour import parse_colour
from npe_core.errors import UsageError
from npe_core.regions import REGIONS, Region, group_by_name, region_by_name

Colour: TypeAlias = str | tuple[int, int, int]
"""``#rrggbb`` or (r, g, b), each 0..255."""


def as_image(image: np.ndarray, size: tuple[int, int] | None = None) -> np.ndarray:
    """(H, W, 3) uint8, of the given size if there is one."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise UsageError(f"A picture is (H, W, 3) uint8; got {image.dtype} of shape {image.shape}.")
    if size is not None and image.shape[:2] != size:
        raise UsageError(f"The paint is {_wh(image.shape[:2])}; it must have the size of the picture, {_wh(size)}.")
    return image


def as_rgb(colour: Colour) -> tuple[int, int, int]:
    """(r, g, b) of a colour."""
    if isinstance(colour, str):
        return parse_colour(colour)
    values = _numbers(colour, 3)
    if values is None or not all(0 <= v <= 255 and v == int(v) for v in values):
        raise UsageError(f"{colour!r} is not a colour. Write it as #RRGGBB, or as three numbers 0..255.")
    return int(values[0]), int(values[1]), int(values[2])


def as_levels(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W) uint8 in 1/255, from float in [0, 1] (rounded), bool, or uint8 levels as they are."""
    if mask.shape != size:
        shape = _wh(mask.shape) if mask.ndim == 2 else f"of shape {mask.shape}"
        raise UsageError(f"The mask is {shape}; it must have the size of the picture, {_wh(size)}.")
    if mask.dtype == np.uint8:
        return mask
    if mask.dtype == np.bool_:
        return mask.astype(np.uint8) * 255
    if not (np.issubdtype(mask.dtype, np.floating) and mask.min() >= 0 and mask.max() <= 1):
        raise UsageError(
            f"A mask is float between 0 and 1, bool or uint8; got {mask.dtype} {mask.min()}..{mask.max()}."
        )
    return to_levels(mask)


def as_region(region: str | int | Region) -> Region:
    """A region by name, id or itself."""
    if isinstance(region, Region):
        return region
    if isinstance(region, str):
        return region_by_name(region)
    if not (isinstance(region, Integral) and 0 <= region < len(REGIONS)):
        raise UsageError(f"There is no region {region!r}: ids go from 0 to {len(REGIONS) - 1}.")
    return REGIONS[region]


def as_group(regions: str | int | Region | Iterable[str | int | Region]) -> tuple[Region, ...]:
    """The regions of a fill, each once, in the order of the table; ``skin+nose`` names two."""
    if isinstance(regions, str):
        return group_by_name(regions)
    if isinstance(regions, Region) or not isinstance(regions, Iterable):
        return (as_region(regions),)
    found = {as_region(region) for region in regions}
    if not found:
        raise UsageError("A fill needs at least one region.")
    return tuple(sorted(found, key=lambda region: region.id))


def as_points(points: Iterable[Point]) -> list[Point]:
    """At least one point, each of two finite numbers, as a list of float pairs."""
    checked = [_point(point) for point in points]
    if not checked:
        raise UsageError("A stroke needs at least one point (x, y).")
    for point in checked:
        if not (math.isfinite(point[0]) and math.isfinite(point[1])):
            raise UsageError(f"A stroke cannot go through {point}: coordinates are finite numbers of pixels.")
    return checked


def as_pixel(point: Point, size: tuple[int, int]) -> tuple[int, int]:
    """The pixel (column, row) that a point lies in."""
    x, y = _point(point)
    if not (0 <= x < size[1] and 0 <= y < size[0]):
        raise UsageError(f"({x}, {y}) lies outside the picture, which is {_wh(size)}.")
    return int(x), int(y)


def as_radius(radius: float) -> float:
    """A finite radius in pixels, 0 or more."""
    if not (math.isfinite(radius) and radius >= 0):
        raise UsageError(f"A radius is a number of pixels, 0 or more; got {radius}.")
    return float(radius)


def _point(point: Point) -> Point:
    pair = _numbers(point, 2)
    if pair is None:
        raise UsageError(f"{point!r} is not a point. Write it as (x, y), in pixels.")
    return pair[0], pair[1]


def _numbers(values: object, count: int) -> tuple[float, ...] | None:
    """So many numbers as floats; None if the values are anything else."""
    found = tuple(values) if isinstance(values, Iterable) else ()
    if len(found) != count or not all(isinstance(value, Real) for value in found):
        return None
    return tuple(float(value) for value in found)


def _wh(size: tuple[int, ...]) -> str:
    return f"{size[1]}x{size[0]} pixels"
