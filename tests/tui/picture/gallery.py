"""A picture view alone in an app, for tests: what it tells, and what it shows."""

import asyncio
from contextlib import asynccontextmanager
from functools import wraps

import numpy as np
from textual import events
from textual.app import App

from npe_tui.picture import PictureView

WIDTH, HEIGHT = 160, 120


def picture(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


class Gallery(App):
    """A view with a frame around it, and what it tells."""

    CSS = "PictureView { border: solid green; margin: 1 3; }"

    def __init__(self):
        super().__init__()
        self.view = PictureView(depth="true")
        self.told = []
        self.image = picture()

    def compose(self):
        yield self.view

    def on_mount(self):
        self.view.show(self.image)
        self.view.focus()

    def on_picture_view_pointer_down(self, message):
        self.told.append(message)

    on_picture_view_pointer_move = on_picture_view_pointer_up = on_picture_view_pointer_down
    on_picture_view_viewport_changed = on_picture_view_pointer_down

    def kinds(self):
        return [type(message).__name__ for message in self.told]


@asynccontextmanager
async def gallery(pixels=True):
    """A view of 80x40 cells; ``pixels``: in a terminal that reports the pointer finer than cells."""
    app = Gallery()
    async with app.run_test(size=(88, 44)) as pilot:
        await pilot.pause()
        if pixels:
            await mouse(app, events.MouseMove, 0.5, 0.5, button=0)
            await pilot.pause()
        app.told.clear()
        yield app, app.view, pilot


async def mouse(app, kind, x, y, button=1, **keys):
    """A mouse event at a point in cells of the view, fine as a terminal that reports pixels would send it."""
    region = app.view.content_region
    modifiers = {"shift": False, "meta": False, "ctrl": False} | keys
    app.post_message(kind(None, region.x + x, region.y + y, 0, 0, button, **modifiers))


async def painted(app, pilot):
    """Until the view has painted what it was told: it gathers changes for a moment."""
    await pilot.pause()
    while app.view._stale or app.view._flushing:
        await pilot.pause(0.01)
    await pilot.pause()


def run(test):
    """Runs an ``async`` test to its end."""

    @wraps(test)
    def runner(*args, **kwargs):
        asyncio.run(test(*args, **kwargs))

    return runner


def shown(app):
    """(2 * rows, columns): the codes that the lanes show, through the very strips that go to the terminal."""
    view = app.view
    columns, rows = view.content_size
    lines = app.screen._compositor.render_strips()
    region = view.content_region
    dots = np.zeros((2 * rows, columns), np.int64)
    for y in range(rows):
        x = 0
        for text, style, _ in lines[region.y + y].crop(region.x, region.right):
            upper, lower = style.color, style.bgcolor
            values = [
                int.from_bytes(bytes(colour.get_truecolor()))
                for colour in ((lower, lower) if text[0] == " " else (upper, lower))
            ]
            dots[2 * y, x : x + len(text)], dots[2 * y + 1, x : x + len(text)] = values
            x += len(text)
    return dots
