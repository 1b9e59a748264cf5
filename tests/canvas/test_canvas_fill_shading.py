"""The light of the photo in a region fill: strands, lights and shadows stay, and what is dark between them."""

import numpy as np
import pytest
from canvas_fills import HAIR, SIZE, X, Y, hair_picture, lab_error, soft_regions

from npe_core.canvas import Canvas
from npe_core.colour import lab_to_srgb, parse_colour, srgb_to_lab
from npe_core.regions import region_by_name

SKIN = (225, 190, 170)


def test_light_and_strands_are_carried_over():
    picture, ids = hair_picture()
    canvas = Canvas(picture, ids)
    canvas.fill("hair", "#b05030")
    deep = np.hypot(X - 40, Y - 40) < 24
    before, after = srgb_to_lab(picture[deep])[:, 0], srgb_to_lab(canvas.guide[deep])[:, 0]
    assert np.corrcoef(before, after)[0, 1] > 0.98
    assert 0.4 < after.std() / before.std() < 1.1


def lightness_kept(picture: np.ndarray, ids: np.ndarray, colour: str) -> np.ndarray:
    """How many times as far the 5th and the 95th percentile of lightness lie from the mean after a fill."""
    deep = np.hypot(X - 40, Y - 40) < 24
    canvas = Canvas(picture, ids)
    canvas.fill("hair", colour)
    before, after = (srgb_to_lab(shown[deep])[:, 0] for shown in (picture, canvas.guide))
    return np.percentile(after - after.mean(), (5, 95)) / np.percentile(before - before.mean(), (5, 95))


@pytest.mark.parametrize("colour", ["#8b2500", "#993300", "#b00020", "#1f3fa8"])
def test_a_colour_at_the_edge_of_the_gamut_keeps_the_strands(colour):
    """It had half of the contrast of a pale one of its lightness."""
    picture, ids = hair_picture(contrast=40)
    grey = round(255 * float(lab_to_srgb(srgb_to_lab(np.array(parse_colour(colour), np.uint8)) * (1, 0, 0))[0]))
    strong, pale = (lightness_kept(picture, ids, tint) for tint in (colour, "#" + 3 * f"{grey:02x}"))
    assert (strong > 0.8 * pale).all()


def test_light_hair_made_dark_keeps_its_lights_but_not_its_shadows():
    picture, ids = hair_picture(lightness=190)
    shadows, lights = lightness_kept(picture, ids, "#3a2a1a")
    assert shadows < 0.6 and 0.7 < lights < 1.4


def test_dark_hair_made_light_gets_the_shadows_of_light_hair():
    """They deepen more than its lights rise, stay colourful, and turn to red instead of olive."""
    picture, ids = hair_picture(lightness=50, contrast=22)
    canvas = Canvas(picture, ids)
    canvas.fill("hair", "#d9b36c")
    deep = np.hypot(X - 40, Y - 40) < 24
    before, after = srgb_to_lab(picture[deep]), srgb_to_lab(canvas.guide[deep])

    def ends(lab):
        return np.percentile(lab[:, 0] - lab[:, 0].mean(), (5, 95))

    (down, up), (deeper, wider) = ends(before), ends(after)
    assert deeper / down > 1.4 and deeper / down > 1.1 * wider / up
    assert np.corrcoef(before[:, 0], after[:, 0])[0, 1] > 0.95
    shadow, light = (after[where].mean(axis=0) for where in (after[:, 0] < 60, after[:, 0] > 75))
    assert np.hypot(*shadow[1:]) > 0.85 * np.hypot(*light[1:])
    assert 3 < np.degrees(np.arctan2(light[2], light[1]) - np.arctan2(shadow[2], shadow[1])) < 15


