"""What the tests of fills share: coordinates, regions with soft edges, and how far a fill is from its colour."""

from types import SimpleNamespace

import numpy as np

from npe_core.canvas import Canvas
from npe_core.colour import parse_colour, srgb_to_lab
from npe_core.regions import REGIONS

SIZE = 96
Y, X = np.mgrid[:SIZE, :SIZE]


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
