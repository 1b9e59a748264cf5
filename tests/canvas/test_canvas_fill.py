"""Region fills: the colour that was asked for, the light that was there, nothing over the edge."""

from types import SimpleNamespace

import numpy as np
import pytest
from canvas_fills import SIZE, X, Y, lab_error, soft_regions
from hypothesis import given, settings
from hypothesis import strategies as st

from npe_core.canvas import Canvas, Fill
from npe_core.canvas.selection import Selection
from npe_core.canvas.shading import shade_of, shade_places
from npe_core.colour import lab_to_srgb, parse_colour, srgb_to_lab
from npe_core.errors import InputError, UsageError
from npe_core.regions import region_by_name

HAIR = region_by_name("hair").id
SKIN = (225, 190, 170)


def hair_picture(lightness: float = 90.0, contrast: float = 25.0) -> tuple[np.ndarray, np.ndarray]:
    """Striped 'hair' on a light ground, (H, W, 3) uint8, and its ids: a large blob, and a small one apart from it."""
    strands = lightness + contrast * np.sin(X / 2.0) + 0.4 * contrast * np.cos(Y / 11.0)
    strands = strands + np.random.default_rng(1).normal(0, 2, strands.shape)
    picture = np.stack([strands * 1.1, strands * 0.8, strands * 0.6], axis=-1)
    ids = np.ones((SIZE, SIZE), np.uint8)
    ids[np.hypot(X - 40, Y - 40) < 28] = HAIR
    ids[80:90, 80:90] = HAIR
    picture[ids == 1] = (225, 190, 170)
    return np.clip(picture, 0, 255).astype(np.uint8), ids


JUST_NOTICED = 2.3


