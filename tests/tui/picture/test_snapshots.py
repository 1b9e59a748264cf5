"""What a person sees, dot by dot, held in small pictures beside this file.

After a change that is meant: ``UPDATE_SNAPSHOTS=1 pytest tests/tui/picture/test_snapshots.py``, and look.
"""

import asyncio
import os
from pathlib import Path

import numpy as np
import pytest
from code_colours import colours_of
from PIL import Image
from textual.app import App

from npe_tui.picture import Depth, PictureView

FOLDER = Path(__file__).with_name("snapshots")


class Portrait(App):
    """A painted mouth with its outline, the divider, the brush at the cursor."""

    def __init__(self, image, depth):
        super().__init__()
        self.image, self.view = image, PictureView(depth=depth)

    def compose(self):
        yield self.view

    def on_mount(self):
        rows, columns = np.mgrid[:512, :512]
        mask = (np.hypot((columns - 256) / 2, rows - 352) < 34) * np.uint8(255)
        painted = np.where(mask[..., None] > 0, self.image // 2 + np.uint8([96, 0, 24]), self.image)
        self.view.show(painted)
        self.view.set_mask(mask)
        self.view.compare(self.image, 0.3)
        self.view.brush_radius = 40
        self.view.cursor = (330.0, 200.0)


@pytest.mark.parametrize("depth", ["true", "16"])
@pytest.mark.parametrize("size", [(72, 36), (40, 12)], ids="{0[0]}x{0[1]}".format)
def test_a_portrait_with_all_marks(portrait, size, depth):
    async def dots():
        app = Portrait(np.asarray(Image.open(portrait).convert("RGB")), depth)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            while app.view._stale or app.view._flushing:
                await pilot.pause(0.01)
            return colours_of(app.view._codes[:, : size[0]], Depth(depth))

    shown = asyncio.run(dots())
    file = FOLDER / f"portrait-{size[0]}x{size[1]}-{depth}.png"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        FOLDER.mkdir(exist_ok=True)
        Image.fromarray(shown).save(file, optimize=True)
    expected = np.asarray(Image.open(file).convert("RGB"))
    differ = (shown != expected).any(axis=-1).mean()
    assert shown.shape == expected.shape
    assert np.abs(shown.astype(int) - expected).max() <= (1 if depth == "true" else 255)
    assert differ < (0.02 if depth == "16" else 1), "another build of OpenCV may round a mean the other way"
