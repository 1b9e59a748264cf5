"""The timestep study shows what an edit at that timestep looks like."""

import numpy as np
import pytest

from npe_core.canvas import Canvas
from npe_core.editor.framing import CROP
from npe_core.editor.sweep import sweep
from npe_core.photo import Photo
from npe_core.sheets import STUDY

STRENGTH = {"steps": 2, "seed": 4}
TILE = 260


@pytest.fixture(scope="module")
def photo(portrait):
    return Photo.open(portrait)


@pytest.fixture(scope="module")
def choice(editor, photo):
    return editor.choose(photo)


@pytest.fixture(scope="module")
def regions(editor, photo, choice):
    return editor.segment(photo, choice)


@pytest.mark.parametrize("by_hand", [False, True])
def test_the_last_column_is_the_edit(editor, photo, choice, regions, by_hand):
    canvas = Canvas(photo.image, regions)
    canvas.fill("lips", "#2040c0")
    if by_hand:
        x, y = choice.crops[0].corners().mean(axis=0)
        canvas.stroke([(x - 60, y + 40), (x - 20, y + 60)], "#ffe0a0", radius=14)
    timesteps = 150, 400
    heard = []
    study = sweep(editor, photo, canvas, timesteps, progress=lambda *step: heard.append(step), **STRENGTH)
    assert heard == [(step, 8) for step in range(1, 9)], "two columns of two steps in two rows"
    crop = choice.crops[0].resized(CROP)
    marked = crop.extract(canvas.mask.astype(np.float32), 128) > 0.9
    for row, timestep in enumerate(timesteps):
        edited = editor.edit(photo, canvas, timestep, choice=choice, upscale=False, **STRENGTH).photo.image
        left, top = (len(STUDY) - 1) * TILE, row * TILE
        tile = study[top : top + 256, left : left + 256].reshape(128, 2, 128, 2, 3).mean(axis=(1, 3))
        apart = np.abs(tile - crop.extract(edited, 128))[marked]
        assert apart.mean() < 4.5, timestep
