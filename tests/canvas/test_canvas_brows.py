"""Brows are hairs over skin: what is filled of either, and what shows of the other."""

from types import SimpleNamespace

import numpy as np
import pytest
from canvas_fills import SIZE, X, Y, soft_regions

from npe_core.canvas import Canvas
from npe_core.colour import parse_colour, srgb_to_lab
from npe_core.regions import region_by_name

SKIN = (225, 190, 170)


def brow_picture() -> tuple[np.ndarray, SimpleNamespace, np.ndarray]:
    """Skin with a brow, (H, W, 3) uint8; its regions; and how much hair each pixel shows, (H, W) in [0, 1]."""
    ids = np.full((SIZE, SIZE), region_by_name("skin").id, np.uint8)
    brow = (np.abs(X - 48) < 24) & (np.abs(Y - 40) < 6)
    ids[brow] = region_by_name("brows").id
    share = brow * np.clip(1.5 - np.abs(X % 12 - 6) / 2, 0, 1)
    picture = np.rint(share[..., None] * (70, 50, 40) + (1 - share[..., None]) * SKIN).astype(np.uint8)
    return picture, soft_regions(ids), share


def test_lighter_skin_shows_between_the_hairs_of_a_brow_and_the_hairs_stay():
    picture, regions, share = brow_picture()
    canvas = Canvas(picture, regions)
    canvas.fill("skin", "#fff0e6")
    inside = (np.abs(X - 48) < 22) & (np.abs(Y - 40) < 4)
    assert canvas.mask[inside & (share == 0)].min() > 0.7
    assert canvas.mask[inside & (share == 1)].max() < 0.3
    assert canvas.guide[inside & (share == 1)].mean() < 80


def test_of_darker_skin_nothing_is_left_of_the_old_in_the_brows_and_the_hairs_are_darker_still():
    picture, regions, share = brow_picture()
    canvas = Canvas(picture, regions)
    canvas.fill("skin", "#6b4226")
    new = srgb_to_lab(np.array(parse_colour("#6b4226"), np.uint8))[0]
    lightness = srgb_to_lab(canvas.guide)[..., 0]
    assert lightness.max() < new + 4
    inside = (np.abs(X - 48) < 22) & (np.abs(Y - 40) < 4)
    assert lightness[inside & (share == 1)].max() < new - 6
    assert np.corrcoef(lightness[inside], share[inside])[0, 1] < -0.95


@pytest.mark.parametrize("colour", ["#301008", "#b08050"])
def test_brows_are_hairs_over_skin_and_what_shows_of_both_changes_in_proportion(colour):
    picture, regions, share = brow_picture()
    canvas = Canvas(picture, regions)
    canvas.fill("brows", colour)
    wanted = picture + share[..., None] * (np.array(parse_colour(colour)) - (70.0, 50.0, 40.0))
    inside = (np.abs(X - 48) < 22) & (np.abs(Y - 40) < 4)
    assert np.abs(canvas.guide - wanted)[inside].mean() < 16
    assert np.abs(canvas.guide - wanted)[inside & (share == 0)].mean() < 16


def test_brows_lie_over_the_skin_whichever_was_filled_first():
    picture, regions, _ = brow_picture()
    one, other = Canvas(picture, regions), Canvas(picture, regions)
    for canvas, order in ((one, ("brows", "skin")), (other, ("skin", "brows"))):
        for region in order:
            canvas.fill(region, {"brows": "#b08050", "skin": "#6b4226"}[region])
    assert (one.guide == other.guide).all() and (one.levels == other.levels).all()
    assert [fill.region for fill in one.targets] == ["brows", "skin", "brows"]
    one.undo()
    assert [fill.region for fill in one.targets] == ["brows"]
