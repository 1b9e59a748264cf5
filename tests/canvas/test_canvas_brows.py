"""Brows are hairs over skin: what is filled of either, and what shows of the other."""

from types import SimpleNamespace

import numpy as np
import pytest
from canvas_fills import SIZE, X, Y, soft_regions
from hypothesis import example, given, settings
from hypothesis import strategies as st

from npe_core.canvas import Canvas
from npe_core.canvas.boxes import cut
from npe_core.canvas.brows import find_brows, hairs_of
from npe_core.colour import parse_colour, srgb_to_lab
from npe_core.regions import region_by_name

SKIN = (225, 190, 170)
BROW = (np.abs(X - 48) < 24) & (np.abs(Y - 40) < 6)


def brow_picture() -> tuple[np.ndarray, SimpleNamespace, np.ndarray]:
    """Skin with a brow, (H, W, 3) uint8; its regions; and how much hair each pixel shows, (H, W) in [0, 1]."""
    ids = np.full((SIZE, SIZE), region_by_name("skin").id, np.uint8)
    ids[BROW] = region_by_name("brows").id
    share = BROW * np.clip(1.5 - np.abs(X % 12 - 6) / 2, 0, 1)
    picture = np.rint(share[..., None] * (70, 50, 40) + (1 - share[..., None]) * SKIN).astype(np.uint8)
    return picture, soft_regions(ids), share


def test_lighter_skin_shows_between_the_hairs_of_a_brow_and_the_hairs_stay():
    picture, regions, share = brow_picture()
    canvas = Canvas(picture, regions)
    canvas.fill("skin", "#fff0e6")
    inside = (np.abs(X - 48) < 22) & (np.abs(Y - 40) < 4)
    assert canvas.mask[inside & (share == 0)].min() > 0.7
    assert canvas.mask[inside & (share == 1)].max() < 0.3
    assert canvas.guide[inside & (share == 1)].mean() < 80


def test_of_darker_skin_nothing_is_left_of_the_old_in_the_brows_and_the_hairs_are_darker_still():
    picture, regions, share = brow_picture()
    canvas = Canvas(picture, regions)
    canvas.fill("skin", "#6b4226")
    new = srgb_to_lab(np.array(parse_colour("#6b4226"), np.uint8))[0]
    lightness = srgb_to_lab(canvas.guide)[..., 0]
    assert lightness.max() < new + 4
    inside = (np.abs(X - 48) < 22) & (np.abs(Y - 40) < 4)
    assert lightness[inside & (share == 1)].max() < new - 6
    assert np.corrcoef(lightness[inside], share[inside])[0, 1] < -0.95


@pytest.mark.parametrize("colour", ["#301008", "#b08050"])
def test_brows_are_hairs_over_skin_and_what_shows_of_both_changes_in_proportion(colour):
    picture, regions, share = brow_picture()
    canvas = Canvas(picture, regions)
    canvas.fill("brows", colour)
    wanted = picture + share[..., None] * (np.array(parse_colour(colour)) - (70.0, 50.0, 40.0))
    inside = (np.abs(X - 48) < 22) & (np.abs(Y - 40) < 4)
    assert np.abs(canvas.guide - wanted)[inside].mean() < 16
    assert np.abs(canvas.guide - wanted)[inside & (share == 0)].mean() < 16


def test_brows_lie_over_the_skin_whichever_was_filled_first():
    picture, regions, _ = brow_picture()
    one, other = Canvas(picture, regions), Canvas(picture, regions)
    for canvas, order in ((one, ("brows", "skin")), (other, ("skin", "brows"))):
        for region in order:
            canvas.fill(region, {"brows": "#b08050", "skin": "#6b4226"}[region])
    assert (one.guide == other.guide).all() and (one.levels == other.levels).all()
    assert [fill.region for fill in one.targets] == ["brows", "skin", "brows"]
    one.undo()
    assert [fill.region for fill in one.targets] == ["brows"]


DARK, LIGHT = "#202020", "#fff0e6"


def filled(*fills: tuple[str, str]) -> Canvas:
    picture, regions, _ = brow_picture()
    canvas = Canvas(picture, regions)
    for region, colour in fills:
        canvas.fill(region, colour)
    return canvas


def same(one: Canvas, other: Canvas) -> bool:
    return np.array_equal(one.guide, other.guide) and np.array_equal(one.levels, other.levels)


@given(
    fills=st.lists(
        st.tuples(st.sampled_from(["skin", "brows", "skin+neck", "skin+brows"]), st.sampled_from([DARK, LIGHT])),
        min_size=1,
        max_size=4,
    )
)
@example(fills=[("skin", DARK), ("skin", LIGHT)])
@example(fills=[("brows", DARK), ("skin", DARK), ("brows", LIGHT), ("skin+neck", LIGHT)])
@settings(max_examples=5, deadline=None)
def test_skin_of_another_lightness_is_as_if_it_had_been_the_first(fills):
    """Darker skin covers the brows, lighter skin leaves the hairs: what the darker one covered comes back."""
    last = {name: (name, colour) for region, colour in fills for name in region.split("+") if name != "neck"}
    assert same(filled(*fills), filled(*last.values()))


