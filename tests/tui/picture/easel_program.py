"""The program that the terminal tests run: a picture, one photo pixel painted red wherever the pointer is dragged.

Its arguments are colour depths: it begins with the first, and the key D goes on to the next.
"""

import sys

import numpy as np
from textual.app import App

from npe_tui.picture import PictureView

RED = (255, 0, 0)


def picture():
    return np.random.default_rng(0).integers(0, 256, (100, 140, 3), dtype=np.uint8)


class Program(App):
    def __init__(self, depth, *others):
        super().__init__()
        self.view, self.image, self.others = PictureView(depth=depth), picture(), list(others)

    def compose(self):
        yield self.view

    def on_mount(self):
        self.view.show(self.image)
        self.view.focus()

    def key_d(self):
        self.view.depth = self.others.pop(0)

    def on_picture_view_pointer_down(self, message):
        self.paint(message)

    def on_picture_view_pointer_move(self, message):
        if message.button == 1:
            self.paint(message)

    def paint(self, message):
        x, y = int(message.x), int(message.y)
        if message.inside:
            self.image[y, x] = RED
            self.view.update_box(self.image, (x, y, x + 1, y + 1))


if __name__ == "__main__":
    Program(*sys.argv[1:]).run()
