"""How light falls on another colour: inside a region, and at its rim, where what lies beside it shows through."""

import numpy as np

from npe_core.canvas.light import Hollows, Light, carry_over, in_the_dark, without_grain
from npe_core.colour import srgb_to_lab

ASKED = 200, 160, 90


def test_the_rim_does_not_glow_where_something_bright_lies_beside_it():
    hair = np.random.default_rng(0).normal((90, 60, 45), 9, (4000, 3)).clip(0, 255).astype(np.uint8)
    light, target = Light.of("hair", hair, ASKED, 1.0), srgb_to_lab(np.array(ASKED, np.uint8))

    def lightness(pixels, depth):
        return carry_over(pixels, np.full(len(pixels), depth, np.float32), target, light)[:, 0]

    sky, inside = np.array([[235, 240, 250]], np.uint8), lightness(hair, 1.0)
    assert lightness(sky, 0.0)[0] < np.percentile(inside, 80)
    assert lightness(sky, 1.0)[0] > inside.max(), "a glint inside stays one"


def test_the_line_between_lips_has_an_even_outline_and_the_rest_its_grain():
    """Each crease beside it would else be as black as the line."""
    apart = np.abs(np.mgrid[:100, :400][0] - 50)
    light = np.interp(apart, (1, 3, 12), (3, 24, 120)) + np.random.default_rng(5).normal(0, 8, apart.shape)
    lips = np.repeat(light[..., None], 3, axis=-1).clip(0, 255).astype(np.uint8)
    soft = np.full(apart.shape, 255, np.uint8)
    soft[:, :50] = 0
    lightness = srgb_to_lab(lips)[..., 0]
    calm = without_grain(lips, soft, Hollows.of("lips", lightness.ravel(), float(lightness.mean()), 1.0, 0.7))
    beside = np.s_[53:55, 50:]
    assert calm[beside].std(axis=1).mean() < 0.6 * lips[beside].std(axis=1).mean()
    assert np.array_equal(calm[apart > 15], lips[apart > 15])
    assert np.array_equal(calm[:, :50], lips[:, :50])
    hair = Hollows.of("hair", lightness.ravel(), float(lightness.mean()), 1.0, 0.7)
    assert without_grain(lips, soft, hair) is lips


def some_hair() -> np.ndarray:
    """(N, 3) uint8 with strands of several lights and tints."""
    return np.random.default_rng(0).normal((120, 90, 70), (9, 7, 9), (4000, 3)).clip(0, 255).astype(np.uint8)


def test_all_of_the_light_on_a_regions_own_colour_is_the_original():
    hair = some_hair()
    light = Light.of("hair", hair, tuple(hair.mean(axis=0).round().astype(int)), 1.0)
    found = carry_over(hair, np.ones(len(hair), np.float32), light.typical.mean, light)
    assert np.abs(found - srgb_to_lab(hair)).max() < 0.5


def test_yellow_turns_to_red_in_the_shadows_and_blue_does_not_turn():
    grey = np.repeat(np.arange(60, 180, dtype=np.uint8)[:, None], 3, axis=1)
    hues = []
    for rgb in ((220, 190, 60), (30, 60, 180)):
        light, target = Light.of("hair", grey, rgb, 1.0), srgb_to_lab(np.array(rgb, np.uint8))
        found = carry_over(grey, np.ones(len(grey), np.float32), target, light)
        hues.append(np.degrees(np.arctan2(found[:, 2], found[:, 1])))
    assert (np.diff(hues[0]) > -1e-3).all() and 5 < np.ptp(hues[0]) < 25
    assert np.ptp(hues[1]) < 0.1


def test_where_no_light_falls_nothing_becomes_lighter_than_it_was_shaded():
    hair = np.concatenate([some_hair(), np.full((400, 3), 2, np.uint8)])
    light, target = Light.of("hair", hair, ASKED, 0.7), srgb_to_lab(np.array(ASKED, np.uint8))
    lightness = np.linspace(0, 60, 50, dtype=np.float32)
    for shaded in (np.tile(target, (50, 1)), np.full((50, 3), 3, np.float32)):
        found = in_the_dark(shaded, lightness, target, light)[:, 0]
        assert (found <= shaded[:, 0] + 1e-4).all()
    assert in_the_dark(np.tile(target, (50, 1)), lightness, target, light)[0, 0] < 0.5 * target[0]


def test_what_is_black_for_the_most_part_has_no_hollows():
    """Black is its colour; the same black in a tenth of it is where no light falls."""
    trusts = []
    for black in (600, 100):
        lightness = np.concatenate([np.full(black, 1.0), np.full(1000 - black, 20.0)])
        trusts.append(Hollows.of("hair", lightness, float(lightness.mean()), 1.0, 0.7).trust)
    assert trusts == [0, 1]
