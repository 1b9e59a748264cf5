"""A new background right up to a person, in pictures whose map of regions calls some of the wall hair or skin."""

from types import SimpleNamespace

import numpy as np
import pytest

from npe_core.canvas import Canvas
from npe_core.canvas.border import Border
from npe_core.canvas.outline import background_through
from npe_core.regions import region_by_name

SIDE, EDGE, BAND = 512, 240, 8
Y, X = np.mgrid[:SIDE, :SIDE]
WALL = np.array((240, 241, 238))
SHARE = np.clip((EDGE - X) / 3, 0, 1)[..., None]
"""Of the person, who ends two pixels before the map says so."""


def picture(person: tuple[int, int, int], wall: np.ndarray = WALL) -> np.ndarray:
    return np.rint(SHARE * person + (1 - SHARE) * wall).astype(np.uint8)


def regions(name: str) -> SimpleNamespace:
    """Their map, sure of its edge to two pixels."""
    probabilities = np.zeros((11, SIDE, SIDE), np.float32)
    probabilities[region_by_name(name).id] = np.clip((EDGE + 3 - X) / 2, 0, 1)
    probabilities[0] = 1 - probabilities.sum(axis=0)
    return SimpleNamespace(ids=probabilities.argmax(axis=0).astype(np.uint8), probabilities=probabilities)


@pytest.mark.parametrize("colour", ["#101820", "#2a6040", "#e0c0c8"])
@pytest.mark.parametrize(
    ("name", "person"), [("hair", (30, 22, 18)), ("hair", (120, 85, 60)), ("ears", (150, 110, 95))]
)
def test_the_person_is_composited_over_the_new_background(name, person, colour):
    canvas = Canvas(picture(person), regions(name))
    canvas.fill("background", colour)
    row = canvas.guide[200].astype(float)
    expected = SHARE[200] * person + (1 - SHARE[200]) * row[-40]
    assert np.abs(row - expected).max() < 26 and np.abs(row - expected)[EDGE - 12 : EDGE + 20].mean() < 6


def test_of_a_person_in_the_colours_of_the_wall_nothing_is_taken():
    ids = regions("hair").ids
    image = picture(tuple(WALL - 6))
    assert background_through(image, ids, Border(ids == 0, BAND))[ids > 0].max() < 0.1


def test_what_is_no_mixture_of_wall_and_person_is_left():
    """An ear as light as the wall, and of another colour than that, is no wall seen through the hair beside it."""
    image = picture((60, 40, 35), np.array((186, 70, 123)))
    image[(X >= EDGE - 4) & (X < EDGE + 3)] = (178, 110, 95)
    ids = regions("ears").ids
    through = background_through(image, ids, Border(ids == 0, BAND))
    assert through[(X >= EDGE - 4) & (X < EDGE + 1)].max() < 0.2


def test_a_band_into_the_person_nothing_changes():
    canvas = Canvas(picture((30, 22, 18)), regions("hair"))
    canvas.fill("background", "#101820")
    assert not canvas.levels[X < EDGE + 2 - BAND].any()


def test_clothes_are_left_as_the_map_has_them():
    ids = regions("attire").ids
    assert not background_through(picture((30, 22, 18)), ids, Border(ids == 0, BAND))[ids > 0].any()


def test_another_colour_leaves_what_it_alone_would_have_left():
    one, other = (Canvas(picture((30, 22, 18)), regions("hair")) for _ in range(2))
    for colour in ("#101820", "#e0c0c8"):
        one.fill("background", colour)
    other.fill("background", "#e0c0c8")
    assert (one.guide == other.guide).all() and (one.levels == other.levels).all()
