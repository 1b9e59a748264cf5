"""How light falls on another colour: inside a region, and at its rim, where what lies beside it shows through."""

import numpy as np

from npe_core.canvas.light import Hollows, Light, carry_over, without_grain
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
    calm = without_grain(lips, soft, Hollows.of("lips", lightness.ravel(), float(lightness.mean()), 0.7))
    beside = np.s_[53:55, 50:]
    assert calm[beside].std(axis=1).mean() < 0.6 * lips[beside].std(axis=1).mean()
    assert np.array_equal(calm[apart > 15], lips[apart > 15])
    assert np.array_equal(calm[:, :50], lips[:, :50])
    hair = Hollows.of("hair", lightness.ravel(), float(lightness.mean()), 0.7)
    assert without_grain(lips, soft, hair) is lips
