"""Colours against published values, and round trips."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npe_core.colour import format_colour, lab_to_srgb, parse_colour, srgb_to_lab
from npe_core.errors import UsageError


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        # B. Lindbloom, sRGB and D65
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((119, 119, 119), (50.03, 0, 0)),
    ],
)
def test_known_colours(rgb, lab):
    assert srgb_to_lab(np.array(rgb, np.uint8)) == pytest.approx(np.array(lab), abs=0.02)


def test_every_eighth_colour_survives_the_round_trip():
    steps = np.append(np.arange(0, 256, 8), 255).astype(np.uint8)
    rgb = np.stack(np.meshgrid(steps, steps, steps), axis=-1)
    back = lab_to_srgb(srgb_to_lab(rgb))
    assert back.dtype == np.float32
    assert np.abs(back * 255 - rgb).max() < 0.05


def test_float_and_8_bit_mean_the_same():
    rgb = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    assert np.allclose(srgb_to_lab(rgb), srgb_to_lab(rgb / 255.0), atol=1e-4)


def test_colours_outside_the_gamut_are_clipped():
    out = lab_to_srgb(np.array([[50, 120, -120], [100, 40, 40], [-5, 0, 0], [130, 0, 0]]))
    assert out.min() >= 0
    assert out.max() <= 1 + 1e-6


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_text_round_trip(rgb):
    assert parse_colour(format_colour(rgb)) == rgb
    assert parse_colour(format_colour(rgb).upper().lstrip("#")) == rgb


def test_short_text():
    assert parse_colour(" #f08 ") == (255, 0, 136)


@pytest.mark.parametrize("text", ["", "#", "red", "#12345", "#1234567", "#gg0000", "##ff0000", "#ff00 00"])
def test_other_text_is_refused_with_an_example(text):
    with pytest.raises(UsageError, match="#8b2500"):
        parse_colour(text)
