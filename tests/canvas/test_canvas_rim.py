"""The rim of a fill is like the inside beside it, hollow or lit, and falls back to what is usual far from any."""

import numpy as np
import pytest

from npe_core.canvas.rim import Inside, by_its_share, like_the_inside, through_the_rim

OWN, ASKED = np.array([90, 60, 40], np.float32), np.array([150, 110, 80], np.float32)


def halved(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Hair, black on the left and lit on the right, in the middle rows, (H, W, 3) uint8; and where it is alone."""
    pixels = np.full((size, size, 3), 220, np.uint8)
    pixels[:, : size // 2], pixels[:, size // 2 :] = 4, 100
    inside = np.zeros((size, size), bool)
    inside[size // 2 - size // 8 : size // 2 + size // 8] = True
    return pixels, inside


def brighter(colours: np.ndarray) -> np.ndarray:
    return colours + np.uint8(50)


@pytest.mark.parametrize("size", [64, 200, 1500])
def test_beside_a_hollow_the_rim_is_a_hollow_and_beside_a_light_a_light(size):
    pixels, inside = halved(size)
    near = Inside.of(pixels, inside, brighter, (OWN, ASKED))
    edge = size // 2 - size // 8 - 1
    before, after = near.at(np.array([edge, edge]), np.array([size // 8, size - size // 8]))
    assert np.allclose(before, [[4] * 3, [100] * 3], atol=4) and np.allclose(after, before + 50, atol=4)


def test_far_from_any_inside_it_is_what_is_usual():
    pixels, _ = halved(64)
    nowhere = Inside.of(pixels, np.zeros((64, 64), bool), brighter, (OWN, ASKED))
    before, after = nowhere.at(np.array([3]), np.array([60]))
    assert np.allclose(before, OWN) and np.allclose(after, ASKED)


def test_half_of_the_region_is_moved_by_half_of_what_the_region_is():
    """Where the mask is the true share a, a F + (1 - a) B becomes a F' + (1 - a) B, to within what a leaves shaded."""
    share, beside = 0.5, np.array([210, 220, 230], np.float32)
    pixel = np.rint(share * OWN + (1 - share) * beside).astype(np.uint8)[None]
    soft = np.array([round(255 * share)], np.uint8)
    paint = through_the_rim(pixel + (ASKED - OWN), pixel, soft, OWN, ASKED)
    result = pixel + share * (paint - pixel.astype(np.float32))
    assert np.allclose(result, share * ASKED + (1 - share) * beside, atol=6)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("person", [10, 90, 250])
@pytest.mark.parametrize(("wall", "new"), [(245, 5), (20, 240), (130, 100)])
def test_what_is_beyond_black_or_white_is_covered_more(share, person, wall, new):
    """C = a B + (1 - a) P becomes a B' + (1 - a) P, however dark or bright P is."""
    soft = np.array([round(255 * share)], np.uint8)
    pixel = np.rint(np.full((1, 3), soft / 255 * wall + (1 - soft / 255) * person)).astype(np.uint8)
    before, after = (np.full((1, 3), level, np.float32) for level in (wall, new))
    paint, cover = by_its_share(pixel + after - before, pixel, soft, before, after)
    result = pixel + cover / 255 * (paint - pixel.astype(np.float32))
    assert np.allclose(result, soft / 255 * new + (1 - soft / 255) * person, atol=1.5) and soft <= cover < 255


def test_a_soft_pixel_stays_soft_where_no_cover_would_be_enough():
    """A dark pixel with more of a bright wall than it can show, which is to become dark: less than black."""
    pixel, soft = np.full((1, 3), 60, np.uint8), np.array([200], np.uint8)
    before, after = (np.full((1, 3), level, np.float32) for level in (200, 20))
    paint, cover = by_its_share(pixel + after - before, pixel, soft, before, after)
    assert cover == 254 and not paint.any()


AFTER = np.full((4, 3), 100, np.float32)


def grey(*levels: float) -> np.ndarray:
    return np.repeat(np.float32([levels]).T, 3, axis=1)


def test_dark_strands_stay_and_what_is_no_strand_is_drawn_near():
    """At the edge a light is no strand: it is what lies beside, seen through."""
    levels = grey(110, 90, 250, 0)
    kept = like_the_inside(levels, levels, np.zeros(4, np.float32), AFTER)
    assert (kept[:3, 0] == (100, 90, 100)).all() and 60 < kept[3, 0] < 90


def test_what_is_lighter_than_the_inside_counts_the_more_the_deeper_it_lies():
    depth = np.float32([0, 0.3, 0.6, 1])
    kept = like_the_inside(grey(*[200] * 4), grey(*[200] * 4), depth, AFTER)[:, 0]
    assert kept[0] == 100 and kept[1] < 101 and 101 < kept[2] < 120 and kept[3] == 200


def test_a_bright_sky_does_not_become_black_where_the_hair_becomes_lighter():
    """Nor a dark wall white where it becomes darker."""
    pixels, soft = np.array([[250] * 3, [5] * 3], np.uint8), np.array([20, 20], np.uint8)
    before, after = (np.repeat(np.float32([levels]).T, 3, axis=1) for levels in ((40, 120), (120, 40)))
    paint = through_the_rim(pixels.astype(np.float32), pixels, soft, before, after)
    assert (paint[0] > 250).all() and (paint[1] < 5).all()
