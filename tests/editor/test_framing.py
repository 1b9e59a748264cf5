"""Which squares are edited: all that is marked near a face is in one of them, and no more squares than that takes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npe_core.editor.face_choice import FaceChoice
from npe_core.editor.framing import STRETCH, fade_at_borders, strength_at
from npe_core.editor.looks import WIDER, looks_around, wide_looks
from npe_core.editor.tiles import crops_for
from npe_core.faces import FaceCrop

SIZE = (1200, 1600)


def upright(x, y, side):
    return FaceCrop.from_box((x - side / 2, y - side / 2, x + side / 2, y + side / 2))


def marked(*boxes):
    mask = np.zeros(SIZE, np.float32)
    for x0, y0, x1, y1 in boxes:
        mask[y0:y1, x0:x1] = 1
    return mask


def side(crop):
    return crop.scale * crop.size


def test_what_lies_inside_takes_the_faces_crop_alone():
    (crop,) = crops_for(FaceChoice((upright(600, 500, 400),)), marked((500, 400, 700, 600)))
    assert np.allclose(crop.corners(), upright(600, 500, 400).corners())


def test_a_little_beyond_the_crop_makes_it_wider():
    (crop,) = crops_for(FaceChoice((upright(600, 500, 400),)), marked((450, 330, 750, 770)))
    assert 400 < side(crop) <= STRETCH * 400
    low, high = crop.corners().min(axis=0), crop.corners().max(axis=0)
    assert low[1] < 330 and high[1] > 770


def test_long_hair_takes_tiles_beside_and_what_is_far_off_none():
    mask = marked((420, 310, 780, 1050), (1400, 1000, 1600, 1200))
    crops = crops_for(FaceChoice((upright(600, 500, 400),)), mask)
    assert len(crops) > 1 and all(side(crop) == pytest.approx(400) for crop in crops)
    assert max(crop.corners()[:, 0].max() for crop in crops) < 1200


def test_a_mark_thinner_than_a_look_beyond_the_crop_is_seen():
    """Of a face of 1,024 pixels every eighth row and column would be looked at."""
    crops = crops_for(FaceChoice((upright(600, 600, 1024),)), marked((500, 1117, 700, 1118)))
    assert max(crop.corners()[:, 1].max() for crop in crops) > 1118


def test_faces_of_which_nothing_is_marked_are_left_out():
    left, middle, right = faces = tuple(upright(x, 500, 300) for x in (300, 560, 1100))
    everyone = FaceChoice(faces, numbers=(1, 2, 3))
    one = everyone.reached_by(marked((1000, 450, 1100, 500)))
    assert (one.crops, one.others, one.numbers) == ((right,), (left, middle), (3,))
    assert everyone.reached_by(marked((420, 480, 440, 490))).numbers == (1, 2)  # both see it
    assert everyone.reached_by(marked((1000, 660, 1100, 670))).numbers == (3,)  # below the crop, which can be wider
    assert everyone.reached_by(marked()) is everyone
    assert FaceChoice((left, right)).reached_by(marked((1000, 450, 1100, 500))).numbers == ()


def test_each_face_is_widened_by_its_own_marks_only():
    choice = FaceChoice((upright(400, 500, 300), upright(1100, 500, 300)))
    first, second = crops_for(choice, marked((300, 400, 500, 690), (1050, 450, 1150, 550)))
    assert side(first) > 300 and side(second) == pytest.approx(300)


def test_the_segmenter_looks_as_far_as_long_hair_reaches_and_no_farther_than_the_photo():
    crop = upright(800, 300, 300)
    looks = wide_looks(crop, SIZE[::-1])
    assert [side(look) / 300 for look in looks] == [pytest.approx(wider) for wider, _ in WIDER]
    bottoms = [look.corners()[:, 1].max() for look in looks]
    assert bottoms[0] > bottoms[1] > 300 + 150 and bottoms[0] > 300 + 300 * 1.5
    assert wide_looks(FaceCrop.centred(300, 300, size=512), (300, 300)) == []


@pytest.mark.parametrize("degrees", [-5.0, 0.0, 4.0])
def test_a_look_holds_the_whole_photo_where_that_takes_little(degrees):
    """A strip of the photo beside the crop made a fifth of the look unsure: a vignette in every fill of background."""
    turn, size = np.radians(degrees), (512, 512)
    linear = 1.03 * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    corner = np.array([270, 245]) - linear @ [256, 256]
    crop = FaceCrop(np.column_stack([linear, corner]), 512)
    (look,) = looks_around(crop, size)
    assert fade_at_borders(look, size).min() == 1 and 1.03 < look.scale < 1.03 * STRETCH
    rows, columns = np.mgrid[0.5:512:73, 0.5:512:73]
    points = np.stack([columns.ravel(), rows.ravel()], axis=1)
    assert (strength_at(look, points, size) > 0.99).all()


def test_a_look_at_a_small_face_in_a_large_photo_stays_as_it_is():
    crop = upright(800, 300, 100)
    assert [side(look) for look in looks_around(crop, SIZE[::-1])] == pytest.approx([240, 170, 100])


def test_what_is_marked_chooses_the_faces_that_it_is_nearest_to():
    left, middle, right = (upright(x, 500, 300) for x in (300, 800, 1300))
    largest = FaceChoice((middle,), (left, right), (2,))
    both = largest.where_marked(marked((250, 450, 350, 550), (1250, 450, 1350, 550)))
    assert both.crops == (left, right) and both.others == (middle,) and both.numbers == (1, 3)
    stray = largest.where_marked(marked((1200, 400, 1400, 600), (300, 500, 310, 510)))
    assert stray.crops == (right,) and stray.numbers == (3,) and stray.notes("largest", "") == []
    assert largest.where_marked(marked()) is largest
    dot = np.zeros((4000, 6000), np.uint8)
    dot[2003, 5207] = 255
    assert largest.where_marked(dot).crops == (right,)  # on the grid of no coarser look
    alone = FaceChoice((left,), (), (1,))
    assert alone.where_marked(marked((1200, 400, 1400, 600))) is alone


@given(st.integers(60, 500), st.integers(0, 1600), st.integers(0, 1200), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_all_that_is_marked_in_the_ring_around_a_face_is_at_full_strength_somewhere(width, x, y, seed):
    rng = np.random.default_rng(seed)
    size = 0.8 * width * rng.random(2) + 10
    x0, y0 = np.clip([x - size[0], y - size[1]], 0, None).astype(int)
    mask = marked((x0, y0, int(x + size[0]), int(y + size[1])))
    crops = crops_for(FaceChoice((upright(x, y, width),)), mask)
    rows, columns = np.nonzero(mask)
    points = np.stack([columns, rows], axis=1) + 0.5
    strength = np.max([strength_at(crop, points, (SIZE[1], SIZE[0])) for crop in crops], axis=0)
    assert (strength < 0.99).sum() <= 0.01 * width**2
