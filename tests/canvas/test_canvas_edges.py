"""A region filled again: what it would be without the fill before, at its soft edges beside other fills as well."""

from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npe_core.canvas import Canvas
from npe_core.canvas.compositing import beside
from npe_core.canvas.layers import ALPHA, MASK
from npe_core.regions import REGIONS, region_by_name

SIZE = 64
Y, X = np.mgrid[:SIZE, :SIZE]
NAMES = ("background", "skin", "hair", "lips", "nose")


def picture() -> np.ndarray:
    return np.random.default_rng(3).integers(60, 200, (SIZE, SIZE, 3), dtype=np.uint8)


def regions(blur: int = 4) -> SimpleNamespace:
    """Regions side by side, their probabilities soft over some pixels: three of them meet in places."""
    ids = np.full((SIZE, SIZE), region_by_name("background").id, np.uint8)
    ids[np.hypot(X - 32, Y - 30) < 24] = region_by_name("hair").id
    ids[np.hypot(X - 32, Y - 36) < 18] = region_by_name("skin").id
    ids[(np.abs(X - 32) < 8) & (np.abs(Y - 45) < 4)] = region_by_name("lips").id
    ids[(np.abs(X - 32) < 3) & (np.abs(Y - 34) < 8)] = region_by_name("nose").id
    probabilities = np.stack([(ids == region.id).astype(np.float32) for region in REGIONS])
    for _ in range(blur):
        for axis in (1, 2):
            sides = np.roll(probabilities, 1, axis) + np.roll(probabilities, -1, axis)
            probabilities = (sides + 2 * probabilities) / np.float32(4)
    return SimpleNamespace(ids=ids, probabilities=probabilities)


def filled(*fills: tuple[str, str], shading: float = 0) -> Canvas:
    canvas = Canvas(picture(), regions())
    for region, colour in fills:
        canvas.fill(region, colour, shading=shading)
    return canvas


def same(one: Canvas, other: Canvas) -> bool:
    return np.array_equal(one.guide, other.guide) and np.array_equal(one.levels, other.levels)


@pytest.mark.parametrize("order", list(permutations(("hair", "background", "skin"))))
def test_a_region_filled_again_beside_others_is_as_filled_once(order):
    first = [(name, colour) for name, colour in zip(order, ("#20c040", "#4060ff", "#c08060"), strict=True)]
    for region in order:
        others = [fill for fill in first if fill[0] != region]
        assert same(filled(*first, (region, "#f0f0f0")), filled(*others, (region, "#f0f0f0")))


def test_so_it_is_with_the_light_of_the_photo():
    other, again = ("background", "#4060ff"), ("hair", "#f0f0f0")
    assert same(filled(other, ("hair", "#20c040"), again, shading=0.7), filled(other, again, shading=0.7))


@given(
    fills=st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(["#20c040", "#f0f0f0", "#301008"])), max_size=8)
)
@settings(max_examples=25, deadline=None)
def test_of_any_fills_those_count_that_were_the_last_of_their_region(fills):
    last = [fill for number, fill in enumerate(fills) if fill[0] not in [name for name, _ in fills[number + 1 :]]]
    assert same(filled(*fills), filled(*last))


def test_between_them_there_may_be_undo_redo_and_a_restart():
    first = (("background", "#4060ff"), ("hair", "#20c040"))
    canvas, expected = filled(*first), filled(first[0], ("hair", "#f0f0f0"))
    canvas.fill("background", "#ff0000", shading=0)
    canvas.undo()
    restored = Canvas.restore(picture(), canvas.save_state(), regions())
    for one in (canvas, restored):
        one.fill("hair", "#f0f0f0", shading=0)
        assert same(one, expected)
        one.undo()
        assert same(one, filled(*first))
        one.redo()
        assert same(one, expected)
        one.fill("background", "#ff0000", shading=0)
        assert same(one, filled(("hair", "#f0f0f0"), ("background", "#ff0000")))


def test_a_stroke_under_the_fills_stays_under_them():
    def canvas(*fills: tuple[str, str]) -> Canvas:
        canvas = Canvas(picture(), regions())
        canvas.stroke([(0, 20), (63, 40)], "#ffff00", 5, opacity=0.6)
        for region, colour in fills:
            canvas.fill(region, colour, shading=0)
        return canvas

    twice = canvas(("hair", "#20c040"), ("skin", "#c08060"), ("hair", "#f0f0f0"))
    assert same(twice, canvas(("skin", "#c08060"), ("hair", "#f0f0f0")))


def test_what_was_done_by_hand_at_an_edge_stays_and_the_rest_of_it_is_replaced():
    def canvas(*first: tuple[str, str]) -> Canvas:
        canvas = filled(*first, ("background", "#4060ff"))
        canvas.stroke([(12, 0), (12, 63)], "#ffff00", 4, hardness=1)
        canvas.erase([(52, 0), (52, 63)], 4)
        canvas.fill("hair", "#f0f0f0", shading=0)
        return canvas

    twice, once = canvas(("hair", "#20c040")), canvas()
    touched = (np.abs(X - 12) < 6) | (np.abs(X - 52) < 6)
    assert np.array_equal(twice.guide[~touched], once.guide[~touched])
    assert np.array_equal(twice.levels[~touched], once.levels[~touched])
    assert np.abs(twice.levels.astype(int) - once.levels)[:, :30].max() == 0
    under_the_stroke = np.abs(X - 12) < 3
    assert np.array_equal(twice.guide[under_the_stroke], once.guide[under_the_stroke])


@pytest.mark.parametrize("tool", ["feather", "shrink", "grow"])
def test_after_a_mask_tool_a_region_filled_again_has_its_own_mask_anew(tool):
    canvas = filled(("hair", "#20c040"))
    levels = canvas.levels.copy()
    getattr(canvas, tool)(3)
    canvas.fill("hair", "#f0f0f0", shading=0)
    grown = tool == "grow"
    assert (canvas.levels >= levels).all() if grown else np.array_equal(canvas.levels, levels)
    colours = canvas.guide[(levels > 0) & (levels == 255)].astype(int)
    assert (colours.max(axis=-1) - colours.min(axis=-1)).mean() < 12  # white, and nothing of the green


def test_what_is_kept_does_not_grow_with_the_fills():
    def pixels(canvas: Canvas) -> int:
        return sum(edge.at.size for edge in canvas._asked.edges)

    canvas = filled(*[(name, "#20c040") for name in NAMES])
    kept = pixels(canvas)
    assert 0 < kept <= sum(pixels(filled((name, "#20c040"))) for name in NAMES) < SIZE * SIZE
    for colour in ("#f0f0f0", "#301008"):
        for name in NAMES:
            canvas.fill(name, colour, shading=0)
        assert pixels(canvas) == pixels(filled(*((name, colour) for name in NAMES)))


def test_together_two_fills_cover_a_pixel_of_their_border_wholly():
    coverage = np.arange(1, 255, dtype=np.uint8)
    planes = np.full((5, coverage.size), 255, np.uint8)
    laid = beside(planes, coverage, np.zeros((3, coverage.size), np.uint8))
    assert (laid[[ALPHA, MASK]] == 255).all()
