"""The background by the looks at several faces: nobody's body is part of it, and it ends softly where the looks do."""

import numpy as np
import pytest

from npe_core.canvas import Canvas
from npe_core.editor import FaceChoice
from npe_core.editor.editor import faces_beside
from npe_core.editor.recipe import Recipe
from npe_core.editor.region_map import Look, RegionMap
from npe_core.editor.underway import beyond_looks
from npe_core.faces import FaceCrop
from npe_core.photo import Photo
from npe_core.regions import REGIONS, region_by_name

BACKGROUND, HAIR = region_by_name("background").id, region_by_name("hair").id
SIZE = 400, 400
ALL = (0, 0, *SIZE)
LEFT, RIGHT = FaceCrop.from_box((60, 100, 260, 300), 64), FaceCrop.from_box((160, 100, 360, 300), 64)


def sure(crop, region):
    """A look that sees one region everywhere."""
    levels = np.zeros((len(REGIONS), crop.size, crop.size), np.uint8)
    levels[region] = 255
    return Look(crop, levels)


def test_it_fades_out_where_the_photo_goes_on():
    regions = RegionMap.of(FaceChoice((LEFT,)), [(sure(LEFT, BACKGROUND),)], SIZE)
    across = regions.probability(BACKGROUND, ALL)[200]
    assert across[160] == 1 and across[:60].max() == across[260:].max() == 0
    assert across[80] == pytest.approx(0.5, abs=0.06) and across[104:216].min() > 0.97  # a tenth, a fifth of the side
    assert np.abs(np.diff(across)).max() < 0.05


def test_an_aligned_photo_has_it_up_to_its_border():
    whole = FaceCrop.centred(*SIZE, size=64)
    regions = RegionMap.of(FaceChoice((whole,)), [(sure(whole, BACKGROUND),)], SIZE)
    assert (regions.probability(BACKGROUND, ALL) == 1).all()
    assert regions.backdrop.unseen(SIZE) == 0


@pytest.mark.parametrize("chosen", [True, False])
def test_what_another_face_claims_is_none(chosen):
    """Also on the near side of the line between the two, where every other region is left to the chosen face."""
    if chosen:
        looks = [(sure(LEFT, BACKGROUND),), (sure(RIGHT, HAIR),)]
        regions = RegionMap.of(FaceChoice((LEFT, RIGHT)), looks, SIZE)
    else:
        beside = [sure(RIGHT, HAIR)]
        regions = RegionMap.of(FaceChoice((LEFT,), (RIGHT,)), [(sure(LEFT, BACKGROUND),)], SIZE, beside)
    found = regions.probability(BACKGROUND, ALL)
    assert found[150:250, 190:260].max() < 0.02  # the line is at 210, and from 180 on a body counts in full
    assert found[:, 260:].max() < 0.15  # less than a fill takes for background
    assert (found[150:250, 110:150] == 1).all()
    part = regions.probability(BACKGROUND, (90, 120, 250, 290))
    assert np.allclose(part, found[120:290, 90:250], rtol=0, atol=2 / 255)


def test_somebody_beside_without_a_body_takes_nothing_away():
    choice, looks = FaceChoice((LEFT,), (RIGHT,)), [(sure(LEFT, BACKGROUND),)]
    alone = RegionMap.of(FaceChoice((LEFT,)), looks, SIZE).probability(BACKGROUND, ALL)
    beside = RegionMap.of(choice, looks, SIZE, [sure(RIGHT, BACKGROUND)]).probability(BACKGROUND, ALL)
    assert np.array_equal(alone, beside)


def test_a_fill_of_it_leaves_the_neighbour_alone():
    image = np.full((*SIZE, 3), 120, np.uint8)
    looks = [(sure(LEFT, BACKGROUND),)]
    canvas = Canvas(image, RegionMap.of(FaceChoice((LEFT,), (RIGHT,)), looks, SIZE, [sure(RIGHT, HAIR)]))
    canvas.fill("background", "#00a000")
    assert (canvas.mask[150:250, 110:150] == 1).all() and not canvas.mask[140:260, 205:].any()


def test_of_the_other_faces_those_near_are_looked_at():
    photo = Photo.from_array(np.zeros((1000, 3000, 3), np.uint8))
    own, near, far = (FaceCrop.from_box((x - 150, 350, x + 150, 650), 512) for x in (600, 1200, 2500))
    (square,) = faces_beside(photo, FaceChoice((own,), (near, far)), 256)
    assert square.size == 256 and square.scale * square.size == pytest.approx(2.4 * 300)
    assert faces_beside(photo, FaceChoice((own, near, far)), 256) == []


def test_what_lies_farther_off_is_told():
    regions = RegionMap.of(FaceChoice((LEFT,)), [(sure(LEFT, BACKGROUND),)], SIZE)
    assert regions.backdrop.unseen(SIZE) == pytest.approx(1 - (160 / 400) ** 2, abs=0.02)  # to the middle of the fade
    (note,) = beyond_looks(Recipe({"background": "#00a000"}), regions)
    assert "84% of the photo" in note or "85% of the photo" in note
    assert (
        beyond_looks(Recipe({"hair": "#00a000"}), regions)
        == beyond_looks(Recipe({"background": "#00a000"}), None)
        == []
    )
