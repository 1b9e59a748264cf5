"""Region fills: what they cover, where they end, what the record says, and what is refused."""

from types import SimpleNamespace

import numpy as np
import pytest
from canvas_fills import HAIR, SIZE, X, Y, hair_picture, soft_regions

from npe_core.canvas import Canvas, Fill
from npe_core.canvas.selection import Selection
from npe_core.canvas.shading import shade_of, shade_places
from npe_core.errors import InputError, UsageError
from npe_core.regions import region_by_name


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
    place = Selection((0, 0, 40, 40), soft, np.ones((40, 40), np.float32))
    shade = shade_of([picture], [], "hair", [place], (139, 37, 0), 0.7)
    assert np.abs(shade.light.typical.own - (90, 60, 45)).max() < 3


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
