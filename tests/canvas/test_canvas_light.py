"""How light falls on another colour: inside a region, and at its rim, where what lies beside it shows through."""

import numpy as np

from npe_core.canvas.light import Light, carry_over
from npe_core.colour import srgb_to_lab

ASKED = 200, 160, 90


def test_the_rim_does_not_glow_where_something_bright_lies_beside_it():
    hair = np.random.default_rng(0).normal((90, 60, 45), 9, (4000, 3)).clip(0, 255).astype(np.uint8)
    light, target = Light.of(hair, ASKED, 1.0), srgb_to_lab(np.array(ASKED, np.uint8))

    def lightness(pixels, depth):
        return carry_over(pixels, np.full(len(pixels), depth, np.float32), target, light)[:, 0]

    sky, inside = np.array([[235, 240, 250]], np.uint8), lightness(hair, 1.0)
    assert lightness(sky, 0.0)[0] < np.percentile(inside, 80)
    assert lightness(sky, 1.0)[0] > inside.max(), "a glint inside stays one"
