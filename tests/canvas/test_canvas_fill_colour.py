"""The colour of a region fill is the one that was asked for, whatever the light and however much of it stays."""

import numpy as np
import pytest
from canvas_fills import HAIR, X, Y, hair_picture, is_lit, lab_error, soft_regions
from hypothesis import given, settings
from hypothesis import strategies as st

from npe_core.canvas import Canvas
from npe_core.colour import parse_colour, srgb_to_lab

JUST_NOTICED = 2.3


@given(
    rgb=st.tuples(*[st.integers(0, 255)] * 3),
    shading=st.floats(0, 1),
    lightness=st.sampled_from([12.0, 60.0, 110.0, 190.0]),
)
@settings(max_examples=30, deadline=None)
def test_the_mean_is_the_colour_asked_for_as_far_as_one_sees(rgb, shading, lightness):
    picture, ids = hair_picture(lightness)
    canvas = Canvas(picture, ids)
    canvas.fill("hair", rgb, shading=shading)
    wanted = srgb_to_lab(np.array(rgb, np.uint8))
    error = srgb_to_lab(canvas.guide[is_lit(picture, ids)]).mean(axis=0) - wanted
    error[0] += np.clip(-error[0], 0, np.interp(wanted[0], (85, 97), (0, 8)))  # white keeps its shadows
    assert np.linalg.norm(error) < JUST_NOTICED + 0.5


@given(rgb=st.tuples(*[st.integers(70, 160)] * 3), shading=st.floats(0, 1))
@settings(max_examples=15, deadline=None)
def test_the_mean_of_a_colour_far_from_the_edge_of_the_gamut_is_that_colour(rgb, shading):
    picture, ids = hair_picture()
    canvas = Canvas(picture, ids)
    canvas.fill("hair", rgb, shading=shading)
    assert lab_error(canvas, ids == HAIR, "#{:02x}{:02x}{:02x}".format(*rgb)) < 1


@pytest.mark.parametrize("colour", ["#8b2500", "#1a1a1a", "#e6c87a", "#ff0000", "#000000", "#0000ff"])
def test_with_probabilities_the_mean_inside_is_the_colour(colour):
    picture, ids = hair_picture()
    canvas = Canvas(picture, soft_regions(ids))
    canvas.fill("hair", colour)
    assert lab_error(canvas, canvas.mask == 1, colour) < JUST_NOTICED + 0.5


def test_flat_is_flat_and_full_shading_in_the_own_colour_is_the_original():
    picture, ids = hair_picture()
    canvas = Canvas(picture, ids)
    canvas.fill("hair", "#336699", shading=0)
    assert (canvas.guide[ids == HAIR] == parse_colour("#336699")).all()
    deep = np.hypot(X - 40, Y - 40) < 24
    own = picture[deep].mean(axis=0).round().astype(int)
    canvas.fill("hair", tuple(own), at=(40, 40), shading=1)
    difference = srgb_to_lab(canvas.guide[deep]) - srgb_to_lab(picture[deep])
    assert np.abs(difference).mean() < 2


@pytest.mark.parametrize("shading", [0.4, 0.7, 1.0])
@pytest.mark.parametrize("colour", ["#8b2500", "#d9b36c"])
def test_of_however_much_contrast_the_colour_is_recognised(colour, shading):
    picture, ids = hair_picture(lightness=120, contrast=80)
    canvas = Canvas(picture, ids)
    canvas.fill("hair", colour, shading=shading)
    target = srgb_to_lab(np.array(parse_colour(colour), np.uint8))
    distance = np.linalg.norm(srgb_to_lab(canvas.guide[is_lit(picture, ids)]) - target, axis=1).mean()
    assert 0.7 * 15 * shading < distance < 15.8 * shading


@pytest.mark.parametrize("lit", [0, 1, 200])
def test_what_is_black_all_over_takes_the_colour_without_a_word(lit, recwarn):
    ids = np.where(np.hypot(X - 40, Y - 40) < 28, HAIR, 1).astype(np.uint8)
    picture = np.where((ids == HAIR)[..., None], 0, 180).astype(np.uint8).repeat(3, axis=-1)
    inside = np.argwhere(np.hypot(X - 40, Y - 40) < 20)
    picture[tuple(np.random.default_rng(0).permutation(inside)[:lit].T)] = 60
    canvas = Canvas(picture, ids)
    canvas.fill("hair", "#c09050")
    assert not recwarn.list
    dark = (ids == HAIR) & (picture[..., 0] == 0)
    assert np.abs(canvas.guide[dark].astype(int).mean(axis=0) - (192, 144, 80)).max() < 16
