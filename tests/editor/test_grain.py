"""The photo's grain on what was made anew: against grain whose strength is known."""

import cv2
import numpy as np
import pytest

from npe_core.colour import LUMA
from npe_core.editor.grain import add_grain
from npe_core.faces import FaceCrop

SIDE = 512
BLUE = np.array([40, 70, 160], np.uint8)


def finest(picture: np.ndarray) -> np.ndarray:
    light = picture.astype(np.float32) @ LUMA
    return light - cv2.GaussianBlur(light, (0, 0), 2)


def grainy(strength: float, level: np.ndarray | float = 150) -> np.ndarray:
    """(512, 512, 3) uint8: grey with grain of this standard deviation."""
    grain = np.random.default_rng(3).normal(0, strength, (SIDE, SIDE)) if strength else 0
    grey = np.clip(np.rint(level + grain + np.zeros((SIDE, SIDE))), 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def disc(radius: float) -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE]
    return np.hypot(x - 256, y - 256) < radius


def grained(image: np.ndarray, photo: np.ndarray, where: np.ndarray, kept: float = 0.0) -> np.ndarray:
    result = image.copy()
    shares = [np.full((SIDE, SIDE), kept, np.float32)]
    add_grain(result, photo, where * np.uint8(255), where, [FaceCrop.centred(SIDE, SIDE)], shares)
    return result


def blue(photo: np.ndarray, where: np.ndarray) -> np.ndarray:
    return np.where(where[..., None], BLUE, photo)


@pytest.mark.parametrize("radius", [10, 40, 120])
@pytest.mark.parametrize("strength", [3, 10])
def test_paint_in_any_colour_gets_the_photos_grain_and_nothing_else_changes(radius, strength):
    photo, where = grainy(strength), disc(radius)
    result = grained(blue(photo, where), photo, where)
    assert 0.75 < finest(result)[disc(radius - 4)].std() / finest(photo).std() < 1.1
    assert np.abs(result[disc(radius - 4)].mean(axis=0) - BLUE).max() < 1
    assert np.array_equal(result[~where], photo[~where])


def test_texture_and_what_is_white_are_no_grain():
    """Of stripes, ten times as strong, on a half and white on a quarter: the grain is that of the last quarter."""
    stripes = 150 + 40 * (np.mgrid[:SIDE, :SIDE][1] // 3 % 2) * (np.mgrid[:SIDE, :SIDE][1] < 256)
    photo, where = grainy(4, stripes), disc(40)
    photo[:256, 256:] = 255
    result = finest(grained(blue(photo, where), photo, where))[disc(35)]
    assert 0.7 < result.std() / finest(grainy(4)).std() < 1.2


def test_what_the_result_has_counts():
    photo, where = grainy(10), disc(40)
    other = np.random.default_rng(8).normal(0, 10 / 2**0.5, (SIDE, SIDE, 1))
    image = np.clip(np.rint(blue(photo, where) + where[..., None] * other), 0, 255).astype(np.uint8)
    assert 0.8 < finest(grained(image, photo, where))[disc(35)].std() / finest(photo).std() < 1.15
    assert np.array_equal(grained(image, photo, where, kept=1.0), image)


def test_a_photo_without_grain_gives_none():
    light = np.linspace(100, 180, SIDE)[None, :]
    photo, where = grainy(0.5, light), disc(40)
    image = blue(photo, where)
    assert np.array_equal(grained(image, photo, where), image)
    assert np.array_equal(grained(image, photo, np.ones_like(where)), image)


def test_its_cells_are_not_seen():
    """Neither are there edges between them, nor are they those that they were, shown again in their places."""
    photo, where = grainy(10), disc(60)
    grain = finest(grained(blue(photo, where), photo, where))[216:296, 216:296]
    across = np.abs(np.diff(grain, axis=1)).mean(axis=0)
    at_edges = np.concatenate([across[3::4], np.abs(np.diff(grain, axis=0)).mean(axis=1)[3::4]])
    assert at_edges.mean() < 1.15 * across.mean()
    shifts = [np.corrcoef(grain[:, :-n].ravel(), grain[:, n:].ravel())[0, 1] for n in range(4, 40)]
    assert max(shifts) < 0.15
