"""What shines on skin: told from their own colour by the model that made it, and still there when they are filled."""

import numpy as np
import pytest
from canvas_fills import X, Y, soft_regions

from npe_core.canvas import Canvas
from npe_core.canvas.gloss import Gloss, put_on
from npe_core.colour import linear_to_srgb, srgb_to_linear
from npe_core.regions import region_by_name

MATERIAL = np.array([0.5, 0.16, 0.13])
SHINE = 0.35
LIPS = ((X - 48) / 40) ** 2 + ((Y - 48) / 20) ** 2 < 1
SPOT = np.hypot(X - 48, Y - 54) < 4


def glossy(material):
    """(SIZE, SIZE, 3) uint8: lips in somewhat uneven light, with a spot that shines."""
    light = 1 + 0.1 * np.sin(X / 5)
    shown = light[..., None] * material + SHINE * SPOT[..., None]
    return np.rint(255 * linear_to_srgb(np.where(LIPS[..., None], shown, 0.5))).astype(np.uint8)


def test_the_white_is_what_was_added():
    picture = glossy(MATERIAL)
    gloss = Gloss.of(picture[LIPS], 1.0)

    assert gloss.on(picture[SPOT]) == pytest.approx(SHINE - gloss.usual, abs=0.01)
    assert gloss.usual < 0.04
    assert not gloss.on(picture[LIPS & ~SPOT]).any()


def test_without_it_and_with_it_again_is_the_picture():
    picture = glossy(MATERIAL)
    gloss = Gloss.of(picture[LIPS], 1.0)
    matte = gloss.taken_off(picture[LIPS])

    assert 255 * put_on(matte, gloss.on(picture[LIPS])) == pytest.approx(picture[LIPS], abs=0.01)
    assert matte[SPOT[LIPS]].mean(axis=0) == pytest.approx(linear_to_srgb(MATERIAL + gloss.usual), abs=0.03)


@pytest.mark.parametrize("material", [np.full(3, 0.2), np.array([0.22, 0.2, 0.2])])
def test_grey_lips_have_none_that_could_be_told(material):
    picture = glossy(material)

    assert not Gloss.of(picture[LIPS], 1.0).on(picture[LIPS]).any()


@pytest.mark.parametrize(
    ("region", "colour"), [("lips", "#b00020"), ("lips", "#5a1020"), ("lips", "#2040c0"), ("skin", "#6a4028")]
)
def test_filled_lips_and_skin_shine_white(region, colour):
    """Red lips shone orange."""
    picture = glossy(MATERIAL)
    ids = np.where(LIPS, region_by_name(region).id, region_by_name("background").id).astype(np.uint8)
    canvas = Canvas(picture, soft_regions(ids))
    canvas.fill(region, colour)

    there, beside = SPOT & (np.hypot(X - 48, Y - 54) < 3), LIPS & (np.hypot(X - 48, Y - 54) > 6) & (np.abs(X - 48) < 15)
    added = srgb_to_linear(canvas.guide[there]).mean(axis=0) - srgb_to_linear(canvas.guide[beside]).mean(axis=0)
    assert added == pytest.approx(np.full(3, SHINE), abs=0.06)
