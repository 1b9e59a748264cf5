"""How a square that a model looks at lies in a photo: moved, fading where the photo goes on, near to a place."""

from __future__ import annotations

import numpy as np

from npe_core.faces import FaceCrop
from npe_core.faces.resample import inverse, transform

CROP = 512
"""Side of the crop that a face is brought to: four times the denoiser's picture."""
FADE = 32 / 512
"""Share of a crop's side over which it fades out at a border beyond which the photo goes on."""
STRETCH = 1.35
"""A crop may be made so many times as wide to hold all that is marked of its face."""


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
