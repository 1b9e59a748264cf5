"""The hairline of fills of hair and of skin, in pictures where the two mix farther than the map of regions says."""

from types import SimpleNamespace

import numpy as np
import pytest

from npe_core.canvas import Canvas
from npe_core.canvas.border import Border
from npe_core.canvas.hairline import hair_over_skin
from npe_core.colour import srgb_to_lab
from npe_core.regions import region_by_name

SIDE, EDGE, BAND = 512, 240, 8
Y, X = np.mgrid[:SIDE, :SIDE]
HAIR, SKIN = np.array((22, 16, 14)), np.array((200, 145, 120))
BROW = (np.abs(X - EDGE - 8) < 5) & (np.abs(Y - 256) < 20)


def picture() -> np.ndarray:
    """(SIDE, SIDE, 3) uint8: hair on the left, skin on the right, the last of the hair six pixels beyond the edge."""
    share = np.clip((EDGE + 6 - X) / 12, 0, 1)[..., None]
    return np.rint(share * HAIR + (1 - share) * SKIN).astype(np.uint8)


def regions() -> SimpleNamespace:
    """Their map, sure of its edge to two pixels, and a brow that begins in the dark there."""
    probabilities = np.zeros((11, SIDE, SIDE), np.float32)
    hair, skin, brows = (region_by_name(name).id for name in ("hair", "skin", "brows"))
    probabilities[hair] = np.clip((EDGE + 1 - X) / 2, 0, 1)
    probabilities[brows] = BROW & (X >= EDGE + 1)
    probabilities[skin] = 1 - probabilities[hair] - probabilities[brows]
    return SimpleNamespace(ids=probabilities.argmax(axis=0).astype(np.uint8), probabilities=probabilities)


@pytest.mark.parametrize("colour", ["#c09040", "#d8b070"])
def test_hair_made_light_leaves_no_dark_line_along_the_skin(colour):
    canvas = Canvas(picture(), regions())
    canvas.fill("hair", colour)
    lightness = srgb_to_lab(canvas.guide[100])[:, 0]
    hair, skin = lightness[EDGE - 40 : EDGE - 20].mean(), lightness[EDGE + 40]
    assert lightness[EDGE - 10 : EDGE + 10].min() > min(hair, skin) - 10


@pytest.mark.parametrize("width", [4, 8])
def test_skin_made_dark_leaves_no_bright_line_along_the_hair(width):
    """Against each mixture with the new skin in it."""
    share = np.clip((EDGE - X) / width, 0, 1)[..., None]
    canvas = Canvas(np.rint(share * HAIR + (1 - share) * SKIN).astype(np.uint8), regions())
    canvas.fill("skin", "#6a4028")
    mixed = share[100] * HAIR + (1 - share[100]) * canvas.guide[100, EDGE + 60]
    shown, wanted = (srgb_to_lab(row)[EDGE - 14 : EDGE + 14, 0] for row in (canvas.guide[100], mixed / 255))
    assert (shown - wanted).max() < 7 and np.abs(shown - wanted).mean() < 1.2


def test_beyond_a_band_and_in_the_brows_nothing_changes():
    canvas = Canvas(picture(), regions())
    canvas.fill("hair", "#c09040")
    brow = regions().ids == region_by_name("brows").id
    assert not canvas.levels[X > EDGE + BAND + 1].any() and not canvas.levels[brow].any()
    assert np.array_equal(canvas.guide[canvas.levels == 0], picture()[canvas.levels == 0])


def test_of_hair_and_skin_of_one_colour_nothing_is_told():
    image = np.broadcast_to(SKIN.astype(np.uint8), (SIDE, SIDE, 3)).copy()
    ids = regions().ids
    assert hair_over_skin(image, ids, Border(ids == region_by_name("hair").id, BAND)).max() < 0.05


def test_hair_lies_over_the_skin_whichever_was_filled_first():
    one, other = Canvas(picture(), regions()), Canvas(picture(), regions())
    for canvas, order in ((one, ("hair", "skin")), (other, ("skin", "hair"))):
        for region in order:
            canvas.fill(region, {"hair": "#c09040", "skin": "#e8c0a8"}[region])
    assert (one.guide == other.guide).all() and (one.levels == other.levels).all()
    assert [fill.region for fill in one.targets] == ["hair", "skin", "hair"]
    one.undo()
    assert [fill.region for fill in one.targets] == ["hair"]


def test_hair_that_was_touched_by_hand_is_not_laid_again():
    canvas = Canvas(picture(), regions())
    canvas.fill("hair", "#c09040")
    canvas.erase([(EDGE - 60, 100)], radius=8)
    canvas.fill("skin", "#e8c0a8")
    assert not canvas.levels[100, EDGE - 60]
    assert [fill.region for fill in canvas.targets] == ["hair", "skin"]


MOUTH = np.array((170, 90, 95))


def portrait_of_lips() -> tuple[np.ndarray, SimpleNamespace]:
    """Skin on the right and lips on the left, which the map begins a few pixels too early; and that map."""
    share = np.clip((EDGE - 1 - X) / 2, 0, 1)[..., None]
    found = regions()
    hair, lips = (region_by_name(name).id for name in ("hair", "lips"))
    found.probabilities[[hair, lips]] = found.probabilities[[lips, hair]]
    found.ids = found.probabilities.argmax(axis=0).astype(np.uint8)
    return np.rint(share * MOUTH + (1 - share) * SKIN).astype(np.uint8), found


def test_skin_made_dark_leaves_no_pale_rim_around_lips():
    canvas = Canvas(*portrait_of_lips())
    canvas.fill("skin", "#6a4028")
    lightness = srgb_to_lab(canvas.guide[100])[:, 0]
    lips, skin = lightness[EDGE - 40], lightness[EDGE + 40]
    assert lightness[EDGE - 14 : EDGE + 14].max() < max(lips, skin) + 4


def test_filled_lips_lie_over_the_skin_whichever_was_filled_first():
    one, other = Canvas(*portrait_of_lips()), Canvas(*portrait_of_lips())
    for canvas, order in ((one, ("lips", "skin")), (other, ("skin", "lips"))):
        for region in order:
            canvas.fill(region, {"lips": "#b00020", "skin": "#6a4028"}[region])
    assert (one.guide == other.guide).all() and (one.levels == other.levels).all()


def test_skin_made_light_stays_out_of_the_lips():
    canvas = Canvas(*portrait_of_lips())
    canvas.fill("skin", "#f0d8d0")
    assert not canvas.levels[X < EDGE - BAND].any()
    dark = Canvas(*portrait_of_lips())
    dark.fill("skin", "#6a4028")
    assert canvas.levels[X < EDGE].sum() < dark.levels[X < EDGE].sum()
