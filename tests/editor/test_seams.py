"""Hand-made masks in the middle of smooth skin: nobody should be able to point at their border."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from npe_core.canvas import Canvas
from npe_core.canvas.guided import box_sum
from npe_core.canvas.morphology import distance_inside
from npe_core.editor import underway
from npe_core.photo import Photo

CHEEK = (180, 320, 46)
"""x, y and radius of a place on the cheek of the sample portrait"""


@pytest.fixture(scope="module")
def photo(portrait):
    return Photo.open(portrait)


def cheek_mask(softness):
    rows, columns = np.ogrid[:512, :512]
    x, y, radius = CHEEK
    inside = (np.hypot(columns + 0.5 - x, rows + 0.5 - y) < radius).astype(np.uint8) * 255
    return np.asarray(Image.fromarray(inside).filter(ImageFilter.GaussianBlur(softness))).astype(np.float32) / 255


def imagined_anew(editor, photo, mask, colour=None):
    canvas = Canvas(photo.image)
    canvas.select(mask, colour)
    return editor.edit(photo, canvas, timestep=300, steps=4, seed=3, upscale=False)


def step_at_the_border(photo, result, mask):
    """Levels of 255 by which the broad colours have moved 3 to 10 pixels inside the border."""
    difference = np.moveaxis(result.image.astype(np.float64) - photo.image, -1, 0)
    depth = distance_inside(mask > 0, 100)
    return float(np.abs(box_sum(difference, 4)[:, (depth > 3) & (depth < 10)]).mean() / 81)


def test_no_step_in_colour_at_the_border_of_a_hand_made_mask(editor, photo, monkeypatch):
    mask = cheek_mask(0)
    matched = step_at_the_border(photo, imagined_anew(editor, photo, mask), mask)
    monkeypatch.setattr(underway, "match_ring", lambda result, *others: result)
    plain = step_at_the_border(photo, imagined_anew(editor, photo, mask), mask)
    assert matched < 2.5
    assert matched < 0.5 * plain


@pytest.mark.parametrize("softness", [0, 6])
def test_the_ring_moves_nothing_outside_the_mask(editor, photo, softness):
    mask = cheek_mask(softness)
    result = imagined_anew(editor, photo, mask)
    levels = (mask * 255 + 0.5).astype(np.uint8)
    assert np.array_equal(result.image[levels == 0], photo.image[levels == 0])
    assert (result.image != photo.image).any(axis=-1)[levels == 255].mean() > 0.5


def test_paint_is_not_matched_to_what_surrounds_it(editor, photo, monkeypatch):
    mask = cheek_mask(0)
    matched = imagined_anew(editor, photo, mask, "#3060c0").image
    monkeypatch.setattr(underway, "match_ring", lambda result, *others: result)
    assert np.array_equal(matched, imagined_anew(editor, photo, mask, "#3060c0").image)
