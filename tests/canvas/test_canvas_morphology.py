"""Distances, growing, shrinking and pieces against brute force."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from npe_core.canvas.connected import label_pieces, piece_at
from npe_core.canvas.morphology import dilate, distance_inside, erode, feather_levels, nearest_source

shapes = st.tuples(st.integers(1, 14), st.integers(1, 14))
levels = shapes.flatmap(lambda s: arrays(np.uint8, s, elements=st.sampled_from([0, 0, 0, 7, 128, 255])))
bits = shapes.flatmap(lambda s: arrays(np.bool_, s))


def distances(shape: tuple[int, int]) -> np.ndarray:
    """(H, W, H, W) distances of all pixels to all pixels."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    return np.hypot(y[:, :, None, None] - y, x[:, :, None, None] - x)


@given(levels, st.floats(0, 8))
@settings(max_examples=100, deadline=None)
def test_dilate_is_the_maximum_over_a_disc_and_erode_the_minimum(level, radius):
    near = distances(level.shape) <= radius
    assert np.array_equal(dilate(level, radius), np.where(near, level, 0).max(axis=(2, 3)))
    assert np.array_equal(erode(level, radius), np.where(near, level, 255).min(axis=(2, 3)))


@given(bits, st.integers(1, 20))
@settings(max_examples=100, deadline=None)
def test_distances_are_exact_up_to_the_limit(inside, limit):
    expected = np.where(inside, np.inf, distances(inside.shape)).min(axis=(0, 1)) if not inside.all() else None
    found = distance_inside(inside, limit)
    if expected is None:
        assert np.isinf(found).all()
        return
    expected = np.where(inside[None, None], np.inf, distances(inside.shape)).min(axis=(2, 3))
    close = expected <= limit
    assert np.allclose(found[close], expected[close], atol=1e-4)
    assert np.isinf(found[~close]).all()


def test_long_distances_do_not_overflow():
    inside = np.ones((3, 700), bool)
    inside[:, 0] = False
    assert np.allclose(distance_inside(inside, 600)[1, :601], np.arange(601))


@given(levels, st.floats(0, 40))
@settings(max_examples=200, deadline=None)
def test_feather_never_raises_a_level_and_keeps_what_is_deep(level, radius):
    soft = feather_levels(level, radius)
    assert (soft <= level).all()
    outside = level == 0
    if outside.any():
        depth = np.where(outside[None, None], distances(level.shape), np.inf).min(axis=(2, 3))
        t = np.clip((depth - 0.5) / max(radius, 1e-9), 0, 1) if radius > 0.5 else np.ones(level.shape)
        assert np.abs(soft - level * (t * t * (3 - 2 * t))).max() <= 0.51
        deep = depth >= radius + 0.5
        assert np.array_equal(soft[deep], level[deep])
    else:
        assert np.array_equal(soft, level)  # the border of the picture is no edge


@given(bits, st.floats(1, 9))
@settings(max_examples=100, deadline=None)
def test_nearest_source(source, radius):
    y, x = np.nonzero(dilate(source.astype(np.uint8), radius) > source)
    if y.size == 0:
        return
    from_y, from_x = nearest_source(source, y, x)
    assert source[from_y, from_x].all()
    expected = np.where(source[None, None], distances(source.shape), np.inf).min(axis=(2, 3))[y, x]
    assert (np.hypot(from_y - y, from_x - x) <= 1.05 * expected).all()


def flood(where: np.ndarray, x: int, y: int) -> np.ndarray:
    found = np.zeros_like(where)
    todo = [(y, x)]
    while todo:
        y, x = todo.pop()
        if 0 <= y < where.shape[0] and 0 <= x < where.shape[1] and where[y, x] and not found[y, x]:
            found[y, x] = True
            todo += [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    return found


@given(bits)
@settings(max_examples=150, deadline=None)
def test_pieces_are_those_of_a_flood_fill(where):
    labels, count = label_pieces(where)
    assert np.array_equal(labels > 0, where)
    assert set(np.unique(labels)) - {0} == set(range(1, count + 1))
    for label in range(1, count + 1):
        y, x = np.argwhere(labels == label)[-1]
        assert np.array_equal(labels == label, flood(where, x, y))


def test_a_spiral_is_one_piece():
    where = np.zeros((41, 41), bool)
    for k in range(0, 20, 2):
        where[k, k : 41 - k] = where[40 - k, k : 41 - k] = True
        where[k : 41 - k, k] = where[k : 41 - k, 40 - k] = True
        where[k + 1, k] = False
        where[k + 2, k + 1] = True
    assert label_pieces(where)[1] == 1
    assert np.array_equal(piece_at(where, 20, 0), where)
