"""Background beside the faces: its fill is shown as it is, fast; what else lies there is drawn as ever."""

import numpy as np
import pytest

from npe_core.canvas import Canvas
from npe_core.editor import FaceChoice
from npe_core.editor.hold import SUBTLE
from npe_core.editor.plain import set_apart
from npe_core.editor.tiles import crops_for
from npe_core.faces import FaceCrop
from npe_core.photo import Photo
from npe_core.regions import region_by_name

FACE = FaceCrop.from_box((300, 100, 556, 356))
HAIR = region_by_name("hair").id


@pytest.fixture
def canvas():
    """A wall with a head in front of it, whose hair falls down on the left as far as the tiles below it."""
    rng = np.random.default_rng(0)
    image = np.clip(rng.normal(180, 4, (512, 900, 1)), 0, 255).astype(np.uint8).repeat(3, axis=2)
    ids = np.zeros(image.shape[:2], np.uint8)
    ids[150:300, 380:480] = HAIR
    ids[150:430, 340:380] = HAIR
    image[ids == HAIR] //= 4
    return Canvas(image, ids)


def apart(canvas, timestep=250, face=FACE):
    return set_apart(canvas, crops_for(FaceChoice((face,)), canvas.levels), 1, timestep)


def test_tiles_of_background_alone_are_plain(canvas):
    canvas.fill("background", "#3060a0")
    drawn, plain = apart(canvas)
    assert len(drawn) == 1 and len(plain) > 3
    assert len(apart(canvas, SUBTLE)[1]) == len(plain) and not apart(canvas, SUBTLE + 1)[1]


def test_tiles_with_something_else_are_drawn(canvas):
    canvas.fill("background", "#3060a0")
    canvas.fill("hair", "#8b2500")
    drawn, plain = apart(canvas)
    hair = (canvas.regions.ids == HAIR).astype(np.float32)
    assert len(drawn) > 1 and len(plain) > 1
    assert all(tile.extract(hair).any() for tile in drawn) and not any(tile.extract(hair).any() for tile in plain)


def test_other_fills_and_marks_by_hand_are_drawn(canvas):
    canvas.fill("background", "#3060a0")
    canvas.select(np.ones(canvas.size, np.float32))
    assert not apart(canvas)[1]
    hair = Canvas(canvas.image, canvas.regions)
    hair.fill("hair", "#8b2500")
    assert len(apart(hair)[0]) > 1 and not apart(hair)[1]


def test_a_face_that_hides_the_background_leaves_the_tiles_to_the_networks():
    ids = np.full((512, 900), HAIR, np.uint8)
    ids[:, 620:] = 0
    canvas = Canvas(np.full((512, 900, 3), 90, np.uint8), ids)
    canvas.fill("background", "#3060a0")
    assert len(apart(canvas)[0]) > 1 and not apart(canvas)[1]


def test_beside_the_faces_the_fill_is_the_picture(editor, canvas):
    canvas.fill("background", "#3060a0")
    photo = Photo.from_array(canvas.image)
    result = editor.edit(photo, canvas, steps=1, seed=1, choice=FaceChoice((FACE,)), upscale=False)
    image = result.photo.image
    beside = np.s_[120:340, 120:290]
    assert np.array_equal(image[beside], canvas.guide[beside]) and (result.reached[beside] > 0.99).all()
    assert np.array_equal(image[canvas.levels == 0], photo.image[canvas.levels == 0])
    border = image[120:340, 290:330].astype(int) - canvas.guide[120:340, 290:330]  # where the networks begin
    assert border.any() and np.abs(border.mean(axis=(0, 2))).max() < 1
