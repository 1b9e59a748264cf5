"""Laws of the document: exactness outside the mask, what its views and parts are, what it refuses."""

import random
import subprocess
import sys

import numpy as np
import pytest
from canvas_operations import H, W, picture, random_operation, region_map
from hypothesis import given, settings
from hypothesis import strategies as st

from npe_core.canvas import Canvas
from npe_core.errors import UsageError


@given(seed=st.integers(0, 2**32), count=st.integers(1, 12))
@settings(max_examples=30, deadline=None)
def test_where_the_mask_is_0_the_guide_is_the_original(seed, count):
    rng = random.Random(seed)
    canvas = Canvas(picture(), region_map())
    for _ in range(count):
        before = canvas.guide.copy(), canvas.mask.copy()
        canvas.take_dirty()
        random_operation(rng)(canvas)
        assert np.array_equal(canvas.guide[canvas.mask == 0], canvas.image[canvas.mask == 0])
        assert not canvas.painted[canvas.mask == 0].any()
        changed = (before[0] != canvas.guide).any(axis=-1) | (before[1] != canvas.mask)
        if (box := canvas.take_dirty()) is not None:
            x0, y0, x1, y1 = box
            changed[y0:y1, x0:x1] = False
        assert not changed.any()
    assert np.array_equal(canvas.image, picture())


def test_a_painted_file_is_soft_where_its_alpha_is():
    canvas = Canvas(np.full((4, 4, 3), 50, np.uint8))
    alpha = np.zeros((4, 4))
    alpha[1, 1], alpha[2, 2] = 1, 0.4
    assert canvas.paint_image(np.full((4, 4, 3), 250, np.uint8), alpha)
    assert canvas.mask[1, 1] == 1
    assert canvas.mask[2, 2] == pytest.approx(0.4, abs=1e-6)
    assert canvas.guide[1, 1, 0] == 250
    assert canvas.guide[2, 2, 0] == 130
    assert np.count_nonzero(canvas.mask) == 2
    assert not canvas.paint_image(np.full((4, 4, 3), 250, np.uint8), np.zeros((4, 4)))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda c: c.select(np.zeros((3, 3))),
        lambda c: c.select(np.full((H, W), 1.5)),
        lambda c: c.select(np.full((H, W), np.nan)),
        lambda c: c.select(np.zeros((H, W), np.int32)),
        lambda c: c.select(np.zeros((H, W)), "nothing"),
        lambda c: c.paint_image(np.zeros((3, 3, 3), np.uint8), np.zeros((H, W))),
        lambda c: c.paint_image(np.zeros((H, W, 3)), np.zeros((H, W))),
        lambda c: c.grow(-1),
        lambda c: c.feather(float("nan")),
        lambda c: Canvas(np.zeros((3, 3), np.uint8)),
        lambda c: Canvas(np.zeros((0, 3, 3), np.uint8)),
    ],
)
def test_what_cannot_be_meant_is_refused(wrong):
    canvas = Canvas(picture())
    canvas.stroke([(9, 9)], "#ffffff", 3)
    with pytest.raises(UsageError):
        wrong(canvas)
    assert len(canvas._history.done) == 1


def test_views_are_read_only_and_follow():
    canvas = Canvas(picture())
    levels, guide = canvas.levels, canvas.guide
    for view in (levels, guide, canvas.image, canvas.mask):
        with pytest.raises(ValueError, match="read-only"):
            view[0, 0] = 0
    canvas.stroke([(5, 5)], "#ffffff", 3)
    assert levels[5, 5] == 255
    assert guide[5, 5, 0] == 255
    assert canvas.mask[5, 5] == 1 and canvas.mask.dtype == np.float32


def test_importing_the_canvas_does_not_import_torch():
    code = "import sys, npe_core.canvas; print('torch' in sys.modules, 'PIL' in sys.modules, 'scipy' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False"] * 3


def test_parts_are_what_the_whole_is_before_and_after_it_is_made():
    canvas, whole = Canvas(picture(), region_map()), Canvas(picture(), region_map())
    assert whole.guide.shape == canvas.guide_parts.shape and whole.mask.shape == canvas.mask_parts.shape
    for seed in range(12):
        for one in (canvas, whole):
            random_operation(random.Random(seed))(one)
        for where in (np.s_[3:40, 10:33], np.s_[0:, 0:], np.s_[5:60:3, 1:50:2], np.s_[7:7, 2:9]):
            assert np.array_equal(canvas.guide_parts[where], whole.guide[where])
            assert np.array_equal(canvas.mask_parts[where], whole.mask[where])
    assert np.array_equal(canvas.levels, np.rint(whole.mask * 255))
    assert np.array_equal(canvas.guide, whole.guide) and np.array_equal(canvas.mask, whole.mask)
