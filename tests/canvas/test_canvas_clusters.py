"""Boxes around what is marked: all of it, and no pixel twice."""

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from npe_core.canvas import Canvas
from npe_core.canvas.boxes import intersection
from npe_core.canvas.clusters import boxes_of, merged
from npe_core.canvas.selection import FaceScale, RegionArrays
from npe_core.colour import parse_colour, srgb_to_lab

HAIR, LIPS = 7, 5


@given(st.integers(1, 300), st.integers(1, 300), st.floats(0, 0.02), st.integers(0, 99))
@settings(max_examples=80, deadline=None)
def test_boxes_hold_every_marked_pixel_once(height, width, share, seed):
    where = np.random.default_rng(seed).random((height, width)) < share
    times = np.zeros(where.shape, int)
    for x0, y0, x1, y1 in boxes_of(where):
        assert where[y0:y1, x0:x1].any()
        times[y0:y1, x0:x1] += 1
    assert times.max(initial=0) <= 1 and (times[where] == 1).all()


def test_places_far_apart_have_boxes_of_their_own():
    where = np.zeros((1000, 2000), bool)
    where[100:200, 100:250] = where[600:900, 1500:1900] = True
    assert boxes_of(where) == [(100, 100, 250, 200), (1500, 600, 1900, 900)]


def test_boxes_that_come_to_overlap_by_merging_are_merged_too():
    assert merged([(0, 0, 4, 4), (6, 0, 9, 4), (3, 3, 7, 9)]) == [(0, 0, 9, 9)]
    assert merged([(0, 0, 4, 4), (4, 0, 9, 4)]) == [(0, 0, 4, 4), (4, 0, 9, 4)]


corners = st.tuples(*[st.integers(0, 9)] * 4)


@given(corners, corners)
def test_an_intersection_holds_the_pixels_of_both_boxes(a, b):
    """Boxes may be empty, or turned inside out."""
    pixels = set(product(range(a[0], a[2]), range(a[1], a[3]))) & set(product(range(b[0], b[2]), range(b[1], b[3])))
    x0, y0, x1, y1 = intersection(a, b) or (0, 0, 0, 0)
    assert set(product(range(x0, x1), range(y0, y1))) == pixels
    assert (intersection(a, b) is None) == (not pixels)


class TwoFaces(RegionArrays):
    """A small face on the left of a large photo, a large one on the right."""

    def face_at(self, x, y):
        return FaceScale(0, 64) if x < 500 else FaceScale(1, 640)


def group(region):
    ids = np.ones((1200, 1600), np.uint8)
    ids[300:330, 100:140] = region
    ids[200:600, 900:1400] = region
    probabilities = np.zeros((11, 1200, 1600), np.float32)
    probabilities[region] = ids == region
    picture = np.full((1200, 1600, 3), 120, np.uint8)
    picture[:, :500] = (40, 35, 30)  # the small face has darker hair
    picture += np.random.default_rng(0).integers(0, 30, picture.shape, dtype=np.uint8)
    return picture, TwoFaces(ids, probabilities)


def test_the_edge_is_as_wide_as_each_face_needs():
    picture, regions = group(HAIR)
    canvas = Canvas(picture, regions)
    canvas.fill("hair", "#8b2500")
    rows, columns = np.nonzero(canvas.mask[:, :500])
    assert rows.min() >= 300 - 2 and columns.max() < 140 + 2  # a band of 2 pixels, of 10 on the right
    assert (canvas.mask[:, :500] == 1).sum() > 0.6 * 30 * 40


def test_each_face_gets_the_colour_by_its_own_light():
    picture, regions = group(HAIR)
    canvas = Canvas(picture, regions)
    canvas.fill("hair", "#8b5030")
    wanted = srgb_to_lab(np.array(parse_colour("#8b5030"), np.uint8))
    for half in (np.s_[:, :500], np.s_[:, 500:]):
        found = srgb_to_lab(canvas.guide[half][canvas.mask[half] == 1]).mean(axis=0)
        assert np.linalg.norm(found - wanted) < 2


def test_a_region_is_small_by_what_was_looked_at_and_not_by_the_photo():
    class Small(RegionArrays):
        area = 64 * 64

    ids = np.ones((1200, 1600), np.uint8)
    ids[300:306, 100:116] = LIPS  # 0.005 % of the photo, 2 % of the face
    canvas = Canvas(np.full((1200, 1600, 3), 120, np.uint8), Small(ids))
    assert canvas.fill("lips", "#b00020") == 96
