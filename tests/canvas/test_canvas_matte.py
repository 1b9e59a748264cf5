"""What colours tell of a soft edge, against pictures that were mixed with a known share."""

from types import SimpleNamespace

import numpy as np
import pytest

from npe_core.canvas import Canvas
from npe_core.canvas.border import Border
from npe_core.canvas.matte import Sides, share_by_colour
from npe_core.canvas.morphology import smoothstep
from npe_core.canvas.soft_edge import apart_from_others, soft_edge
from npe_core.colour import srgb_to_lab
from npe_core.regions import region_by_name

BAND = 8
HAIR = region_by_name("hair").id


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


@pytest.mark.parametrize(("own", "beside"), [((40, 25, 20), (200, 205, 210)), ((220, 190, 120), (30, 60, 120))])
def test_what_is_shown_at_least_is_what_was_mixed_up_to_the_share_that_counts_as_all(own, beside):
    share = ramp()
    sides = Sides.of(mixed(share, own, beside), share == 1, share == 0, BAND, 1)
    found = sides.least(np.arange(share.size)).reshape(share.shape)
    assert np.abs(found - np.clip(share / 0.55, 0, 1))[:, 38:58].max() < 0.08


def test_like_colours_tell_nothing():
    share = ramp()
    image = mixed(share, (100, 90, 80), (103, 92, 81))
    found = share_by_colour(image, share == 1, share == 0, BAND, np.ones(share.shape, bool), 1)
    assert found.min() > 0.95
    nothing_outside = share_by_colour(image, share == 1, share > 2, BAND, np.ones(share.shape, bool), 1)
    assert (nothing_outside == 1).all()
    least = Sides.of(image, share == 1, share == 0, BAND, 1).least(np.arange(share.size))
    assert least.max() < 0.15
    assert not Sides.of(image, share == 1, share > 2, BAND, 1).least(np.arange(share.size)).any()


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


SIDE = 512
Y, X = np.indices((SIDE, SIDE))
FROM_RIM = np.hypot(X - SIDE / 2, Y - SIDE / 2) - 140
"""Pixels from the rim of a head of hair, which fills the middle of the picture."""


def hair_seen(larger: float, beside: str = "background") -> SimpleNamespace:
    """The map of a segmenter that sees the hair so many pixels too large, with a soft edge."""
    probability = np.zeros((11, SIDE, SIDE), np.float32)
    probability[HAIR] = np.clip(0.5 - (FROM_RIM - larger) / 10, 0, 1)
    probability[region_by_name(beside).id] = 1 - probability[HAIR]
    return SimpleNamespace(ids=probability.argmax(axis=0).astype(np.uint8), probabilities=probability)


def test_a_light_colour_does_not_shine_around_dark_hair():
    """The segmenter sees the hair a few pixels too large; the wall behind it must stay a wall."""
    image = mixed(np.clip(0.5 - FROM_RIM / 2, 0, 1), (45, 30, 25), (205, 205, 200))
    canvas = Canvas(image, hair_seen(larger=4))
    canvas.fill("hair", "#d8b070")
    change = np.abs(canvas.guide.astype(int) - image).mean(axis=-1)
    wall = FROM_RIM > 2
    assert change[wall].max() < 8 and canvas.mask[wall].max() < 0.2
    assert (canvas.mask[FROM_RIM < -3] > 0.9).all()


@pytest.mark.parametrize(
    ("own", "wall", "colour"),
    [((170, 165, 150), (52, 47, 43), "#5a2a10"), ((60, 52, 45), (206, 207, 205), "#e0e0e0")],
)
def test_hair_leaves_no_rim_of_its_old_colour_before_a_wall(own, wall, colour):
    """The segmenter sees it a little too small. Between the new hair and the wall little is lighter than both, or
    darker; without what the colours tell 11 and 16 levels."""
    canvas = Canvas(mixed(np.clip(0.5 - FROM_RIM / 5, 0, 1), own, wall), hair_seen(larger=-1))
    canvas.fill("hair", colour)
    lightness = srgb_to_lab(canvas.guide)[..., 0]
    between = (lightness[FROM_RIM < -20].mean(), lightness[FROM_RIM > 20].mean())
    rim = lightness[np.abs(FROM_RIM) < 8]
    assert min(between) - 8 < rim.min() and rim.max() < max(between) + 8


def test_a_bright_wall_does_not_light_the_rim_of_dark_hair_before_it():
    """The wall is in its pixels; in the light of the new colour 13 levels of it passed for gloss."""
    canvas = Canvas(mixed(np.clip(0.5 - FROM_RIM / 5, 0, 1), (60, 52, 45), (206, 207, 205)), hair_seen(larger=-1))
    canvas.fill("hair", "#c02020")
    red = canvas.guide[..., 0].astype(float)
    inside = red[FROM_RIM < -20].mean()
    assert max(red[np.floor(FROM_RIM) == d].mean() for d in range(-9, 0)) < inside + 5


@pytest.mark.parametrize("beside", ["background", "skin"])
def test_where_colours_are_not_to_be_trusted_the_probability_alone_limits_the_hair(beside):
    """Before a blurred garden, and beside anything but background."""
    garden = (np.array((140, 150, 110)) + 70 * np.sin(X / 9.0)[..., None] * np.cos(Y / 11.0)[..., None]).astype(int)
    share = np.clip(0.5 - FROM_RIM / 5, 0, 1)[..., None]
    behind = garden if beside == "background" else np.array((210, 160, 140))
    image = np.rint(share * np.array((45, 30, 25)) + (1 - share) * behind).astype(np.uint8)
    regions = hair_seen(larger=-1, beside=beside)
    border = Border(regions.ids == HAIR, BAND)
    apart = apart_from_others(regions.ids, HAIR, BAND)
    strict, found = (soft_edge(image, border, regions.probabilities[HAIR], True, given) for given in (None, apart))
    assert np.array_equal(found, strict)


def test_deep_in_hair_a_strand_that_looks_like_the_background_is_no_hole():
    """Whatever probability and colours say: from one band in on it is hair little by little, wholly half a band on."""
    wide = 60
    where = np.broadcast_to(np.arange(96) < wide, (64, 96))
    strand = np.broadcast_to((np.arange(64) >= 26)[:, None] & (np.arange(64) < 38)[:, None], where.shape)
    hair = where & ~strand
    image = mixed(hair.astype(float), (220, 190, 120), (30, 60, 120))
    found = soft_edge(image, Border(where, BAND), hair.astype(np.float32), hairy=True)[32, :wide]
    deep = wide - np.arange(wide)
    expected = 255 * smoothstep((deep - np.float32(BAND + 0.5)) / np.float32(BAND / 2))
    assert np.abs(found - expected)[deep > 2].max() < 35
    assert found[deep == 2 * BAND] == 255 and found[deep == BAND - 1] == 0
