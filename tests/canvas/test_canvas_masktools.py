"""Grow, shrink, feather, invert and select: laws of the mask, and what becomes of the paint."""

import random

import numpy as np
import pytest
from canvas_operations import H, W, picture, random_operation, region_map
from hypothesis import given, settings
from hypothesis import strategies as st

from npe_core.canvas import Canvas, masktools
from npe_core.canvas.layers import ALPHA, MASK


@given(seed=st.integers(0, 2**32), radius=st.floats(0, 12))
@settings(max_examples=30, deadline=None)
def test_laws_of_the_mask_tools(seed, radius):
    rng = random.Random(seed)
    canvas = Canvas(picture(), region_map())
    for _ in range(4):
        random_operation(rng)(canvas)
    canvas.end_stroke()
    start = canvas.mask.copy()
    steps = len(canvas._history.done)
    canvas.grow(radius)
    assert (canvas.mask >= start).all()
    canvas.shrink(radius)
    assert (canvas.mask >= start).all()  # closing only adds
    while len(canvas._history.done) > steps:
        canvas.undo()
    canvas.shrink(radius)
    assert (canvas.mask <= start).all()
    canvas.grow(radius)
    assert (canvas.mask <= start).all()  # opening only takes away
    while len(canvas._history.done) > steps:
        canvas.undo()
    canvas.feather(radius)
    assert (canvas.mask <= start).all()
    canvas.undo() if len(canvas._history.done) > steps else None
    guide = canvas.guide.copy()
    canvas.invert()
    assert np.array_equal(canvas.mask == 1, start == 0)
    canvas.invert()
    assert np.array_equal(canvas.mask, start)
    assert np.array_equal(canvas.guide, guide)


RED, BLUE = [255, 0, 0], [0, 0, 255]


def test_grown_paint_takes_the_nearest_colour_along():
    canvas = Canvas(picture())
    mask = np.zeros((H, W))
    mask[10:20, 10:20] = 1
    canvas.select(mask, "#ff0000")
    mask = np.zeros((H, W))
    mask[10:20, 24:30] = 1
    canvas.select(mask, "#0000ff")
    canvas.grow(3)
    assert canvas.guide[15, 21:24].tolist() == [RED, BLUE, BLUE]
    assert canvas.mask[15, 32] == 1
    assert canvas.mask[15, 33] == 0


@pytest.mark.parametrize("radius", [1e9, 1e200])
def test_a_radius_beyond_all_pictures_does_as_much_as_one_as_wide_as_the_picture(radius):
    canvas = Canvas(picture())
    mask = np.zeros((H, W))
    mask[10:20, 10:20] = 1
    canvas.select(mask, "#ff0000")
    canvas.grow(radius)
    assert canvas.mask.min() == 1 and (canvas.guide == RED).all()
    canvas.undo()
    canvas.shrink(radius)
    assert not canvas.mask.any()


def test_under_a_weak_mask_that_grows_hidden_paint_is_no_thinner():
    planes = np.zeros((5, H, W), np.uint8)
    planes[0, 10:20, 10:20], planes[ALPHA, 10:20, 10:20], planes[MASK, 10:20, 10:20] = 255, 255, 60
    grown = masktools.grow(planes, 2)
    assert (grown[ALPHA, 10:20, 10:20] == 255).all()
    assert (grown[[0, ALPHA, MASK], 15, 21] == (255, 60, 60)).all()


def test_grown_mask_without_paint_stays_without():
    canvas = Canvas(picture())
    canvas.stroke([(20, 20)], None, 5)
    canvas.grow(4)
    assert np.array_equal(canvas.guide, canvas.image)


def test_shrinking_hides_paint_and_growing_brings_it_back():
    """A blue rim around red: it was red after both, as what shows at the edge went along over what was hidden."""
    canvas = Canvas(picture())
    for inset, colour in ((4, "#0000ff"), (12, "#ff0000")):
        mask = np.zeros((H, W))
        mask[inset : H - inset, inset : W - inset] = 1
        canvas.select(mask, colour)
    guide = canvas.guide.copy()
    canvas.shrink(10)
    assert np.array_equal(canvas.guide[:14], canvas.image[:14]) and canvas.guide[H // 2, W // 2].tolist() == RED
    canvas.grow(10)
    there = canvas.mask == 1
    assert canvas.guide[4, W // 2].tolist() == BLUE
    assert np.array_equal(canvas.guide[there], guide[there])


def test_hidden_paint_shows_whole_where_the_mask_outgrows_its_soft_edge():
    canvas = Canvas(picture())
    mask = np.zeros((H, W))
    mask[10:30, 10:40] = 1
    canvas.select(mask * 0.4, "#00ff00")
    mask[:, 10:12] = mask[:, 38:] = 0
    canvas.select(mask, "#00ff00")
    canvas.shrink(4)
    canvas.grow(8)
    assert (canvas.guide[15:25, 8:42] == (0, 255, 0)).all()


def test_feather_falls_inwards():
    canvas = Canvas(picture())
    mask = np.zeros((H, W))
    mask[5:35, 10:50] = 1
    canvas.select(mask, "#00ff00")
    assert canvas.feather(8)
    row = canvas.mask[20, 10:30]
    assert (np.diff(row[:9]) > 0).all()
    assert (row[9:] == 1).all()
    assert not canvas.mask[mask == 0].any()


def test_selecting_without_a_colour_keeps_the_guide():
    canvas = Canvas(picture())
    canvas.stroke([(20, 20)], "#ff0000", 6)
    guide = canvas.guide.copy()
    assert canvas.select(np.ones((H, W), bool))
    assert (canvas.mask == 1).all()
    assert np.array_equal(canvas.guide, guide)
    assert not canvas.select(np.ones((H, W), bool))  # once more changes nothing


@pytest.mark.parametrize("colour", [None, "#0000ff"])
def test_a_soft_mask_takes_no_mask_away_and_brings_no_hidden_paint_back(colour):
    canvas, alone = Canvas(picture()), Canvas(picture())
    mask = np.zeros((H, W))
    mask[10:30, 10:40] = 1
    canvas.select(mask, "#ff0000")
    canvas.shrink(4)
    kept = canvas.mask == 1
    for each in (canvas, alone):
        each.select(np.full((H, W), 0.4), colour)
    assert kept[14:26, 14:36].all() and (canvas.mask[kept] == 1).all()
    assert np.array_equal(canvas.mask[~kept], alone.mask[~kept])
    assert np.array_equal(canvas.guide[~kept], alone.guide[~kept])
