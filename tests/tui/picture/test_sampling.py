"""Dots against an area average computed pixel by pixel, in double precision, from the photo itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npe_tui.picture.sampling import Pyramid


def reference(image, origin, scale, box):
    """What each dot covers of the image, averaged; 0 for a dot wholly outside."""

    def shares(start, dots, size):
        edges = np.clip(start + np.arange(dots[0], dots[1] + 1) / scale, 0, size)
        pixels = np.arange(size)
        covered = np.clip(np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels), 0, None)
        total = covered.sum(axis=1, keepdims=True)
        return np.divide(covered, total, out=np.zeros_like(covered), where=total > 1e-9)

    height, width = image.shape[:2]
    rows = shares(origin[1], (box[1], box[3]), height)
    columns = shares(origin[0], (box[0], box[2]), width)
    return np.tensordot(rows, np.tensordot(columns, image.astype(float), (1, 1)), (1, 1))


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.floats(0.25001, 9),
    st.floats(-6, 30),
    st.floats(-6, 30),
    st.integers(0, 9),
)
def test_every_dot_is_the_mean_of_what_it_covers(width, height, scale, left, top, seed):
    image = noise(height, width, seed)
    box = 0, 0, 17, 14
    dots = Pyramid(image).sample((left, top), scale, box)
    assert np.abs(dots - reference(image, (left, top), scale, box)).max() < 0.01


@pytest.mark.parametrize("factor", [4, 8, 16, 64])
def test_whole_blocks_of_a_large_photo(factor):
    image = noise(5 * factor, 7 * factor)
    dots = Pyramid(image).sample((0, 0), 1 / factor, (0, 0, 7, 5))
    blocks = image.reshape(5, factor, 7, factor, 3).mean(axis=(1, 3))
    assert np.abs(dots - blocks).max() < 1.0, "half a step may be lost at each level"
    assert abs((dots - blocks).mean()) < 0.25, "and is not lost the same way each time"


def test_far_away_and_between_the_pixels():
    """A smooth photo of odd size: the pyramid is a small error away from the exact mean."""
    y, x = np.mgrid[:701, :1103] / 100
    image = np.stack([127 + 120 * np.sin(x + y), 127 + 120 * np.cos(2 * x), 127 + 120 * np.sin(y)], axis=-1)
    image = np.rint(image).astype(np.uint8)
    for scale in (0.0421, 0.0733, 0.11, 0.2):
        box = 0, 0, int(1103 * scale), int(701 * scale)
        dots = Pyramid(image).sample((3.7, 1.9), scale, box)
        assert np.abs(dots - reference(image, (3.7, 1.9), scale, box)).max() < 2.5


@given(st.tuples(st.integers(0, 92), st.integers(0, 60), st.integers(1, 40), st.integers(1, 40)), st.floats(0.02, 2))
def test_after_an_update_it_is_as_if_it_were_new(place, scale):
    image = noise(61, 93)
    pyramid = Pyramid(image)
    box = 0, 0, 40, 30
    pyramid.sample((0, 0), scale, box)
    x0, y0, width, height = place
    changed = image.copy()
    changed[y0 : y0 + height, x0 : x0 + width] = 255 - changed[y0 : y0 + height, x0 : x0 + width]
    pyramid.update(changed, (x0, y0, min(x0 + width, 93), min(y0 + height, 61)))
    assert np.array_equal(pyramid.sample((0, 0), scale, box), Pyramid(changed).sample((0, 0), scale, box))


def test_a_part_is_the_same_as_in_the_whole():
    pyramid = Pyramid(noise(400, 300))
    whole = pyramid.sample((-3, 5), 0.13, (0, 0, 40, 50))
    assert np.allclose(pyramid.sample((-3, 5), 0.13, (11, 7, 29, 33)), whole[7:33, 11:29], atol=1e-3)


def test_a_plane_without_colours():
    mask = np.zeros((32, 32), np.uint8)
    mask[8:16, 8:24] = 255
    dots = Pyramid(mask).sample((0, 0), 1 / 8, (0, 0, 4, 4))
    assert dots.tolist() == [[0, 0, 0, 0], [0, 255, 255, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
