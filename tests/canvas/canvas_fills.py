"""What the tests of fills share: coordinates, hair, regions with soft edges, and how far a fill is from its colour."""

from types import SimpleNamespace

import numpy as np

from npe_core.canvas import Canvas
from npe_core.colour import parse_colour, srgb_to_lab
from npe_core.regions import REGIONS, region_by_name

SIZE = 96
Y, X = np.mgrid[:SIZE, :SIZE]
HAIR = region_by_name("hair").id


def soft_regions(ids: np.ndarray) -> SimpleNamespace:
    """The ids with blurred probabilities, as a model at a lower resolution gives them."""
    probabilities = np.stack([(ids == region.id).astype(np.float32) for region in REGIONS])
    for _ in range(6):
        for axis in (1, 2):
            probabilities = (
                np.roll(probabilities, 1, axis) + 2 * probabilities + np.roll(probabilities, -1, axis)
            ) / np.float32(4)
    return SimpleNamespace(ids=ids, probabilities=probabilities)


def lab_error(canvas: Canvas, where: np.ndarray, colour: str) -> float:
    target = srgb_to_lab(np.array(parse_colour(colour), np.uint8))
    return float(np.linalg.norm(srgb_to_lab(canvas.guide[where]).mean(axis=0) - target))


def hair_picture(lightness: float = 90.0, contrast: float = 25.0) -> tuple[np.ndarray, np.ndarray]:
    """Striped 'hair' on a light ground, (H, W, 3) uint8, and its ids: a large blob, and a small one apart from it."""
    strands = lightness + contrast * np.sin(X / 2.0) + 0.4 * contrast * np.cos(Y / 11.0)
    strands = strands + np.random.default_rng(1).normal(0, 2, strands.shape)
    picture = np.stack([strands * 1.1, strands * 0.8, strands * 0.6], axis=-1)
    ids = np.ones((SIZE, SIZE), np.uint8)
    ids[np.hypot(X - 40, Y - 40) < 28] = HAIR
    ids[80:90, 80:90] = HAIR
    picture[ids == 1] = (225, 190, 170)
    return np.clip(picture, 0, 255).astype(np.uint8), ids


def is_lit(picture: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Where light falls on the hair: not the hollows, black beside the rest, where most of it is lit."""
    lightness = srgb_to_lab(picture)[..., 0]
    lit = (ids == HAIR) & (lightness > min(0.35 * lightness[ids == HAIR].mean(), 7) / 2)
    return lit if lightness[ids == HAIR].mean() > 4 else ids == HAIR
