"""What colours tell of a soft edge, against pictures that were mixed with a known share."""

from types import SimpleNamespace

import numpy as np
import pytest

from npe_core.canvas import Canvas
from npe_core.canvas.matte import share_by_colour

BAND = 8


def ramp(width: int = 96, height: int = 64, soft: float = 12) -> np.ndarray:
    """(height, width): 1 on the left, 0 on the right, falling over ``soft`` pixels in the middle."""
    return np.broadcast_to(np.clip(0.5 - (np.arange(width) - width / 2 + 0.5) / soft, 0, 1), (height, width))


def mixed(share: np.ndarray, own: tuple[int, int, int], beside: tuple[int, int, int]) -> np.ndarray:
    return np.rint(share[..., None] * own + (1 - share[..., None]) * np.array(beside)).astype(np.uint8)


@pytest.mark.parametrize("halvings", [0, 1, 2])
@pytest.mark.parametrize(("own", "beside"), [((40, 25, 20), (200, 205, 210)), ((220, 190, 120), (30, 60, 120))])
def test_the_share_is_the_one_that_was_mixed(own, beside, halvings):
    share = ramp()
    image = mixed(share, own, beside)
    everywhere = np.ones(share.shape, bool)
    found = share_by_colour(image, share == 1, share == 0, BAND, everywhere, halvings)
    expected = np.clip((share - 0.15) / 0.55, 0, 1)
    assert np.abs(found - expected)[:, 38:58].max() < 0.06


def test_like_colours_tell_nothing():
    share = ramp()
    image = mixed(share, (100, 90, 80), (103, 92, 81))
    found = share_by_colour(image, share == 1, share == 0, BAND, np.ones(share.shape, bool), 1)
    assert found.min() > 0.95
    nothing_outside = share_by_colour(image, share == 1, share > 2, BAND, np.ones(share.shape, bool), 1)
    assert (nothing_outside == 1).all()


def test_a_dark_strand_at_the_edge_of_light_hair_stays_hair_beside_shaded_skin():
    """Darker than the hair and than the shade on the skin beside it: no mixture of the two, and no sign of the skin."""
    from_edge = np.arange(256) - 128
    colours = np.select(
        [(from_edge < -12)[:, None], (from_edge < 0)[:, None], (from_edge < 36)[:, None]],
        [np.array((191, 159, 138)), np.array((145, 85, 58)), np.array((162, 119, 110))],
        np.array((203, 165, 158)),
    ).astype(np.uint8)
    image = np.broadcast_to(colours, (128, 256, 3)).copy()
    inside, outside = (np.broadcast_to(side, (128, 256)) for side in (from_edge < -12, from_edge > 12))
    found = share_by_colour(image, inside, outside, 16, np.ones((128, 256), bool), 2)
    assert found[64, 118:126].min() > 0.5


def test_a_light_colour_does_not_shine_around_dark_hair():
    """The segmenter sees the hair a few pixels too large, with a soft edge; the wall behind it must stay a wall."""
    side = 512
    y, x = np.indices((side, side))
    from_rim = np.hypot(x - side / 2, y - side / 2) - 140
    image = mixed(np.clip(0.5 - from_rim / 2, 0, 1), (45, 30, 25), (205, 205, 200))
    probability = np.zeros((11, side, side), np.float32)
    probability[7] = np.clip(0.5 - (from_rim - 4) / 10, 0, 1)
    probability[0] = 1 - probability[7]
    regions = SimpleNamespace(ids=(7 * (probability[7] > 0.5)).astype(np.uint8), probabilities=probability)
    canvas = Canvas(image, regions)
    canvas.fill("hair", "#d8b070")
    change = np.abs(canvas.guide.astype(int) - image).mean(axis=-1)
    wall = from_rim > 2
    assert change[wall].max() < 8 and canvas.mask[wall].max() < 0.2
    assert (canvas.mask[from_rim < -3] > 0.9).all()