def is_lit(picture: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Where light falls on the hair: not the hollows, black beside the rest, where most of it is lit."""
    lightness = srgb_to_lab(picture)[..., 0]
    lit = (ids == HAIR) & (lightness > min(0.35 * lightness[ids == HAIR].mean(), 7) / 2)
    return lit if lightness[ids == HAIR].mean() > 4 else ids == HAIR


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


@pytest.mark.parametrize("shading", [0.4, 0.7, 1.0])
@pytest.mark.parametrize("colour", ["#8b2500", "#d9b36c"])
def test_of_however_much_contrast_the_colour_is_recognised(colour, shading):
    picture, ids = hair_picture(lightness=120, contrast=80)
    canvas = Canvas(picture, ids)
    canvas.fill("hair", colour, shading=shading)
    target = srgb_to_lab(np.array(parse_colour(colour), np.uint8))
    distance = np.linalg.norm(srgb_to_lab(canvas.guide[is_lit(picture, ids)]) - target, axis=1).mean()
    assert 0.7 * 15 * shading < distance < 15.8 * shading


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


def test_the_rim_shows_the_new_colour_and_through_it_what_lies_beside_it():
    """Half hair, half sky is half of the new colour and half sky afterwards; no rim of the old colour stays."""
    hair, sky, asked = (np.array(rgb, float) for rgb in ((90, 60, 40), (150, 170, 200), (60, 40, 110)))
    alpha = np.clip((64.5 - X) / 8, 0, 1).astype(np.float32)
    picture = np.rint(alpha[..., None] * hair + (1 - alpha[..., None]) * sky).astype(np.uint8)
    probabilities = np.zeros((11, SIZE, SIZE), np.float32)
    probabilities[HAIR], probabilities[0] = alpha, 1 - alpha
    ids = np.where(alpha > 0.5, HAIR, 0).astype(np.uint8)
    canvas = Canvas(picture, SimpleNamespace(ids=ids, probabilities=probabilities))
    canvas.fill("hair", tuple(asked.astype(int)))
    rim = (canvas.mask[48] > 0.2) & (canvas.mask[48] < 0.95)
    assert rim.sum() > 2
    share, mask = alpha[48, rim, None], canvas.mask[48, rim, None]
    truth = share * asked + (1 - share) * sky
    plain = mask * asked + (1 - mask) * picture[48, rim]
    error, without = (np.abs(rgb - truth).mean() for rgb in (canvas.guide[48, rim], plain))
    assert error < 0.6 * without


def test_through_the_rim_of_hair_the_sky_moves_as_the_hair_does():
    """By what the hair alone is, before and after: with the sky at its rim it would be less."""
    hair, sky, asked = (90, 60, 40), (150, 170, 200), (139, 37, 0)
    inside = X < 48
    picture = np.where(inside[..., None], hair, sky).astype(np.uint8)
    place = Selection((0, 0, SIZE, SIZE), np.where(inside, 255, 10).astype(np.uint8), inside.astype(np.float32))
    ((paint, _),) = shade_places(picture, "hair", [place], asked, 0.7)
    assert np.abs(paint[48, 48:50] - (np.array(sky) + asked - hair)).max() < 8


def test_where_hardly_a_pixel_is_sure_the_region_is_what_most_of_it_shows():
    picture = np.random.default_rng(0).normal((90, 60, 45), 6, (40, 40, 3)).clip(0, 255).astype(np.uint8)
    soft = np.full((40, 40), 200, np.uint8)
    picture[:4, :4], soft[:4, :4] = (200, 190, 180), 255
    shade = shade_of(
        picture, "hair", [Selection((0, 0, 40, 40), soft, np.ones((40, 40), np.float32))], (139, 37, 0), 0.7
    )
    assert np.abs(shade.light.typical.own - (90, 60, 45)).max() < 3


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


def test_the_fill_ends_where_the_region_ends():
    picture, ids = hair_picture()
    hard = Canvas(picture, ids)
    assert hard.fill("hair", "#00aa00") == np.count_nonzero(ids == HAIR)
    assert np.array_equal(hard.mask == 1, ids == HAIR)
    assert np.array_equal(hard.mask > 0, ids == HAIR)
    soft = Canvas(picture, soft_regions(ids))
    soft.fill("hair", "#00aa00")
    far = (np.hypot(X - 40, Y - 40) > 34) & (np.hypot(X - 85, Y - 85) > 14)
    assert not soft.mask[far].any()
    assert ((soft.mask > 0) & (soft.mask < 1)).any()
    assert (soft.mask[np.hypot(X - 40, Y - 40) < 22] == 1).all()
    lips = soft_regions(np.where(ids == HAIR, 5, 1).astype(np.uint8))
    plain = Canvas(picture, lips)
    plain.fill("lips", "#b00020")
    assert not plain.mask[lips.probabilities[5] < 0.25].any()
    assert (plain.mask[lips.probabilities[5] > 0.751] == 1).all()


def test_a_click_fills_only_the_piece():
    picture, ids = hair_picture()
    for regions in (ids, soft_regions(ids)):
        canvas = Canvas(picture, regions)
        count = canvas.fill("hair", "#00aa00", at=(85.7, 83.2))
        assert canvas.mask[85, 85] > 0.5
        assert not canvas.mask[:70, :70].any()
        assert count == np.count_nonzero(canvas.mask)


def test_trying_colours_leaves_only_the_last():
    picture, ids = hair_picture()
    tried, once = Canvas(picture, soft_regions(ids)), Canvas(picture, soft_regions(ids))
    for colour in ("#ff0000", "#00ff00", "#8b2500"):
        tried.fill("hair", colour)
    once.fill("hair", "#8b2500")
    assert np.array_equal(tried.guide, once.guide)
    assert np.array_equal(tried.mask, once.mask)
    assert [fill.colour for fill in tried.targets] == ["#ff0000", "#00ff00", "#8b2500"]
    tried.undo()
    assert [fill.colour for fill in tried.targets] == ["#ff0000", "#00ff00"]


@pytest.mark.parametrize("order", [("skin", "nose"), ("nose", "skin")])
def test_no_line_of_the_old_colour_is_left_between_two_fills(order):
    """Of a pixel at their border each region has its share of probability, together all of it."""
    picture, ids = hair_picture()
    ids[:] = region_by_name("skin").id
    ids[(np.hypot(X - 40, Y - 40) < 20) & (Y > 30)] = region_by_name("nose").id
    canvas = Canvas(picture, soft_regions(ids))
    canvas.fill(order[1], "#6b4226", shading=0)
    alone = canvas.mask.copy()
    canvas.undo()
    canvas.fill(order[0], "#6b4226", shading=0)
    canvas.fill(order[1], "#6b4226", shading=0)
    border = (alone > 0.1) & (alone < 0.9)
    assert border.sum() > 50
    assert canvas.mask[border].min() > 0.99
    assert np.ptp(canvas.guide[border].astype(int), axis=0).max() <= 2
    mask = canvas.mask.copy()
    canvas.fill(order[0], "#2255aa", shading=0)
    assert np.array_equal(canvas.mask, mask)


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


def test_the_record_says_what_was_asked_for():
    picture, ids = hair_picture()
    canvas = Canvas(picture, ids)
    pixels = canvas.fill(" Hair", (139, 37, 0))
    assert canvas.targets == [Fill("hair", "#8b2500", pixels)]
    canvas.clear()
    assert canvas.targets == []


def test_what_is_not_there_is_said_and_changes_nothing():
    picture, ids = hair_picture()
    canvas = Canvas(picture, ids)
    with pytest.raises(InputError, match=r"No lips found .* nothing changed"):
        canvas.fill("lips", "#ff0000")
    ids = ids.copy()
    ids[0, :5] = 5  # 5 of 9216 pixels: under 0.1 %
    canvas.regions = ids
    with pytest.raises(InputError, match="No lips found"):
        canvas.fill("lips", "#ff0000")
    with pytest.raises(InputError, match="skin"):
        canvas.fill("hair", "#ff0000", at=(0, 95))
    with pytest.raises(InputError, match="not known yet"):
        Canvas(picture).fill("hair", "#ff0000")
    for wrong in (
        lambda: canvas.fill("hare", "#ff0000"),
        lambda: canvas.fill(11, "#ff0000"),
        lambda: canvas.fill(7.5, "#ff0000"),
        lambda: canvas.fill("hair", ("a", "b", "c")),
        lambda: canvas.fill("hair", "#ff0000", at=(40, 40, 40)),
        lambda: canvas.fill("hair", "red"),
        lambda: canvas.fill("hair", "#ff0000", shading=2),
        lambda: canvas.fill("hair", "#ff0000", at=(96, 3)),
        lambda: setattr(canvas, "regions", ids[:-1]),
        lambda: setattr(canvas, "regions", np.full_like(ids, 11)),
        lambda: setattr(canvas, "regions", SimpleNamespace(ids=ids, probabilities=np.zeros((3, 3, 3)))),
    ):
        with pytest.raises(UsageError):
            wrong()
    assert not canvas.mask.any()
    assert not canvas._history.done


def test_looking_up_regions():
    picture, ids = hair_picture()
    canvas = Canvas(picture, ids)
    assert canvas.region_at(40, 40).name == "hair"
    canvas.fill("hair", "#010203", shading=0)
    assert canvas.guide[40, 40].tolist() == [1, 2, 3]
    with pytest.raises(UsageError, match="outside"):
        canvas.region_at(-1, 0)
    with pytest.raises(UsageError, match="not a point"):
        canvas.region_at("40", 40)
