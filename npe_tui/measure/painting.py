"""A picture to paint on, alone in a terminal: ``python -m npe_tui.measure.painting DEPTH``."""

from __future__ import annotations

import sys

import numpy as np

from npe_core.bench.portrait import samples

RADIUS = 14
"""Of the brush, in pixels of a photo of 512."""


def portrait() -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(samples()[0]).convert("RGB"))


def paint(depth: str) -> None:
    """A picture to paint on, with the engine's own canvas."""
    from textual.app import App, ComposeResult

    from npe_core.canvas import Canvas
    from npe_tui.picture import PictureView

    class Painting(App[None]):
        def compose(self) -> ComposeResult:
            yield PictureView(depth=depth)

        def on_mount(self) -> None:
            self.canvas = Canvas(portrait())
            self.view = self.query_one(PictureView)
            self.view.show(self.canvas.guide)
            self.view.brush_radius = RADIUS
            self.view.focus()

        def on_picture_view_pointer_down(self, message: PictureView.PointerDown) -> None:
            self.canvas.begin_stroke("#c01840", RADIUS)
            self.draw(message)

        def on_picture_view_pointer_move(self, message: PictureView.PointerMove) -> None:
            if message.button == 1:
                self.draw(message)

        def draw(self, message: PictureView.Pointer) -> None:
            if (box := self.canvas.extend_stroke([(message.x, message.y)])) is not None:
                self.view.update_box(self.canvas.guide, box)
                self.view.set_mask(self.canvas.levels, box)

    Painting().run()


if __name__ == "__main__":
    paint(sys.argv[1])
