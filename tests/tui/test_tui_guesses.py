"""The model's guess of a face, put into the photo as far as the mask goes."""

import numpy as np

from npe_core.canvas import Canvas
from npe_core.faces import FaceCrop
from npe_tui.engine.guesses import Guesses


def test_a_guess_shows_as_far_as_the_mask_goes(image):
    canvas, mask = Canvas(image), np.zeros(image.shape[:2])
    mask[20:40, 10:30], mask[25:35, 15:25] = 0.6, 1
    canvas.select(mask, "#ff0000")
    beside = FaceCrop.from_box((60, 0, 80, 20))
    (patch,) = Guesses(canvas, [FaceCrop.centred(80, 96), beside]).patches(np.full((2, 32, 32, 3), 200, np.uint8))
    assert patch.box == (10, 20, 30, 40)
    share = mask[20:40, 10:30, None]
    assert np.array_equal(patch.image, np.rint((1 - share) * canvas.guide[20:40, 10:30] + share * 200))
    assert (patch.image[5:15, 5:15] == 200).all()
