"""Which face is meant, before any model is asked."""

import numpy as np
import pytest

from npe_core.editor import Editor
from npe_core.errors import UsageError
from npe_core.photo import Photo


@pytest.fixture(scope="module")
def plain():
    """A photo without a face: what names a place needs none."""
    return Photo.from_array(np.full((200, 300, 3), 128, np.uint8))


@pytest.mark.parametrize(("box", "said"), [
    ((300, 20, 380, 90), "outside the photo, which has 300x200"),
    ((-400, 20, 0, 90), "400x70 pixels from (-400, 20), lies outside the photo"),
    ((20, -90, 80, -1), "outside the photo"),
    ((20, 200, 80, 260), "outside the photo"),
    ((100, 100, 101, 101), "too small for a head"),
    ((100, 100, 107, 104), "7x4 pixels is too small"),
    ((100, 100, 90, 130), "no area"),
    ((1, 2, 3), "four numbers x0, y0, x1, y1, not (1, 2, 3)"),
    ((1, 2, 3, 4, 5), "four numbers"),
    (("a", 2, 3, 4), "four numbers"),
    (7, "four numbers x0, y0, x1, y1, not 7"),
])  # fmt: skip
def test_a_box_where_no_head_can_be_is_refused(plain, box, said):
    with pytest.raises(UsageError) as caught:
        Editor("cpu").choose(plain, box=box)
    assert said in str(caught.value)


@pytest.mark.parametrize("box", [(100, 100, 108, 104), (-50, -50, 1, 1), (299, 199, 400, 300)])
def test_a_small_box_or_one_over_the_border_is_a_place(plain, box):
    (crop,) = Editor("cpu").choose(plain, box=box).crops
    (x0, y0), _, (x1, y1), _ = crop.corners()
    assert (x0 + x1, y0 + y1) == pytest.approx((box[0] + box[2], box[1] + box[3]))
    assert x1 - x0 == pytest.approx(max(box[2] - box[0], box[3] - box[1]))