def test_so_it_is_after_undo_and_a_restart():
    picture, regions, _ = brow_picture()
    canvas, expected = filled(("skin", DARK)), filled(("skin", LIGHT))
    canvas.fill("skin", "#806030")
    canvas.undo()
    for one in (canvas, Canvas.restore(picture, canvas.save_state(), regions)):
        one.fill("skin", LIGHT)
        assert same(one, expected)


@pytest.mark.parametrize("tool", [Canvas.feather, Canvas.shrink])
def test_a_mask_tool_between_leaves_nothing_of_the_darker_skin_in_the_brows(tool):
    picture, regions, _ = brow_picture()
    regions.ids[Y > 50] = region_by_name("background").id
    canvas, once = Canvas(picture, regions), Canvas(picture, regions)
    canvas.fill("skin", DARK)
    tool(canvas, 12)
    assert canvas.levels[BROW].min() == 0 if tool is Canvas.shrink else canvas.levels[BROW].min() < 200
    for one in (canvas, once):
        one.fill("skin", LIGHT)
    assert np.array_equal(canvas.guide[BROW], once.guide[BROW])
    assert np.array_equal(canvas.levels[BROW], once.levels[BROW])


def test_what_was_painted_over_the_darker_skin_of_a_brow_stays_where_the_lighter_one_has_hairs():
    canvas = filled(("skin", DARK))
    canvas.stroke([(30, 40), (66, 40)], "#ffff00", 3, hardness=1)
    canvas.fill("skin", LIGHT)
    once = filled(("skin", LIGHT))
    hairs = (once.levels == 0) & (np.abs(Y - 40) < 2) & (np.abs(X - 48) < 18)
    assert hairs.sum() > 20 and (canvas.guide[hairs] == (255, 255, 0)).all()


BAND = 4


def ids_of(**names: np.ndarray) -> np.ndarray:
    """(H, W) uint8: a brow in skin, and what else there is."""
    ids = np.full((SIZE, SIZE), region_by_name("skin").id, np.uint8)
    for name, where in ({"brows": BROW} | names).items():
        ids[where] = region_by_name(name).id
    return ids


def seen(picture: np.ndarray, ids: np.ndarray, likely: np.ndarray = BROW) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) each: how much hair pixels show, and how far that is to be trusted, by the one brow that there is."""
    (brow,) = find_brows(ids, lambda box: likely[cut(box)].astype(np.float32), BAND)
    whole = np.zeros((2, SIZE, SIZE), np.float32)
    whole[0][cut(brow.box)], whole[1][cut(brow.box)] = hairs_of(brow, picture.astype(np.uint8), ids, BAND)
    return whole[0], whole[1]


def mixed(share: np.ndarray, hair: tuple[int, int, int], skin: np.ndarray | tuple[int, int, int]) -> np.ndarray:
    return np.rint(share[..., None] * hair + (1 - share[..., None]) * skin)


@pytest.mark.parametrize(("hair", "skin"), [((70, 50, 40), SKIN), ((200, 195, 190), (80, 60, 50))])
def test_hairs_are_darker_than_the_skin_or_lighter(hair, skin):
    share = BROW * np.clip(2.5 - np.abs(X % 12 - 6) / 2, 0, 1)
    found, trust = seen(mixed(share, hair, skin), ids_of())
    assert np.corrcoef(found[BROW], share[BROW])[0, 1] > 0.95 and trust[BROW].min() == 1


def test_of_hairs_in_the_colour_of_the_skin_nothing_is_told():
    share = BROW * np.clip(1.5 - np.abs(X % 12 - 6) / 2, 0, 1)
    found, trust = seen(mixed(share, (215, 180, 160), SKIN), ids_of())
    assert not found.any() and not trust.any()


def test_a_brow_without_skin_around_it_tells_nothing():
    found, trust = seen(mixed(BROW * 1.0, (70, 50, 40), SKIN), ids_of(hair=~BROW))
    assert not found.any() and not trust.any()


def test_a_hair_as_light_as_the_skin_is_told_by_those_around_it():
    share = BROW * 1.0
    share[40, 48] = 0
    found, _ = seen(mixed(share, (70, 50, 40), SKIN), ids_of())
    assert 0.3 < found[40, 48] < 0.6 and found[40, 60] == 1


def test_in_the_shadow_under_a_brow_colours_tell_nothing():
    """To the right the skin is as dark as the hairs, to the left as light as elsewhere."""
    share = BROW * np.clip(1.5 - np.abs(X % 12 - 6) / 2, 0, 1)
    skin = np.where((X < 60)[..., None], SKIN, (74, 54, 44))
    _, trust = seen(mixed(share, (70, 50, 40), skin), ids_of())
    assert trust[BROW & (X < 48)].min() > 0.9 and trust[BROW & (X > 66)].max() < 0.1


def test_stray_hairs_are_no_skin_to_compare_with_and_lashes_no_stray_hairs():
    stray = (np.abs(X - 48) < 24) & (Y <= 34) & (Y > 29)
    eyes, likely = Y > 47, (np.abs(X - 48) < 26) & (Y > 27) & (Y < 53)
    picture = mixed((BROW | eyes) + 0.6 * stray, (70, 50, 40), SKIN)
    found, trust = seen(picture, ids_of(eyes=eyes), likely)
    assert found[31:34, 32:64] == pytest.approx(0.58, abs=0.05)
    assert trust[stray].min() > 0.9 and not trust[eyes].any()
