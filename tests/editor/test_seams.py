"""Hand-made masks in the middle of smooth skin: nobody should be able to point at their border."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from npe_core.blend import keep_colour
from npe_core.canvas import Canvas
from npe_core.canvas.guided import box_sum
from npe_core.canvas.morphology import distance_inside
from npe_core.colour import srgb_to_lab
from npe_core.editor import hold, underway
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


def imagined_anew(editor, photo, mask, colour=None, timestep=300, seed=3, steps=4):
    canvas = Canvas(photo.image)
    canvas.select(mask, colour)
    return editor.edit(photo, canvas, timestep=timestep, steps=steps, seed=seed, upscale=False)


def step_at_the_border(photo, result, mask):
    """Levels of 255 by which the broad colours have moved 3 to 10 pixels inside the border."""
    difference = np.moveaxis(result.image.astype(np.float64) - photo.image, -1, 0)
    depth = distance_inside(mask > 0, 100)
    return float(np.abs(box_sum(difference, 4)[:, (depth > 3) & (depth < 10)]).mean() / 81)


def test_no_step_in_colour_at_the_border_of_a_hand_made_mask(editor, portrait, monkeypatch):
    """Three levels are a little over 1 in L*, half of what is just noticed; what is imagined anew differs by seed."""
    photo, mask = Photo.open(portrait.with_name("clara.png")), cheek_mask(0)  # there the cheek has no fold

    def steps():
        edits = [imagined_anew(editor, photo, mask, seed=seed) for seed in range(2)]
        return np.array([step_at_the_border(photo, edit, mask) for edit in edits])

    matched = steps()
    monkeypatch.setattr(hold, "match_ring", lambda result, *others: result)
    plain = steps()
    assert matched.mean() < 3 and (matched < 0.5 * plain).all()


@pytest.mark.parametrize("softness", [0, 6])
def test_the_ring_moves_nothing_outside_the_mask(editor, photo, softness):
    mask = cheek_mask(softness)
    result = imagined_anew(editor, photo, mask, steps=1)
    levels = (mask * 255 + 0.5).astype(np.uint8)
    assert np.array_equal(result.image[levels == 0], photo.image[levels == 0])
    assert (result.image != photo.image).any(axis=-1)[levels == 255].mean() > 0.5


def test_flat_paint_has_a_soft_edge(editor, photo, monkeypatch):
    """Paint a little off the cheek's colour, as of somebody who wants the skin to go on: how much of the change that
    it makes in its middle is there right behind its hard outline."""
    mask = cheek_mask(0)
    near = np.rint(photo.image[mask > 0].mean(axis=0) * (0.94, 1.0, 1.04)).astype(int)
    colour = "#" + "".join(f"{v:02x}" for v in near)
    inside = distance_inside(mask > 0, 100)

    def share():
        changed = imagined_anew(editor, photo, mask, colour).image.astype(np.float64) - photo.image
        ring, middle = (changed[where].mean(axis=0) for where in ((inside > 2) & (inside < 6), inside > 20))
        return float(ring @ middle / (middle @ middle))

    soft = share()
    monkeypatch.setattr(underway, "settle", kept_up_to_its_outline)
    assert soft < 0.7 * share()


def kept_up_to_its_outline(result, views, own, timestep):
    return keep_colour(result, views.guide, views.painted * views.mask, 1.0)


def test_paint_of_a_colour_of_its_own_keeps_it(editor, photo):
    mask = cheek_mask(0)
    image = imagined_anew(editor, photo, mask, "#3060c0", timestep=200).image
    inside = distance_inside(mask > 0, 100) > 12
    assert np.linalg.norm(srgb_to_lab(image)[inside].mean(axis=0) - srgb_to_lab(np.array((48, 96, 192), np.uint8))) < 8


def test_the_fainter_a_mask_the_less_changes(editor, photo):
    """A mask too faint for the last call of the network was held at each: it is not to show what that call made."""
    changes = []
    for level in (1, 25, 120, 255):
        canvas = Canvas(photo.image)
        mask = np.zeros(photo.image.shape[:2], np.float32)
        mask[150:350, 150:350] = level / 255
        canvas.select(mask)
        edited = editor.edit(photo, canvas, timestep=400, seed=1).image
        changes.append(np.abs(edited.astype(int) - photo.image)[mask > 0].mean())
    assert changes[0] < 0.1 and (np.diff(changes) > 0.5).all(), changes
