"""Skin that gets another colour: pores and grain as strong as they were, and dark hairs on it that stay soft."""

import numpy as np
import pytest

from npe_core.canvas import Canvas
from npe_core.canvas.light import Hollows
from npe_core.canvas.pores import Texture
from npe_core.colour import LUMA, parse_colour, srgb_to_lab
from npe_core.regions import region_by_name

SIDE = 192
Y, X = np.mgrid[:SIDE, :SIDE]
FACE = np.hypot(X - 96, Y - 96) < 88
DEEP = np.hypot(X - 96, Y - 96) < 70
IDS = np.where(FACE, region_by_name("skin").id, region_by_name("background").id).astype(np.uint8)
JUST_NOTICED = 2.3
FAIR, DARK = (205, 165, 145), (105, 68, 52)


def face(colour: tuple[int, int, int], light: np.ndarray, grain: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8: skin of a colour in broad ``light`` (H, W), 1 = as it is, under grain (H, W) in 1/255."""
    skin = light[..., None] * colour + grain[..., None]
    return np.where(FACE[..., None], skin, 230).clip(0, 255).round().astype(np.uint8)


def some_grain(spread: float) -> np.ndarray:
    return np.random.default_rng(3).normal(0, spread, (SIDE, SIDE))


def filled(picture: np.ndarray, colour: str, shading: float = 0.7) -> np.ndarray:
    canvas = Canvas(picture, IDS)
    canvas.fill("skin", colour, shading=shading)
    return canvas.guide.copy()


def difference(picture: np.ndarray, other: np.ndarray, where: np.ndarray) -> float:
    """The spread in brightness, in 1/255, of what two pictures (H, W, 3) uint8 differ by."""
    return float(((picture.astype(np.float32) - other) @ LUMA)[where].std())


@pytest.mark.parametrize(
    ("skin", "colour", "least", "most"),
    [
        (FAIR, "#f0d0c0", 0.85, 1.05),
        (FAIR, "#d8a080", 0.9, 1.05),
        (DARK, "#e0b090", 0.85, 1.45),
        (FAIR, "#6a4028", 0.5, 1.0),
    ],
)
def test_grain_is_as_strong_on_the_new_colour(skin, colour, least, most):
    """On fair skin 0.7 of it was left. On a darker colour all is less, as the light is."""
    light = 1 + 0.2 * np.sin(X / 40) * np.cos(Y / 50)
    bare, grainy = face(skin, light, 0 * X), face(skin, light, some_grain(4))
    kept = difference(filled(grainy, colour), filled(bare, colour), DEEP) / difference(grainy, bare, DEEP)
    assert least < kept < most
    target = srgb_to_lab(np.array(parse_colour(colour), np.uint8))
    assert np.linalg.norm(srgb_to_lab(filled(grainy, colour)[FACE]).mean(axis=0) - target) < JUST_NOTICED


def test_all_of_the_light_on_the_skins_own_colour_is_the_original():
    picture = face(FAIR, 1 + 0.1 * np.sin(X / 30), some_grain(4))
    own = "#" + bytes(picture[FACE].mean(axis=0).round().astype(np.uint8)).hex()
    assert np.abs(filled(picture, own, 1)[DEEP].astype(int) - picture[DEEP]).mean() < 1.5


def test_what_is_blown_out_shows_no_grain():
    light = np.where(X < 96, 1, 1.6)
    bare, grainy = (filled(face(FAIR, light, grain), "#fff0e8") for grain in (0 * X, some_grain(4)))
    assert difference(grainy, bare, DEEP & (X > 110)) < 0.6 * difference(grainy, bare, DEEP & (X < 80))


def test_texture_is_taken_out_and_given_back_where_the_mask_is_full():
    picture = face(FAIR, np.ones((SIDE, SIDE)), some_grain(4))
    texture = Texture.of(picture, np.where(FACE, 255, 100).astype(np.uint8))
    calm = texture.taken_out_of(picture)
    assert np.array_equal(calm[~FACE], picture[~FACE])
    assert calm[DEEP][:, 0].std() < 0.6 * picture[DEEP][:, 0].std()
    assert np.abs(texture.given_to(calm, 1.0)[DEEP].astype(int) - picture[DEEP]).max() <= 1


def test_a_lash_is_light_and_no_texture():
    lash = np.where(np.abs(X - 96) < 2, -120, 0)
    picture = face(FAIR, np.ones((SIDE, SIDE)), lash)
    calm = Texture.of(picture, np.where(FACE, 255, 0).astype(np.uint8)).taken_out_of(picture)
    kept = calm[90:100, 80].mean() - calm[90:100, 96].mean()
    assert kept > 0.8 * 120


BEARD = np.clip((X - 30) / 50, 0, 1)
"""(H, W): the light on skin that goes down to black, as it does into a beard."""


@pytest.mark.parametrize(("colour", "most"), [("#e0b090", 3.3), ("#f0d0c0", 3.9), ("#c08060", 2.6)])
def test_dark_skin_made_light_has_no_hard_edge_towards_what_is_black(colour, most):
    """For 1 of L* in the photo it rose by up to 7, and beards and lashes were islands."""
    picture = face(DARK, BEARD, 0 * X)
    before, after = (srgb_to_lab(shown)[96, 30:81, 0] for shown in (picture, filled(picture, colour)))
    assert (np.diff(after) > -0.3).all()
    at = np.arange(0, before.max() - 3, 0.5)
    rises = (np.interp(at + 3, before, after) - np.interp(at, before, after)) / 3
    assert rises.max() < most
    assert after[0] < 0.3 * srgb_to_lab(np.array(parse_colour(colour), np.uint8))[0]


def test_grain_is_no_specks_where_skin_and_black_are_drawn_apart():
    bare, grainy = face(DARK, BEARD, 0 * X), face(DARK, BEARD, some_grain(3))
    between = DEEP & (BEARD > 0.1) & (BEARD < 0.4)
    specks = difference(filled(grainy, "#e0b090"), filled(bare, "#e0b090"), between)
    assert specks < 2 * difference(grainy, bare, between)


def test_skin_that_becomes_dark_has_the_hollows_of_all_regions():
    lightness = np.linspace(5, 80, 100)
    black = [Hollows.of("skin", lightness, 60.0, contrast, 0.7).black for contrast in (0.4, 0.7, 0.85, 1.0, 1.6)]
    assert black[0] == black[1] == Hollows.of("hair", lightness, 60.0, 0.4, 0.7).black
    assert black[1] < black[2] < black[3] == black[4]