@pytest.mark.parametrize(("colour", "darkest"), [("#d9b36c", 45), ("#e6c87a", 45), ("#8b2500", 8), ("#3a2a1a", 8)])
def test_hollows_where_no_light_falls_stay_dark_and_the_lit_hair_has_the_colour(colour, darkest):
    """They turned to plates of gold between the strands."""
    picture, ids = hair_picture(lightness=70, contrast=20)
    hollow = (ids == HAIR) & (np.hypot(X - 40, Y - 40) < 10)
    picture[hollow] = np.random.default_rng(2).integers(0, 6, (np.count_nonzero(hollow), 3))
    canvas = Canvas(picture, ids)
    canvas.fill("hair", colour)
    assert srgb_to_lab(canvas.guide[hollow])[:, 0].mean() < darkest
    assert lab_error(canvas, (ids == HAIR) & ~hollow, colour) < 1.5


@pytest.mark.parametrize("colour", ["#6a1020", "#b00020", "#e06080"])
def test_the_line_between_closed_lips_stays_dark(colour):
    """It took the colour."""
    lips = ((X - 48) / 40) ** 2 + ((Y - 48) / 20) ** 2 < 1
    apart = np.abs(Y - 48)
    light = np.interp(apart, (1, 3, 9, 20), (3, 24, 90, 120)) + np.random.default_rng(5).normal(0, 5, (SIZE, SIZE))
    picture = np.where(lips[..., None], light[..., None] * (1.2, 0.9, 0.8), SKIN).clip(0, 255).astype(np.uint8)
    regions = soft_regions(np.where(lips, region_by_name("lips").id, region_by_name("skin").id).astype(np.uint8))
    canvas = Canvas(picture, regions)
    canvas.fill("lips", colour)
    middle = lips & (np.abs(X - 48) < 25)
    after, wanted = srgb_to_lab(canvas.guide)[..., 0], srgb_to_lab(np.array(parse_colour(colour), np.uint8))[0]
    assert after[middle & (apart < 2)].mean() < 0.28 * wanted
    assert after[middle & (apart > 12)].mean() > wanted


@pytest.mark.parametrize("lightness", [2, 4, 6, 8, 10, 14, 18])
def test_black_to_blond_does_not_amplify_noise(lightness):
    picture, ids = hair_picture(lightness=lightness, contrast=0)
    canvas = Canvas(picture, ids)
    canvas.fill("hair", "#e6c87a", shading=1)
    deep = np.hypot(X - 40, Y - 40) < 24
    before, after = srgb_to_lab(picture[deep])[:, 0], srgb_to_lab(canvas.guide[deep])[:, 0]
    assert after.std() < 1.35 * before.std()


def test_highlights_keep_their_steps():
    picture, ids = hair_picture(lightness=120, contrast=60)
    canvas = Canvas(picture, ids)
    canvas.fill("hair", "#e6c87a", shading=1)
    deep = np.hypot(X - 40, Y - 40) < 24
    before, after = srgb_to_lab(picture[deep])[:, 0], srgb_to_lab(canvas.guide[deep])[:, 0]
    top = before > np.percentile(before, 85)
    assert after.max() < 99
    assert after[top].std() > 0.09 * before[top].std()
    assert np.corrcoef(before[top], after[top])[0, 1] > 0.9


def test_white_teeth_keep_the_gaps_between_them():
    gap = X % 16 < 2
    light = np.where(gap, 165, 205) - 2 * np.abs(X - 48)
    picture = np.repeat(light[..., None], 3, axis=-1).astype(np.uint8)
    ids = np.where(np.abs(Y - 48) < 12, region_by_name("mouth").id, region_by_name("lips").id).astype(np.uint8)
    canvas = Canvas(picture, soft_regions(ids))
    canvas.fill("mouth", "#ffffff")
    inside = (np.abs(Y - 48) < 9) & (np.abs(X - 48) < 24)
    before, after = (
        lightness[inside & ~gap].mean() - lightness[inside & gap].mean()
        for lightness in (srgb_to_lab(shown)[..., 0] for shown in (picture, canvas.guide))
    )
    assert after > 0.3 * before
    assert srgb_to_lab(canvas.guide)[inside & ~gap, 0].mean() > 92
